"""Which blocks of a language model may go, and what must be tuned afterwards?"""

from foqus_lib.studies.llm_pruning.given import bench, task
from foqus_lib.studies.llm_pruning.grid import STUDY, trials
from foqus_lib.studies.llm_pruning.options import Options

__all__ = ["STUDY", "Options", "bench", "task", "trials"]

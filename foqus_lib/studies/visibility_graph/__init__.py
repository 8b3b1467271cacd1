"""AVGNet against graphs by rules, against other networks, and trained on coresets."""

from foqus_lib.studies.visibility_graph.bench import bench
from foqus_lib.studies.visibility_graph.grid import STUDY, trials
from foqus_lib.studies.visibility_graph.options import Options

__all__ = ["STUDY", "Options", "bench", "trials"]

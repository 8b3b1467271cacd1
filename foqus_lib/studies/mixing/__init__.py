"""Mixing Signals on coresets: does cheap synthesis close the gap that a coreset leaves?

Every row trains one network on one coreset with the same recipe, so in the same number of optimiser
steps on batches of the same rows in the same order; a row differs only in what is done to a batch.
Records and coresets are the coreset study's own: what 03_main_tables made is used again.
"""

from foqus_lib.studies.mixing.bars import FILES
from foqus_lib.studies.mixing.bench import Bench, bench
from foqus_lib.studies.mixing.options import Options
from foqus_lib.studies.mixing.rows import METHODS
from foqus_lib.studies.mixing.study import STUDY
from foqus_lib.studies.mixing.trials import trials

__all__ = ["FILES", "METHODS", "STUDY", "Bench", "Options", "bench", "trials"]

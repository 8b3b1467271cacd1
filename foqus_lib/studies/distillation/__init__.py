"""A few signals of each class, chosen or made: what does a network learn from them?

Rows: real signals that a rule chose (Random is the floor), sets that gradient or distribution
matching made from such a start, and all data as the ceiling. The axis is signals per class: a
made-up signal takes as many stored floats as a real one. Every set trains the same networks for
the same number of steps, once on signals as they are and once with a random carrier phase.

    record (as the coreset grid's) -> start of S -> synthetic set, an artifact -> trials

Where a weight or a step is chosen, sets and trials of the sweep on val come first: see `choice`.
"""

from foqus_lib.studies.distillation.bars import FILES
from foqus_lib.studies.distillation.bench import Bench, bench
from foqus_lib.studies.distillation.options import MAIN, Options
from foqus_lib.studies.distillation.study import STUDY
from foqus_lib.studies.distillation.trials import trials

__all__ = ["FILES", "MAIN", "STUDY", "Bench", "Options", "bench", "trials"]

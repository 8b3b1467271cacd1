"""The capstone: what each way to spend less buys, on one scale of stored floats, seconds, weights.

options    what can be asked for, the rows and the networks
trials     the key of each result
bench      what every job is told
sets       what a row trains on, and the CPU seconds that choosing or making it took
networks   a network trained on a set, whole or cut after a first training on the same set
study      jobs and metrics
steps      the gradient steps that the rows took
bars       the bar of the specification
"""

from foqus_lib.studies.frontier.bench import bench
from foqus_lib.studies.frontier.options import Options
from foqus_lib.studies.frontier.study import STUDY
from foqus_lib.studies.frontier.trials import trials

__all__ = ["STUDY", "Options", "bench", "trials"]

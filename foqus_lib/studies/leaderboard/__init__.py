"""Which signals to train on, as a contest: the trainer is fixed, row numbers are submitted."""

from foqus_lib.studies.leaderboard.grid import NAME, trials
from foqus_lib.studies.leaderboard.options import Options
from foqus_lib.studies.leaderboard.run import STUDY, bench, public

__all__ = ["NAME", "Options", "STUDY", "bench", "public", "trials"]

"""How much of a coreset n-RM can change: a signal alone of its class and SNR has no partner."""

from collections import defaultdict
from collections.abc import Sequence

import pandas as pd

from foqus_lib.companions.mixing.part import TrainingPart
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.study import RATE
from foqus_lib.studies.frontier.bench import Bench
from foqus_lib.studies.frontier.networks import CHANCE
from foqus_lib.studies.frontier.options import MIXED
from foqus_lib.studies.frontier.sets import stock_of


def mixed_shares(bench: Bench, trials: Sequence[Trial]) -> pd.DataFrame:
    """One line for each method that mixes and each rate, over the coresets of its seeds.

    Signals without a partner stay as they are, the others give way with n-RM's chance. A coreset
    that follows from a record is not counted while the store lacks that record.
    """
    alone, sizes = defaultdict(list), defaultdict(set)
    for trial in _one_for_each_coreset(trials):
        line = trial.method, RATE.text(trial.budget)
        try:
            part = TrainingPart(bench.task, stock_of(bench, trial).rows)
        except ValueError:  # no record
            sizes[line] |= set()
            continue
        alone[line].append(part.alone.mean())
        sizes[line].add(str(len(part.rows)))
    return pd.DataFrame([
        {
            "method": method, "rate": rate, "coresets": len(alone[method, rate]),
            "signals": ", ".join(sorted(sizes[method, rate])) or "no record here",
            "without a partner": _range(alone[method, rate]),
            "changed in an epoch": _range([CHANCE * (1 - x) for x in alone[method, rate]]),
        }
        for method, rate in sizes
    ])  # fmt: skip


def _one_for_each_coreset(trials: Sequence[Trial]) -> list[Trial]:
    """Every network and form trains on the same one."""
    mixed = [trial for trial in trials if trial.method.endswith(MIXED)]
    return list({(one.method, one.budget, one.seed): one for one in mixed}.values())


def _range(shares: Sequence[float]) -> str:
    if not shares:
        return "–"
    low, high = f"{min(shares):.0%}", f"{max(shares):.0%}"
    return low if low == high else f"{low} to {high}"

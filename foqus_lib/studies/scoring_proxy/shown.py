"""What the page shows of the rows beside its two tables."""

import pandas as pd

from foqus_lib.studies.scoring_proxy.records import WHOLE

NAMES = ["rho", "selection_seconds"]


def agreement(rows: pd.DataFrame) -> pd.DataFrame:
    """By method and rate, means over seeds: rank correlation, seconds, saved.

    saved: the share of the whole network's seconds that a method's selection training does not
    take, NaN without rows of it. The row of the whole network is its own agreement with another
    seed's.
    """
    keys = ["method", "budget"]
    seeds = rows.groupby([*keys, "seed"], sort=False)[NAMES].mean()
    means = seeds.groupby(level=keys, sort=False).mean()
    method, budget = (means.index.get_level_values(name) for name in keys)
    whole = means.selection_seconds[method == WHOLE].droplevel("method")
    return means.assign(saved=1 - means.selection_seconds / whole.reindex(budget).to_numpy())

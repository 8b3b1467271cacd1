"""What the page shows of the rows beside its two tables."""

import pandas as pd

from foqus_lib.studies.scoring_proxy.records import WHOLE


def agreement(rows: pd.DataFrame) -> pd.DataFrame:
    """By method and rate, over seeds: mean rank correlation, median seconds, median share saved.

    saved: the share of the same seed's whole network's seconds that a method's selection training
    does not take, NaN without it. Medians, as one seed may have run on another machine. The row of
    the whole network is its own agreement with another seed's.
    """
    keys = ["method", "budget"]
    seeds = rows.groupby([*keys, "seed"], sort=False)[["rho", "selection_seconds"]].mean()
    seconds = seeds.selection_seconds
    whole = seconds[seconds.index.get_level_values("method") == WHOLE].droplevel("method")
    of_seed = whole.reindex(seconds.index.droplevel("method")).to_numpy()
    found = seeds.assign(saved=1 - seconds / of_seed).groupby(level=keys, sort=False)
    return found[["rho"]].mean().join(found[["selection_seconds", "saved"]].median())

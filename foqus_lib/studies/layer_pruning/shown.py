"""What the page shows of the rows beside its two tables."""

import pandas as pd

from foqus_lib.studies.layer_pruning.grid import STUDY
from foqus_lib.studies.layer_pruning.options import RANDOM


def costs_by_method(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds and draws of all metrics but the score, by method and blocks kept."""
    names = [metric.name for metric in STUDY.metrics if metric.name != "score"]
    return rows.groupby(["network", "method", "budget"], sort=False)[names].mean()


def kept_shares(kept: pd.DataFrame) -> pd.DataFrame:
    """How often each method keeps each block, over seeds and draws, of `rows_by("kept", "block")`.

    Methods down, blocks across; who chooses no blocks is not there.
    """
    keys = ["method", "budget"]
    runs = kept.drop_duplicates([*keys, "seed", "repeat"]).groupby(keys, sort=False).size()
    counts = kept.groupby([*keys, "block"], sort=False).size().unstack("block", fill_value=0)
    counts.columns = [f"{block:g}" for block in counts.columns]
    order = sorted(counts.columns, key=int)
    return counts.loc[runs.index, order].div(runs, axis=0)


def rank_correlation(rows: pd.DataFrame) -> pd.DataFrame:
    """Spearman's rho of score and accuracy over the draws of Random keep: one row a budget, seed.

    NaN where all draws are alike.
    """
    drawn = rows[rows.method == RANDOM]
    found = [
        {
            "blocks kept": budget,
            "seed": seed,
            "draws": len(group),
            "rho": _spearman(group.score, group.accuracy),
        }
        for (budget, seed), group in drawn.groupby(["budget", "seed"])
    ]
    return pd.DataFrame(found, columns=["blocks kept", "seed", "draws", "rho"])


def _spearman(one: pd.Series, two: pd.Series) -> float:
    varied = one.nunique() > 1 and two.nunique() > 1
    return one.corr(two, method="spearman") if varied else float("nan")

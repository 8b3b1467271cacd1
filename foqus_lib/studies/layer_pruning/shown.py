"""What the page shows of the rows beside its two tables."""

import math

import pandas as pd

from foqus_lib.studies.layer_pruning.grid import STUDY
from foqus_lib.studies.layer_pruning.options import LARGEST, OURS, RANDOM

RHO = ["network", "blocks kept", "seed", "draws", "rho", "chance"]


def costs_by_method(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds and draws of all metrics but the score, by network, method, blocks kept."""
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


def with_score(rows: pd.DataFrame) -> pd.DataFrame:
    """The draws, and what layer pruning chose, where most draws are of one base network.

    Of each network: the number of blocks and the seed of most draws of Random keep.
    """
    shown = rows[rows.method.isin([RANDOM, OURS, LARGEST])]
    parts = []
    for _, own in shown.groupby("network", sort=False):
        keys = ["budget", "seed"]
        most = own[own.method == RANDOM].groupby(keys, sort=False).size().idxmax()
        parts.append(own[(own[keys] == list(most)).all(axis=1)])
    return pd.concat(parts)


def rank_correlation(rows: pd.DataFrame) -> pd.DataFrame:
    """Spearman's rho of score and accuracy over the draws of Random keep, most draws first.

    One row a network, number of blocks and base network. chance: 1.96 / sqrt(draws - 1), below
    which |rho| stays in 95 of 100 cases where the score says nothing. NaN where all draws are
    alike.
    """
    drawn = rows[rows.method == RANDOM]
    found = [
        {
            "network": network,
            "blocks kept": budget,
            "seed": seed,
            "draws": len(group),
            "rho": _spearman(group.score, group.accuracy),
            "chance": min(1.0, 1.96 / math.sqrt(max(len(group) - 1, 1))),
        }
        for (network, budget, seed), group in drawn.groupby(["network", "budget", "seed"])
    ]
    table = pd.DataFrame(found, columns=RHO)
    return table.sort_values("draws", ascending=False, kind="stable", ignore_index=True)


def _spearman(one: pd.Series, two: pd.Series) -> float:
    varied = one.nunique() > 1 and two.nunique() > 1
    return one.corr(two, method="spearman") if varied else float("nan")

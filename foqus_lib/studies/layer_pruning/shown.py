"""What the page shows of the rows beside its two tables."""

import math

import pandas as pd

from foqus_lib.studies.layer_pruning.options import FULL, LARGEST, OURS, RANDOM

RHO = ["network", "blocks kept", "seed", "draws", "distinct", "rho", "chance"]


def tuning_of_whole(rows: pd.DataFrame) -> str:
    """What training on did to the whole network, network by network, in words."""
    whole = rows[rows.method == FULL]
    change = (whole.accuracy - whole.accuracy_before).groupby([whole.network, whole.seed]).mean()
    words = [
        f"{100 * each.mean():+.1f} points for {network} (mean of {len(each)} seeds)"
        for network, each in change.groupby(level="network")
    ]
    if not words:
        return f"No rows of {FULL}."
    return (
        f"{FULL} is the whole network, trained on like all others. That changed its accuracy by "
        f"{', '.join(words)}. So it is no upper bound: a pruned network may stand above it."
    )


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

    Of each network: the number of blocks and the seed of most draws of Random keep; of a network
    without draws, of most rows that there are.
    """
    shown, keys = rows[rows.method.isin([RANDOM, OURS, LARGEST])], ["budget", "seed"]
    parts = [shown[:0]]
    for _, own in shown.groupby("network", sort=False):
        drawn = own[own.method == RANDOM]
        counts = (own if drawn.empty else drawn).groupby(keys, sort=False).size()
        parts.append(own[(own[keys] == list(counts.idxmax())).all(axis=1)])
    return pd.concat(parts)


def rank_correlation(rows: pd.DataFrame) -> pd.DataFrame:
    """Spearman's rho of score and accuracy over the draws of Random keep, most draws first.

    One row a network, number of blocks and base network. distinct: how many sets of blocks were
    drawn, told by their scores; draws may repeat. chance: 1.96 / sqrt(draws - 1), below which |rho|
    stays in 95 of 100 cases where the score says nothing. NaN where all draws are alike.
    """
    drawn = rows[rows.method == RANDOM]
    found = [
        {
            "network": network,
            "blocks kept": budget,
            "seed": seed,
            "draws": len(group),
            "distinct": group.score.nunique(),
            "rho": _spearman(group.score, group.accuracy),
            "chance": min(1.0, 1.96 / math.sqrt(max(len(group) - 1, 1))),
        }
        for (network, budget, seed), group in drawn.groupby(["network", "budget", "seed"])
    ]
    table = pd.DataFrame(found, columns=RHO)
    return table.sort_values("draws", ascending=False, kind="stable", ignore_index=True)


def draws_in_words(rows: pd.DataFrame) -> str:
    """How many sets of blocks the draws of `with_score` are, network by network."""
    found = rank_correlation(with_score(rows))
    lines = [
        f"{one.network}: {one.draws} draws, {one.distinct} distinct sets of blocks"
        for one in found.itertuples()
    ]
    return "\n".join(lines or ["No draws."])


def _spearman(one: pd.Series, two: pd.Series) -> float:
    varied = one.nunique() > 1 and two.nunique() > 1
    return one.corr(two, method="spearman") if varied else float("nan")

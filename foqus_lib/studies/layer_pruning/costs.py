"""What rows cost: in all metrics, and as shares of the whole network."""

import pandas as pd

from foqus_lib.studies.layer_pruning.grid import STUDY
from foqus_lib.studies.layer_pruning.options import FULL, METHODS, OURS


def costs_by_method(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds and draws of all metrics but the score, by network, method, blocks kept."""
    names = [metric.name for metric in STUDY.metrics if metric.name != "score"]
    return rows.groupby(["network", "method", "budget"], sort=False)[names].mean()


def cost_shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Parameters and FLOPs of what is left as shares of the whole network's, means as above.

    In the order of the page's methods, the whole network left out. NaN where it has no rows.
    """
    means = costs_by_method(rows)[["parameters", "flops"]]
    is_whole = means.index.get_level_values("method") == FULL
    whole, left = means[is_whole].droplevel(["method", "budget"]), means[~is_whole]
    shares = left / whole.reindex(left.index.get_level_values("network")).to_numpy()
    place = {method: at for at, method in enumerate(METHODS)}
    return shares.sort_index(
        key=lambda level: level.map(place) if level.name == "method" else level
    )


def widest_apart(shares: pd.DataFrame) -> str:
    """At which number of blocks of which network methods differ most in FLOPs, in words."""
    flops = shares.flops.dropna()
    if flops.empty:
        return "No rows of the whole network, so no shares of its FLOPs."
    groups = flops.groupby(level=["network", "budget"])
    network, budget = (groups.max() - groups.min()).idxmax()
    own = flops.xs((network, budget), level=["network", "budget"]).sort_values()
    shown = [name for name in own.index if name in (own.index[0], OURS, own.index[-1])]
    words = ", ".join(f"{own[name]:.0%} ({name})" for name in shown)
    return (
        f"Equal blocks are not equal FLOPs. Widest apart are the rows of {network} at {budget} "
        f"blocks; of the whole network's FLOPs they have left: {words}."
    )

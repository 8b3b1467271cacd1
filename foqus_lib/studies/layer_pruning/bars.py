"""What the specification asks of this chapter, section 4.6. 4.6.1 and 4.6.2 are tests.

ResNet20 keeps a block of every stage, so its deepest cut is two thirds; CNN1D's is three quarters.
"""

import pandas as pd

from foqus_lib.experiment.study import Bar
from foqus_lib.studies.layer_pruning.options import FULL, OURS, RANDOM, SCRATCH

UNPRUNED = "Full, before training on"


def with_unpruned(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows and, as a method of its own, the base network as it was when others were cut out.

    What bar 4.6.3 calls the unpruned net: its accuracy is `accuracy_before` of the whole network,
    which after that is trained on like all others and may lose by it.
    """
    whole = rows[rows.method == FULL].dropna(subset="accuracy_before")
    unpruned = whole.assign(method=UNPRUNED, accuracy=whole.accuracy_before)
    return pd.concat([rows, unpruned], ignore_index=True)


def bars(rows: pd.DataFrame) -> list[Bar]:
    """For each network: the number of blocks nearest half the FLOPs, and the deepest cut.

    They are judged by the rows of `with_unpruned`, in which the whole network has to stand under
    every number of blocks, as `means.laid_out` puts it. None for a network whose own rows lack
    layer pruning or the whole network.
    """
    return [
        bar for network, own in rows.groupby("network", sort=False) for bar in _of(network, own)
    ]


def _of(network: str, rows: pd.DataFrame) -> list[Bar]:
    ours = rows[rows.method == OURS].dropna(subset=["budget"])
    whole = rows[rows.method == FULL].flops.mean()
    share = (ours.groupby("budget").flops.mean() / whole).dropna()
    if share.empty:
        return []
    half, deepest = (share - 0.5).abs().idxmin(), share.index.min()
    found = [
        Bar(
            "4.6.3", f"{network}: within 1 point of the unpruned network at {share[half]:.0%} of "
            "its FLOPs", (OURS,), UNPRUNED, least=-0.01, where={"network": network, "budget": half},
        ),
        Bar(
            "4.6.3", f"{network}: within 3 points of it at the deepest cut, {deepest:.0f} blocks",
            (OURS,), UNPRUNED, least=-0.03, where={"network": network, "budget": deepest},
        ),
    ]  # fmt: skip
    for budget in share.index:
        where = {"network": network, "budget": budget}
        at = f"{network}, {budget:.0f} blocks:"
        found += [
            Bar("4.6.4", f"{at} at least the mean draw", (OURS,), RANDOM, least=0.0, where=where),
            Bar(
                "4.6.4", f"{at} 0.5 points over scratch", (OURS,), SCRATCH, least=0.005, where=where
            ),
        ]  # fmt: skip
    return found

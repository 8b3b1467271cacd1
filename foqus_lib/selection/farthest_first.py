"""Farthest first: what k-center greedy and contextual diversity share."""

import numpy as np
import torch
from jaxtyping import Float64, Int
from numpy import ndarray
from torch import Tensor

from foqus_lib.selection.checks import within
from foqus_lib.selection.divergence import Distance

BLOCK = 256  # candidates looked at together
CHUNK = 2**18  # distances held at once: 2 MB, so that a CPU keeps them in its cache


def farthest_first(
    distance: Distance, budget: int, centres: Int[ndarray, " m"]
) -> Int[ndarray, " budget"]:
    """The rows to add to the centres, each the farthest from its nearest centre so far.

    Lazy and exact. Distances to the nearest centre only shrink. So take the BLOCK rows with the
    largest known ones and go on picking among them while the best is above all that may stand
    outside; then bring every row up to date with one GEMM. O(n) memory beside the data. The
    GEMMs run on torch's default device, the picking on the host. Among equals the lower row wins.
    """
    n = len(distance.left)
    within(budget, n - len(centres))
    left, right = torch.as_tensor(distance.left), torch.as_tensor(distance.right)
    noise = 1e-13 * (left * right).abs().sum(dim=1)
    nearest = torch.full((n,), torch.inf, dtype=torch.float64)

    def distances(rows: Tensor | slice, new: Tensor) -> Float64[Tensor, "r m"]:
        """From each row to each centre. Below the rounding error of the row it is 0."""
        d = left[rows] @ right[new].T
        return d.masked_fill_(d < noise[rows, None], 0)

    def bring_near(new: Tensor) -> None:
        """Update the distance to the nearest centre; a centre itself is out: -inf."""
        step = max(1, CHUNK // max(1, len(new)))
        for first in range(0, n if len(new) else 0, step):
            rows = slice(first, first + step)
            closest = (left[rows] @ right[new].T).amin(dim=1)
            closest.masked_fill_(closest < noise[rows], 0)  # a duplicate
            nearest[rows] = torch.minimum(nearest[rows], closest)
        nearest[new] = -torch.inf

    bring_near(torch.as_tensor(centres))
    picks = np.empty(0, dtype=np.int64)
    while (missing := budget - len(picks)) > 0:
        best = nearest.argmax()  # the first of equals
        if nearest[best] == 0:  # only duplicates are left: they tie
            rest = torch.nonzero(nearest == 0)[:missing, 0]
            return np.concatenate([picks, rest.cpu().numpy()])
        block = torch.cat([nearest.topk(min(BLOCK, n)).indices, best[None]]).unique()  # sorted
        among = distances(block, block).cpu().numpy()
        new = block.cpu().numpy()[_safe_picks(nearest[block].cpu().numpy(), among, missing)]
        bring_near(torch.as_tensor(new))
        picks = np.concatenate([picks, new])
    return picks


def _safe_picks(
    now: Float64[ndarray, " m"], among: Float64[ndarray, "m m"], most: int
) -> list[int]:
    """The next picks that need only the block's own distances to be known; at least one."""
    now = now.copy()
    outside = now.min()  # no row outside the block is farther than this
    picks: list[int] = []
    while len(picks) < most:
        best = int(now.argmax())
        if picks and now[best] <= outside:
            break
        picks.append(best)
        np.minimum(now, among[:, best], out=now)
        now[best] = -np.inf
    return picks

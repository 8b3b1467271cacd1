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
AWAKE = 8  # rows kept up to date for each that is still to be picked: fewer come up too early


def farthest_first(
    distance: Distance, budget: int, centres: Int[ndarray, " m"]
) -> Int[ndarray, " budget"]:
    """The rows to add to the centres, each the farthest from its nearest centre so far.

    Lazy and exact. Distances to the nearest centre only shrink, so one that was true is a bound for
    ever. Take the BLOCK rows with the largest and go on picking among them while the best is above
    all that may stand outside; then bring near, with one GEMM, the rows that may still be picked.
    The others sleep: should one come up after all, its distance is formed then. Where the distance
    has a bound, that GEMM gives bounds, and distances themselves are formed for the rows of the
    block. O(n) memory beside the data. The GEMMs run on torch's default device, the picking on the
    host. Among equals the lower row wins.
    """
    n = len(distance.left)
    within(budget, n - len(centres))
    left, right = torch.as_tensor(distance.left), torch.as_tensor(distance.right)
    noise = 1e-13 * (left * right).abs().sum(dim=1)
    at_most = torch.full((n,), torch.inf, dtype=torch.float64)  # nearest centres are no farther
    known = torch.ones(n, dtype=torch.bool)  # where it is that distance itself
    placed = torch.as_tensor(centres)

    def distances(rows: Tensor, new: Tensor) -> Float64[Tensor, "r m"]:
        """From each row to each centre. Below the rounding error of the row it is 0."""
        d = left.index_select(0, rows) @ right.index_select(0, new).T
        return d.masked_fill_(d < noise[rows, None], 0)

    def bring_near(new: Tensor, rows: Tensor) -> None:
        """Account for new centres in some rows; a centre itself is out: -inf."""
        current = known[rows] if distance.bound is None else False
        known.fill_(False)
        known[rows] = current
        for some in rows.split(max(1, CHUNK // len(new))):
            if distance.bound is None:
                closest = distances(some, new).amin(dim=1)
            else:
                there, here = short_right.index_select(0, new), short_left.index_select(0, some)
                closest = (there @ here.T).amin(dim=0) + more[some]
            at_most[some] = torch.minimum(at_most[some], closest)
        at_most[new], known[placed] = -torch.inf, True

    def awake(missing: int) -> Tensor:
        """The rows of the largest bounds: as far as one can tell, those that may be picked."""
        if (asleep := n - AWAKE * max(missing, BLOCK)) <= 0:
            return torch.arange(n)
        return torch.nonzero(at_most >= at_most.kthvalue(asleep).values)[:, 0]

    def look_up(rows: Tensor) -> None:
        """The distance to the nearest centre itself."""
        rows = rows[~known[rows]]
        if len(rows):
            closest = [
                distances(rows, some).amin(dim=1) for some in placed.split(max(1, CHUNK // BLOCK))
            ]
            at_most[rows], known[rows] = torch.stack(closest).amin(dim=0), True

    if distance.bound is not None:
        short_left = torch.as_tensor(distance.bound.left)
        short_right = torch.as_tensor(distance.bound.right)
        more = torch.as_tensor(distance.bound.more)
    if len(placed):
        bring_near(placed, torch.arange(n))
    picks = np.empty(0, dtype=np.int64)
    while (missing := budget - len(picks)) > 0:
        while True:
            best = at_most.argmax()  # the first of equals
            if known[best]:
                break
            look_up(torch.cat([at_most.topk(min(BLOCK, n)).indices, best[None]]).unique())
        if at_most[best] == 0:  # only duplicates are left: they tie
            rest = torch.nonzero(at_most > -torch.inf)[:missing, 0]
            return np.concatenate([picks, rest.cpu().numpy()])
        block = torch.cat([at_most.topk(min(BLOCK, n)).indices, best[None]]).unique()  # sorted
        block = block[known[block]]
        others = at_most.index_fill(0, block, -torch.inf)
        among = distances(block, block).cpu().numpy()
        now, outside = at_most[block].cpu().numpy(), float(others.max())
        new = block[torch.as_tensor(_safe_picks(now, among, missing, outside))]
        placed = torch.cat([placed, new])
        picks = np.concatenate([picks, new.cpu().numpy()])
        bring_near(new, awake(budget - len(picks)))
    return picks


def _safe_picks(
    now: Float64[ndarray, " m"], among: Float64[ndarray, "m m"], most: int, outside: float
) -> list[int]:
    """The next picks that need only the block's own distances to be known; at least one.

    No row outside the block is farther from its nearest centre than `outside`.
    """
    now = now.copy()
    picks: list[int] = []
    while len(picks) < most:
        best = int(now.argmax())
        if picks and now[best] <= outside:
            break
        picks.append(best)
        np.minimum(now, among[:, best], out=now)
        now[best] = -np.inf
    return picks

"""Baselines of Section IV-A that place a set: each pick depends on the picks before.

`farthest_first` and `herding` are deterministic: among equals the lower row wins. The methods
around them shuffle each pool first, so that equals are drawn by seed, not by file order [A1].
"""

import numpy as np
from jaxtyping import Float, Float64, Int
from numpy import ndarray

from foqus_lib.evidence import Evidence
from foqus_lib.selection.checks import finite, within
from foqus_lib.selection.divergence import Distance, squared_euclidean, symmetric_kl
from foqus_lib.selection.methods import Picker

BLOCK = 256  # candidates looked at together
CHUNK = 4096  # rows updated at once


def uniform(evidence: Evidence) -> Picker:
    """Every signal of the pool with the same probability."""
    return lambda rows, budget, rng: rng.permutation(rows)[:budget]


def k_center_greedy(evidence: Evidence) -> Picker:
    """Sener & Savarese 2018: each pick is the signal whose nearest pick is farthest [A20]."""

    def pick(rows: ndarray, budget: int, rng: np.random.Generator) -> ndarray:
        rows = rng.permutation(rows)
        return rows[_from_the_first(squared_euclidean(evidence.embedding[rows]), budget)]

    return pick


def contextual_diversity(evidence: Evidence) -> Picker:
    """Agarwal et al. 2020: k-center greedy on predictions, symmetric KL for the distance [A16]."""

    def pick(rows: ndarray, budget: int, rng: np.random.Generator) -> ndarray:
        rows = rng.permutation(rows)
        return rows[_from_the_first(symmetric_kl(evidence.logits[rows]), budget)]

    return pick


def mean_herding(evidence: Evidence) -> Picker:
    """Welling 2009: the mean of the coreset follows the mean of the pool."""

    def pick(rows: ndarray, budget: int, rng: np.random.Generator) -> ndarray:
        rows = rng.permutation(rows)
        return rows[herding(evidence.embedding[rows], budget)]

    return pick


def farthest_first(
    distance: Distance, budget: int, centres: Int[ndarray, " m"]
) -> Int[ndarray, " budget"]:
    """The rows to add to the centres, each the farthest from its nearest centre so far.

    Lazy and exact. Distances to the nearest centre only shrink. So take the BLOCK rows with the
    largest known ones and go on picking among them while the best is above all that may stand
    outside; then bring every row up to date with one GEMM. O(n) memory beside the data.
    """
    n = len(distance.left)
    within(budget, n - len(centres))
    noise = 1e-13 * np.abs(distance.left * distance.right).sum(axis=1)
    nearest = np.full(n, np.inf)
    _bring_near(nearest, distance, noise, centres)
    picks = np.empty(0, dtype=np.int64)
    while (missing := budget - len(picks)) > 0:
        if nearest.max() == 0:  # only duplicates are left: they tie
            return np.concatenate([picks, np.flatnonzero(nearest == 0)[:missing]])
        new = _safe_picks(nearest, distance, noise, missing)
        _bring_near(nearest, distance, noise, new)
        picks = np.concatenate([picks, new])
    return picks


def _safe_picks(
    nearest: Float64[ndarray, " n"], distance: Distance, noise: Float64[ndarray, " n"], most: int
) -> Int[ndarray, " m"]:
    """The next picks that need only the block's own distances to be known; at least one."""
    block = np.argpartition(-nearest, min(BLOCK, len(nearest)) - 1)[:BLOCK]
    block = np.union1d(block, nearest.argmax())  # sorted, and the first of equals is in it
    among = _distances(distance, noise, block, block)
    now = nearest[block]
    outside = now.min()  # no row outside the block is farther than this
    picks: list[int] = []
    while len(picks) < most:
        best = int(now.argmax())
        if picks and now[best] <= outside:
            break
        picks.append(best)
        np.minimum(now, among[best], out=now)
        now[best] = -np.inf
    return block[picks]


def _bring_near(
    nearest: Float64[ndarray, " n"],
    distance: Distance,
    noise: Float64[ndarray, " n"],
    new: Int[ndarray, " m"],
) -> None:
    """Update, in place, the distance to the nearest centre; a centre itself is out: -inf."""
    for first in range(0, len(nearest) if len(new) else 0, CHUNK):
        rows = np.arange(first, min(first + CHUNK, len(nearest)))
        closest = _distances(distance, noise, new, rows).min(axis=0)
        nearest[rows] = np.minimum(nearest[rows], closest)
    nearest[new] = -np.inf


def _distances(
    distance: Distance, noise: Float64[ndarray, " n"], centres: ndarray, rows: ndarray
) -> Float64[ndarray, "m r"]:
    """From each centre to each row. Below the rounding error of the row it is 0: a duplicate."""
    d = distance.right[centres] @ distance.left[rows].T
    d[d < noise[rows]] = 0
    return d


def herding(embedding: Float[ndarray, "n D"], budget: int) -> Int[ndarray, " budget"]:
    """Each pick brings the mean of the picks closest to the mean of all (Welling 2009) [A18].

    On centred rows that is argmin |x|^2 / 2 + x . (sum of picks), without replacement.
    """
    n = len(embedding)
    within(budget, n)
    x = finite("embedding", embedding).astype(np.float64)
    x -= x.mean(axis=0)
    columns = np.ascontiguousarray(x.T)  # (D, n): a product with one row streams through memory
    cost = np.einsum("nd,nd->n", x, x) / 2
    picks = np.empty(budget, dtype=np.int64)
    for i in range(budget):
        picks[i] = best = cost.argmin()
        cost += x[best] @ columns
        cost[best] = np.inf
    return picks


def _from_the_first(distance: Distance, budget: int) -> Int[ndarray, " budget"]:
    """Row 0 and the rows farthest-first adds to it; rows are shuffled, so 0 is a random start."""
    if budget == 0:
        return np.empty(0, dtype=np.int64)
    return np.concatenate([[0], farthest_first(distance, budget - 1, np.array([0]))])

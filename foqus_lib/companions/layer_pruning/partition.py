"""Step 2: runs of like layers. Fisher's optimal segmentation, exact, and what each run keeps."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

from foqus_lib.companions.layer_pruning.names import too_few
from foqus_lib.companions.signal_resnet import stage_of


def fisher_losses(
    scores: Float64[ndarray, " M"], most: int
) -> tuple[Float64[ndarray, "k M"], Int64[ndarray, "k M"]]:
    """E(n, k) of Fisher's optimal segmentation for every prefix and k = 1 ... most; where it cuts.

        D(a, b) = sum over l = a..b of (s_l - mean)^2
        E(n, 1) = D(1, n);   E(n, k) = min over j of E(j-1, k-1) + D(j, n)

    Exact, by dynamic programming. Row r holds k = r + 1; back[r, n] is the start of the last of
    its segments (the first of equals), from 0. Fisher 1958. ValueError for k outside 1 ... M and
    for scores that are not finite.
    """
    m = len(scores)
    if not 1 <= most <= m:
        raise ValueError(f"segments: expected 1 to {m} for {m} layers, got {most}")
    if not np.isfinite(scores).all():
        raise ValueError(f"segments: expected finite similarities, got {scores}. Drop NaN layers")
    centred = scores - scores.mean()
    sums, squares = (np.concatenate([[0.0], np.cumsum(x)]) for x in (centred, centred**2))
    start, end = np.arange(m)[:, None], np.arange(m)[None]
    within = squares[1:][end] - squares[start]
    within = within - (sums[1:][end] - sums[start]) ** 2 / np.maximum(end - start + 1, 1)
    within = np.where(start <= end, np.maximum(within, 0), np.inf)
    losses, back = np.full((most, m), np.inf), np.zeros((most, m), np.int64)
    losses[0] = within[0]
    for r in range(1, most):
        before = np.concatenate([[np.inf], losses[r - 1, :-1]])  # of what ends before j
        whole = before[:, None] + within
        back[r] = whole.argmin(0)
        losses[r] = whole.min(0)
    return losses, back


def fisher_segmentation(
    scores: Float64[ndarray, " M"], k: int
) -> tuple[list[tuple[int, int]], float]:
    """The k contiguous segments (start, stop) of least within-segment squares, and that sum."""
    losses, back = fisher_losses(scores, k)
    stops = [len(scores)]
    for r in range(k - 1, 0, -1):
        stops.append(int(back[r, stops[-1] - 1]))
    edges = [0, *reversed(stops)]
    return list(zip(edges[:-1], edges[1:], strict=True)), float(losses[-1, -1])


def choose_k(scores: Float64[ndarray, " M"], most: int, least_drop: float = 0.05) -> int:
    """Add segments while one more lowers the sum by over `least_drop` of itself, to `most`."""
    losses = fisher_losses(scores, min(most, len(scores)))[0][:, -1]
    scale = losses[0] * 1e-12
    k = 1
    while k < len(losses) and losses[k - 1] - losses[k] > max(least_drop * losses[k - 1], scale):
        k += 1
    return k


def segment_budgets(
    segments: Sequence[tuple[int, int]], keep: int, needed: Sequence[int]
) -> list[int] | None:
    """How many blocks each segment keeps: in proportion to its size, one or more.

    A segment that holds most of a run of `needed` keeps at least one for it. None if `keep` is too
    small for so many segments.
    """
    sizes = [stop - start for start, stop in segments]
    runs = stage_of(needed)
    counts = np.array([np.bincount(runs[a:b], minlength=len(needed)) for a, b in segments])
    holders = counts.argmax(0).tolist()
    budgets = [max(1, holders.count(at)) for at in range(len(segments))]
    if sum(budgets) > keep:
        return None
    while sum(budgets) < keep:
        lacking = [
            keep * size / sum(sizes) - budget if budget < size else -np.inf
            for size, budget in zip(sizes, budgets, strict=True)
        ]
        budgets[int(np.argmax(lacking))] += 1
    return budgets


def partition(
    scores: Float64[ndarray, " M"], keep: int, needed: Sequence[int], most: int
) -> tuple[list[tuple[int, int]], list[int]]:
    """Segments and what each keeps: as many as `choose_k` says, fewer if `keep` demands."""
    for k in range(choose_k(scores, most), 0, -1):
        segments, _ = fisher_segmentation(scores, k)
        budgets = segment_budgets(segments, keep, needed)
        if budgets is not None:
            return segments, budgets
    raise ValueError(too_few(keep, needed))

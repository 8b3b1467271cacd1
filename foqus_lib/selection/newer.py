"""Newer methods, read from the same record. None of them stands in a table of the paper.

p_t is the probability of the true class after epoch t, exp(-loss). Higher is kept first.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from foqus_lib.evidence import Evidence
from foqus_lib.selection.budget import budget_of
from foqus_lib.selection.checks import finite
from foqus_lib.selection.methods import (
    Method,
    Picker,
    Score,
    descending,
    evaluate,
    pool_by_pool,
)
from foqus_lib.selection.scores import early_logits, error_norm

WINDOW = 10  # J epochs, of Dyn-Unc, DUAL and TDDS [A31]
LATEST = 0.9  # weight of a window against all before it, of TDDS [A37]
EARLY = 20  # epochs that DUAL looks at [A32]
STRATA = 50  # of CCS
DROPPED = 0.3  # the hardest share of a pool, of CCS and D2; never tuned on test accuracy [A33]


def el2n(evidence: Evidence) -> Float[ndarray, " N"]:
    """Paul et al. 2021: |p - onehot(y)|_2 early in training, mean over R early trainings [A34]."""
    return error_norm(early_logits(evidence, "EL2N"), evidence.label).mean(axis=0)


def aum(evidence: Evidence) -> Float[ndarray, " N"]:
    """Pleiss et al. 2020: minus the mean over epochs of z_y - max_{c != y} z_c [A35]."""
    return -_later(evidence, "margin", "AUM").mean(axis=0)


def confidence(evidence: Evidence) -> Float[ndarray, " N"]:
    """mean_t p_t, high for the easy: the axis that CCS cuts into strata [A33]. No method alone."""
    return _p(evidence).mean(axis=0)


def cartography(evidence: Evidence) -> Float[ndarray, " N"]:
    """Swayamdipta et al. 2020: the standard deviation of p_t over all epochs; the ambiguous."""
    return _p(evidence).std(axis=0)


def dyn_unc(evidence: Evidence) -> Float[ndarray, " N"]:
    """He et al. 2024: the mean, over all windows of J epochs, of the deviation of p_t in it."""
    windows = _windows(_p(evidence), WINDOW)
    return sum(p.std(axis=0) for p in windows) / len(windows)


def dual(evidence: Evidence) -> Float[ndarray, " N"]:
    """Cho et al. 2025: the mean over early windows of deviation times difficulty, 1 - mean p_t.

    The score alone. Their Beta sampling draws with other weights at each rate, and coresets of one
    record would not be nested any more [A32].
    """
    windows = _windows(_p(evidence)[:EARLY], WINDOW)
    return sum(p.std(axis=0) * (1 - p.mean(axis=0)) for p in windows) / len(windows)


def tdds(evidence: Evidence) -> Float[ndarray, " N"]:
    """Zhang et al. 2024: how unevenly all probabilities drift within a window of J epochs.

    A moving average over windows, so late ones count most: the last two are 99 % of it [A37].
    """
    score = np.zeros(len(evidence))
    for drift in _windows(_later(evidence, "drift", "TDDS"), WINDOW - 1):  # J epochs, J - 1 steps
        unevenness = np.linalg.norm(drift - drift.mean(axis=0), axis=0)
        score = LATEST * unevenness + (1 - LATEST) * score
    return score


def moderate(evidence: Evidence) -> Float[ndarray, " N"]:
    """Xia et al. 2023: minus how many ranks a signal is from the median of its class.

    Ranked by the distance of the embedding to the class's prototype, the median of each coordinate.
    So a rate r keeps the ranks n/2 - rn/2 to n/2 + rn/2; the two at equal ranks from the middle
    tie. Equal distances share the mean of their ranks.
    """
    score = np.empty(len(evidence))
    for y in np.unique(evidence.label):
        rows = np.flatnonzero(evidence.label == y)
        x = finite("embedding", evidence.embedding[rows]).astype(np.float64)
        distance = np.linalg.norm(x - np.median(x, axis=0), axis=1)
        ascending = np.sort(distance)
        below, up_to = (np.searchsorted(ascending, distance, side) for side in ("left", "right"))
        score[rows] = -np.abs(below + up_to - len(rows)) / 2
    return score


def ccs(score: Score, strata: int = STRATA, dropped: float = DROPPED) -> Method:
    """Zheng et al. 2023: drop the lowest scores, then draw from strata of equal width alike.

    Inside each pool, as FoQuS's tiers. A budget beyond what is left calls the dropped back, the
    highest first.
    """

    def method(evidence: Evidence) -> Picker:
        values = evaluate(score, evidence)

        def keep(rows: ndarray, budget: int, rng: np.random.Generator) -> ndarray:
            order = descending(values, rows, rng)
            left, hardest = without_hardest(order, dropped)
            if len(left) == 0:
                return hardest[:budget]
            stratum = equal_width(values[left], strata)
            drawn = [rng.permutation(left[stratum == j]) for j in range(strata)]
            return np.concatenate([in_turn(drawn), hardest])[:budget]

        return pool_by_pool(keep)

    return method


def without_hardest(order: Int[ndarray, " n"], dropped: float) -> list[ndarray]:
    """[what is left, the hardest]: the share at the end of an order; 0 drops none."""
    return np.split(order, [len(order) - (budget_of(dropped, len(order)) if dropped else 0)])


def equal_width(score: Float[ndarray, " n"], strata: int) -> Int[ndarray, " n"]:
    """The stratum of each score, 0 the highest: parts of the range, whatever they hold."""
    width = (score.max() - score.min()) / strata or 1.0
    return np.minimum((score.max() - score) / width, strata - 1).astype(np.int64)


def in_turn(parts: Sequence[ndarray]) -> Int[ndarray, " n"]:
    """The first of each part, the largest part first, then the second of each that has two, ...

    The first b of these hold what filling the strata from the smallest up gives (their Algorithm
    1): all of a small one, and of the others as many each, whatever cannot be shared going to the
    largest. Below one signal a stratum that is one of each of the b largest.
    """
    parts = sorted(parts, key=len, reverse=True)
    turn = np.concatenate([np.arange(len(part)) for part in parts])
    return np.concatenate(parts)[np.argsort(turn, kind="stable")]


def _p(evidence: Evidence) -> Float[ndarray, "T N"]:
    return np.exp(-finite("loss", evidence.loss).astype(np.float64))


def _later(evidence: Evidence, field: str, method: str) -> Float[ndarray, "T N"]:
    """What records of earlier versions lack; ValueError for such a record."""
    if (values := getattr(evidence, field)) is None:
        raise ValueError(
            f"evidence.{field}: {method} wants the {field} of every epoch, and this record, made "
            "by an earlier version, has none. Delete its file, or give another results folder"
        )
    return finite(field, values).astype(np.float64)


def _windows(values: Float[ndarray, "T N"], size: int) -> list[ndarray]:
    """All runs of `size` consecutive rows; a record of fewer is one window [A31]."""
    size = min(size, len(values))
    return [values[first : first + size] for first in range(len(values) - size + 1)]

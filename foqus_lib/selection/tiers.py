"""Algorithm 1, lines 10-12: sort by score, cut into three tiers, draw a share of each.

The paper gives neither cut points nor shares nor the rule inside a tier [A7, A8, A10]: each is an
argument here. With three equal tiers, equal shares and random draws every signal has the same
chance, as in Uniform, but for rounding (a remainder goes to the higher tier), and the draw is
spread over the score's range: a control, not a candidate.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from foqus_lib.evidence import Evidence
from foqus_lib.selection.budget import turns
from foqus_lib.selection.methods import (
    Method,
    Picker,
    Score,
    descending,
    evaluate,
    pool_by_pool,
)

SHARES = (0.4, 0.4, 0.2)  # top, middle, bottom [A8]; never tuned on test accuracy
EQUAL_SHARES = (1 / 3, 1 / 3, 1 / 3)  # strata without preference
SHARES_TURNED_ROUND = (0.2, 0.4, 0.4)

Cut = Callable[[ndarray], tuple[int, int]]  # scores (n,), highest first -> ends of tiers 1 and 2
Inside = Callable[[ndarray, np.random.Generator], ndarray]  # a tier, highest first -> draw order


def equal_counts(score: Float[ndarray, " n"]) -> tuple[int, int]:
    """Tiers of n/3 signals each, by rank; longer ones first [A7]."""
    n = len(score)
    return (n + 2) // 3, (n + 2) // 3 + (n + 1) // 3


def equal_width(score: Float[ndarray, " n"]) -> tuple[int, int]:
    """Tiers of a third of the score's range each [A7]."""
    low, high = score.min(), score.max()
    return _ends(score, high - (high - low) / 3, low + (high - low) / 3)


def mean_and_sd(score: Float[ndarray, " n"]) -> tuple[int, int]:
    """Tier 1 from one standard deviation above the mean, tier 3 from one below [A7]."""
    return _ends(score, score.mean() + score.std(), score.mean() - score.std())


def at_random(tier: Int[ndarray, " n"], rng: np.random.Generator) -> Int[ndarray, " n"]:
    """Draw uniformly without replacement [A10]."""
    return rng.permutation(tier)


def highest_first(tier: Int[ndarray, " n"], rng: np.random.Generator) -> Int[ndarray, " n"]:
    """Keep the highest scores of the tier [A10]."""
    return tier


def tiers(
    score: Score,
    shares: tuple[float, float, float] = SHARES,
    cut: Cut = equal_counts,
    inside: Inside = at_random,
) -> Method:
    """Lines 10-12 inside each pool; the score is of the whole training set."""

    def method(evidence: Evidence) -> Picker:
        values = evaluate(score, evidence)

        def keep(rows: ndarray, budget: int, rng: np.random.Generator) -> ndarray:
            order = descending(values, rows, rng)  # line 10
            parts = np.split(order, cut(values[order]))  # line 11
            drawn = [inside(part, rng) for part in parts]  # line 12, all of each tier ...
            turn = np.array(turns(budget, shares, [len(part) for part in parts]), dtype=np.int64)
            kept = np.empty(budget, dtype=np.int64)
            for tier, part in enumerate(drawn):  # ... cut at its quota
                places = np.flatnonzero(turn == tier)
                kept[places] = part[: len(places)]
            return kept

        return pool_by_pool(keep)

    return method


def tier_of(
    score: Float[ndarray, " N"], label: Int[ndarray, " N"], cut: Cut = equal_counts
) -> Int[ndarray, " N"]:
    """1, 2 or 3 for each signal: its tier among its class. Ties by position: for pictures only."""
    tier = np.empty(len(score), dtype=np.int64)
    for y in np.unique(label):
        rows = np.flatnonzero(label == y)
        order = rows[np.argsort(-score[rows], kind="stable")]
        for number, part in enumerate(np.split(order, cut(score[order])), start=1):
            tier[part] = number
    return tier


def _ends(score: Float[ndarray, " n"], first: float, second: float) -> tuple[int, int]:
    """Where descending scores fall below the two cut points."""
    return int((score >= first).sum()), int((score >= second).sum())

"""Algorithm 1, lines 10-12: sort by score, cut into three tiers, draw a share of each.

The paper gives neither cut points nor shares nor the rule inside a tier [A7, A8, A10]. With three
equal tiers, equal shares and random draws every signal has the same chance, as in Uniform, but for
rounding (a remainder goes to the higher tier), and the draw is spread over the score's range: a
control, not a candidate.
"""

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


def equal_counts(score: Float[ndarray, " n"]) -> tuple[int, int]:
    """Where tiers 1 and 2 of n/3 signals each end, by rank; longer ones first [A7]."""
    n = len(score)
    return (n + 2) // 3, (n + 2) // 3 + (n + 1) // 3


def at_random(tier: Int[ndarray, " n"], rng: np.random.Generator) -> Int[ndarray, " n"]:
    """Draw uniformly without replacement [A10]."""
    return rng.permutation(tier)


def tiers(score: Score, shares: tuple[float, float, float] = SHARES) -> Method:
    """Lines 10-12 inside each pool; the score is of the whole training set."""

    def method(evidence: Evidence) -> Picker:
        values = evaluate(score, evidence)

        def keep(rows: ndarray, budget: int, rng: np.random.Generator) -> ndarray:
            order = descending(values, rows, rng)  # line 10
            parts = np.split(order, equal_counts(values[order]))  # line 11
            drawn = [at_random(part, rng) for part in parts]  # line 12, all of each tier ...
            turn = np.array(turns(budget, shares, [len(part) for part in parts]), dtype=np.int64)
            kept = np.empty(budget, dtype=np.int64)
            for tier, part in enumerate(drawn):  # ... cut at its quota
                places = np.flatnonzero(turn == tier)
                kept[places] = part[: len(places)]
            return kept

        return pool_by_pool(keep)

    return method


def tier_of(score: Float[ndarray, " N"], label: Int[ndarray, " N"]) -> Int[ndarray, " N"]:
    """1, 2 or 3 for each signal: its tier among its class. Ties by position: for pictures only."""
    tier = np.empty(len(score), dtype=np.int64)
    for y in np.unique(label):
        rows = np.flatnonzero(label == y)
        order = rows[np.argsort(-score[rows], kind="stable")]
        for number, part in enumerate(np.split(order, equal_counts(score[order])), start=1):
            tier[part] = number
    return tier

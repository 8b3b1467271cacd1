"""Baselines of Section IV-A that place a set: each pick depends on the picks before.

Among equals their kernels take the earlier row. So each pool is shuffled first, that equals be
drawn by seed, not by file order [A1].
"""

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from foqus_lib.evidence import Evidence
from foqus_lib.selection.divergence import Distance, squared_euclidean, symmetric_kl
from foqus_lib.selection.farthest_first import farthest_first
from foqus_lib.selection.herding import herding
from foqus_lib.selection.methods import Picker, pool_by_pool


def uniform(evidence: Evidence) -> Picker:
    """Every signal of the pool with the same probability."""
    return pool_by_pool(lambda rows, budget, rng: rng.permutation(rows)[:budget])


def k_center_greedy(evidence: Evidence) -> Picker:
    """Sener & Savarese 2018: each pick is the signal whose nearest pick is farthest [A20]."""

    def keep(rows: ndarray, budget: int, rng: np.random.Generator) -> ndarray:
        rows = rng.permutation(rows)
        return rows[_from_the_first(squared_euclidean(evidence.embedding[rows]), budget)]

    return pool_by_pool(keep)


def contextual_diversity(evidence: Evidence) -> Picker:
    """Agarwal et al. 2020: k-center greedy on predictions, symmetric KL for the distance [A16]."""

    def keep(rows: ndarray, budget: int, rng: np.random.Generator) -> ndarray:
        rows = rng.permutation(rows)
        return rows[_from_the_first(symmetric_kl(evidence.logits[rows]), budget)]

    return pool_by_pool(keep)


def mean_herding(evidence: Evidence) -> Picker:
    """Welling 2009: the mean of the coreset follows the mean of the pool."""

    def pick(pools: list[ndarray], budgets: list[int], rng: np.random.Generator) -> list[ndarray]:
        pools = [rng.permutation(rows) for rows in pools]
        found = herding(evidence.embedding, pools, budgets)
        return [rows[places] for rows, places in zip(pools, found, strict=True)]

    return pick


def _from_the_first(distance: Distance, budget: int) -> Int[ndarray, " budget"]:
    """Row 0 and the rows farthest-first adds to it; rows are shuffled, so 0 is a random start."""
    if budget == 0:
        return np.empty(0, dtype=np.int64)
    return np.concatenate([[0], farthest_first(distance, budget - 1, np.array([0]))])

"""From a rule to a selector. Only this file orders scores, balances classes and shuffles pools.

    Method    looks at the whole Evidence once and gives a Picker      (so scores stay global)
    Picker    keeps `budget` rows of one pool, best first              (so quotas are per class)
    Selector  Evidence, k, rng -> exactly k distinct rows

The law of a Picker: what it draws from rng does not depend on the budget, and a smaller budget
gives a prefix. Hence coresets are nested over rates, and `coresets` runs once for all of them.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from foqus_lib.evidence import Evidence
from foqus_lib.selection.budget import apportion
from foqus_lib.selection.checks import finite, within

Score = Callable[[Evidence], ndarray]  # (N,), higher is kept first: no exception
Picker = Callable[[ndarray, int, np.random.Generator], ndarray]  # rows (n,), budget -> rows (b,)
Method = Callable[[Evidence], Picker]
Selector = Callable[[Evidence, int, np.random.Generator], ndarray]  # (k,) int64, distinct


def descending(
    score: Float[ndarray, " N"], rows: Int[ndarray, " n"], rng: np.random.Generator
) -> Int[ndarray, " n"]:
    """The pool's rows from the highest score down; equal scores in seeded random order [A1].

    Never by file order: RadioML files are sorted by class and SNR, so that would be one SNR.
    """
    shuffled = rng.permutation(rows)
    return shuffled[np.argsort(-score[shuffled], kind="stable")]


def top_k(score: Score) -> Method:
    """Keep the highest scores of each pool. The score sees all signals, whatever the pool."""

    def method(evidence: Evidence) -> Picker:
        values = evaluate(score, evidence)
        return lambda rows, budget, rng: descending(values, rows, rng)[:budget]

    return method


def evaluate(score: Score, evidence: Evidence) -> Float[ndarray, " N"]:
    """One float64 number a signal; ValueError if one is not finite."""
    name = f"score {getattr(score, '__name__', score)}"
    return finite(name, np.asarray(score(evidence), dtype=np.float64))


def one_pool(method: Method) -> Selector:
    """All signals compete with each other; classes get what they get."""

    def select(evidence: Evidence, k: int, rng: np.random.Generator) -> Int[ndarray, " k"]:
        rows = np.arange(len(evidence))
        return method(evidence)(rows, within(k, len(rows)), rng)

    return select


def class_balanced(method: Method) -> Selector:
    """Equal numbers of every class, as all coresets of the paper (Sec. IV-B) [A9]."""

    def select(evidence: Evidence, k: int, rng: np.random.Generator) -> Int[ndarray, " k"]:
        return coresets(method, evidence, [k], rng)[0]

    return select


def coresets(
    method: Method, evidence: Evidence, budgets: Sequence[int], rng: np.random.Generator
) -> list[ndarray]:
    """Class-balanced coresets of several budgets for the price of the largest.

    Each equals what `class_balanced(method)` gives for its budget and a fresh rng of the same name.
    """
    pools = [np.flatnonzero(evidence.label == y) for y in np.unique(evidence.label)]
    quotas = [apportion(k, [1] * len(pools), [len(pool) for pool in pools]) for k in budgets]
    pick = method(evidence)
    largest = np.max(quotas, axis=0)  # equal shares: a larger budget never lowers a quota
    best_first = [pick(pool, int(b), rng) for pool, b in zip(pools, largest, strict=True)]
    return [
        np.concatenate([rows[:q] for rows, q in zip(best_first, quota, strict=True)])
        for quota in quotas
    ]

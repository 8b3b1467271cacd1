"""From a rule to a selector. Only this file orders scores, balances coresets and shuffles pools.

    Method    looks at the whole Evidence once and gives a Picker      (so scores stay global)
    Picker    keeps so many rows of each pool, best first              (so quotas are per class)
    Selector  Evidence, k, rng -> exactly k distinct rows

The law of a Picker: what it draws from rng does not depend on the budgets, and a smaller budget
gives a prefix. Hence coresets are nested over rates, and `coresets` runs once for all of them.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from foqus_lib.evidence import Evidence
from foqus_lib.selection.budget import apportion
from foqus_lib.selection.checks import finite

Score = Callable[[Evidence], ndarray]  # (N,), higher is kept first: no exception
Picker = Callable[[Sequence[ndarray], Sequence[int], np.random.Generator], list[ndarray]]
Method = Callable[[Evidence], Picker]
Selector = Callable[[Evidence, int, np.random.Generator], ndarray]  # (k,) int64, distinct
Partition = Callable[[Evidence], list[list[ndarray]]]  # per class, the rows of each of its pools


def pool_by_pool(keep: Callable[[ndarray, int, np.random.Generator], ndarray]) -> Picker:
    """The picker of a rule for one pool: rows (n,), budget, rng -> rows (budget,), best first."""
    return lambda pools, budgets, rng: [
        keep(rows, int(budget), rng) for rows, budget in zip(pools, budgets, strict=True)
    ]


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
        return pool_by_pool(lambda rows, budget, rng: descending(values, rows, rng)[:budget])

    return method


def evaluate(score: Score, evidence: Evidence) -> Float[ndarray, " N"]:
    """One float64 number a signal; ValueError if one is not finite."""
    name = f"score {getattr(score, '__name__', score)}"
    return finite(name, np.asarray(score(evidence), dtype=np.float64))


def classes(evidence: Evidence) -> list[list[ndarray]]:
    """One pool a class."""
    return [[np.flatnonzero(evidence.label == y)] for y in np.unique(evidence.label)]


def classes_and_snrs(evidence: Evidence) -> list[list[ndarray]]:
    """In every class one pool an SNR that occurs in it, from the lowest."""
    return [
        [rows[evidence.snr[rows] == snr] for snr in np.unique(evidence.snr[rows])]
        for [rows] in classes(evidence)
    ]


def one_pool(method: Method) -> Selector:
    """All signals compete with each other; classes get what they get."""
    return _selector(method, lambda evidence: [[np.arange(len(evidence))]])


def class_balanced(method: Method) -> Selector:
    """Equal numbers of every class, as all coresets of the paper (Sec. IV-B) [A9]."""
    return _selector(method, classes)


def snr_balanced(method: Method) -> Selector:
    """Equal numbers of every class and, inside each class, of every SNR."""
    return _selector(method, classes_and_snrs)


def _selector(method: Method, partition: Partition) -> Selector:
    def select(evidence: Evidence, k: int, rng: np.random.Generator) -> Int[ndarray, " k"]:
        return coresets(method, evidence, [k], rng, partition)[0]

    return select


def coresets(
    method: Method,
    evidence: Evidence,
    budgets: Sequence[int],
    rng: np.random.Generator,
    partition: Partition = classes,
) -> list[ndarray]:
    """Balanced coresets of several budgets for the price of the largest.

    Equal shares for the classes, and of a class's quota for its pools. Each coreset equals what
    the selector of the same partition gives for its budget and a fresh rng of the same name.
    """
    parts = partition(evidence)
    pools = [pool for part in parts for pool in part]
    quotas = [_quotas(k, parts) for k in budgets]
    largest = np.max(quotas, axis=0)  # equal shares: a larger budget never lowers a quota
    best_first = method(evidence)(pools, largest.tolist(), rng)
    return [
        np.concatenate([rows[:q] for rows, q in zip(best_first, quota, strict=True)])
        for quota in quotas
    ]


def _quotas(budget: int, parts: list[list[ndarray]]) -> list[int]:
    """How many of each pool, class after class."""
    of_class = apportion(budget, [1] * len(parts), [sum(map(len, part)) for part in parts])
    return [
        quota
        for b, part in zip(of_class, parts, strict=True)
        for quota in apportion(b, [1] * len(part), [len(pool) for pool in part])
    ]

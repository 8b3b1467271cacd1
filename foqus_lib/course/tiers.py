"""The exercise on tiers: each class cut into thirds by rank."""

import numpy as np

from foqus_lib.course.exercise import Exercise, Mistake
from foqus_lib.selection.tiers import tier_of


def _scores(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(12, 40))
    return rng.exponential(1, n), rng.integers(0, 3, n)


def _ranked(score, ends=lambda n: ((n + 2) // 3, (n + 2) // 3 + (n + 1) // 3), sign=-1):
    tier = np.empty(len(score), dtype=int)
    for number, part in enumerate(np.split(np.argsort(sign * score), ends(len(score))), start=1):
        tier[part] = number
    return tier


def _by_class(cut):
    def tiers(score, label):
        tier = np.empty(len(score), dtype=int)
        for y in np.unique(label):
            tier[label == y] = cut(score[label == y])
        return tier

    return tiers


def _width(score):
    third = np.ptp(score) / 3
    return np.where(score >= score.max() - third, 1, np.where(score >= score.min() + third, 2, 3))


def _quantiles(score):
    low, high = np.quantile(score, [1 / 3, 2 / 3])
    return np.where(score >= high, 1, np.where(score >= low, 2, 3))


def _class_after_class(score, label):
    return np.concatenate([_ranked(score[label == y]) for y in np.unique(label)])


tiers = Exercise(
    asks="score (N,), label (N,) -> (N,) 1, 2 or 3: the tier inside the class, 1 the highest third",
    right=tier_of,
    hand=(np.array([9.0, 1, 5, 8, 2, 3, 7]), np.array([0, 0, 0, 0, 1, 1, 1])),
    worked={"the result": [1, 3, 2, 1, 3, 2, 1]},
    random=_scores,
    mistakes=(
        Mistake(
            lambda score, label: _ranked(score),
            "the cut is over all signals: cut each class by itself, or a hard one has no top tier.",
        ),
        Mistake(
            _by_class(lambda score: _ranked(score, sign=1)),
            "turned round: the highest scores are tier 1 (argsort begins with the lowest).",
        ),
        Mistake(
            _by_class(_width),
            "thirds of the score's range: tiers are thirds of the signals, by rank [A7].",
        ),
        *(
            Mistake(
                _by_class(cut),
                "if a class does not divide by three, what is left over goes to the first tiers.",
            )
            for cut in (lambda score: _ranked(score, lambda n: (n // 3, 2 * (n // 3))), _quantiles)
        ),
        Mistake(
            lambda score, label: tier_of(score, label) - 1,
            "tiers are numbered from 1, not from 0.",
        ),
        Mistake(
            _by_class(lambda score: np.argsort(-score) * 3 // len(score) + 1),
            "argsort is not a rank: it says which row stands first, not where a row stands.",
        ),
        Mistake(
            _class_after_class,
            "the answer has one class after another; each tier belongs where its signal stands.",
        ),
    ),
)

EXERCISES = {"tiers": tiers}

"""Exercises on the scores: Eqs. 4, 5, 7 and 8 in both readings, and the cut into tiers."""

import numpy as np

from foqus_lib.course.exercise import Exercise, Mistake
from foqus_lib.selection import foqus
from foqus_lib.selection.tiers import tier_of

BETA = 0.1
# columns are signals: always right, right and wrong in turn, learnt and lost, never learnt
RECORD = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 0, 0]], bool)
LOSS = np.array([[0, 1, 2, 3]] * 5, dtype=float)
# the same without anything forgotten: F is 0 for all and has no range
LEARNING = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 0]], bool)


def _record(rng: np.random.Generator) -> tuple:
    return (rng.random((rng.integers(3, 9), rng.integers(4, 12))) < 0.6,)


def _record_and_loss(rng: np.random.Generator) -> tuple:
    (c,) = _record(rng)
    return c, rng.exponential(1, c.shape), float(rng.uniform(0.05, 0.5))


def _scores(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(12, 40))
    return rng.exponential(1, n), rng.integers(0, 3, n)


def _counted(then: bool, now: bool):
    """How often an epoch of one kind follows one of another."""
    return lambda c: ((c[:-1] == then) & (c[1:] == now)).sum(axis=0)


def _rolled(then: bool):
    """The same, where the first epoch is also set against the last."""
    return lambda c: ((np.roll(c, 1, axis=0) == then) & ~c).sum(axis=0)


def _late(then: bool):
    """The same from the second pair of epochs on."""
    return lambda c: ((c[1:-1] == then) & ~c[2:]).sum(axis=0)


WRAPPED = "an epoch has no epoch before it if it is the first: `np.roll` and c[-1] bring the last."
SKIPPED = (
    "a pair is missing: the paper counts epochs from 1 and starts at t = 2; arrays begin at 0, so "
    "the first pair is rows 0 and 1."
)
AXES = "the answer has one number an epoch: time is axis 0, sum along it."
IN_ALL = "that is one number in all; asked for is one a signal: name the axis of time, axis=0."
FIXED = "beta is fixed at 0.1; take the one that is given."
TIMES = (_rolled(True), WRAPPED), (_late(True), SKIPPED)

forgetting = Exercise(
    asks="c (T, N) bool, right after epoch t -> (N,) how often a signal was forgotten",
    right=foqus.forgetting_score,
    hand=(RECORD,),
    worked={"the result": [0, 2, 1, 0]},
    random=_record,
    mistakes=(
        Mistake(
            _counted(False, False),
            "wrong and still wrong is counted: that is the persistent error, Eq. 5. Only what was "
            "right can be forgotten.",
        ),
        Mistake(_counted(False, True), "wrong and then right is counted: that is learning."),
        Mistake(
            lambda c: (c[:-1] != c[1:]).sum(axis=0),
            "every change is counted, learning as well; only from right to wrong is forgetting.",
        ),
        Mistake(
            lambda c: (~c[1:]).sum(axis=0),
            "every wrong epoch after the first is counted; look at the epoch before as well.",
        ),
        *(Mistake(*one) for one in TIMES),
        Mistake(lambda c: (c[:-1] & ~c[1:]).sum(axis=1), AXES),
        Mistake(lambda c: (c[:-1] & ~c[1:]).sum(), IN_ALL),
        Mistake(
            lambda c: (c[:-1] & ~c[1:]).any(axis=0),
            "whether, not how often: a signal can be forgotten more than once.",
        ),
        Mistake(
            lambda c: c[0].astype(int) - c[-1],
            "ups and downs cancel, so that only the first and the last epoch are left. Count the "
            "downs alone.",
        ),
        Mistake(
            lambda c: np.where(c.any(axis=0), foqus.forgetting_score(c), len(c)),
            "never learnt counts as T: that is the baseline Forgetting. In Eq. 4 it counts 0.",
        ),
        Mistake(
            lambda c: foqus.forgetting_score(c) / (len(c) - 1),
            "divided already: Eq. 4 is a count, and Eq. 8 divides it by T - 1.",
        ),
        Mistake(
            lambda c: foqus.forgetting_score(c) / len(c),
            "divided by T: Eq. 4 is a count, not a share.",
        ),
    ),
)

persistent_error = Exercise(
    asks="c (T, N) bool -> (N,) how often a signal was wrong and is still wrong at the next epoch",
    right=foqus.persistent_error_score,
    hand=(RECORD,),
    worked={"the result": [0, 0, 1, 4]},
    random=_record,
    mistakes=(
        Mistake(
            _counted(True, False), "right and then wrong is counted: that is forgetting, Eq. 4."
        ),
        Mistake(
            lambda c: (~c).sum(axis=0),
            "every wrong epoch is counted: the first has none before it, and after a right one "
            "it is forgetting.",
        ),
        Mistake(
            lambda c: (~c[1:]).sum(axis=0),
            "every wrong epoch after the first is counted, F and E together.",
        ),
        Mistake(_rolled(False), WRAPPED),
        Mistake(_late(False), SKIPPED),
        Mistake(lambda c: (~c[:-1] & ~c[1:]).sum(axis=1), AXES),
        Mistake(lambda c: (~c[:-1] & ~c[1:]).sum(), IN_ALL),
        Mistake(
            lambda c: (c[:-1] == c[1:]).sum(axis=0),
            "whatever stayed the same is counted, right and still right as well.",
        ),
        Mistake(_counted(True, True), "right and still right is counted: turn both round."),
        Mistake(
            lambda c: foqus.persistent_error_score(c) / (len(c) - 1),
            "divided already: Eq. 5 is a count, and Eq. 8 divides it by T - 1.",
        ),
    ),
)

quality = Exercise(
    asks="c (T, N) bool, loss (T, N) nats, beta -> (N,) share of epochs right - beta * mean loss",
    right=foqus.quality_score,
    hand=(RECORD, LOSS, BETA),
    worked={"the result": [1.0, 0.5, 0.2, -0.3]},
    random=_record_and_loss,
    mistakes=(
        Mistake(
            lambda c, loss, beta: c.mean(axis=0) + beta * loss.mean(axis=0),
            "the loss is added: a high loss is bad quality.",
        ),
        Mistake(
            lambda c, loss, beta: c.mean(axis=0) - beta * loss.sum(axis=0),
            "the loss is summed, not averaged: divide it by T as well.",
        ),
        Mistake(
            lambda c, loss, beta: c.sum(axis=0) - beta * loss.sum(axis=0),
            "nothing is divided by T.",
        ),
        Mistake(
            lambda c, loss, beta: c.sum(axis=0) - beta * loss.mean(axis=0),
            "the count of right epochs is not divided by T.",
        ),
        Mistake(
            lambda c, loss, beta: (1 - beta) * c.mean(axis=0) - beta * loss.mean(axis=0),
            "beta weighs the loss alone; the share of right epochs has weight 1.",
        ),
        Mistake(lambda c, loss, beta: c.mean(axis=0) - loss.mean(axis=0), "beta is not used."),
        Mistake(
            lambda c, loss, beta: c.mean(axis=0) - beta * np.exp(-loss).mean(axis=0),
            "exp(-loss) is the probability of the true class; Eq. 7 takes the loss itself.",
        ),
        Mistake(
            lambda c, loss, beta: (c.sum(axis=0) - beta * loss.sum(axis=0)) / (len(c) - 1),
            "divided by T - 1: Eq. 7 is a mean over epochs, and of these there are T.",
        ),
        Mistake(
            lambda c, loss, beta: c.mean(axis=0) - beta * loss[-1],
            "only the loss of the last epoch is taken; Eq. 6 adds up all of them.",
        ),
        Mistake(
            lambda c, loss, beta: beta * (c.mean(axis=0) - loss.mean(axis=0)),
            "beta weighs the loss alone, not the share of right epochs.",
        ),
        Mistake(
            lambda c, loss, beta: (~c).mean(axis=0) - beta * loss.mean(axis=0),
            "that is the share of wrong epochs; quality counts the right ones.",
        ),
        Mistake(lambda c, loss, beta: c.mean(axis=0) - 0.1 * loss.mean(axis=0), FIXED),
        Mistake(lambda c, loss, beta: c.mean(axis=1) - beta * loss.mean(axis=1), AXES),
        Mistake(lambda c, loss, beta: c.mean() - beta * loss.mean(), IN_ALL),
    ),
)


def _foqus(c, loss, beta, f=1.0, e=1.0, over=1, q=foqus.quality_score):
    steps = len(c) - over if over is not None else 1
    counts = f * foqus.forgetting_score(c) + e * foqus.persistent_error_score(c)
    return counts / steps + q(c, loss, beta)


foqus_score = Exercise(
    asks="c (T, N) bool, loss (T, N) nats, beta -> (N,) F/(T-1) + E/(T-1) + Q, Eq. 8 as printed",
    right=lambda c, loss, beta: foqus.foqus_score(c, loss, beta=beta),
    hand=(RECORD, LOSS, BETA),
    worked={"the result": [1.0, 1.0, 0.7, 0.7]},
    random=_record_and_loss,
    mistakes=(
        Mistake(
            lambda c, loss, beta: _foqus(c, loss, beta, over=0),
            "F and E are divided by T: T epochs have T - 1 steps between them.",
        ),
        Mistake(
            lambda c, loss, beta: _foqus(c, loss, beta, over=None),
            "F and E are added as counts; Eq. 8 divides both by T - 1.",
        ),
        Mistake(
            lambda c, loss, beta: _foqus(c, loss, beta, e=-1),
            "E is taken away. The paper adds it, though a signal never learnt then gains by it.",
        ),
        Mistake(lambda c, loss, beta: _foqus(c, loss, beta, e=0), "E is missing."),
        Mistake(lambda c, loss, beta: _foqus(c, loss, beta, f=0), "F is missing."),
        Mistake(
            lambda c, loss, beta: _foqus(c, loss, beta, q=lambda c, loss, beta: 0), "Q is missing."
        ),
        Mistake(
            lambda c, loss, beta: _foqus(c, loss, beta, f=len(c) - 1),
            "E is divided by T - 1, F is not: / binds before +, so mind the brackets.",
        ),
        Mistake(
            lambda c, loss, beta: _foqus(
                c, loss, beta, q=lambda *of: foqus.quality_score(*of) / (len(c) - 1)
            ),
            "Q is divided by T - 1 as well; Eq. 8 divides F and E alone.",
        ),
        Mistake(
            lambda c, loss, beta: _foqus(
                c, loss, beta, q=lambda c, loss, beta: c.mean(axis=0) + beta * loss.mean(axis=0)
            ),
            "the loss is added: in Q it is taken away.",
        ),
        Mistake(lambda c, loss, beta: _foqus(c, loss, 0.1), FIXED),
        Mistake(
            lambda c, loss, beta: _foqus(c, loss, beta, q=lambda c, loss, beta: c.mean(axis=0)),
            "Q has a second part: the mean loss times beta.",
        ),
        Mistake(
            lambda c, loss, beta: foqus.foqus_score_min_max(c, loss, beta=beta),
            "each term is scaled to 0..1: that is the other reading; asked for is the printed one.",
        ),
    ),
)


def _scaled(scale, c, loss, beta):
    terms = foqus.forgetting_score(c), foqus.persistent_error_score(c)
    return sum(scale(term) for term in (*terms, foqus.quality_score(c, loss, beta)))


def _shrunk(term):
    return foqus.min_max(term.astype(float))


min_max = Exercise(
    asks="c (T, N) bool, loss (T, N) nats, beta -> (N,) mm(F) + mm(E) + mm(Q), each scaled to 0..1",
    right=lambda c, loss, beta: foqus.foqus_score_min_max(c, loss, beta=beta),
    hand=(LEARNING, LOSS[:3, :3], BETA),
    worked={"the result": [1.0, (2 / 3 - 0.1 + 0.2) / 1.2, 1.0]},
    random=_record_and_loss,
    mistakes=(
        Mistake(
            lambda c, loss, beta: _scaled(lambda x: (x - x.min()) / np.ptp(x), c, loss, beta),
            "a term that is the same for all signals has no range: 0 by 0. It counts as 0 [A6].",
        ),
        Mistake(
            lambda c, loss, beta: foqus.foqus_score(c, loss, beta=beta),
            "nothing is scaled: that is Eq. 8 as printed.",
        ),
        Mistake(
            lambda c, loss, beta: foqus.min_max(foqus.foqus_score(c, loss, beta=beta)),
            "the sum is scaled, which changes no order. Scale each term before you add.",
        ),
        Mistake(
            lambda c, loss, beta: _scaled(lambda x: x / (x.max() or 1), c, loss, beta),
            "divided by the maximum alone: Q may be negative. Take the minimum away first.",
        ),
        Mistake(
            lambda c, loss, beta: _scaled(lambda x: (x - x.mean()) / (x.std() or 1), c, loss, beta),
            "mean 0 and spread 1 is another scaling; asked for is 0 for the smallest, 1 for the "
            "largest.",
        ),
        Mistake(
            lambda c, loss, beta: _scaled(
                lambda x: _shrunk(x) if np.ptp(x) else np.ones(len(x)), c, loss, beta
            ),
            "a term that is the same for all signals counts as 0 [A6], not as 1.",
        ),
        Mistake(
            lambda c, loss, beta: (
                sum(
                    foqus.min_max(one)
                    for one in (foqus.forgetting_score(c), foqus.persistent_error_score(c))
                )
                + foqus.quality_score(c, loss, beta)
            ),
            "Q is not scaled: all three terms are.",
        ),
        Mistake(
            lambda c, loss, beta: _scaled(_shrunk, c, loss, beta) / 3,
            "the three are added, not averaged.",
        ),
    ),
)


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

EXERCISES = {
    "forgetting": forgetting,
    "persistent_error": persistent_error,
    "quality": quality,
    "foqus": foqus_score,
    "min_max": min_max,
    "tiers": tiers,
}

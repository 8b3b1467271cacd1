"""Exercises on the score: Eq. 7, and Eq. 8 in both readings."""

import numpy as np

from foqus_lib.course.counts import AXES, IN_ALL, RECORD, record
from foqus_lib.course.exercise import Exercise, Mistake
from foqus_lib.selection import foqus

BETA = 0.1
LOSS = np.array([[0, 1, 2, 3]] * 5, dtype=float)
# the same without anything forgotten: F is 0 for all and has no range
LEARNING = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 0]], bool)


def _record_and_loss(rng: np.random.Generator) -> tuple:
    (c,) = record(rng)
    return c, rng.exponential(1, c.shape), float(rng.uniform(0.05, 0.5))


FIXED = "beta is fixed at 0.1; take the one that is given."

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


EXERCISES = {"quality": quality, "foqus": foqus_score, "min_max": min_max}

"""Exercises on what is counted in a record: Eqs. 4 and 5."""

import numpy as np

from foqus_lib.course.exercise import Exercise, Mistake
from foqus_lib.selection import foqus

# columns are signals: always right, right and wrong in turn, learnt and lost, never learnt
RECORD = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 0, 0]], bool)


def record(rng: np.random.Generator) -> tuple:
    return (rng.random((rng.integers(3, 9), rng.integers(4, 12))) < 0.6,)


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
TIMES = (_rolled(True), WRAPPED), (_late(True), SKIPPED)

forgetting = Exercise(
    asks="c (T, N) bool, right after epoch t -> (N,) how often a signal was forgotten",
    right=foqus.forgetting_score,
    hand=(RECORD,),
    worked={"the result": [0, 2, 1, 0]},
    random=record,
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
    random=record,
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

EXERCISES = {"forgetting": forgetting, "persistent_error": persistent_error}

"""`check("forgetting", mine)`: what passed, and the hint if it fails as a known mistake does.

Cases are named streams of random numbers, so everybody is asked the same.
"""

import copy
from functools import cache

import numpy as np

from foqus_lib.course import counts, draws, greedy, scores, statistics, tiers
from foqus_lib.course.exercise import Answer, Exercise, Seen
from foqus_lib.errors import unknown
from foqus_lib.seeds import rng_for

EXERCISES: dict[str, Exercise] = {
    name: one
    for part in (counts, scores, tiers, draws, greedy, statistics)
    for name, one in part.EXERCISES.items()
}


class Unwritten(Exception):
    """The function has no return yet."""


def check(name: str, answer: Answer, strict: bool = False) -> bool:
    """Print what passed; if not all did, what differs and a hint. ValueError instead if strict."""
    if name not in EXERCISES:
        raise unknown("exercise", name, EXERCISES)
    said = judge(name, answer)
    if said and strict:
        raise ValueError(f"{name}: {said}")
    if said:
        print(f"not yet  {name}: {said}")
    else:
        print(f"ok       {name}: the case worked by hand, {EXERCISES[name].cases} random cases")
    return not said


def judge(name: str, answer: Answer) -> str:
    """Nothing if the answer is right, else what differs and the hint for it."""
    exercise, (given, wanted) = EXERCISES[name], _asked(name)
    got = seen(exercise, answer, given)
    wrong = [n for n in range(len(given)) if not same(got[n], wanted[n])]
    if not wrong:
        return ""
    first = wrong[0]
    hint = _hint(name, got) or f"It is asked for: {exercise.asks}"
    what = "the case worked by hand" if first == 0 else f"random case {first}"
    return f"{what}: {differs(got[first], wanted[first])}. {hint}"


@cache
def _asked(name: str) -> tuple[list[tuple], list[Seen]]:
    """What is given, the case worked by hand first, and what is wanted: once a process."""
    exercise = EXERCISES[name]
    given = [exercise.hand, *cases(name)]
    right = [exercise.see(exercise.right, copy.deepcopy(one)) for one in given[1:]]
    return given, [exercise.worked, *right]


def cases(name: str) -> list[tuple]:
    """The random cases of an exercise."""
    rng = rng_for("course", name)
    return [EXERCISES[name].random(rng) for _ in range(EXERCISES[name].cases)]


def seen(exercise: Exercise, answer: Answer, given: list[tuple]) -> list[Seen]:
    """What an answer gives on each case; an error it raises is what is seen then."""
    return [_one(exercise, answer, copy.deepcopy(one)) for one in given]


def _one(exercise: Exercise, answer: Answer, given: tuple) -> Seen:
    def written(*arguments):
        if (returned := answer(*arguments)) is None:
            raise Unwritten
        return returned

    try:
        with np.errstate(all="ignore"):
            return exercise.see(written, given)
    except Unwritten:
        return {"raised": "nothing is returned yet"}
    except Exception as error:  # whatever a learner's function raises is an answer to be judged
        return {"raised": f"it raised {type(error).__name__}: {str(error).rstrip('.')}"}


def same(one: Seen, other: Seen) -> bool:
    return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)


def _equal(a: object, b: object) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return np.shape(a) == np.shape(b) and bool(_near(a, b).all())


def _near(a: object, b: object) -> np.ndarray:
    """Apart by no more than float32 is: whoever computes in it, as torch does, is right as well."""
    return np.asarray(np.isclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True))


def differs(got: Seen, wanted: Seen) -> str:
    """The first thing that is not as it should be, in words."""
    if "raised" in got:
        return str(got["raised"])
    name = next(key for key in wanted if not _equal(got[key], wanted[key]))
    if np.shape(got[name]) != np.shape(wanted[name]):
        return f"{name} has shape {np.shape(got[name])}, expected {np.shape(wanted[name])}"
    mine, theirs = _short(got[name]), _short(wanted[name])
    if mine == theirs:  # the first numbers, or their first digits, do not show it
        place = int(np.argmin(_near(got[name], wanted[name])))
        at = f" at place {place} (from 0)" if np.ndim(got[name]) else ""
        return f"{name}{at} is {_at(got[name], place)}, expected {_at(wanted[name], place)}"
    return f"{name} is {mine}, expected {theirs}"


def _at(value: object, place: int) -> str:
    return f"{np.ravel(value)[place]:.9g}"


def _short(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    numbers = np.atleast_1d(np.asarray(value)).ravel()
    text = ", ".join(f"{number:.4g}" for number in numbers[:8])
    return f"{text}{', ...' if len(numbers) > 8 else ''}"


def _hint(name: str, got: list[Seen]) -> str:
    """That of the known mistake which gives the same on every case."""
    for number, mistake in enumerate(EXERCISES[name].mistakes):
        if all(same(_mistaken(name, number, at), one) for at, one in enumerate(got)):
            return f"Hint: {mistake.hint}"
    return ""


@cache
def _mistaken(name: str, number: int, at: int) -> Seen:
    """What a known mistake gives on a case: once a process."""
    exercise, (given, _) = EXERCISES[name], _asked(name)
    return _one(exercise, exercise.mistakes[number].answer, copy.deepcopy(given[at]))

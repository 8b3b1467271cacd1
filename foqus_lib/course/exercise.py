"""What an exercise is: a right answer, a case worked by hand, random cases, known mistakes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Answer = Callable[..., object]  # what a learner writes
Seen = dict[str, object]  # what is compared, by the name it is reported under


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that learners give, and the hint for it; never the solution."""

    answer: Answer
    hint: str


def result(answer: Answer, given: tuple) -> Seen:
    """What the answer returns, as one array of numbers."""
    return {"the result": np.asarray(answer(*given), dtype=np.float64)}


@dataclass(frozen=True)
class Exercise:
    """The right answer is the library's own function wherever it has one."""

    asks: str  # arguments with shapes and units -> what is wanted
    right: Answer
    hand: tuple  # arguments of the case worked by hand
    worked: Seen  # what is to be seen there, typed, not computed
    random: Callable[[np.random.Generator], tuple]  # arguments of a random case
    mistakes: tuple[Mistake, ...]
    see: Callable[[Answer, tuple], Seen] = result
    cases: int = 40  # random ones

"""What distillation refuses, before or as soon as it shows."""

import math

import numpy as np

from foqus_lib.errors import Diverged
from foqus_lib.signals import Signals


def per_class(real: Signals, start: Signals) -> int:
    """How many signals of each class S has; ValueError if it cannot stand for T.

    A class of T needs two signals at least: the mean of one is that signal.
    """
    if (start.classes, start.length) != (real.classes, real.length):
        raise ValueError(
            f"start: expected {len(real.classes)} classes of {real.length} samples as in the real "
            f"signals, got {len(start.classes)} of {start.length}. Draw it from them"
        )
    mine, theirs = (np.bincount(one.label, minlength=len(real.classes)) for one in (start, real))
    if len(set(mine)) != 1 or mine[0] == 0:
        raise ValueError(
            f"start: expected the same number of signals of every class, 1 or more, got "
            f"{mine.tolist()}. Draw a class-balanced set"
        )
    check_budget(real, int(mine[0]))
    return int(mine[0])


def check_budget(real: Signals, budget: int) -> None:
    """ValueError, before anything is computed, if a class cannot give `budget` of its signals."""
    sizes = np.bincount(real.label, minlength=len(real.classes))
    small = int(sizes.argmin())
    where = f"class {real.classes[small]}"
    if sizes[small] < 2:
        raise ValueError(
            f"{where}: expected 2 real signals or more, got {sizes[small]}: there is no "
            "distribution to match. Add signals of that class, or leave it out"
        )
    if not 1 <= budget <= sizes[small]:
        raise ValueError(
            f"signals per class: expected 1 to {sizes[small]}, what {where} has to train on, got "
            f"{budget}. Ask for fewer, or add signals of that class"
        )


def check_counts(**given: int) -> None:
    """ValueError, naming it, for a count below 1."""
    for name, value in given.items():
        if value < 1:
            raise ValueError(f"{name}: expected 1 or more, got {value}")


def check_finite(step: int, loss: float, move: float, lr: float) -> None:
    """Diverged if a step (from 1) has left a synthetic set that no network can read."""
    if not (math.isfinite(loss) and math.isfinite(move)):
        raise Diverged(
            f"synthetic set: expected finite samples, got L = {loss:g} and a move of {move:g} in "
            f"step {step} with lr {lr:g}. Lower the step, or normalise the signals (rms)"
        )

"""A training set enlarged: themselves first, then children in the same order."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from foqus_lib.companions.mixing.part import TrainingPart, checked_part, matched
from foqus_lib.companions.mixing.rules import (
    Pairs,
    most_similar_pairs,
    n_random_children,
    random_pairs,
    theta_similar_pairs,
)
from foqus_lib.signals import Signals

Mix = Callable[[Int64[ndarray, " P"], Int64[ndarray, " P"]], Pairs]


def random_mixing(
    part: TrainingPart, n_fold: int, ratio: float, rng: np.random.Generator
) -> Signals:
    """RM: n_fold times the signals, themselves first, then children in the same order."""
    return _enlarged(part, n_fold, rng, lambda a, b: random_pairs(part, a, b, rng, ratio))


def max_similarity_mixing(
    part: TrainingPart, n_fold: int, ratio: float, stride: int, rng: np.random.Generator
) -> Signals:
    """MSM, as `random_mixing`; rng draws the partners."""
    return _enlarged(
        part, n_fold, rng, lambda a, b: most_similar_pairs(part, a, b, rng, ratio, stride)
    )


def theta_similarity_mixing(
    part: TrainingPart,
    n_fold: int,
    ratio: float,
    theta: float,
    patience: int,
    rng: np.random.Generator,
) -> tuple[Signals, int]:
    """theta-SM, as `random_mixing`, and for how many pairs nothing satisfied theta."""
    tally = np.zeros(2, np.int64)
    made = _enlarged(
        part, n_fold, rng,
        lambda a, b: theta_similar_pairs(part, a, b, rng, ratio, theta, patience, tally),
    )  # fmt: skip
    return made, int(tally[1])


def n_random_mixing(
    part: TrainingPart, n_fold: int, ratio: float, n: int, rng: np.random.Generator
) -> Signals:
    """n-RM, as `random_mixing`."""
    everything = np.arange(len(checked_part(part).rows))
    copies = range(_checked_fold(n_fold) - 1)
    return _with(part, [n_random_children(part, everything, rng, ratio, n) for _ in copies])


def _enlarged(part: TrainingPart, n_fold: int, rng: np.random.Generator, mix: Mix) -> Signals:
    """Of every pair both children are kept, so a copy of the set conserves its samples."""
    copies = []
    for _ in range(_checked_fold(n_fold) - 1):
        a, b, both = matched(part, rng)
        of_a, of_b = mix(a, b)
        children = np.empty_like(part.signals.iq)
        children[a] = of_a
        children[b[both]] = of_b[both]
        copies.append(children)
    return _with(part, copies)


def _checked_fold(n_fold: int) -> int:
    if n_fold < 1:
        raise ValueError(f"n_fold: expected 1 (nothing added) or more, got {n_fold}")
    return n_fold


def _with(part: TrainingPart, copies: Sequence[Float32[ndarray, "k 2 L"]]) -> Signals:
    own, times = part.signals, 1 + len(copies)
    return Signals(
        np.concatenate([own.iq, *copies]),
        np.tile(own.label, times),
        np.tile(own.snr, times),
        own.classes,
    )

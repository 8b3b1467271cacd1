"""The exchange of two pieces, and the four rules that say which, pair by pair."""

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from foqus_lib.companions.mixing.part import TrainingPart, cut_length, partners, refuse_strangers
from foqus_lib.companions.mixing.similarity import most_similar, similar_enough

Pairs = tuple[Float32[ndarray, "P 2 L"], Float32[ndarray, "P 2 L"]]


def mix_pair(
    a: Float32[ndarray, "P 2 L"],
    b: Float32[ndarray, "P 2 L"],
    start_a: Int64[ndarray, " P"],
    start_b: Int64[ndarray, " P"],
    length: int,
) -> tuple[Float32[ndarray, "P 2 L"], Float32[ndarray, "P 2 L"]]:
    """Exchange a[start_a : start_a + length] and b[start_b : start_b + length], I and Q together.

    Positions count samples from 0. Returns both children; what was given is not changed.
    """
    span = a.shape[2]
    for name, start in (("start_a", start_a), ("start_b", start_b)):
        if len(start) and not 0 <= start.min() <= start.max() <= span - length:
            raise ValueError(
                f"{name}: expected 0 to {span - length} for {length} of {span} samples, got "
                f"{start.min()} to {start.max()}"
            )
    pair = np.arange(len(a))[:, None, None]
    channel = np.arange(2)[:, None]
    of_a, of_b = (start[:, None, None] + np.arange(length) for start in (start_a, start_b))
    child_a, child_b = a.copy(), b.copy()
    child_a[pair, channel, of_a] = b[pair, channel, of_b]
    child_b[pair, channel, of_b] = a[pair, channel, of_a]
    return child_a, child_b


def random_pairs(
    part: TrainingPart, a: Int64[ndarray, " P"], b: Int64[ndarray, " P"], rng: np.random.Generator,
    ratio: float,
) -> Pairs:  # fmt: skip
    """RM: both bursts are cut at one random start, the same in both [T]."""
    refuse_strangers(part, a, b)
    length, iq = cut_length(part, ratio), part.signals.iq
    start = rng.integers(iq.shape[2] - length + 1, size=len(a))
    return mix_pair(iq[a], iq[b], start, start, length)


def most_similar_pairs(
    part: TrainingPart, a: Int64[ndarray, " P"], b: Int64[ndarray, " P"], rng: np.random.Generator,
    ratio: float, stride: int,
) -> Pairs:  # fmt: skip
    """MSM: the two pieces that are most alike change places. Nothing is drawn."""
    del rng
    refuse_strangers(part, a, b)
    length, iq = cut_length(part, ratio), part.signals.iq
    i, j, _ = most_similar(iq[a], iq[b], length, stride)
    return mix_pair(iq[a], iq[b], i, j, length)


def theta_similar_pairs(
    part: TrainingPart, a: Int64[ndarray, " P"], b: Int64[ndarray, " P"], rng: np.random.Generator,
    ratio: float, theta: float, patience: int, tally: Int64[ndarray, "2"],
) -> Pairs:  # fmt: skip
    """theta-SM: pieces that are alike enough change places; `tally` counts (pairs, not met).

    A signal alone is no pair: it stays as it is, and counts in neither.
    """
    refuse_strangers(part, a, b)
    length, iq = cut_length(part, ratio), part.signals.iq
    i, j, distance = similar_enough(iq[a], iq[b], length, theta, patience, rng)
    itself = a == b  # alone: it would only be torn
    j[itself] = i[itself]
    tally += int((~itself).sum()), int((distance >= theta)[~itself].sum())
    return mix_pair(iq[a], iq[b], i, j, length)


def n_random_children(
    part: TrainingPart, at: Int64[ndarray, " P"], rng: np.random.Generator, ratio: float, n: int
) -> Float32[ndarray, "P 2 L"]:
    """n-RM: n times, a random piece is overwritten by the same place of another random burst."""
    length, iq = cut_length(part, ratio), part.signals.iq
    child = iq[at]
    for _ in range(n):
        other = iq[partners(part, at, rng)]
        start = rng.integers(iq.shape[2] - length + 1, size=len(at))
        child, _ = mix_pair(child, other, start, start, length)
    return child

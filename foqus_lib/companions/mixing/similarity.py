"""Where two bursts are most alike, or alike enough."""

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray
from numpy.lib.stride_tricks import sliding_window_view

from foqus_lib.companions.mixing.dtw import AT_ONCE, dtw_distance, window_distance
from foqus_lib.companions.mixing.part import TrainingPart, checked_part, cut_length, partners


def most_similar(
    a: Float32[ndarray, "P 2 L"], b: Float32[ndarray, "P 2 L"], length: int, stride: int
) -> tuple[Int64[ndarray, " P"], Int64[ndarray, " P"], Float32[ndarray, " P"]]:
    """The (i, j) of the smallest D(i, j), over i and j that are multiples of `stride`, and D.

    All starts (stride 1) are 4,225 alignments of 64 x 64 cells for a pair of 128 samples; stride 8
    leaves 81. Of equals the first is taken.
    """
    starts = np.arange(0, a.shape[2] - length + 1, stride)
    many = len(starts)
    distance = np.empty((len(a), many * many), np.float32)
    at_once = max(1, 8 * AT_ONCE // many**2)  # pairs of bursts
    for first in range(0, len(a), at_once):
        here = slice(first, first + at_once)
        of_a, of_b = (_all_windows(x[here], length, stride) for x in (a, b))
        of_a = np.repeat(of_a, many, axis=1)  # i of D(i, j) changes slowly, j fast
        of_b = np.tile(of_b, (1, many, 1, 1))
        found = dtw_distance(of_a.reshape(-1, 2, length), of_b.reshape(-1, 2, length))
        distance[here] = found.reshape(-1, many * many)
    best = distance.argmin(axis=1)
    return starts[best // many], starts[best % many], distance[np.arange(len(a)), best]


def _all_windows(
    x: Float32[ndarray, "P 2 L"], length: int, stride: int
) -> Float32[ndarray, "P W 2 l"]:
    return sliding_window_view(x, length, axis=2)[:, :, ::stride].transpose(0, 2, 1, 3)


def similar_enough(
    a: Float32[ndarray, "P 2 L"],
    b: Float32[ndarray, "P 2 L"],
    length: int,
    theta: float,
    patience: int,
    rng: np.random.Generator,
) -> tuple[Int64[ndarray, " P"], Int64[ndarray, " P"], Float32[ndarray, " P"]]:
    """Draw (i, j) until D(i, j) < theta, at most `patience` times; then the best that was seen.

    Where the D returned is theta or more, nothing satisfied theta: whoever calls counts these.
    """
    i, j = np.zeros((2, len(a)), np.int64)
    best = np.full(len(a), np.inf, np.float32)
    for _ in range(patience):
        left = np.flatnonzero(best >= theta)
        if len(left) == 0:
            break
        of_a, of_b = rng.integers(a.shape[2] - length + 1, size=(2, len(left)))
        distance = window_distance(a[left], b[left], of_a, of_b, length)
        better = distance < best[left]
        at = left[better]
        i[at], j[at], best[at] = of_a[better], of_b[better], distance[better]
    return i, j, best


def theta_of(
    part: TrainingPart, ratio: float, quantile: float, rng: np.random.Generator, draws: int = 1000
) -> float:
    """The theta that this share of random draws would satisfy: a quantile of D. Our choice.

    The published 0.2 [T] belongs to raw RML2016.10a amplitudes (0.01 a sample), and D grows with
    them. 0 if no signal has a partner.
    """
    able = np.flatnonzero(~checked_part(part).alone)
    if len(able) == 0:
        return 0.0
    a = rng.choice(able, draws)
    b, iq = partners(part, a, rng), part.signals.iq
    length = cut_length(part, ratio)
    i, j = rng.integers(iq.shape[2] - length + 1, size=(2, draws))
    return float(np.quantile(window_distance(iq[a], iq[b], i, j, length), quantile))

"""Pulses, as functions of time in symbols; and trains of them, each frame with its own."""

import numpy as np
from jaxtyping import Float, Inexact
from numpy import ndarray
from scipy.special import erf


def root_raised_cosine(
    t: Float[ndarray, "*shape"], rolloff: float | Float[ndarray, "*#shape"]
) -> Float[ndarray, "*shape"]:
    """Square-root Nyquist pulse of unit energy per symbol; rolloff above 0, at most 1."""
    b = rolloff
    undefined = (np.abs(t) < 1e-6) | (np.abs(np.abs(4 * b * t) - 1) < 1e-6)
    t = t + 1e-5 * undefined  # the formula reads 0 / 0 there; the pulse is smooth
    h = np.sin(np.pi * t * (1 - b)) + 4 * b * t * np.cos(np.pi * t * (1 + b))
    return h / (np.pi * t * (1 - (4 * b * t) ** 2))


def gaussian_frequency(t: Float[ndarray, "*shape"], bt: float) -> Float[ndarray, "*shape"]:
    """A rectangle of one symbol after a Gaussian filter of bandwidth bt per symbol; area 1."""
    a = np.pi * bt * np.sqrt(2 / np.log(2))
    return (erf(a * (t + 0.5)) - erf(a * (t - 0.5))) / 2


def times(late: Float[ndarray, " n"], span: int, sps: int) -> Float[ndarray, "n span1 sps"]:
    """Time (symbols) from symbol k to sample p of the period in the middle of span + 1 symbols.

    late: of each frame's symbols against its samples, 0 to 1 symbol; -span/2 to span/2 is covered.
    """
    k, p = np.arange(span + 1)[:, None], np.arange(sps)
    return p / sps - (k - span // 2) - late[:, None, None]


def train(
    symbols: Inexact[ndarray, "n symbols"], pulse: Float[ndarray, "n span1 sps"]
) -> Inexact[ndarray, "n samples"]:
    """sum_k symbol_k pulse(t - k): sps samples for each symbol that has all its neighbours."""
    around = np.lib.stride_tricks.sliding_window_view(symbols, pulse.shape[1], axis=1)
    return np.matmul(around, pulse).reshape(len(symbols), -1)

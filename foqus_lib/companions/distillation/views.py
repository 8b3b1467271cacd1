"""The domains in which two sets of signals are compared."""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

View = Callable[[Tensor], Tensor]  # (M, 2, L) -> (M, 2, L): the domain that is looked at
Views = Sequence[tuple[float, View]]  # each with its weight in the loss


def samples(x: Float[Tensor, "M 2 L"]) -> Float[Tensor, "M 2 L"]:
    """Time domain: the signal as it is."""
    return x


def magnitude_spectrum(x: Float[Tensor, "M 2 L"]) -> Float[Tensor, "M 2 L"]:
    """Frequency domain: F(x) = (|DFT(I)|, |DFT(Q)|), each of the two channels by itself.

    The DFT is unitary (ortho), so both views have one energy; else alpha would mean alpha L.
    """
    return torch.fft.fft(x, norm="ortho").abs()


def multi_domain(alpha: float) -> Views:
    """MDM: L = L_TD + alpha L_FD, one network for both views. alpha = 0 is DM."""
    if not (math.isfinite(alpha) and alpha >= 0):
        raise ValueError(f"alpha: expected a finite number of 0 or more, got {alpha}. 0 is DM")
    return ((1.0, samples), (alpha, magnitude_spectrum))


TIME_ALONE: Views = ((1.0, samples),)
FREQUENCY_ALONE: Views = ((1.0, magnitude_spectrum),)

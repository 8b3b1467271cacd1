"""Carrier phases: one for both sets of an iteration, or one for each signal of a batch."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from foqus_lib.companions.phase import advanced

Turn = Callable[[Tensor, float], Tensor]  # signals, a number in 0..1 -> signals of the same label


def rotated(x: Float[Tensor, "M 2 L"], turn: float | Float[Tensor, " M"]) -> Float[Tensor, "M 2 L"]:
    """Carrier phase advanced by a part of a full turn: (I + jQ) exp(2 pi j turn).

    The one exact augmentation of I/Q: no receiver knows the phase. One turn for all signals, or
    one for each.
    """
    return advanced(x, 2 * math.pi * torch.as_tensor(turn, dtype=x.dtype, device=x.device))


def fixed(x: Float[Tensor, "M 2 L"], turn: float) -> Float[Tensor, "M 2 L"]:
    """No augmentation."""
    return x


def random_phase(
    x: Float[Tensor, "B R 2 L"], label: Int64[Tensor, "B R"], rngs: Sequence[np.random.Generator]
) -> tuple[Float[Tensor, "B R 2 L"], Int64[Tensor, "B R"]]:
    """A `transform` for training.fit: each signal of a batch turned by its own random phase."""
    turns = np.stack([rng.random(len(x)) for rng in rngs], axis=1)
    turns = torch.from_numpy(turns).to(x).flatten()
    return rotated(x.flatten(0, 1), turns).view(x.shape), label

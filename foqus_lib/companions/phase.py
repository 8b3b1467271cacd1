"""The carrier's phase: the one change of I/Q that no receiver can tell from the truth."""

import torch
from jaxtyping import Float
from torch import Tensor


def advanced(x: Float[Tensor, "*M 2 L"], angle: Float[Tensor, "*#M"]) -> Float[Tensor, "*M 2 L"]:
    """(I + jQ) exp(j angle), angle in radians: one for each signal, or one for all."""
    cos, sin = angle.cos()[..., None], angle.sin()[..., None]
    i, q = x[..., 0, :], x[..., 1, :]
    return torch.stack([i * cos - q * sin, i * sin + q * cos], dim=-2)

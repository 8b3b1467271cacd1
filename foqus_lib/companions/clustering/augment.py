"""What may happen to a signal without its class changing: a turn of the carrier, a later start."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from foqus_lib.companions.phase import advanced

SHIFT = 4  # samples, at most, either way


def shifted(x: Float[Tensor, "B 2 L"], by: Tensor) -> Float[Tensor, "B 2 L"]:
    """z(t - by), cyclic, `by` whole samples for each signal."""
    length = x.shape[2]
    at = (torch.arange(length, device=x.device) - by[:, None]) % length
    return x.gather(2, at[:, None].expand(-1, 2, -1))


def another_look(x: Float[Tensor, "B 2 L"], rng: np.random.Generator) -> Float[Tensor, "B 2 L"]:
    """Each signal with a random phase, begun up to four samples earlier or later. [our choice]"""
    angle = torch.from_numpy(rng.uniform(-np.pi, np.pi, len(x))).to(x)
    by = torch.from_numpy(rng.integers(-SHIFT, SHIFT, len(x), endpoint=True)).to(x.device)
    return shifted(advanced(x, angle), by)


def looked_at(
    x: Float[Tensor, "B R 2 L"], target: Int64[Tensor, "B R"], rngs: Sequence[np.random.Generator]
) -> tuple[Float[Tensor, "B R 2 L"], Int64[Tensor, "B R"]]:
    """The same as a transform of `training.fit`: every signal of a batch, labels unchanged."""
    seen = [another_look(x[:, copy], rng) for copy, rng in enumerate(rngs)]
    return torch.stack(seen, dim=1), target

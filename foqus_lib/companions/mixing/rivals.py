"""What mixing is compared with, each a batch transform of `training.fit`."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy import ndarray
from torch import Tensor

from foqus_lib.companions.phase import advanced


def rotation(
    signals: Float[Tensor, "B R 2 L"], labels: Tensor, rngs: Sequence[np.random.Generator]
) -> tuple[Tensor, Tensor]:
    """Each signal times exp(i phi), phi uniform: the carrier's phase says nothing of the class.

    Huang et al. 2019 (arXiv:1912.03026) turn by quarters; a uniform phase is our choice.
    """
    phi = _drawn(signals, [rng.uniform(0, 2 * np.pi, len(signals)) for rng in rngs])
    return advanced(signals, phi), labels


def flip(
    signals: Float[Tensor, "B R 2 L"], labels: Tensor, rngs: Sequence[np.random.Generator]
) -> tuple[Tensor, Tensor]:
    """I and Q of each signal change sign, each with chance 1/2 (Huang et al. 2019).

    One sign alone turns the spectrum round: a single sideband becomes the other.
    """
    size = len(signals), 2, 1
    return signals * _drawn(signals, [rng.choice([-1.0, 1.0], size) for rng in rngs]), labels


def noise(
    signals: Float[Tensor, "B R 2 L"],
    labels: Tensor,
    rngs: Sequence[np.random.Generator],
    below_db: float,
) -> tuple[Tensor, Tensor]:
    """White Gaussian noise `below_db` dB below the power of each signal (Huang et al. 2019)."""
    power = signals.square().mean(dim=(2, 3), keepdim=True)
    size = len(signals), *signals.shape[2:]
    drawn = _drawn(signals, [rng.standard_normal(size) for rng in rngs])
    return signals + drawn * (power * 10 ** (-below_db / 10)).sqrt(), labels


def mixup(
    signals: Float[Tensor, "B R 2 L"],
    labels: Int64[Tensor, "B R"],
    rngs: Sequence[np.random.Generator],
    classes: int,
    alpha: float,
) -> tuple[Float[Tensor, "B R 2 L"], Float[Tensor, "B R C"]]:
    """lambda x + (1 - lambda) x', and so the targets; lambda ~ Beta(alpha, alpha) a batch.

    Zhang et al. 2018, arXiv:1710.09412. Partners are any two of the batch.
    """
    others, other_labels = _shuffled(signals, labels, rngs)
    share = _drawn(signals, [rng.beta(alpha, alpha, (1, 1, 1)) for rng in rngs])
    mixed = others + share * (signals - others)
    return mixed, _soft(signals, labels, other_labels, share[:, :, 0], classes)


def cutmix(
    signals: Float[Tensor, "B R 2 L"],
    labels: Int64[Tensor, "B R"],
    rngs: Sequence[np.random.Generator],
    classes: int,
) -> tuple[Float[Tensor, "B R 2 L"], Float[Tensor, "B R C"]]:
    """A piece of any other signal of the batch, and its share of the target; share ~ U(0, 1).

    Yun et al. 2019, arXiv:1905.04899, along time: one piece a batch, weighed by its real length.
    """
    span = signals.shape[3]
    others, other_labels = _shuffled(signals, labels, rngs)
    own = torch.ones(1, len(rngs), 1, span, device=signals.device, dtype=torch.bool)
    for replica, rng in enumerate(rngs):
        length = rng.integers(span + 1)
        start = rng.integers(span - length + 1)
        own[:, replica, :, start : start + length] = False
    share = own.to(signals).mean(dim=3)
    mixed = torch.where(own, signals, others)
    return mixed, _soft(signals, labels, other_labels, share, classes)


def _drawn(signals: Tensor, of_replica: Sequence[ndarray]) -> Tensor:
    """(B, ...) of each replica as (B, R, ...) where the signals are."""
    return torch.from_numpy(np.stack(of_replica, axis=1)).to(signals)


def _shuffled(
    signals: Tensor, labels: Tensor, rngs: Sequence[np.random.Generator]
) -> tuple[Tensor, Tensor]:
    """The batch of each replica in another order."""
    order = np.stack([rng.permutation(len(signals)) for rng in rngs], axis=1)
    order = torch.from_numpy(order).to(labels.device)
    replica = torch.arange(len(rngs), device=labels.device)
    return signals[order, replica], labels[order, replica]


def _soft(
    signals: Tensor,
    labels: Int64[Tensor, "B R"],
    other_labels: Int64[Tensor, "B R"],
    share: Float[Tensor, "one R 1"],
    classes: int,
) -> Float[Tensor, "B R C"]:
    """share of the one label and the rest of the other; both sum to 1."""
    one, other = (
        torch.nn.functional.one_hot(y, classes).to(signals) for y in (labels, other_labels)
    )
    return other + share * (one - other)

"""What a network says of signals, and the autoencoder: a network that learns it without labels."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Tensor, nn
from torch.nn import functional as F

from foqus_lib.training.device import rounded

AT_ONCE = 512  # signals looked at together
HIDDEN = 256  # of the decoder


def batches(n: int, batch: int, rng: np.random.Generator, device: torch.device) -> Iterator[Tensor]:
    """The rows of one epoch, shuffled, in parts of nearly one size: none is left with one signal.

    Batch normalisation needs two signals, and a pair as well.
    """
    rows = torch.from_numpy(rng.permutation(n)).to(device)
    return iter(rows.tensor_split(max(1, min(round(n / batch), n // 2))))


@torch.inference_mode()
def said(network: nn.Module, x: Float[Tensor, "N 2 L"]) -> Float32[ndarray, "N _"]:
    """network(x) in evaluation mode, part by part."""
    network.eval()
    return torch.cat([network(part) for part in x.split(AT_ONCE)]).float().cpu().numpy()


@torch.inference_mode()
def embedded(encoder: nn.Module, x: Float[Tensor, "N 2 L"]) -> Float32[ndarray, "N D"]:
    """The input of the last layer of a network of `models` (copies = 1), in evaluation mode."""
    encoder.eval()
    parts = [encoder.embed(part[:, None])[0] for part in x.split(AT_ONCE)]
    return torch.cat(parts).float().cpu().numpy()


class Autoencoder(nn.Module):
    """x -> embedding of the encoder -> two linear layers -> x. Its last layer is not used."""

    def __init__(self, encoder: nn.Module, width: int, length: int):
        super().__init__()
        self.encoder = encoder
        self.decoder = nn.Sequential(
            nn.Linear(width, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * length)
        )

    def forward(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B 2 L"]:
        return self.decoder(self.encoder.embed(x[:, None])[0]).view(x.shape)


def reconstruct(
    network: Autoencoder,
    x: Float[Tensor, "N 2 L"],
    rng: np.random.Generator,
    epochs: int,
    batch: int,
    lr: float,
    precision: str = "fp32",
) -> list[float]:
    """Train in place so that ||x - network(x)||^2 is least; gives its mean over I and Q, by epoch.

    ValueError if the loss stops being finite.
    """
    optimiser = torch.optim.Adam(network.parameters(), lr)
    losses = []
    for epoch in range(epochs):
        network.eval()  # no dropout, as in all clustering; it still learns
        total = 0.0
        for rows in batches(len(x), batch, rng, x.device):
            with rounded(precision, x.device):
                again = network(x[rows])
            loss = F.mse_loss(again.float(), x[rows])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) * len(rows)
        losses.append(total / len(x))
        if not np.isfinite(losses[-1]):
            raise ValueError(
                f"autoencoder: its loss is not finite from epoch {epoch + 1}; lower lr (now {lr:g})"
            )
    return losses

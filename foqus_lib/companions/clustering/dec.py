"""Variant B: soft assignments that sharpen themselves, after DEC and Han et al. (ICCV 2019)."""

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor, nn

FLOOR = 1e-8  # of a probability, before its logarithm
MEMORY = 0.6  # of the temporal ensemble [C]


def student_t(z: Float[Tensor, "N d"], mu: Float[Tensor, "K d"]) -> Float[Tensor, "N K"]:
    """q_ik = (1 + ||z_i - mu_k||^2)^-1 / sum_j (1 + ||z_i - mu_j||^2)^-1 (Xie et al. 2016, Eq. 1).

    Student's t of one degree of freedom: a far centre still counts.
    """
    kernel = 1 / (1 + ((z[:, None] - mu) ** 2).sum(2))
    return kernel / kernel.sum(1, keepdim=True)


def dec_target(q: Float[Tensor, "N K"]) -> Float[Tensor, "N K"]:
    """p_ik = (q_ik^2 / sum_i q_ik) / sum_j (q_ij^2 / sum_i q_ij): sharper, and large clusters less.

    Over all N signals. A cluster to which nothing belongs (sum 0) gets nothing.
    """
    share = q.sum(0)
    weight = torch.where(share > 0, q**2 / share.clamp(min=FLOOR), torch.zeros_like(q))
    return weight / weight.sum(1, keepdim=True)


def divergence(p: Float[Tensor, "N K"], q: Float[Tensor, "N K"]) -> Float[Tensor, ""]:
    """Mean over signals of KL(p || q) = sum_k p_k log(p_k / q_k), nats."""
    return (p * (p.clamp(min=FLOOR).log() - q.clamp(min=FLOOR).log())).sum(1).mean()


def ensemble(
    past: Float[Tensor, "N K"], q: Float[Tensor, "N K"], refreshes: int
) -> tuple[Float[Tensor, "N K"], Float[Tensor, "N K"]]:
    """Temporal ensembling: E = a E + (1 - a) q, and E / (1 - a^t), what has been said on average.

    a = 0.6, t counts refreshes from 1, E begins at 0: the division takes that beginning out again
    (Laine & Aila 2017). Rows of the second sum to 1 if those of q do.
    """
    past = MEMORY * past + (1 - MEMORY) * q
    return past, past / (1 - MEMORY**refreshes)


class CentreNetwork(nn.Module):
    """Encoder, a linear map to d dimensions, k centres there: the soft assignments q."""

    def __init__(self, encoder: nn.Module, projection: nn.Linear, centres: Float[Tensor, "K d"]):
        super().__init__()
        self.encoder, self.projection = encoder, projection
        self.centres = nn.Parameter(centres)

    def embed(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B d"]:
        return self.projection(self.encoder.embed(x[:, None])[0])

    def forward(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B K"]:
        return student_t(self.embed(x), self.centres)


def principal(features: Float[ndarray, "N D"], d: int) -> nn.Linear:
    """The linear map to the d directions of largest variance (PCA), of total variance d.

    Signs are fixed by the largest entry of each direction. The scale makes distances of the order
    at which `student_t` bends [our choice]. ValueError for features that do not vary.
    """
    x = features.astype(np.float64)
    mean = x.mean(axis=0)
    _, sizes, directions = np.linalg.svd(x - mean, full_matrices=False)
    directions, sizes = directions[:d], sizes[:d]
    if sizes[0] == 0:
        raise ValueError(
            "features: expected some that differ from signal to signal, got one and the same. "
            "Train the network longer, or lower its learning rate"
        )
    largest = np.take_along_axis(directions, np.abs(directions).argmax(1)[:, None], axis=1)
    scale = np.sqrt(d * len(x) / (sizes**2).sum())
    weight = directions * np.where(largest < 0, -1, 1) * scale
    layer = nn.Linear(x.shape[1], len(weight))
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.copy_(torch.from_numpy(-weight @ mean))
    return layer

"""Variant A: a network labels its own pairs, after DAC (Chang et al., ICCV 2017).

Signals of which the network says nearly the same are taken for one class, those of which it says
quite different things for two, all others are left out; then it learns what it has just said. From
random weights that has no direction: a network that says the same of all signals makes one class.
"""

import numpy as np
import torch
from jaxtyping import Float, Float64
from numpy import ndarray
from torch import Tensor, nn
from torch.nn import functional as F

from foqus_lib.companions.clustering.kmeans import nearest

UPPER, LOWER = 0.95, 0.455  # of the first epoch [P]
CLOSING = 0.45  # lambda at which they meet: 0.95 - x = 0.455 + 0.1 x
FLOOR = 1e-6  # of a similarity, before its logarithm
SHARP = 3.0  # of the head that k-means gives [our choice]


def label_feature(logits: Float[Tensor, "B K"]) -> Float[Tensor, "B K"]:
    """l = softmax(logits) / ||softmax(logits)||: no entry below 0, length 1."""
    return F.normalize(logits.softmax(1), dim=1)


def similarity(l: Float[Tensor, "B K"]) -> Float[Tensor, "B B"]:  # noqa: E741 (the paper's letter)
    """g_ij = l_i . l_j, the cosine: 0 to 1."""
    return l @ l.T


def thresholds(epoch: int, epochs: int) -> tuple[float, float]:
    """(u, v) of an epoch: u = 0.95 - lambda, v = 0.455 + 0.1 lambda, lambda from 0 to 0.45.

    DAC adds 0.0099 to lambda an epoch and stops when u <= v, after 46; here lambda rises in a
    straight line over the epochs there are [our choice], and no epoch has u <= v.
    """
    rise = CLOSING * epoch / epochs
    return UPPER - rise, LOWER + 0.1 * rise


def pair_targets(
    g: Float[Tensor, "B B"], upper: float, lower: float
) -> tuple[Float[Tensor, "B B"], Float[Tensor, "B B"]]:
    """(r, chosen): r_ij = 1 where g_ij > u, 0 where g_ij < v; chosen 0 between and where i = j.

    ValueError unless 0 <= v < u <= 1: a pair would be both.
    """
    if not 0 <= lower < upper <= 1:
        raise ValueError(
            f"thresholds: expected 0 <= lower < upper <= 1, got lower {lower}, upper {upper}"
        )
    chosen = ((g > upper) | (g < lower)).to(g.dtype)
    return (g > upper).to(g.dtype), chosen.fill_diagonal_(0)


def pair_loss(
    g: Float[Tensor, "B B"], r: Float[Tensor, "B B"], chosen: Float[Tensor, "B B"]
) -> Float[Tensor, ""]:
    """Mean of -r log g - (1 - r) log(1 - g) over the chosen pairs (nats); 0 if there are none."""
    g = g.clamp(FLOOR, 1 - FLOOR)
    losses = -r * g.log() - (1 - r) * (1 - g).log()
    return (losses * chosen).sum() / chosen.sum().clamp(min=1)


def mean_entropy(logits: Float[Tensor, "B K"]) -> Float[Tensor, ""]:
    """H(mean_i p_i) in nats: log k if the clusters are equally large, 0 if there is one."""
    mean = logits.softmax(1).mean(0)
    return -(mean * mean.clamp(min=FLOOR).log()).sum()


class PairNetwork(nn.Module):
    """Encoder, a linear layer to k, batch normalisation: the logits of k clusters.

    encoder: a network of `models` (copies = 1), of which embed is used and dropout is not.
    """

    def __init__(self, encoder: nn.Module, width: int, k: int):
        super().__init__()
        self.encoder = encoder
        self.linear = nn.Linear(width, k)
        self.norm = nn.BatchNorm1d(k)

    def embed(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B D"]:
        return self.encoder.embed(x[:, None])[0]

    def forward(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B K"]:
        return self.norm(self.linear(self.embed(x)))


@torch.no_grad()
def begin_at(
    network: PairNetwork, features: Float[ndarray, "N D"], centres: Float64[ndarray, "K D"]
) -> None:
    """Put the head where its first answer is k-means': logit_k = -||h - mu_k||^2 / (2 s^2) + c(h).

    Rows of the linear layer are the centres over s^2, and s^2 is a third of the mean squared
    distance to the nearest centre; the batch normalisation begins as the identity on `features`.
    [our choice]
    """
    own = centres[nearest(features, centres)]
    spread = max(float(((features - own) ** 2).sum(axis=1).mean()), 1e-12) / SHARP
    weight = centres / spread
    logits = features @ weight.T - (centres**2).sum(axis=1) / (2 * spread)
    for parameter, value in (
        (network.linear.weight, weight),
        (network.linear.bias, -(centres**2).sum(axis=1) / (2 * spread)),
        (network.norm.running_mean, logits.mean(axis=0)),
        (network.norm.running_var, logits.var(axis=0)),
        (network.norm.weight, np.sqrt(logits.var(axis=0) + network.norm.eps)),
        (network.norm.bias, logits.mean(axis=0)),
    ):
        parameter.copy_(torch.from_numpy(value))

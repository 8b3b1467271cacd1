"""Distances that are a dot product: d(i, j) = left_i . right_j, so a GEMM computes many at once."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64
from numpy import ndarray

from foqus_lib.selection.checks import finite


@dataclass(frozen=True, eq=False)
class Distance:
    """d(i, j) = left_i . right_j >= 0, symmetric, 0 on the diagonal."""

    left: Float64[ndarray, "n M"]
    right: Float64[ndarray, "n M"]


def squared_euclidean(x: Float[ndarray, "n D"]) -> Distance:
    """|x_i - x_j|^2 = |x_i|^2 + |x_j|^2 - 2 x_i . x_j, of centred rows: far from 0 it cancels."""
    x = finite("embedding", x).astype(np.float64)
    x -= x.mean(axis=0)
    square = np.einsum("nd,nd->n", x, x)[:, None]
    one = np.ones_like(square)
    return Distance(np.hstack([square, one, -2 * x]), np.hstack([one, square, x]))


def symmetric_kl(logits: Float[ndarray, "n C"]) -> Distance:
    """KL(p||q)/2 + KL(q||p)/2 = h_p + h_q - (p . log q + log p . q)/2,  h_p = p . log p / 2.

    Finite for any finite logits: rows surer than a float32 softmax can say are merely far away.
    """
    log_p = log_softmax(logits)
    p = np.exp(log_p)
    h = np.einsum("nc,nc->n", p, log_p)[:, None] / 2
    one = np.ones_like(h)
    return Distance(np.hstack([h, one, -p / 2, -log_p / 2]), np.hstack([one, h, log_p, p]))


def log_softmax(logits: Float[ndarray, "*batch C"]) -> Float64[ndarray, "*batch C"]:
    """log p of each row in float64, so that no probability is 0 before a gap of 700 nats."""
    z = finite("logits", logits).astype(np.float64)
    z -= z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))

"""Distances that are a dot product: d(i, j) = left_i . right_j, so a GEMM computes many at once."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64
from numpy import ndarray

from foqus_lib.selection.checks import finite
from foqus_lib.selection.screening import screening_dtype

TINY = 1e-25  # of the largest square: what underflows in float32 adds up to less


@dataclass(frozen=True, eq=False)
class Bound:
    """d(i, j) <= left_i . right_j + more_i, however float32 rounds the product."""

    left: Float32[ndarray, "n r"]
    right: Float32[ndarray, "n r"]
    more: Float64[ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Distance:
    """d(i, j) = left_i . right_j >= 0, symmetric, 0 on the diagonal; perhaps a cheaper bound."""

    left: Float64[ndarray, "n M"]
    right: Float64[ndarray, "n M"]
    bound: Bound | None = None


def squared_euclidean(x: Float[ndarray, "n D"]) -> Distance:
    """|x_i - x_j|^2 = |x_i|^2 + |x_j|^2 - 2 x_i . x_j, of centred rows: far from 0 it cancels."""
    x = finite("embedding", x).astype(np.float64)
    x -= x.mean(axis=0)
    square = np.einsum("nd,nd->n", x, x)
    return Distance(*_sides(x, square, square), bound=_short(x, square))


def _short(x: Float64[ndarray, "n D"], square: Float64[ndarray, " n"]) -> Bound | None:
    """In float32; None on a GPU, and where float32 has no digits for the squares.

    With u = eps / 2 and s = |x|^2: rounding D + 2 terms and adding them in any order costs at most
    (D + 5) u (s_i + s_j + 2 |x_i| |x_j|), which is no more than (D + 5) eps (s_i + s_j). So each
    side's share of it is added to its own square, j's within the product.
    """
    largest = square.max(initial=0)
    if screening_dtype(largest) != torch.float32 or largest < 1e-8:
        return None
    share = (x.shape[1] + 10) * float(np.finfo(np.float32).eps)
    more = share * square + TINY * largest
    return Bound(*_sides(x, square, square + more, np.float32), more)


def _sides(
    x: Float64[ndarray, "n r"],
    own: Float64[ndarray, " n"],
    other: Float64[ndarray, " n"],
    dtype: type = np.float64,
) -> tuple[Float[ndarray, "n M"], Float[ndarray, "n M"]]:
    """own_i + other_j - 2 x_i . x_j as one product."""
    left, right = np.ones((2, len(x), x.shape[1] + 2), dtype)
    left[:, 0], right[:, 1] = own, other
    np.multiply(x, -2, out=left[:, 2:], casting="same_kind")
    right[:, 2:] = x
    return left, right


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

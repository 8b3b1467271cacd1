"""Graphs by a rule, from each sequence or none: what a learned layer has to beat.

Visibility graphs are ts2vg's; I and Q are looked at separately, never their power. A rule takes
sequences (B, L) to graphs (B, L, L) of True and False, symmetric, without loops.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor, nn

from foqus_lib.seeds import rng_for

REMEMBERED, SHORT = 2**14, 256  # graphs of at most so many samples, bit-packed: 2 KB at L = 128
Rule = Callable[[ndarray], ndarray]


def natural(c: Float[ndarray, "B L"]) -> Bool[ndarray, "B L L"]:
    """i and j linked iff every sample between lies below the straight line from i to j."""
    return _each(c, "natural", 0)


def horizontal(c: Float[ndarray, "B L"]) -> Bool[ndarray, "B L L"]:
    """i and j linked iff every sample between lies below both of them."""
    return _each(c, "horizontal", 0)


def limited_penetrable(c: Float[ndarray, "B L"]) -> Bool[ndarray, "B L L"]:
    """As `natural`, but one sample between may stand in the way (p = 1)."""
    return _each(c, "natural", 1)


def band(c: Float[ndarray, "B L"], max_lag: int) -> Bool[ndarray, "B L L"]:
    """i and j linked iff 1 <= |i - j| <= max_lag, whatever the samples are."""
    t = np.arange(c.shape[1])
    lag = np.abs(t[:, None] - t)
    return np.broadcast_to((lag >= 1) & (lag <= max_lag), (len(c), *lag.shape))


def scattered(c: Float[ndarray, "B L"], max_lag: int, name: str) -> Bool[ndarray, "B L L"]:
    """One random graph for all sequences, with as many edges as `band`; `name` is its stream."""
    length = c.shape[1]
    return np.broadcast_to(_scattered(length, max_lag, name), (len(c), length, length))


@lru_cache(maxsize=8)
def _scattered(length: int, max_lag: int, name: str) -> Bool[ndarray, "L L"]:
    i, j = np.triu_indices(length, k=1)
    edges = int((j - i <= max_lag).sum())
    drawn = rng_for("random graph", name, length, max_lag).permutation(len(i))[:edges]
    found = np.zeros((length, length), bool)
    found[i[drawn], j[drawn]] = found[j[drawn], i[drawn]] = True
    return found


def nothing(c: Float[ndarray, "B L"]) -> Bool[ndarray, "B L L"]:
    """No edge at all: the network is left with samples without their order."""
    return np.zeros((len(c), c.shape[1], c.shape[1]), bool)


def _each(c: ndarray, kind: str, penetrable: int) -> Bool[ndarray, "B L L"]:
    _refuse_unseeable(c)
    length = c.shape[1]
    rows = np.ascontiguousarray(c, np.float64)
    edges = _remembered if length <= SHORT else _edges
    packed = np.stack([edges(row.tobytes(), kind, penetrable) for row in rows])
    bits = np.unpackbits(packed, axis=1, count=length * length)
    return bits.reshape(-1, length, length).astype(bool)


def _edges(sequence: bytes, kind: str, penetrable: int) -> ndarray:
    """The bit-packed adjacency of one sequence."""
    from ts2vg import HorizontalVG, NaturalVG

    make = {"natural": NaturalVG, "horizontal": HorizontalVG}[kind]
    graph = make(penetrable_limit=penetrable).build(
        np.frombuffer(sequence).copy()
    )  # it insists on writable memory
    return np.packbits(graph.adjacency_matrix().astype(bool))


_remembered = lru_cache(maxsize=REMEMBERED)(_edges)  # an epoch meets every signal again


def _refuse_unseeable(c: ndarray) -> None:
    if c.shape[1] < 2:
        raise ValueError(
            f"signals: expected 2 samples or more, got {c.shape[1]}: a graph without edges. "
            "Cut longer frames"
        )
    if not np.isfinite(c).all():
        row = int(np.flatnonzero(~np.isfinite(c).all(axis=1))[0])
        raise ValueError(
            f"signals: sequence {row} is not finite, and nothing is seen past a NaN. "
            "Drop the signal, or cut the frame where it is whole"
        )


class FixedGraph(nn.Module):
    """A rule as a layer without parameters."""

    def __init__(self, rule: Rule):
        super().__init__()
        self.rule = rule

    def forward(self, c: Float[Tensor, "B L"]) -> Float[Tensor, "B L L"]:
        """Ones where the rule links, zeros elsewhere, on the device of c."""
        found = torch.from_numpy(np.ascontiguousarray(self.rule(c.detach().float().cpu().numpy())))
        return found.to(c.device, torch.float32)

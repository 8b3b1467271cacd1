"""The adaptive visibility layer: which samples see each other is learned, not ruled.

An edge between samples t and t + d is a non-negative function of the whole segment between them,
one small convolution for each lag d. Source: the authors' code, jcz111/AvgNet, commit 79dfc5b.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

ALIVE = 0.1  # where biases begin, so that no edge is dead before the first step [our choice]


class AdaptiveVisibilityGraph(nn.Module):
    """A[t, t+d] = A[t+d, t] = ReLU(sum_u w_d[u] c[t+u] + b_d), lags d = 1 ... m; zero elsewhere.

    Kernel w_d has d + 1 taps: 88 parameters for m = 11. They lie one after another in `weight`.
    """

    def __init__(self, max_lag: int = 11):
        super().__init__()
        if max_lag < 1:
            raise ValueError(
                f"max_lag: expected 1 or more, got {max_lag}: a graph without edges. "
                "11 is the authors'; for a network without edges name the row No edges"
            )
        self.max_lag = max_lag
        lags = torch.arange(1, max_lag + 1)
        bound = (lags + 1).float().rsqrt().repeat_interleave(lags + 1)  # as torch's Conv1d begins
        self.weight = nn.Parameter((2 * torch.rand(len(bound)) - 1) * bound)
        self.bias = nn.Parameter(torch.full((max_lag,), ALIVE))
        taps = torch.arange(max_lag + 1)
        self.register_buffer("held", (taps <= lags[:, None]).flatten().nonzero()[:, 0], False)

    def kernels(self) -> Float[Tensor, "m taps"]:
        """The kernel of each lag, padded by zeros to m + 1 taps."""
        flat = self.weight.new_zeros(self.max_lag * (self.max_lag + 1))
        return flat.index_copy(0, self.held, self.weight).view(self.max_lag, -1)

    def forward(self, c: Float[Tensor, "B L"]) -> Float[Tensor, "B L L"]:
        """Of each real sequence its weighted adjacency: one convolution for all lags."""
        long_enough(c.shape[1], self.max_lag)
        padded = F.pad(c, (0, self.max_lag))[:, None]
        seen = F.conv1d(padded, self.kernels()[:, None], self.bias).relu()  # [:, d - 1, t]
        return from_lags(seen)


def long_enough(length: int, max_lag: int) -> None:
    """ValueError if no pair of samples is max_lag apart."""
    if length <= max_lag:
        raise ValueError(
            f"signals: expected more than {max_lag} samples, got {length}: kernels of max_lag "
            f"{max_lag} reach over {max_lag + 1}. Cut longer frames, or lower max_lag"
        )


def from_lags(seen: Float[Tensor, "B m L"]) -> Float[Tensor, "B L L"]:
    """The symmetric matrices with seen[:, d - 1, t] at (t, t + d) and (t + d, t).

    What would leave the matrix is dropped.
    """
    return _Diagonals.apply(seen)


class _Diagonals(torch.autograd.Function):
    """Only the 2m diagonals are written, and only their gradients are read."""

    @staticmethod
    def forward(ctx, seen: Tensor) -> Tensor:
        batch, ctx.lags, length = seen.shape
        found = seen.new_zeros(batch, length, length)
        for d in range(1, ctx.lags + 1):
            found.diagonal(d, 1, 2).copy_(seen[:, d - 1, : length - d])
            found.diagonal(-d, 1, 2).copy_(seen[:, d - 1, : length - d])
        return found

    @staticmethod
    def backward(ctx, onto: Tensor) -> Tensor:
        batch, length, _ = onto.shape
        found = onto.new_zeros(batch, ctx.lags, length)
        for d in range(1, ctx.lags + 1):
            found[:, d - 1, : length - d] = onto.diagonal(d, 1, 2) + onto.diagonal(-d, 1, 2)
        return found


def with_kernels(
    kernels: Sequence[Sequence[float]], biases: Sequence[float]
) -> AdaptiveVisibilityGraph:
    """A layer with given weights: kernels[d - 1] has d + 1 taps."""
    sizes, wanted = [len(w) for w in kernels], list(range(2, len(kernels) + 2))
    if sizes != wanted or len(biases) != len(kernels):
        raise ValueError(
            f"kernels: expected {wanted} taps for lags 1 to {len(kernels)} and as many biases, "
            f"got {sizes} taps and {len(biases)} biases"
        )
    layer = AdaptiveVisibilityGraph(len(kernels))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([tap for w in kernels for tap in w]))
        layer.bias.copy_(torch.tensor(biases))
    return layer


def natural_to_lag_two() -> AdaptiveVisibilityGraph:
    """The layer whose edges are those of the natural visibility graph up to lag 2, exactly.

    Neighbours always see each other; t and t + 2 do if the sample between lies below the middle of
    the line, (c[t] + c[t+2]) / 2 - c[t+1] > 0: one half-space. Lag 3 asks for two at once, which
    the ReLU of one convolution cannot: there the layer is no special case of the rule, nor it of
    the layer.
    """
    return with_kernels([[0.0, 0.0], [0.5, -1.0, 0.5]], [1.0, 0.0])


def mean_degree(adjacency: Float[Tensor, "B L L"]) -> float:
    """The sum of a node's edge weights, mean over nodes and graphs."""
    return float(adjacency.detach().sum(2).mean())


def refuse_empty(adjacency: Float[Tensor, "B L L"], what: str) -> None:
    """ValueError if no graph has an edge: then the network sees samples without their order."""
    if not bool((adjacency > 0).any()):
        raise ValueError(
            f"{what}: a graph without edges for all {len(adjacency)} sequences: every ReLU is "
            "zero. Lower lr, normalise the signals (rms), or begin with larger biases"
        )

"""Step 1: which layers do alike. Unbiased CKA of every pair, from one small matrix a layer."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64
from numpy import ndarray
from torch import Tensor, nn

from foqus_lib.companions.cuttable import KINDS, WORDS

LEAST_SIGNALS = 4  # the unbiased estimator divides by n - 3


def layers_of(network: nn.Module) -> list[nn.Module]:
    """Stem and blocks, in order: the layers whose outputs are compared.

    ValueError for a network that is no stack of residual blocks: without one of its layers the
    next would get another shape.
    """
    if not isinstance(network, KINDS):
        kinds = ", ".join(kind.__name__ for kind in KINDS)
        raise ValueError(
            f"layers: expected a network of residual blocks ({kinds}), got "
            f"{type(network).__name__}, whose layers cannot be cut. Name one of {WORDS}"
        )
    return [network.stem, *network.blocks]


@torch.no_grad()
def activations(network: nn.Module, x: Float[Tensor, "n 2 L"]) -> list[Float[Tensor, "n _"]]:
    """What every layer says of n signals, flattened, in evaluation mode."""
    found: list[Tensor] = []
    hooks = [
        layer.register_forward_hook(lambda _layer, _x, y: found.append(y.flatten(1)))
        for layer in layers_of(network)
    ]
    training = network.training
    try:
        network.eval()(x)
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return found


def cka_matrix(layers: Sequence[Float[Tensor, "n _"]]) -> Float64[ndarray, "M M"]:
    """Unbiased CKA of every pair: HSIC_u(K, L) / sqrt(HSIC_u(K, K) HSIC_u(L, L)), K = X X'.

        HSIC_u(K, L) = [tr KL + 1'K1 1'L1 / ((n-1)(n-2)) - 2/(n-2) 1'KL1] / (n (n-3)),  diagonals 0

    One (n, n) matrix a layer; all pairs at once from their products, sums and row sums. Values may
    be a little below 0: clip nothing before averaging over batches. Song et al. 2012; Nguyen et
    al. 2021. ValueError for n < 4, for activations that are not finite, and for a layer that says
    the same of all signals.
    """
    n = len(layers[0])
    if n < LEAST_SIGNALS or any(len(layer) != n for layer in layers):
        raise ValueError(
            f"CKA: expected {LEAST_SIGNALS} signals or more, the same for every layer, got "
            f"{sorted({len(layer) for layer in layers})}. Compare more signals"
        )
    grams = torch.stack([_gram(layer, at) for at, layer in enumerate(layers)])
    rows = grams.sum(2)  # K1
    sums = rows.sum(1)  # 1'K1
    flat = grams.flatten(1)
    traces, crossed = flat @ flat.T, rows @ rows.T  # tr KL, 1'KL1
    # 1 / (n (n-3)) stands above and below the fraction line
    pairs = traces + torch.outer(sums, sums) / ((n - 1) * (n - 2)) - 2 / (n - 2) * crossed
    own = pairs.diagonal()  # a sum of squares (Szekely & Rizzo 2014), so 0 or more but for rounding
    if flat_ones := (own <= 1e-12 * traces.diagonal()).nonzero().flatten().tolist():
        raise ValueError(
            f"CKA: expected activations that differ from signal to signal, layer {flat_ones[0]} "
            "says the same of all. Train the network longer, or lower its learning rate"
        )
    return (pairs / torch.outer(own, own).sqrt()).cpu().numpy()


def _gram(layer: Float[Tensor, "n _"], at: int) -> Float64[Tensor, "n n"]:
    """X X' with a diagonal of zeros."""
    if not layer.isfinite().all():
        raise ValueError(
            f"CKA: expected finite activations, layer {at} has NaN or infinite ones. The network "
            "diverged: lower its learning rate"
        )
    layer = layer.double()
    layer = layer - layer.mean(0)  # HSIC does not change, its rounding does
    return (layer @ layer.T).fill_diagonal_(0)


def mean_cka(
    network: nn.Module,
    iq: Float32[ndarray, "N 2 L"],
    rows: Int64[ndarray, " k"],
    size: int,
    batches: int,
    rng: np.random.Generator,
) -> Float64[ndarray, "M M"]:
    """`cka_matrix` of stem and blocks, the mean over batches of `size` signals drawn from `rows`.

    No signal is in a batch twice; of fewer than `size` all are. M = 1 + blocks; the network is on
    the CPU. Lu et al. 2024.
    """
    size = min(size, len(rows))
    drawn = (torch.from_numpy(iq[rng.choice(rows, size, replace=False)]) for _ in range(batches))
    return np.mean([cka_matrix(activations(network, x)) for x in drawn], axis=0)


def cka(x: Float[Tensor, "n _p"], y: Float[Tensor, "n _q"]) -> float:
    """How alike two layers see the same signals: 1 for a rotation or multiple, near 0 by chance."""
    return float(cka_matrix([x, y])[0, 1])

"""Which blocks of a trained network to keep: similarity, partition, selection, reassembly.

After Lu et al. 2024 (arXiv:2406.07929), written from its formulas: layers that do alike are put in
one segment, the blocks kept of a segment are chosen by a score that needs no data, and what is kept
becomes a smaller network that is trained on. Blocks count from 0, the stem is not among them.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import combinations
from math import comb

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from numpy import ndarray
from torch import Tensor, nn

from foqus_lib.companions.cuttable import WORDS, blocks_left
from foqus_lib.companions.signal_cnn1d import SignalCNN1D
from foqus_lib.companions.signal_resnet import SignalResNet, stage_of

VERSION = 1  # raised when the same network and signals leave other blocks
LEAST_SIGNALS = 4  # the unbiased estimator divides by n - 3

Kept = tuple[int, ...]  # blocks, ascending
Weights = dict[str, Tensor]


# ---- step 1: which layers do alike ---------------------------------------------------------------


def layers_of(network: nn.Module) -> list[nn.Module]:
    """Stem and blocks, in order: the layers whose outputs are compared.

    ValueError for a network that is no stack of residual blocks: without one of its layers the
    next would get another shape.
    """
    if not isinstance(network, SignalResNet | SignalCNN1D):
        raise ValueError(
            "layers: expected a network of residual blocks (SignalResNet, SignalCNN1D), got "
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


def cka(x: Float[Tensor, "n _p"], y: Float[Tensor, "n _q"]) -> float:
    """How alike two layers see the same signals: 1 for a rotation or multiple, near 0 by chance."""
    return float(cka_matrix([x, y])[0, 1])


# ---- step 2: the partition -----------------------------------------------------------------------


def fisher_losses(
    scores: Float64[ndarray, " M"], most: int
) -> tuple[Float64[ndarray, "k M"], Int64[ndarray, "k M"]]:
    """E(n, k) of Fisher's optimal segmentation for every prefix and k = 1 ... most; where it cuts.

        D(a, b) = sum over l = a..b of (s_l - mean)^2
        E(n, 1) = D(1, n);   E(n, k) = min over j of E(j-1, k-1) + D(j, n)

    Exact, by dynamic programming. Row r holds k = r + 1; back[r, n] is the start of the last of
    its segments (the first of equals). Fisher 1958. ValueError for k outside 1 ... M.
    """
    m = len(scores)
    if not 1 <= most <= m:
        raise ValueError(f"segments: expected 1 to {m} for {m} layers, got {most}")
    if not np.isfinite(scores).all():
        raise ValueError(f"segments: expected finite similarities, got {scores}. Drop NaN layers")
    centred = scores - scores.mean()
    sums, squares = (np.concatenate([[0.0], np.cumsum(x)]) for x in (centred, centred**2))
    start, end = np.arange(m)[:, None], np.arange(m)[None]
    within = squares[1:][end] - squares[start]
    within = within - (sums[1:][end] - sums[start]) ** 2 / np.maximum(end - start + 1, 1)
    within = np.where(start <= end, np.maximum(within, 0), np.inf)
    losses, back = np.full((most, m), np.inf), np.zeros((most, m), np.int64)
    losses[0] = within[0]
    for r in range(1, most):
        before = np.concatenate([[np.inf], losses[r - 1, :-1]])  # of what ends before j
        whole = before[:, None] + within
        back[r] = whole.argmin(0)
        losses[r] = whole.min(0)
    return losses, back


def fisher_segmentation(
    scores: Float64[ndarray, " M"], k: int
) -> tuple[list[tuple[int, int]], float]:
    """The k contiguous segments (start, stop) of least within-segment squares, and that sum."""
    losses, back = fisher_losses(scores, k)
    stops = [len(scores)]
    for r in range(k - 1, 0, -1):
        stops.append(int(back[r, stops[-1] - 1]))
    edges = [0, *reversed(stops)]
    return list(zip(edges[:-1], edges[1:], strict=True)), float(losses[-1, -1])


def choose_k(scores: Float64[ndarray, " M"], most: int, least_drop: float = 0.05) -> int:
    """Add segments while one more lowers the sum by over `least_drop` of itself, to `most`."""
    losses = fisher_losses(scores, min(most, len(scores)))[0][:, -1]
    scale = losses[0] * 1e-12
    k = 1
    while k < len(losses) and losses[k - 1] - losses[k] > max(least_drop * losses[k - 1], scale):
        k += 1
    return k


# ---- step 3: the selection -----------------------------------------------------------------------


def log_synflow(network: nn.Module, shape: Sequence[int]) -> float:
    """log of sum |theta dR/dtheta|: R sums the outputs for an input of ones, theta is |theta|.

    Needs no data. Tanaka et al. 2020. In float64 and as a logarithm, for the range is huge; batch
    normalisation with mean 0 and variance 1, since a constant input has no variance. The network
    itself is left as it is.
    """
    network = deepcopy(network).double().eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.abs_().requires_grad_()
            weight.grad = None
        for layer in network.modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.track_running_stats:
                layer.reset_running_stats()  # 0 and 1
    weights = list(network.parameters())
    with torch.enable_grad():
        x = torch.ones(1, *shape, dtype=torch.float64, device=weights[0].device)
        slopes = torch.autograd.grad(network(x).sum(), weights, allow_unused=True)
    score = sum(
        (weight * slope).abs().sum().item()
        for weight, slope in zip(weights, slopes, strict=True)
        if slope is not None
    )
    if not (np.isfinite(score) and score > 0):
        raise ValueError(f"SynFlow: expected a score above 0, got {score}. Are there NaN weights?")
    return float(np.log(score))


def contribution(
    network: nn.Module,
    blank: Weights,
    trained: Weights,
    kept: Sequence[int],
    length: int,
) -> float:
    """Data-free score of some blocks: `log_synflow` with their trained weights, the others blank.

    `network` is a workbench: it is filled with `blank`, one fixed random state, for every subset,
    so a score does not depend on what was scored before.
    """
    mixed = dict(blank) | {
        name: value for name, value in trained.items() if block_of(name) in set(kept)
    }
    network.load_state_dict(mixed)
    return log_synflow(network, (2, length))


def block_of(name: str) -> int | None:
    """ "blocks.12.conv1.weight" -> 12; None for what belongs to no block."""
    first, *rest = name.split(".")
    return int(rest[0]) if first == "blocks" else None


def subsets(segment: tuple[int, int], size: int, most: int, rng: np.random.Generator) -> list[Kept]:
    """All choices of `size` blocks of a segment; of more than `most`, so many at random."""
    blocks = range(*segment)
    if comb(len(blocks), size) <= most:
        return list(combinations(blocks, size))
    drawn: dict[Kept, None] = {}
    while len(drawn) < most:
        drawn[tuple(sorted(rng.choice(blocks, size, replace=False).tolist()))] = None
    return list(drawn)


def segment_budgets(
    segments: Sequence[tuple[int, int]], keep: int, needed: Sequence[int]
) -> list[int] | None:
    """How many blocks each segment keeps: in proportion to its size, one or more.

    A segment that holds most of a run of `needed` keeps at least one for it. None if `keep` is too
    small for so many segments.
    """
    sizes = [stop - start for start, stop in segments]
    runs = stage_of(needed)
    counts = np.array([np.bincount(runs[a:b], minlength=len(needed)) for a, b in segments])
    holders = counts.argmax(0).tolist()
    budgets = [max(1, holders.count(at)) for at in range(len(segments))]
    if sum(budgets) > keep:
        return None
    while sum(budgets) < keep:
        lacking = [
            keep * size / sum(sizes) - budget if budget < size else -np.inf
            for size, budget in zip(sizes, budgets, strict=True)
        ]
        budgets[int(np.argmax(lacking))] += 1
    return budgets


def partition(
    scores: Float64[ndarray, " M"], keep: int, needed: Sequence[int], most: int
) -> tuple[list[tuple[int, int]], list[int]]:
    """Segments and what each keeps: as many as `choose_k` says, fewer if `keep` demands."""
    for k in range(choose_k(scores, most), 0, -1):
        segments, _ = fisher_segmentation(scores, k)
        budgets = segment_budgets(segments, keep, needed)
        if budgets is not None:
            return segments, budgets
    raise ValueError(too_few(keep, needed))


def too_few(keep: int, needed: Sequence[int]) -> str:
    return (
        f"keep: expected {len(needed)} blocks or more, one of each stage, got {keep}: a stage "
        "without blocks does not reduce the signal. Keep more"
    )


def best_union(
    scored: Sequence[Sequence[tuple[float, Kept]]],
    needed: Sequence[int],
    prefer: Callable = min,
) -> Kept:
    """One subset of every segment, best in the sum of their scores, with a block of every stage.

    needed: the runs of consecutive blocks, here called stages, of each of which one must stay.

    prefer: min keeps what contributes least, as the paper's code does; max what contributes most,
    as SynFlow is read elsewhere. Exact: per segment and set of stages only the best can be part.
    """
    stage = stage_of(needed)
    so_far: dict[frozenset, tuple[float, Kept]] = {frozenset(): (0.0, ())}
    for candidates in scored:
        options: dict[frozenset, list] = {}
        for score, kept in candidates:
            options.setdefault(frozenset(stage[b] for b in kept), []).append((score, kept))
        best = {covers: prefer(found) for covers, found in options.items()}
        joined: dict[frozenset, list] = {}
        for covered, (total, before) in so_far.items():
            for covers, (score, kept) in best.items():
                joined.setdefault(covered | covers, []).append((total + score, before + kept))
        so_far = {covered: prefer(found) for covered, found in joined.items()}
    everything = frozenset(range(len(needed)))
    if everything not in so_far:
        raise ValueError(
            f"{too_few(sum(len(s[0][1]) for s in scored), needed)}, or score more subsets"
        )
    return so_far[everything][1]


# ---- step 4: the smaller network -----------------------------------------------------------------


def kept_depths(
    depths: Sequence[int], kept: Sequence[int], needed: Sequence[int] | None = None
) -> tuple[int, ...]:
    """Blocks left of each stage; ValueError for blocks there are not, or a stage without any.

    needed: other runs of blocks, of each of which one must stay, for a network that may lose all
    of a stage.
    """
    left, at_least_one = blocks_left(depths, kept), blocks_left(needed or depths, kept)
    if 0 in at_least_one:
        raise ValueError(
            f"kept: expected a block of every stage, got none of stage {at_least_one.index(0)} in "
            f"{sorted(kept)}: without it the signal is not reduced there. Keep one more"
        )
    return left


def carried(trained: Weights, fresh: Weights, kept: Sequence[int]) -> list[bool]:
    """Which of the kept blocks bring their weights along: those whose shapes fit their place.

    fresh: weights of the network that is left. In a ResNet a block that has to take over a later
    stage's first place does not fit: it halves the signal and widens its channels.
    """
    return [
        all(trained[f"blocks.{block}.{rest}"].shape == fresh[name].shape
            for name in fresh if block_of(name) == place for rest in [name.split(".", 2)[2]])
        for place, block in enumerate(sorted(kept))
    ]  # fmt: skip


def reassembled(trained: Weights, fresh: Weights, kept: Sequence[int]) -> Weights:
    """Weights of the network that is left: stem, kept blocks, last layer, bit for bit.

    fresh: random weights of that network, which a block that cannot carry its own begins from.
    """
    found = dict(fresh)
    places = zip(sorted(kept), carried(trained, fresh, kept), strict=True)
    goes_to = {block: place for place, (block, carries) in enumerate(places) if carries}
    for name, value in trained.items():
        block = block_of(name)
        if block is None:
            found[name] = value
        elif block in goes_to:
            rest = name.split(".", 2)[2]
            found[f"blocks.{goes_to[block]}.{rest}"] = value
    return found

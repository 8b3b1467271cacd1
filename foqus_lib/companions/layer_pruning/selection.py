"""Step 3: which blocks of a run are kept, by a score that needs no data."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import combinations
from math import comb

import numpy as np
import torch
from torch import nn

from foqus_lib.companions.layer_pruning.names import Kept, Weights, block_of, too_few
from foqus_lib.companions.signal_resnet import stage_of


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


def subsets(segment: tuple[int, int], size: int, most: int, rng: np.random.Generator) -> list[Kept]:
    """All choices of `size` blocks of a segment; of more than `most`, so many at random."""
    blocks = range(*segment)
    if comb(len(blocks), size) <= most:
        return list(combinations(blocks, size))
    drawn: dict[Kept, None] = {}
    while len(drawn) < most:
        drawn[tuple(sorted(rng.choice(blocks, size, replace=False).tolist()))] = None
    return list(drawn)


def scored_subsets(
    network: nn.Module,
    blank: Weights,
    trained: Weights,
    segments: Sequence[tuple[int, int]],
    budgets: Sequence[int],
    most: int,
    length: int,
    rng: np.random.Generator,
) -> list[list[tuple[float, Kept]]]:
    """Every one of the `subsets` of every segment, with its `contribution`; Lu et al. 2024.

    network, blank, trained, length: those of `contribution`. budgets: how many blocks each segment
    (start, stop) keeps. One list a segment, of pairs (score, blocks), as `best_union` takes them.
    """
    return [
        [
            (contribution(network, blank, trained, kept, length), kept)
            for kept in subsets(segment, budget, most, rng)
        ]
        for segment, budget in zip(segments, budgets, strict=True)
    ]


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

"""Which blocks a method keeps of the base network."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float64
from numpy import ndarray
from torch import Tensor

from foqus_lib.companions import layer_baselines as baselines
from foqus_lib.companions import layer_pruning as pruning
from foqus_lib.companions.layer_pruning import Kept, Weights
from foqus_lib.models.summary import flops
from foqus_lib.seeds import rng_for
from foqus_lib.studies.layer_pruning.base import base_network, base_weights
from foqus_lib.studies.layer_pruning.benches import Bench, fresh
from foqus_lib.studies.layer_pruning.options import (
    CHANNELS,
    FULL,
    LARGEST,
    LAST,
    OURS,
    RANDOM,
    REINIT,
    SCRATCH,
)

HELD = 640  # signals at most that SR-init and the probes look at


@lru_cache(maxsize=16)
def similarity(bench: Bench, seed: int) -> Float64[ndarray, "M M"]:
    """CKA of stem and blocks, the mean over batches of training signals."""
    how, train = bench.options, bench.task.train
    network, rows = base_network(bench, seed), np.arange(len(train))
    rng = rng_for("compare layers", bench.task.fingerprint, how.named, seed)
    return pruning.mean_cka(network, train.iq, rows, how.compared, how.batches, rng)


def parted(bench: Bench, seed: int, keep: int) -> tuple[list[tuple[int, int]], list[int]]:
    """Segments of the blocks, by their row sums of similarity, and what each of them keeps."""
    scores = similarity(bench, seed).sum(1)[1:]  # the stem is compared and never cut
    return pruning.partition(scores, keep, bench.options.cut.needed, bench.options.segments)


def score_of(bench: Bench, seed: int, kept: Sequence[int]) -> float:
    """Log of the data-free score of some blocks of the base network."""
    network, blank = _workbench(bench, seed)
    length = bench.task.train.length
    return pruning.contribution(network, blank, base_weights(bench, seed), kept, length)


@lru_cache(maxsize=2)
def _workbench(bench: Bench, seed: int) -> tuple[torch.nn.Module, Weights]:
    """A network to score on, and the one random state it is filled with."""
    depths = bench.options.depths
    return bench.build(depths), fresh(bench, depths, bench.name("blank", seed))


@lru_cache(maxsize=64)
def scored(bench: Bench, seed: int, keep: int) -> list[list[tuple[float, Kept]]]:
    """Every subset of every segment with its score."""
    segments, budgets = parted(bench, seed, keep)
    (network, blank), trained = _workbench(bench, seed), base_weights(bench, seed)
    how, length = bench.options, bench.task.train.length
    rng = rng_for("subsets", bench.task.fingerprint, how.named, seed)
    return pruning.scored_subsets(
        network, blank, trained, segments, budgets, how.subsets, length, rng
    )


def kept_blocks(bench: Bench, method: str, keep: int, seed: int, repeat: int = 0) -> Kept:
    """The blocks that a method keeps of the base network."""
    depths, needed = bench.options.depths, bench.options.cut.needed
    if method == RANDOM:
        rng = rng_for(RANDOM, bench.task.fingerprint, bench.options.named, keep, seed, repeat)
        return baselines.random_keep(needed, keep, rng)
    if method in (OURS, LARGEST, CHANNELS, SCRATCH):
        prefer = max if method == LARGEST else min
        return pruning.best_union(scored(bench, seed, keep), needed, prefer)
    if method == LAST:
        return baselines.first_blocks(needed, keep)
    if method == FULL:
        return tuple(range(sum(depths)))
    network, (x, label) = base_network(bench, seed), _looked_at(bench, seed)
    if method == REINIT:
        use = baselines.loss_of_reinit(network, _workbench(bench, seed)[1], x, label)
    else:
        use = baselines.gain_of_probes(network, x, label)
    return baselines.most_useful(needed, keep, use)


def _looked_at(bench: Bench, seed: int) -> tuple[Tensor, Tensor]:
    """Training signals for the methods that measure an accuracy."""
    train = bench.task.train
    rng = rng_for("look at", bench.task.fingerprint, bench.options.named, seed)
    rows = rng.choice(len(train), min(HELD, len(train)), replace=False)
    return torch.from_numpy(train.iq[rows]), torch.from_numpy(train.label[rows])


def equal_flops(bench: Bench, depths: Sequence[int]) -> list[int]:
    """Channels inside each block of the whole network that cost no more than `depths` do.

    The same share everywhere, in steps of a quarter of a channel of the first stage.
    """
    how, length = bench.options, bench.task.train.length
    most = flops(bench.build(depths), length)
    steps = 4 * how.channels
    inners = [
        [max(1, whole * step // steps) for whole in how.cut.channels(how.channels)]
        for step in range(1, steps + 1)
    ]
    low, high = 0, len(inners)  # the first is taken whatever it costs
    while high - low > 1:
        middle = (low + high) // 2
        fits = flops(bench.build(how.depths, inners[middle]), length) <= most
        low, high = (middle, high) if fits else (low, middle)
    return inners[low]

"""A network trained on a set, whole, or cut after a first training on the same set.

A cut never sees more than its row may spend: the network that is cut was trained on the same
signals, layers are compared on them, and what is left is trained on them again. Its control is the
whole network with that second training: the same signals in the same batches, and no cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from foqus_lib.companions.cuttable import NETWORKS, Cuttable
from foqus_lib.companions.layer_pruning.partition import partition
from foqus_lib.companions.layer_pruning.reassembly import kept_depths, reassembled
from foqus_lib.companions.layer_pruning.selection import best_union, scored_subsets
from foqus_lib.companions.layer_pruning.similarity import mean_cka
from foqus_lib.companions.mixing.batches import in_batches, numbered
from foqus_lib.companions.mixing.part import TrainingPart
from foqus_lib.companions.mixing.rivals import rotation
from foqus_lib.companions.mixing.rules import n_random_children
from foqus_lib.experiment.key import Trial
from foqus_lib.models import MODELS
from foqus_lib.models.copies import Alone, Build, Weights, alone, taken
from foqus_lib.seeds import rng_for
from foqus_lib.signals import Signals
from foqus_lib.studies.coreset.bench import evaluate_name
from foqus_lib.studies.frontier.bench import Bench
from foqus_lib.studies.frontier.options import AS_LONG, FRESH, MIXED, TURNED, WHOLE
from foqus_lib.studies.frontier.sets import Stock
from foqus_lib.studies.mixing.rows import with_outputs
from foqus_lib.training.fit import Transform, initial
from foqus_lib.training.recipe import of_model
from foqus_lib.training.single import fit_one

# In no key: whoever changes one raises VERSION in trials.py, and a test says so.
CHANCE, RATIO, PIECES = 0.5, 0.5, 4  # of n-RM: as in the chapter on mixing
COMPARED, BATCHES, SEGMENTS, SUBSETS = 128, 5, 5, 100  # of the cut: as in the chapter on pruning


@dataclass(frozen=True)
class Training:
    """What `fit` is told besides network, rows and seed."""

    signals: Signals
    change: Transform | None
    numbered: bool = False  # labels are row numbers on their way in


def training_of(bench: Bench, method: str, stock: Stock) -> Training:
    """What happens to a batch of that row."""
    if method == FRESH:
        return Training(stock.signals, _fresh_draw(bench, stock.signals))
    if method.endswith(TURNED):
        return Training(stock.signals, rotation)
    if method.endswith(MIXED):
        part = TrainingPart(bench.task, stock.rows)
        rule = partial(n_random_children, ratio=RATIO, n=PIECES)
        return Training(numbered(part), in_batches(part, rule, CHANCE), True)
    return Training(stock.signals, None)


def _fresh_draw(bench: Bench, signals: Signals) -> Transform:
    """Any training signals in place of a batch: an epoch is a new random draw (RS2)."""
    device = torch.device(bench.device)
    x, y = torch.from_numpy(signals.iq).to(device), torch.from_numpy(signals.label).to(device)

    def drawn(
        batch: Tensor, labels: Tensor, rngs: Sequence[np.random.Generator]
    ) -> tuple[Tensor, Tensor]:
        rows = np.stack([rng.integers(0, len(x), len(batch)) for rng in rngs], axis=1)
        rows = torch.from_numpy(rows).to(device)
        return x[rows], y[rows]

    return drawn


def trained(bench: Bench, trial: Trial, stock: Stock) -> nn.Module:
    """The network of a trial, in evaluation mode."""
    network, task = trial["network"], bench.task
    how = training_of(bench, trial.method, stock)
    name = evaluate_name(task.fingerprint, network, trial.seed, trial.repeat)
    if network in MODELS:
        return _fitted(bench, trial, how, stock, MODELS[network], name, None)
    cut = NETWORKS[network]()
    whole = _fitted(bench, trial, how, stock, _built(cut, cut.depths), name, None)
    if trial["form"] == WHOLE:
        return whole
    if trial["form"] == AS_LONG:
        depths, start = cut.depths, taken(whole, 0)
    else:
        depths, start = _cut(bench, trial, stock, whole)
    return _fitted(bench, trial, how, stock, _built(cut, depths), f"{name} after the cut", start)


def _built(cut: Cuttable, depths: Sequence[int]) -> Alone:
    return alone(partial(cut.build, depths=tuple(depths), width=cut.width))


def _fitted(
    bench: Bench,
    trial: Trial,
    how: Training,
    stock: Stock,
    build: Build,
    name: str,
    start: Weights | None,
) -> nn.Module:
    """By the project's one loop."""
    recipe = of_model(trial["network"], bench.how.recipe(trial.budget / 10_000, trial.method))
    if how.numbered:
        build = partial(with_outputs, build, len(bench.task.train.classes))
    device = torch.device(bench.device)
    return fit_one(
        build, how.signals, stock.rows, name, recipe, device, bench.memory, start, how.change
    )


def _cut(
    bench: Bench, trial: Trial, stock: Stock, whole: nn.Module
) -> tuple[tuple[int, ...], Weights]:
    """What is left of a trained network, and the weights it begins from: signal layer pruning."""
    train, how = bench.task.train, bench.how
    cut = NETWORKS[trial["network"]]()
    weights = _unwrapped(taken(whole, 0))
    network = cut.build(len(train.classes), train.length, cut.depths, cut.width)
    network.load_state_dict(weights)
    rng = rng_for("frontier", "cut", bench.task.fingerprint, trial.seed)
    alike = mean_cka(network, stock.signals.iq, stock.rows, COMPARED, BATCHES, rng)
    segments, budgets = partition(alike.sum(1)[1:], how.keep, cut.needed, SEGMENTS)
    blank = _blank(bench, cut, cut.depths, f"frontier blank {bench.task.fingerprint} {trial.seed}")
    scored = scored_subsets(network, blank, weights, segments, budgets, SUBSETS, train.length, rng)
    kept = best_union(scored, cut.needed, min)
    depths = kept_depths(cut.depths, kept, cut.needed)
    anew = _blank(bench, cut, depths, f"frontier left {bench.task.fingerprint} {trial.seed}")
    left = reassembled(weights, anew, kept)
    return depths, {f"network.{name}": value for name, value in left.items()}


def _blank(bench: Bench, cut: Cuttable, depths: Sequence[int], name: str) -> Weights:
    """The weights that a stream's name gives a network."""
    train = bench.task.train
    stack = initial(_built(cut, depths), len(train.classes), train.length, [name])
    return _unwrapped(taken(stack, 0))


def _unwrapped(weights: Weights) -> Weights:
    """Without the prefix that `alone` gives."""
    return {name.removeprefix("network."): value for name, value in weights.items()}

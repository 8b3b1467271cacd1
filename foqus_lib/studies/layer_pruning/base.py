"""The network that is cut: trained once a seed, kept with its record; and the one training loop."""

import time
from collections.abc import Sequence
from functools import lru_cache

import torch
from numpy import ndarray

from foqus_lib import evidence
from foqus_lib.companions.layer_pruning import Weights
from foqus_lib.experiment import artifacts
from foqus_lib.experiment.provenance import provenance
from foqus_lib.studies.layer_pruning.benches import Bench, builder, wrapped
from foqus_lib.studies.watch import device_watched
from foqus_lib.training.collect import Collection, collect
from foqus_lib.training.recipe import Recipe
from foqus_lib.training.single import fit_one


def train_base(bench: Bench, named: str, seed: int) -> None:
    """Train a whole network on all signals; keep it, and what it says of them epoch by epoch."""
    bench = bench.of(named)
    how, name = bench.options, bench.name("base", seed)
    record, weights, facts = recorded(bench, how.depths, name, how.base_recipe)
    arrays = {name: value.numpy() for name, value in weights.items()}
    artifacts.save_arrays(bench.root, bench.base_key(seed), arrays, facts)
    artifacts.save_arrays(bench.root, bench.record_key(seed), record, facts)


def recorded(
    bench: Bench, depths: Sequence[int], name: str, recipe: Recipe, start: Weights | None = None
) -> tuple[dict[str, ndarray], Weights, dict]:
    """Train on all signals and record every epoch: (arrays of the evidence, weights, facts).

    Seconds are of the processor on a CPU, where other work may go on beside. ValueError if the
    loss stops being finite.
    """
    clock = time.perf_counter if bench.device.startswith("cuda") else time.process_time
    began, since, device = time.time(), clock(), torch.device(bench.device)
    begin = None if start is None else [wrapped(start)]
    with device_watched(bench.device):
        [found] = collect(
            builder(bench, depths, None), bench.task.train, [name],
            Collection(recipe, early_runs=0), device, start=begin,
        )  # fmt: skip
    if isinstance(found, ValueError):
        raise found
    record, weights = found
    seconds, about = clock() - since, bench.task.about
    facts = provenance(device=bench.device, seconds=seconds, about=about, began=began)
    return evidence.to_arrays(record), weights, facts


def trained_on(
    bench: Bench,
    depths: Sequence[int],
    inner: Sequence[int] | None,
    rows: ndarray,
    name: str,
    recipe: Recipe,
    start: Weights | None,
) -> torch.nn.Module:
    """By the project's one loop."""
    build, begin = builder(bench, depths, inner), None if start is None else wrapped(start)
    device = torch.device(bench.device)
    return fit_one(build, bench.task.train, rows, name, recipe, device, start=begin)


@lru_cache(maxsize=4)
def base_weights(bench: Bench, seed: int) -> Weights:
    """The stored base network; ValueError that says why if there is none."""
    path = artifacts.needed(bench.root, bench.base_key(seed), f"base network of seed {seed}")
    arrays = artifacts.load_arrays(path)
    return {n.removeprefix("network."): torch.from_numpy(value) for n, value in arrays.items()}


def base_network(bench: Bench, seed: int) -> torch.nn.Module:
    """The network that is cut, in evaluation mode, on the CPU."""
    network = bench.build(bench.options.depths)
    network.load_state_dict(base_weights(bench, seed))
    return network.eval()

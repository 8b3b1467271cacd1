"""What one worker does: collect evidence, or train cells on their coresets, and publish.

Both functions are told everything by their arguments, so a cell gives the same result in this
process, in another, alone or in a sweep.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray

from foqus_lib import evidence
from foqus_lib.datasets.catalog import Task
from foqus_lib.errors import unknown
from foqus_lib.evidence import Evidence
from foqus_lib.experiment import artifacts, store
from foqus_lib.experiment.cell import ALGORITHM, ALL_DATA, NONE, Cell, cell
from foqus_lib.experiment.provenance import provenance
from foqus_lib.models import MODELS
from foqus_lib.seeds import rng_for
from foqus_lib.selection.budget import budget_of
from foqus_lib.selection.catalog import method_named
from foqus_lib.selection.methods import coresets
from foqus_lib.signals import Signals
from foqus_lib.training.collect import Collection, collect
from foqus_lib.training.fit import fit, predict
from foqus_lib.training.recipe import Recipe


@dataclass(frozen=True)
class Bench:
    """Where and how the cells of one sweep run; it travels to every worker once."""

    task: Task
    collection: Collection
    evaluation: Recipe
    root: Path  # of the results store
    device: str  # "cpu", "cuda:0" ...

    @property
    def recipes(self) -> dict[str, Recipe]:
        """By the text that stands in a cell. All data may be trained by either."""
        return {str(recipe): recipe for recipe in (self.collection.recipe, self.evaluation)}


def seed_name(task: Task, model: str, seed: int) -> str:
    """Common random numbers: weights and batches depend on these three, not on method or rate."""
    return f"{task.name} {model} {seed}"


def evidence_key(bench: Bench, model: str, seed: int) -> dict[str, str | int]:
    """All that decides the evidence: the key of its file."""
    return {
        "dataset": bench.task.name,
        "fingerprint": bench.task.fingerprint,
        "selection_model": model,
        "selection_recipe": str(bench.collection),
        "seed": seed,
        "algorithm": ALGORITHM,
    }


def collect_evidence(bench: Bench, model: str, seeds: Sequence[int]) -> None:
    """Train `model` on everything, once a seed; keep the evidence and the All-data accuracy."""
    began, task = time.perf_counter(), bench.task
    names = [seed_name(task, model, seed) for seed in seeds]
    device = torch.device(bench.device)
    records = collect(MODELS[model], task.train, names, bench.collection, device)
    seconds = (time.perf_counter() - began) / len(seeds)
    for copy, (seed, (record, network)) in enumerate(zip(seeds, records, strict=True)):
        # The ceiling comes free, and first: once the evidence exists nobody trains this again.
        ceiling = cell(
            dataset=task.name,
            fingerprint=task.fingerprint,
            selection_model=NONE,
            evaluation_model=model,
            method=ALL_DATA,
            rate=1.0,
            seed=seed,
            selection_recipe=NONE,
            evaluation_recipe=str(bench.collection.recipe),
        )
        logits = predict(network, task.test)[0][copy if network.copies > 1 else 0]
        metrics = measure(logits.float().cpu().numpy(), task.test, len(task.train))
        store.publish(bench.root, ceiling, metrics, _facts(bench, seconds, network.copies))
        artifacts.save_arrays(
            bench.root, evidence_key(bench, model, seed), evidence.to_arrays(record)
        )


def train_cells(bench: Bench, cells: Sequence[Cell]) -> None:
    """Select, train and test each cell; publish it as soon as it is done.

    Cells that share network, recipe and coreset size are one call of `fit`. What fails is kept
    under failures/ and does not stop the others; a store that cannot be written to does.
    """
    groups = defaultdict(list)
    for one, rows in _selected(bench, cells):
        groups[one.evaluation_model, one.evaluation_recipe, len(rows)].append((one, rows))
    for members in groups.values():
        began = time.perf_counter()
        try:
            outcomes = _trained(bench, members)
        except Exception as error:
            _keep_failure(bench, [one for one, _ in members], error)
            continue
        seconds = (time.perf_counter() - began) / len(members)
        facts = _facts(bench, seconds, len(members) if bench.device.startswith("cuda") else 1)
        for (one, rows), outcome in zip(members, outcomes, strict=True):
            if isinstance(outcome, ValueError):
                store.fail(bench.root, one, outcome)
            else:
                store.publish(bench.root, one, measure(outcome, bench.task.test, len(rows)), facts)


def _selected(bench: Bench, cells: Sequence[Cell]) -> Iterator[tuple[Cell, ndarray]]:
    """Each cell with its coreset; those whose method fails are noted and left out."""
    sources = defaultdict(list)
    for one in cells:
        sources[one.selection_model, one.method, one.seed].append(one)
    for group in sources.values():
        try:
            yield from zip(group, select(bench, group), strict=True)
        except Exception as error:
            _keep_failure(bench, group, error)


def _trained(
    bench: Bench, members: Sequence[tuple[Cell, ndarray]]
) -> list[Float32[ndarray, "M C"] | ValueError]:
    """One stack: the test logits of each member, or why it has none."""
    task, first = bench.task, members[0][0]
    recipe = bench.recipes[first.evaluation_recipe]
    fitted = fit(
        MODELS[first.evaluation_model],
        task.train,
        [rows for _, rows in members],
        [seed_name(task, first.evaluation_model, one.seed) for one, _ in members],
        recipe,
        torch.device(bench.device),
    )
    logits = [of_copy for net in fitted.networks for of_copy in predict(net, task.test)[0]]
    return [
        ValueError(f"loss: not finite from epoch {fitted.diverged[r]} ({recipe}); lower lr")
        if r in fitted.diverged
        else logits[r].float().cpu().numpy()
        for r in range(len(members))
    ]


def _keep_failure(bench: Bench, cells: Sequence[Cell], error: Exception) -> None:
    """A cell's own error is recorded; one of the disk is everybody's and ends the sweep."""
    if isinstance(error, OSError):
        raise error
    for one in cells:
        store.fail(bench.root, one, error)


def select(bench: Bench, cells: Sequence[Cell]) -> list[ndarray]:
    """The coreset of each cell: rows of task.train. One run of a method serves all its rates.

    The draw's name leaves out the rate, so the coresets of one method and seed are nested.
    """
    wanted = defaultdict(set)
    for one in cells:
        wanted[one.selection_model, one.method, one.seed].add(one.rate_bp)
    found: dict[tuple, ndarray] = {}
    for (model, method, seed), rates in wanted.items():
        if method == ALL_DATA:
            found[model, method, seed, 10_000] = np.arange(len(bench.task.train))
            continue
        record = evidence_of(bench, model, seed) if model != NONE else blind(bench.task.train)
        points = sorted(rates)
        rows = draw(bench.task.name, record, model, method, [p / 10_000 for p in points], seed)
        found |= {
            (model, method, seed, p): of_rate for p, of_rate in zip(points, rows, strict=True)
        }
    return [found[one.selection_model, one.method, one.seed, one.rate_bp] for one in cells]


def draw(
    dataset: str, record: Evidence, model: str, method: str, rates: Sequence[float], seed: int
) -> list[ndarray]:
    """The coreset of each rate, drawn under the one name that all its uses share.

    ValueError if a class cannot fill its equal share: a coreset that is not balanced would pass
    for one that is. (All of the data is all of the data.)
    """
    budgets = [budget_of(rate, len(record)) for rate in rates]
    for rate in rates:
        if rate < 1:
            _refuse_starved_class(record, rate)
    rng = rng_for("select", dataset, model, method, seed)
    return coresets(method_named(method), record, budgets, rng)


def _refuse_starved_class(record: Evidence, rate: float) -> None:
    sizes = np.bincount(record.label)
    present = np.flatnonzero(sizes)
    share, small = budget_of(rate, len(record)) // len(present), present[sizes[present].argmin()]
    if share > sizes[small]:
        most = sizes[small] * len(present) / len(record)
        raise ValueError(
            f"rate: {rate:g} of {len(record)} signals is {share} for each of {len(present)} "
            f"classes, but class {small} has {sizes[small]}. Lower the rate to {most:.4f} or add "
            "signals of that class"
        )


def evidence_of(bench: Bench, model: str, seed: int) -> Evidence:
    """The stored evidence; ValueError if it has not been collected."""
    path = artifacts.find_arrays(bench.root, evidence_key(bench, model, seed))
    if path is None:
        raise ValueError(f"{bench.root}: no evidence of {model}, seed {seed}. Run the sweep first")
    return _loaded(path)


@lru_cache(maxsize=2)
def _loaded(path: Path) -> Evidence:
    return evidence.load(path)


def blind(signals: Signals) -> Evidence:
    """Evidence without a training, for methods that look at no network: labels and nothing else."""
    n = len(signals)
    nothing = np.zeros((n, 1), np.float32)
    return Evidence(
        label=signals.label,
        snr=signals.snr,
        correct=np.zeros((2, n), bool),
        loss=np.zeros((2, n), np.float32),
        logits=nothing,
        embedding=nothing,
        logits_early=nothing[None],
        embedding_norm_early=nothing.T,
    )


def measure(logits: ndarray, test: Signals, kept: int) -> dict:
    """Accuracy after the last epoch [A26], in all and by SNR (dB)."""
    right = logits.argmax(1) == test.label
    by_snr: Mapping[str, float] = {
        f"{snr:g}": float(right[test.snr == snr].mean()) for snr in np.unique(test.snr)
    }
    return {"accuracy": float(right.mean()), "accuracy_by_snr": by_snr, "kept": kept}


def check_names(cells: Sequence[Cell]) -> None:
    """Refuse unknown networks and methods before anything is trained."""
    for one in cells:
        for model in {one.selection_model, one.evaluation_model} - {NONE}:
            if model not in MODELS:
                raise unknown("model", model, MODELS)
        if one.method != ALL_DATA:
            method_named(one.method)


def _facts(bench: Bench, seconds: float, fused: int) -> dict:
    device = bench.device
    if device.startswith("cuda"):
        device = f"{device} {torch.cuda.get_device_name(device)}"
    return provenance(
        device=device,
        threads=torch.get_num_threads(),
        seconds=seconds,
        about=bench.task.about,
        fused=fused,
    )

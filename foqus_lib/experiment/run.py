"""What one worker does: collect evidence, or train cells on their coresets, and publish.

Both functions are told everything by their arguments, so a cell gives the same result in this
process, in another, alone or in a sweep.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
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
    for one, rows in zip(cells, select(bench, cells), strict=True):
        groups[one.evaluation_model, one.evaluation_recipe, len(rows)].append((one, rows))
    for (model, recipe, kept), members in groups.items():
        began, task = time.perf_counter(), bench.task
        fitted = fit(
            MODELS[model],
            task.train,
            [rows for _, rows in members],
            [seed_name(task, model, one.seed) for one, _ in members],
            bench.recipes[recipe],
            torch.device(bench.device),
        )
        logits = [of_copy for net in fitted.networks for of_copy in predict(net, task.test)[0]]
        seconds = (time.perf_counter() - began) / len(members)
        for replica, (one, _) in enumerate(members):
            if replica in fitted.diverged:
                epoch = fitted.diverged[replica]
                error = ValueError(f"loss: not finite from epoch {epoch} ({recipe}); lower lr")
                store.fail(bench.root, one, error)
                continue
            metrics = measure(logits[replica].float().cpu().numpy(), task.test, kept)
            facts = _facts(bench, seconds, fitted.networks[0].copies)
            store.publish(bench.root, one, metrics, facts)


def select(bench: Bench, cells: Sequence[Cell]) -> list[ndarray]:
    """The coreset of each cell: rows of task.train. One run of a method serves all its rates.

    The draw's name leaves out the rate, so the coresets of one method and seed are nested.
    """
    n = len(bench.task.train)
    wanted = defaultdict(set)
    for one in cells:
        wanted[one.selection_model, one.method, one.seed].add(one.rate_bp)
    found: dict[tuple, ndarray] = {}
    for (model, method, seed), rates in wanted.items():
        if method == ALL_DATA:
            found[model, method, seed, 10_000] = np.arange(n)
            continue
        record = evidence_of(bench, model, seed) if model != NONE else blind(bench.task.train)
        budgets = {rate: budget_of(rate / 10_000, n) for rate in sorted(rates)}
        rng = rng_for("select", bench.task.name, model, method, seed)
        rows = coresets(method_named(method), record, list(budgets.values()), rng)
        found |= {(model, method, seed, rate): r for rate, r in zip(budgets, rows, strict=True)}
    return [found[one.selection_model, one.method, one.seed, one.rate_bp] for one in cells]


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

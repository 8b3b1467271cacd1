"""What one worker does: collect evidence, or train cells on their coresets, and publish.

Both functions are told everything by their arguments, so a cell gives the same result in this
process, in another, alone or in a sweep.
"""

import shutil
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray
from torch import nn

from foqus_lib import evidence
from foqus_lib.errors import DeviceLost, unknown
from foqus_lib.experiment import artifacts, store
from foqus_lib.experiment.bench import Bench, seed_name
from foqus_lib.experiment.cell import ALL_DATA, NONE, Cell, cell
from foqus_lib.experiment.draw import select
from foqus_lib.experiment.provenance import provenance
from foqus_lib.models import MODELS
from foqus_lib.selection.catalog import method_named
from foqus_lib.signals import Signals
from foqus_lib.training.collect import collect
from foqus_lib.training.fit import fit
from foqus_lib.training.predict import accuracies, logits_of


def collect_evidence(bench: Bench, model: str, seeds: Sequence[int]) -> None:
    """Train `model` on everything, once a seed; keep the evidence and the All-data accuracy."""
    began, task = time.perf_counter(), bench.task
    names = [seed_name(task.name, model, seed) for seed in seeds]
    device = torch.device(bench.device)
    keep = artifacts.partial(bench.root, [bench.evidence_key(model, seed) for seed in seeds])
    with _device_watched(bench):
        records = collect(
            MODELS[model],
            task.train,
            names,
            bench.collection_of(model),
            device,
            keep=keep,
            memory=bench.device_memory,
        )
        networks = dict.fromkeys(network for _, network in records)
        tested = [logits for network in networks for logits in logits_of(network, task.test)]
    seconds = (time.perf_counter() - began) / len(seeds)
    for seed, (record, network), logits in zip(seeds, records, tested, strict=True):
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
            evaluation_recipe=str(bench.collection_of(model).recipe),
        )
        metrics = measure(logits.float().cpu().numpy(), task.test, len(task.train))
        store.publish(bench.root, ceiling, metrics, _facts(bench, seconds, network.copies))
        artifacts.save_arrays(
            bench.root, bench.evidence_key(model, seed), evidence.to_arrays(record)
        )
    shutil.rmtree(keep, ignore_errors=True)


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
            with _device_watched(bench):
                outcomes = _trained(bench, members)
        except DeviceLost:
            raise
        except Exception as error:
            _keep_failure(bench, [one for one, _ in members], error)
            continue
        seconds = (time.perf_counter() - began) / len(members)
        facts = _facts(bench, seconds, len(members) if bench.stacked else 1)
        for (one, rows), outcome in zip(members, outcomes, strict=True):
            if isinstance(outcome, ValueError):
                store.fail(bench.root, one, outcome)
                continue
            logits, best = outcome
            metrics = measure(logits, bench.task.test, len(rows))
            if bench.recipes[one.evaluation_recipe].test_every:
                metrics["accuracy_best"] = max(best, metrics["accuracy"])
            store.publish(bench.root, one, metrics, facts)


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
) -> list[tuple[Float32[ndarray, "M C"], float] | ValueError]:
    """One stack: the test logits of each member and its best test on the way, or why not."""
    task, first = bench.task, members[0][0]
    recipe = bench.recipes[first.evaluation_recipe]
    best = torch.zeros(len(members))

    def note_best(replicas: range, network: nn.Module, epoch: int) -> None:
        if (epoch + 1) % recipe.test_every == 0:
            of_stack = slice(replicas.start, replicas.stop)
            best[of_stack] = best[of_stack].maximum(accuracies(network, task.test).cpu())

    fitted = fit(
        MODELS[first.evaluation_model],
        task.train,
        [rows for _, rows in members],
        [seed_name(task.name, first.evaluation_model, one.seed) for one, _ in members],
        recipe,
        torch.device(bench.device),
        after_epoch=note_best if recipe.test_every else None,
        memory=bench.device_memory,
    )
    logits = [of_copy for net in fitted.networks for of_copy in logits_of(net, task.test)]
    return [
        ValueError(f"loss: not finite from epoch {fitted.diverged[r]} ({recipe}); lower lr")
        if r in fitted.diverged
        else (logits[r].float().cpu().numpy(), float(best[r]))
        for r in range(len(members))
    ]


@contextmanager
def _device_watched(bench: Bench) -> Iterator[None]:
    """A GPU that vanished, or was left unusable by a fault, is nobody's result: stop and say so."""
    try:
        yield
    except torch.AcceleratorError as error:
        first_line = str(error).strip().split("\n")[0]
        raise DeviceLost(
            f"device: {bench.device} stopped working ({first_line}). Finished cells are stored; "
            "when it is back, or with another device, the same command goes on"
        ) from error


def _keep_failure(bench: Bench, cells: Sequence[Cell], error: Exception) -> None:
    """A cell's own error is recorded; one of the disk is everybody's and ends the sweep."""
    if isinstance(error, OSError):
        raise error
    for one in cells:
        store.fail(bench.root, one, error)


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

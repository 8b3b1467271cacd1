"""From evidence in the store to the coreset of each cell."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy import ndarray

from foqus_lib import evidence
from foqus_lib.evidence import Evidence
from foqus_lib.experiment import artifacts
from foqus_lib.experiment.bench import Bench
from foqus_lib.experiment.cell import ALL_DATA, NONE, Cell
from foqus_lib.seeds import rng_for
from foqus_lib.selection.budget import budget_of
from foqus_lib.selection.catalog import method_named, partition_named
from foqus_lib.selection.methods import coresets
from foqus_lib.signals import Signals


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
        with torch.device(bench.device):  # where the selectors' products are computed
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
    return coresets(method_named(method), record, budgets, rng, partition_named(method))


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
    path = artifacts.find_arrays(bench.root, bench.evidence_key(model, seed))
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

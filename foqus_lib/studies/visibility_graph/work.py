"""How a row is run: the coreset if there is one, a training, tests with and without edges, costs.

Cost is counted in visits: one signal forward and backward through one network.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor, nn

from foqus_lib.companions.visibility_graph import rules
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.study import Job
from foqus_lib.selection.budget import budget_of
from foqus_lib.studies import attempt
from foqus_lib.studies.coreset import run
from foqus_lib.studies.coreset.bench import NONE, evaluate_name
from foqus_lib.studies.coreset.borrowed import coreset_of, record_jobs
from foqus_lib.studies.coreset.room import bytes_in_memory
from foqus_lib.studies.pace import FORWARD, seconds_a_visit
from foqus_lib.studies.visibility_graph import costs, looks, rows
from foqus_lib.studies.visibility_graph.bench import Bench
from foqus_lib.training.predict import said
from foqus_lib.training.recipe import Recipe
from foqus_lib.training.single import fit_one


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """Two stages: the records that coresets need, and each trial, seed by seed."""
    looked_at = dict.fromkeys((trial["selection_model"], trial.seed) for trial in missing)
    memory = _memory(bench) + bytes_in_memory(bench.records, (model for model, _ in looked_at))
    found = [
        Job(
            run_one,
            (trial,),
            trials=(trial,),
            kind=(trial.method, trial["network"]),
            cost=_visits(bench, trial),
            probe=_seconds_per_visit,
            memory=memory,
        )
        for trial in missing
    ]
    return [
        record_jobs(bench, looked_at),
        sorted(found, key=lambda job: (job.trials[0].seed, -job.cost)),
    ]


def _visits(bench: Bench, trial: Trial) -> float:
    kept = budget_of(trial.budget / 10_000, len(bench.task.train))
    tests = 1 if trial.method in rows.PLAIN else 2
    epochs = bench.how.recipe_of(trial.method, trial["coreset"]).epochs
    return kept * epochs + tests * FORWARD * len(bench.task.test)


def _memory(bench: Bench) -> int:
    """Bytes of a worker: signals, what a step keeps of 2 graphs a signal, remembered graphs."""
    train, shape = bench.task.train, bench.shape
    of_graph = 4 * train.length**2 + 16 * train.length * shape.hidden * shape.layers
    kept = rules.REMEMBERED * (min(train.length, rules.SHORT) ** 2 // 8)
    return train.iq.nbytes + bench.task.test.iq.nbytes + 8 * bench.how.batch * of_graph + kept


def _seconds_per_visit(bench: Bench, job: Job) -> float:
    """Of the job's row."""
    trial = job.trials[0]
    recipe = bench.how.recipe_of(trial.method, NONE)
    kept = np.arange(min(recipe.batch, len(bench.task.train)))

    def train(epochs: int) -> None:
        _trained(bench, trial, kept, "probe", replace(recipe, epochs=epochs))

    return seconds_a_visit(train, len(kept))


def run_one(bench: Bench, trial: Trial) -> None:
    """Choose, train, test with and without edges, weigh, publish."""
    attempt.run(bench, trial, partial(_outcome, bench))


def _outcome(bench: Bench, trial: Trial) -> dict:
    test = bench.task.test
    chosen = trial["coreset"], trial["selection_model"], trial.budget / 10_000, trial.seed
    kept = coreset_of(bench, *chosen)
    recipe = bench.how.recipe_of(trial.method, trial["coreset"])
    network = _trained(bench, trial, kept, stream(trial), recipe)
    metrics = run.measure(said(network, test), test, len(kept))
    metrics |= costs.costs(network, test.length, trial.seed)
    if trial.method not in rows.PLAIN:
        metrics |= looks.of_edges(network, bench.task.train, test)
    if rows.learned(trial.method):
        metrics |= looks.kernels(network)
    return metrics


def stream(trial: Trial) -> str:
    """Initial weights and batches. The same for every graph: common random numbers."""
    network = trial.method if trial.method in rows.PLAIN else rows.LEARNED
    return evaluate_name(trial.fingerprint, network, trial.seed, trial.repeat)


def _trained(bench: Bench, trial: Trial, kept: ndarray, name: str, recipe: Recipe) -> nn.Module:
    """By the project's one loop; ValueError if the loss, or every edge, is gone."""
    random_graph = f"{trial.fingerprint} {trial.seed}"
    build = rows.builder(trial.method, bench.shape, random_graph)
    watch = partial(looks.alive, bench.task.train) if rows.learned(trial.method) else None
    return fit_one(
        build, bench.task.train, kept, name, recipe, torch.device(bench.device),
        bench.records.device_memory, after_epoch=watch,
        transform=None if watch or trial.method in rows.PLAIN else _as_it_is,
    )  # fmt: skip


def _as_it_is(
    signals: Tensor, label: Tensor, rngs: Sequence[np.random.Generator]
) -> tuple[Tensor, Tensor]:
    """Changes nothing. A step with a transform is not recorded as a CUDA graph, and one with
    ts2vg, which computes on the host, cannot be."""
    return signals, label

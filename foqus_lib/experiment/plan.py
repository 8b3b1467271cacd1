"""What a sweep is going to do: which jobs, on how many workers, in how much memory, for how long.

Jobs are groups of cells that are worth running together. Their cost is counted in visits, one
signal forward and backward through one network; what a visit takes is measured here and now.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import psutil
import torch

from foqus_lib.experiment import artifacts, store
from foqus_lib.experiment.bench import Bench
from foqus_lib.experiment.cell import ALL_DATA, NONE, Cell
from foqus_lib.experiment.run import collect_evidence, train_cells
from foqus_lib.experiment.workers import one_thread
from foqus_lib.models import MODELS
from foqus_lib.selection.budget import budget_of
from foqus_lib.training.fit import fit
from foqus_lib.training.memory import embedding_size
from foqus_lib.training.recipe import Recipe

FORWARD = 1 / 3  # of a visit: what looking at a signal without training costs
PROBED_FROM = 20_000  # visits; fewer are done before a measurement of them would be
GIB = 2**30
OF_A_WORKER = GIB // 2  # Python, torch and the activations of one network


@dataclass(frozen=True)
class Job:
    """One call of a function of `run`, and what it costs."""

    call: Callable
    arguments: tuple
    model: str
    recipe: Recipe
    copies: int  # that train together
    visits: float


@dataclass(frozen=True)
class Plan:
    """All that is missing in a grid, in the order it will be run."""

    complete: int  # cells
    missing: list[Cell]
    evidence: list[Job]
    groups: list[Job]
    workers: int
    memory: int  # bytes, of all processes together
    seconds_per_visit: dict[tuple[str, str, int], float]  # (model, recipe, copies); may be empty

    def seconds(self, jobs: Iterable[Job]) -> float:
        """Estimated time of the jobs on these workers."""
        each = (self.seconds_per_visit.get(kind(job), 0.0) * job.visits for job in jobs)
        return sum(each) / self.workers

    def __str__(self) -> str:
        trainings = sum(len(job.arguments[1]) for job in self.evidence)
        jobs = self.evidence + self.groups
        if not jobs:
            return f"all {self.complete} cells are stored: nothing to do"
        time_left = "under a minute or two"
        if self.seconds_per_visit:
            time_left = f"about {in_words(self.seconds(jobs))}"
        return (
            f"{self.complete} of {self.complete + len(self.missing)} cells are stored. To do: "
            f"{trainings} selection trainings and {len(self.missing)} cells in {len(self.groups)} "
            f"groups, {sum(job.visits for job in jobs) / 1e6:.3g} million visits, {time_left} with "
            f"{self.workers} worker{'s' * (self.workers > 1)} and {self.memory / GIB:.1f} GiB"
        )


def plan(bench: Bench, cells: Sequence[Cell], workers: int) -> Plan:
    """The jobs of the cells that the store lacks.

    Fewer workers than asked for are planned if more would not fit into bench.memory, or into what
    the machine has free; ValueError if a stated memory does not hold even one.
    """
    missing = store.scan(bench.root, cells).missing
    evidence = evidence_jobs(bench, [(one.selection_model, one.seed) for one in missing])
    groups = cell_jobs(bench, missing)
    models = {one.selection_model for one in missing} - {NONE}
    workers, memory = _that_fit(bench, models, workers)
    jobs = evidence + groups
    measured = {}
    if sum(job.visits for job in jobs) > PROBED_FROM:
        measured = {kind(job): _seconds_per_visit(bench, job) for job in _one_of_a_kind(jobs)}
    complete = len(cells) - len(missing)
    return Plan(complete, missing, evidence, groups, workers, memory, measured)


def evidence_jobs(bench: Bench, wanted: Iterable[tuple[str, int]]) -> list[Job]:
    """The selection trainings (model, seed) that are wanted and not in the store."""
    seeds = defaultdict(list)
    for model, seed in dict.fromkeys(wanted):
        key = bench.evidence_key(model, seed)
        if model != NONE and artifacts.find_arrays(bench.root, key) is None:
            seeds[model].append(seed)
    how = bench.collection
    early = how.early_runs * how.early_epochs
    visits = len(bench.task.train) * (how.recipe.epochs * (1 + FORWARD) + early)
    return [
        Job(
            collect_evidence,
            (model, part),
            model,
            bench.collection_of(model).recipe,
            len(part),
            visits * len(part),
        )
        for model, all_seeds in seeds.items()
        for part in ([all_seeds] if bench.stacked else [[seed] for seed in all_seeds])
    ]


def cell_jobs(bench: Bench, cells: Iterable[Cell]) -> list[Job]:
    """Cells in groups that are worth running together, the longest first.

    On a GPU: all of one network and rate, which train as one stack. On a CPU: all rates of one
    method and seed, which share one run of the selector.
    """
    groups = defaultdict(list)
    for one in cells:
        stack = one.evaluation_model, one.evaluation_recipe, one.rate_bp
        source = one.selection_model, one.evaluation_model, one.method, one.seed
        groups[stack if bench.stacked else source].append(one)
    jobs = [
        Job(
            train_cells,
            (group,),
            group[0].evaluation_model,
            bench.recipes[group[0].evaluation_recipe],
            len(group) if bench.stacked else 1,
            sum(_visits(bench, one) for one in group),
        )
        for group in groups.values()
    ]
    return sorted(jobs, key=lambda job: -job.visits)


def _visits(bench: Bench, one: Cell) -> float:
    """Of a cell's training and its tests."""
    n, recipe = len(bench.task.train), bench.recipes[one.evaluation_recipe]
    kept = n if one.method == ALL_DATA else budget_of(one.rate, n)
    tests = 1 + (recipe.epochs // recipe.test_every if recipe.test_every else 0)
    return kept * recipe.epochs + tests * len(bench.task.test) * FORWARD


def kind(job: Job) -> tuple[str, str, int]:
    """Jobs of a kind take the same time for a visit."""
    return job.model, job.recipe.precision, job.copies


def _one_of_a_kind(jobs: Iterable[Job]) -> list[Job]:
    return list({kind(job): job for job in jobs}.values())


def _seconds_per_visit(bench: Bench, job: Job) -> float:
    """Measured on one small batch, after another one that warms up."""
    signals = bench.task.train
    rows = np.arange(min(32, len(signals)))
    short = replace(job.recipe, epochs=1, batch=len(rows))
    copies, device, memory = job.copies, torch.device(bench.device), bench.device_memory

    def once() -> float:
        began = time.perf_counter()
        names = [f"probe {copy}" for copy in range(copies)]
        fit(
            MODELS[job.model],
            signals,
            [rows] * copies,
            names,
            short,
            device,
            memory=memory,
        )
        return time.perf_counter() - began

    with one_thread():
        once()
        return once() / (copies * len(rows))


def _that_fit(bench: Bench, models: set[str], workers: int) -> tuple[int, int]:
    """(workers, bytes of the machine); each worker holds the signals and two records."""
    budget = 0 if bench.stacked else bench.memory  # a GPU's is looked after by `fit`
    train, test = bench.task.train, bench.task.test
    how, n, classes = bench.collection, len(train), len(train.classes)
    widest = max((embedding_size(MODELS[m], classes, train.length) for m in models), default=0)
    numbers = how.recipe.epochs * 1.25 + classes + widest + how.early_runs * (classes + 1)
    each = OF_A_WORKER + train.iq.nbytes + test.iq.nbytes + int(2 * 4 * n * numbers)
    if bench.stacked:
        workers = 1
    here = 0 if workers == 1 else OF_A_WORKER + train.iq.nbytes + test.iq.nbytes
    limit = budget or psutil.virtual_memory().available + OF_A_WORKER
    fitting = max(0, limit - here) // each
    if fitting == 0 and budget:
        raise ValueError(
            f"memory_gb: one worker needs about {(here + each) / GIB:.1f} GiB, {budget / GIB:.1f} "
            "were allowed. Allow more, or cut the data: snr_min, frames"
        )
    workers = max(1, min(workers, fitting))
    return workers, here + workers * each


def in_words(seconds: float) -> str:
    """90 -> "90 s", 900 -> "15 min", 9000 -> "2.5 h"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"

"""A sweep runs what a grid lacks: first the evidence, then the cells; a second call resumes.

    scan(grid) -> missing -> jobs -> executor -> store;   scan again says what is complete

On a CPU the jobs go to processes of one thread each (two threads in one process are slower than
one on a busy machine); on a GPU they run here, as large stacks.
"""

import logging
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment import artifacts, store
from foqus_lib.experiment.bench import Bench
from foqus_lib.experiment.cell import ALL_DATA, NONE, Cell
from foqus_lib.experiment.durable import sweep_temporary
from foqus_lib.experiment.run import check_names, collect_evidence, train_cells
from foqus_lib.experiment.workers import executed
from foqus_lib.selection.budget import budget_of
from foqus_lib.training.collect import Collection
from foqus_lib.training.fit import pick_device
from foqus_lib.training.recipe import Recipe

log = logging.getLogger(__name__)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """One call of a function of `run`, with its weight in signal visits (a test visit is 1/3)."""

    call: Callable
    arguments: tuple
    visits: float


def sweep(
    task: Task,
    cells: Sequence[Cell],
    collection: Collection,
    evaluation: Recipe,
    root: Path,
    device: str = "auto",
    workers: int = 1,
    progress: Progress = log.info,
) -> store.Scan:
    """Run the missing cells of a grid and say what is complete.

    Finished cells are never run again, whatever killed an earlier call. Raises ValueError for
    unknown names, a results folder that cannot be written to and, when all the rest is done,
    for cells that failed.
    """
    check_names(cells)
    _check_writable(root)
    sweep_temporary(root)  # what killed writers left a day ago or more
    bench = Bench(task, collection, evaluation, Path(root), str(pick_device(device)))
    stacked = bench.device.startswith("cuda")
    missing = store.scan(root, cells).missing
    jobs = evidence_jobs(bench, [(one.selection_model, one.seed) for one in missing], stacked)
    progress(
        f"{len(cells) - len(missing)} of {len(cells)} cells are in {root}; "
        f"to do: {sum(len(job.arguments[1]) for job in jobs)} selection trainings, "
        f"{len(missing)} cells"
    )
    _run(bench, jobs, workers, "selection trainings", progress)
    missing = store.scan(root, missing).missing  # the ceilings have come with the evidence
    _run(bench, cell_jobs(bench, missing, stacked), workers, "cell groups", progress)
    found = store.scan(root, cells)
    if found.failed:
        first, error = next(iter(found.failed.items()))
        raise ValueError(
            f"{len(found.failed)} of {len(cells)} cells failed, the others are stored. "
            f"First: {first.method}, rate {first.rate:g}, seed {first.seed}: {error}. "
            f"Tracebacks: {Path(root) / 'failures'}"
        )
    return found


def evidence_jobs(bench: Bench, wanted: Iterable[tuple[str, int]], stacked: bool) -> list[Job]:
    """The selection trainings (model, seed) that are wanted and not in the store."""
    seeds = defaultdict(list)
    for model, seed in dict.fromkeys(wanted):
        key = bench.evidence_key(model, seed)
        if model != NONE and artifacts.find_arrays(bench.root, key) is None:
            seeds[model].append(seed)
    how = bench.collection
    visits = len(bench.task.train) * (how.recipe.epochs * 4 / 3 + how.early_runs * how.early_epochs)
    return [
        Job(collect_evidence, (model, part), visits * len(part))
        for model, all_seeds in seeds.items()
        for part in ([all_seeds] if stacked else [[seed] for seed in all_seeds])
    ]


def cell_jobs(bench: Bench, cells: Iterable[Cell], stacked: bool) -> list[Job]:
    """Cells in groups that are worth running together, the longest first.

    On a GPU: all of one network and rate, which train as one stack. On a CPU: all rates of one
    method and seed, which share one run of the selector.
    """
    groups = defaultdict(list)
    for one in cells:
        stack = one.evaluation_model, one.evaluation_recipe, one.rate_bp
        source = one.selection_model, one.evaluation_model, one.method, one.seed
        groups[stack if stacked else source].append(one)
    n, tests = len(bench.task.train), len(bench.task.test) / 3

    def visits(one: Cell) -> float:
        kept = n if one.method == ALL_DATA else budget_of(one.rate, n)
        return kept * bench.recipes[one.evaluation_recipe].epochs + tests

    jobs = [Job(train_cells, (group,), sum(map(visits, group))) for group in groups.values()]
    return sorted(jobs, key=lambda job: -job.visits)


def _run(bench: Bench, jobs: list[Job], workers: int, what: str, progress: Progress) -> None:
    began, done, total = time.monotonic(), 0.0, sum(job.visits for job in jobs)
    for count, job in enumerate(executed(bench, jobs, workers), start=1):
        done += job.visits
        seconds = time.monotonic() - began
        left = seconds * (total / done - 1)
        progress(f"{count} of {len(jobs)} {what}, {seconds:.0f} s, about {left:.0f} s left")


def _check_writable(root: Path) -> None:
    """Before hours of training, not after."""
    try:
        Path(root).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise ValueError(
            f"{root}: expected a results folder that can be written to, got {error.strerror}. "
            "Name another one (results=...)"
        ) from error

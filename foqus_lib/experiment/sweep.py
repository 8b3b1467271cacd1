"""A sweep runs what a grid lacks: first the evidence, then the cells; a second call resumes.

    scan(grid) -> missing -> plan -> executor -> store;   scan again says what is complete

On a CPU the jobs go to processes of one thread each (two threads in one process are slower than
one on a busy machine); on a GPU they run here, as large stacks.
"""

import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from foqus_lib.datasets.catalog import Task
from foqus_lib.durable import sweep_temporary
from foqus_lib.experiment import store
from foqus_lib.experiment.bench import Bench
from foqus_lib.experiment.cell import Cell
from foqus_lib.experiment.plan import Job, Plan, cell_jobs, in_words, plan
from foqus_lib.experiment.run import check_names
from foqus_lib.experiment.workers import executed
from foqus_lib.training.collect import Collection
from foqus_lib.training.device import pick_device
from foqus_lib.training.recipe import Recipe

log = logging.getLogger(__name__)
Progress = Callable[[str], None]


def sweep(
    task: Task,
    cells: Sequence[Cell],
    collection: Collection,
    evaluation: Recipe,
    root: Path,
    device: str = "auto",
    workers: int = 1,
    progress: Progress = log.info,
    memory: int = 0,
) -> store.Scan:
    """Run the missing cells of a grid and say what is complete.

    Finished cells are never run again, whatever killed an earlier call. memory: bytes that may be
    used, of the GPU or else of the machine, 0 for what is free. Raises ValueError for unknown
    names, a results folder that cannot be written to and, when all the rest is done, for cells
    that failed.
    """
    check_names(cells)
    _check_writable(root)
    sweep_temporary(root)  # what killed writers left a day ago or more
    bench = Bench(task, collection, evaluation, Path(root), str(pick_device(device)), memory)
    todo = plan(bench, cells, workers)
    progress(str(todo))
    _run(bench, todo, todo.evidence, "selection trainings", progress)
    missing = store.scan(bench.root, todo.missing).missing  # ceilings came with the evidence
    _run(bench, todo, cell_jobs(bench, missing), "cell groups", progress)
    found = store.scan(bench.root, cells)
    if found.failed:
        first, error = next(iter(found.failed.items()))
        raise ValueError(
            f"{len(found.failed)} of {len(cells)} cells failed, the others are stored. "
            f"First: {first.method}, rate {first.rate:g}, seed {first.seed}: {error}. "
            f"Tracebacks: {bench.root / 'failures'}"
        )
    return found


def _run(bench: Bench, todo: Plan, jobs: list[Job], what: str, progress: Progress) -> None:
    began, visits, expected = time.monotonic(), 0.0, 0.0
    total, in_all = todo.seconds(jobs), sum(job.visits for job in jobs)
    for count, (job, error) in enumerate(executed(bench, jobs, todo.workers), start=1):
        if error is not None:
            raise error
        visits += job.visits
        expected += todo.seconds([job])
        seconds = time.monotonic() - began
        share = expected / total if total else visits / in_all
        left = in_words(seconds * (1 / share - 1))
        progress(
            f"{count} of {len(jobs)} {what}, {in_words(seconds)}, "
            f"{visits / seconds:,.0f} visits/s, about {left} left"
        )


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

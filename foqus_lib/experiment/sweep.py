"""A sweep runs what a grid lacks, stage by stage; a second call resumes.

    scan(grid) -> missing -> plan -> executor -> store;   scan again says what is complete

On a CPU the jobs go to processes of one thread each (two threads in one process are slower than
one on a busy machine); on a GPU they run here, as large stacks.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from foqus_lib.durable import check_room, check_writable, sweep_temporary
from foqus_lib.experiment import artifacts, store
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.plan import PROBED_FROM, Bench, Plan, counted, in_words, plan
from foqus_lib.experiment.study import Job, Study
from foqus_lib.experiment.workers import executed

log = logging.getLogger(__name__)

EVERY = 60.0  # seconds between signs of life
ROW = 4096  # bytes of disk for one: a file of its own
Progress = Callable[[str], None]


def sweep(
    study: Study,
    bench: Bench,
    trials: Sequence[Trial],
    workers: int = 1,
    progress: Progress = log.info,
    scheduler: str = "",
    probed_from: float = PROBED_FROM,
) -> store.Scan:
    """Run the missing trials of a grid and say what is complete, missing and failed.

    Finished trials are never run again, whatever killed an earlier call. What fails is kept under
    failures/ and does not stop the rest: ask the Scan. Raises ValueError for a results folder that
    cannot be written to, OSError when the disk fails, DeviceLost when the device here does.
    """
    check_writable(bench.root)  # before hours of training, not after
    sweep_temporary(bench.root)  # what killed writers left a day ago or more
    artifacts.sweep_partial(bench.root)  # and killed trainings a month ago
    todo = plan(study, bench, trials, workers, probed_from, scheduler)
    progress(str(todo))
    check_room(bench.root, sum(job.disk for job in todo.jobs) + ROW * len(todo.missing))
    for number, jobs in enumerate(todo.stages):
        if any(todo.stages[:number]):  # they made what these jobs need, or noted why not
            jobs = study.jobs(bench, store.scan(bench.root, todo.missing).missing)[number]
        later = sum(map(todo.seconds, todo.stages[number + 1 :]))
        run_stage(bench, todo, jobs, progress, scheduler, later)
    left = store.scan(bench.root, todo.missing)  # the others were read and checked by `plan`
    still = set(left.missing)
    return replace(left, complete=[one for one in dict.fromkeys(trials) if one not in still])


def run_stage(
    bench: Bench,
    todo: Plan,
    jobs: Sequence[Job],
    progress: Progress,
    scheduler: str = "",
    later: float = 0.0,
) -> None:
    """Run jobs of one stage, with progress; what fails is kept and does not stop the rest.

    later: seconds that are expected of the stages that follow. Raises as `sweep`.
    """
    began, done, expected, count = time.monotonic(), 0.0, 0.0, 0
    total, work = todo.seconds(jobs), sum(map(todo.alone, jobs))
    in_all = sum(job.cost for job in jobs)
    of = ("training", "that others need") if jobs and not jobs[0].trials else ("group", "of trials")
    what = f"{counted(len(jobs), of[0])} {of[1]}"

    def still() -> None:
        seconds = time.monotonic() - began
        asked = f"; about {in_words(total)} were expected for all" if total else ""
        progress(f"still running: {count} of {what}, {in_words(seconds)}{asked}")

    with heartbeat(still) as spoken:
        finished = executed(bench, jobs, todo.workers, scheduler)
        for count, (job, error) in enumerate(finished, start=1):
            done += job.cost
            expected += todo.alone(job)
            seconds = time.monotonic() - began
            share = expected / work if expected else done / in_all
            left = in_words(later + max(0.0, seconds * (1 / share - 1)))
            spoken.set()
            progress(
                f"{count} of {what}, {in_words(seconds)}, about {left} left"
                + (f"; failed: {error}" if error else "")
            )
            if error is not None:  # after it was told: the disk may be full
                _keep_failure(bench, job, error)


def _keep_failure(bench: Bench, job: Job, error: Exception) -> None:
    """Of the artifacts it was to make, and of the trials that it left unpublished."""
    for key in job.makes:
        store.fail(bench.root, key, error)
    for trial in job.trials:
        if not store.has(bench.root, trial):
            store.fail(bench.root, trial.key, error)


@contextmanager
def heartbeat(say: Callable[[], None], every: float | None = None) -> Iterator[threading.Event]:
    """A sign of life while nothing finishes: one training may take a quarter of an hour.

    Calls `say`, from a thread of its own, after each `every` seconds that nobody else spoke in.

    Whoever speaks sets the event that this gives.
    """
    spoken, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(EVERY if every is None else every):
            if not spoken.is_set():
                say()
            spoken.clear()

    thread = threading.Thread(target=watch, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield spoken
    finally:
        over.set()
        thread.join()

"""What a sweep is going to do: which jobs, on how many workers, in what memory, for how long."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import psutil

from foqus_lib.experiment import store
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.study import Job, Study

GIB = 2**30
OF_A_WORKER = GIB // 2  # Python, torch and the activations of one network
PROBED_FROM = 20_000  # units of cost; fewer are hardly worth a measurement


@runtime_checkable  # the tests check signatures
class Bench(Protocol):
    """What every job of one sweep is told; a study adds its own data and recipes."""

    root: Path  # of the results store
    device: str  # "cpu", "cuda:0" ...
    memory: int  # bytes that may be used, of the GPU or else of the machine; 0: what is free


@dataclass(frozen=True)
class Plan:
    """All that is missing in a grid, in the order it will be run."""

    complete: int  # trials
    missing: list[Trial]
    stages: list[list[Job]]  # each needs what the one before made
    workers: int
    memory: int  # bytes, of all processes together
    seconds_per_unit: dict[tuple, float]  # of each kind of job; may be empty
    elsewhere: bool = False  # on a scheduler's workers: nobody knows here how many, or their memory

    @property
    def jobs(self) -> list[Job]:
        """Of all stages."""
        return [job for stage in self.stages for job in stage]

    def alone(self, job: Job) -> float:
        """Estimated seconds of a job; 0 if its kind was not measured."""
        return self.seconds_per_unit.get(job.kind, 0.0) * job.cost

    def seconds(self, jobs: Iterable[Job]) -> float:
        """Estimated time of jobs of one stage on these workers: no job is shared among several."""
        each = [self.alone(job) for job in jobs]
        return max(sum(each) / self.workers, max(each, default=0.0))

    @property
    def seconds_in_all(self) -> float:
        """Estimated time of all stages, one after another."""
        return sum(map(self.seconds, self.stages))

    def __str__(self) -> str:
        if not self.missing:
            some = "the one trial is" if self.complete == 1 else f"all {self.complete} trials are"
            return f"{some} stored"
        in_all = self.complete + len(self.missing)
        are = "is" if in_all == 1 else "are"
        first = sum(not job.trials for job in self.jobs)
        who = counted(self.workers, "worker") + " of the scheduler" * self.elsewhere
        return (
            f"{self.complete} of {counted(in_all, 'trial')} {are} stored. To do: "
            f"{counted(first, 'training')} that others need and "
            f"{counted(len(self.missing), 'trial')} in {counted(len(self.jobs) - first, 'group')}, "
            f"{self._time()} with {who} and {self.memory / GIB:.1f} GiB"
        )

    def _time(self) -> str:
        """Of the jobs whose kind was measured; of others nobody knows whether it is short."""
        known = [job for job in self.jobs if job.kind in self.seconds_per_unit]
        if not known:
            return "time not measured,"
        rest = "" if len(known) == len(self.jobs) else " and what could not be measured,"
        return f"about {in_words(max(self.seconds_in_all, 1))}{rest}"


def plan(
    study: Study,
    bench: Bench,
    trials: Sequence[Trial],
    workers: int,
    probed_from: float = PROBED_FROM,
    scheduler: str = "",
) -> Plan:
    """The jobs of the trials that the store lacks; measured if they cost more than `probed_from`.

    Fewer workers than asked for are planned if more would not fit into bench.memory, or into what
    the machine has free; ValueError if a stated memory does not hold even one. With a scheduler the
    plan is that of one of its workers, as fast as this machine.
    """
    found = store.scan(bench.root, trials)  # each trial once, however often it is asked for
    missing = found.missing
    stages = [list(stage) for stage in study.jobs(bench, missing)] if missing else []
    jobs = [job for stage in stages for job in stage]
    workers, memory = (1, _of_one(jobs)) if scheduler else that_fit(bench, jobs, workers)
    large = sum(job.cost for job in jobs) > probed_from
    measured = seconds_per_unit(bench, jobs) if large else {}
    done = len(found.complete)
    return Plan(done, missing, stages, workers, memory, measured, bool(scheduler))


def seconds_per_unit(bench: Bench, jobs: Iterable[Job]) -> dict[tuple, float]:
    """By kind of job, measured now on one of each; a kind that cannot be is left out.

    What is wrong with it its jobs will say, each for its own trials.
    """
    one_of_a_kind = {job.kind: job for job in jobs if job.probe}
    found = {}
    for kind, job in one_of_a_kind.items():
        with suppress(ValueError, RuntimeError):
            found[kind] = job.probe(bench, job)
    return found


def _of_one(jobs: Sequence[Job]) -> int:
    """Bytes of a worker that may get any of the jobs."""
    return OF_A_WORKER + max((job.memory for job in jobs), default=0)


def that_fit(bench: Bench, jobs: Sequence[Job], workers: int) -> tuple[int, int]:
    """(workers, bytes of the machine): as many as the largest job leaves room for.

    ValueError if a stated memory does not hold one.
    """
    each = _of_one(jobs)
    if bench.device.startswith("cuda"):  # its memory is looked after by `fit`
        return 1, each
    limit = bench.memory or psutil.virtual_memory().available + OF_A_WORKER
    beside = max(0, limit - OF_A_WORKER) // each  # workers of their own: this process takes room
    workers = min(workers, beside) if beside > 1 else 1
    here = OF_A_WORKER if workers > 1 else 0
    if each > limit and bench.memory:
        raise ValueError(
            f"memory_gb: one worker needs about {each / GIB:.1f} GiB, "
            f"{bench.memory / GIB:.1f} were allowed. Allow more, or cut the data: snr_min, frames"
        )
    return workers, here + workers * each


def counted(number: int, noun: str) -> str:
    """ "1 trial", "2 trials"."""
    return f"{number} {noun}{'s' * (number != 1)}"


def in_words(seconds: float) -> str:
    """90 -> "90 s", 900 -> "15 min", 9000 -> "2.5 h"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def size_in_words(size: int) -> str:
    """Bytes: "640 MiB", "2.4 GiB"."""
    return f"{size / 2**20:.0f} MiB" if size < GIB else f"{size / GIB:.1f} GiB"

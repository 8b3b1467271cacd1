"""Where jobs run: in this process, in processes of this machine, or on a cluster's workers.

A job is any object with `call`, a module's function, and `arguments`; running it means
call(bench, *arguments), in one thread. The store gives the guarantee, not these files: a job may
die anywhere and be run again, and what it published stays.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing

from foqus_lib.errors import DeviceLost
from foqus_lib.experiment.workers import local
from foqus_lib.experiment.workers.job import one_thread, outcome

__all__ = ["executed", "one_thread"]


def executed(
    bench: object, jobs: Sequence, workers: int, scheduler: str = ""
) -> Iterator[tuple[object, Exception | None]]:
    """Run all jobs; yield each once, as it finishes, with the error it raised or None.

    scheduler: address (tcp://, tls://) or file of a dask scheduler; "" for this machine: `workers`
    processes, or this process if that is one or if bench.device is a GPU. A worker that is killed
    costs the job it was running, which runs again elsewhere; so does a cluster's worker whose
    device is gone. What concerns every job is raised and ends the sweep: DeviceLost of this
    machine, OSError, and ValueError for workers that do not start or are gone.
    A caller that stops reading, or Ctrl-C, ends this machine's workers at once.
    """
    jobs = list(jobs)
    if not jobs:
        return
    with closing(_outcomes(bench, jobs, workers, scheduler)) as outcomes:
        for job, error in outcomes:
            if isinstance(error, DeviceLost | OSError):
                raise error
            yield job, error


def _outcomes(bench: object, jobs: list, workers: int, scheduler: str) -> Iterator[tuple]:
    if scheduler:
        from foqus_lib.experiment.workers.scheduler import on_cluster  # most sweeps need no dask

        yield from on_cluster(bench, jobs, scheduler)
    elif bench.device.startswith("cuda") or min(workers, len(jobs)) < 2:
        yield from ((job, outcome(bench, job)) for job in jobs)
    else:
        yield from local.in_processes(bench, jobs, workers)

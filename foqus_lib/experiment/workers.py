"""Where jobs run: this process, or processes of one thread each.

The store gives the guarantee, not this file: a job may die anywhere, and what it published stays.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

import torch

from foqus_lib.processes import CHILD

RESTARTS = 3  # of a pool that lost a process, without one finished job in between

_bench = None  # of this worker, set once by _begin


def executed(bench: object, jobs: Sequence, workers: int, scheduler: str = "") -> Iterator:
    """Run job.call(bench, *job.arguments) for each; yield (job, None) as they finish.

    An exception ends it after cancelling what has not begun. A killed worker does not: its job
    runs again in a new one. Ctrl-C ends the workers at once.
    """
    if bench.device.startswith("cuda") or min(workers, len(jobs)) < 2:
        with one_thread():
            for job in jobs:
                job.call(bench, *job.arguments)
                yield job, None
        return
    left, restarts = list(jobs), 0
    while left:
        try:
            for job in _in_processes(bench, left, workers):
                left.remove(job)
                restarts = 0
                yield job, None
        except BrokenProcessPool:
            restarts += 1
            if restarts > RESTARTS:
                raise ValueError(
                    f"workers: {restarts} were killed one after another, out of memory perhaps; "
                    f"finished cells are stored. Run again with fewer than {workers} workers"
                ) from None


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread inside, whoever calls: another number of threads gives other last bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _in_processes(bench: object, jobs: Sequence, workers: int) -> Iterator:
    before = {name: os.environ.get(name) for name in CHILD}
    os.environ.update(CHILD)
    pool = ProcessPoolExecutor(
        min(workers, len(jobs)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(bench, os.getpid()),
    )
    try:
        futures = {pool.submit(_call, job): job for job in jobs}
        for future in as_completed(futures):
            future.result()
            yield futures[future]
    except BaseException:  # also Ctrl-C and a caller that stops reading
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def _begin(bench: object, parent: int) -> None:
    global _bench
    _bench = bench
    torch.set_num_threads(1)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    """End with the parent, even one that was killed: an orphan would compute for nobody."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _call(job: object) -> None:
    job.call(_bench, *job.arguments)

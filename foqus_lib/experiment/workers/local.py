"""Processes of this machine, one thread each: a pool in which a death costs one job.

concurrent.futures ends all its processes when one dies, does not say whose job it was, and waits
for ever for one that dies while it starts. Here every process has a connection of its own.
"""

import multiprocessing
import os
import pickle
import shutil
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

import torch

from foqus_lib.experiment.workers import bench_file
from foqus_lib.experiment.workers.job import answered, fit_to_travel
from foqus_lib.processes import CHILD

START_LIMIT = 120.0  # seconds a process may take to import torch and open the bench
STARTS = 4  # processes in a row that may die before they were ready
ATTEMPTS = 3  # processes that one job may cost
LOOK = 1.0  # seconds between two looks at who is still alive


@dataclass(eq=False)
class _Worker:
    process: SpawnProcess
    link: connection.Connection
    began: float
    ready: bool = False
    job: int | None = None  # that it is running, as a place in the list


def in_processes(bench: object, jobs: list, workers: int) -> Iterator[tuple]:
    """Yield (job, error or None) as they finish. A killed worker's job runs again, others go on.

    A job that cost ATTEMPTS workers is given up and yielded with a ValueError. Raises ValueError
    when workers cannot be started.
    """
    packed = {}
    for place, job in enumerate(jobs):
        try:
            packed[place] = pickle.dumps(job)
        except Exception as error:
            yield job, error
    waiting, deaths, lost_starts = deque(packed), Counter(), 0
    staff: list[_Worker] = []
    with bench_file.written(bench) as folder:
        try:
            while waiting or _busy(staff):
                while len(staff) < min(workers, len(waiting) + _busy(staff)):
                    staff.append(_hired(folder))
                _deal(waiting, staff, packed)  # the job of a dead worker, to one that was idle
                for worker, answer in _heard(staff):
                    done, worker.job = worker.job, None
                    if answer is None:
                        staff.remove(worker)
                        _end(worker)
                        if not worker.ready:
                            lost_starts += 1
                            _check_starts(worker, lost_starts)
                        if done is None:
                            continue
                        deaths[done] += 1
                        if deaths[done] < ATTEMPTS:
                            waiting.appendleft(done)
                        else:
                            yield jobs[done], _given_up(worker)
                        continue
                    error = pickle.loads(answer)
                    if not worker.ready and error is not None:
                        raise ValueError(f"workers: the data did not arrive: {error}") from error
                    worker.ready, lost_starts = True, 0
                    _deal(waiting, staff, packed)  # before the caller takes his time
                    if done is not None:
                        yield jobs[done], error
        finally:  # also Ctrl-C and a caller that stops reading; at the end all are idle
            for worker in staff:
                worker.process.kill()
            for worker in staff:
                _end(worker)


def _busy(staff: list[_Worker]) -> int:
    return sum(worker.job is not None for worker in staff)


def _hired(folder: Path) -> _Worker:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, folder, os.getpid()), daemon=True)
    with _told():
        process.start()
    there.close()  # or the death of the process would not end the connection
    return _Worker(process, here, time.monotonic())


@contextmanager
def _told() -> Iterator[None]:
    """What a computing process is told, in the environment that it is started with."""
    before = {name: os.environ.get(name) for name in CHILD}
    os.environ.update(CHILD)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def _heard(staff: list[_Worker]) -> Iterator[tuple[_Worker, bytes | None]]:
    """Those that answered within the next look, and those that died: these with None."""
    connection.wait([worker.link for worker in staff], LOOK)
    for worker in list(staff):
        died = worker.process.exitcode is not None  # asked first: its last answer is read below
        if worker.link.poll():
            try:
                yield worker, worker.link.recv_bytes()
            except (EOFError, OSError):
                yield worker, None
        elif died:
            yield worker, None
        elif not worker.ready and time.monotonic() - worker.began > START_LIMIT:
            raise ValueError(
                f"workers: a process did not start within {START_LIMIT:g} s: the machine or its "
                "disk is overloaded. Finished jobs are stored; run again with workers=1, which "
                "starts no other process"
            )


def _deal(waiting: deque[int], staff: list[_Worker], packed: dict[int, bytes]) -> None:
    """A job to everyone who is idle, as far as there are any."""
    for worker in staff:
        if waiting and worker.ready and worker.job is None:
            worker.job = waiting.popleft()
            with suppress(OSError):  # it died: seen at the next look
                worker.link.send_bytes(packed[worker.job])


def _end(worker: _Worker) -> None:
    worker.process.join(5)
    worker.process.kill()
    worker.link.close()


def _check_starts(worker: _Worker, lost: int) -> None:
    if lost >= STARTS:
        raise ValueError(
            f"workers: {lost} processes in a row ended while they started "
            f"({_cause(worker)}). Memory may be short; a script of your own needs "
            "`if __name__ == '__main__':` around its call. Finished jobs are stored; run again "
            "with workers=1, which starts no other process"
        )


def _given_up(worker: _Worker) -> ValueError:
    return ValueError(
        f"workers: {ATTEMPTS} processes ended while they ran this job ({_cause(worker)}), out of "
        "memory perhaps. Run again with fewer workers"
    )


def _cause(worker: _Worker) -> str:
    """-9 -> "killed by SIGKILL"."""
    code = worker.process.exitcode
    if code is None or code >= 0:
        return f"exit status {code}"
    return f"killed by {signal.Signals(-code).name}"


def _work(link: connection.Connection, folder: Path, parent: int) -> None:
    """What a process does: read the bench, say so, then answer one job after another."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's affair, which ends us
    threading.Thread(target=_follow, args=(folder, parent), daemon=True).start()
    torch.set_num_threads(1)
    try:
        bench, error = bench_file.read(folder), None
    except Exception as failure:
        error = fit_to_travel(failure)
    with suppress(EOFError, OSError):  # the driver closed the connection, or is gone
        link.send_bytes(pickle.dumps(error))
        while error is None:
            link.send_bytes(answered(bench, link.recv_bytes()))


def _follow(folder: Path, parent: int) -> None:
    """End with the parent, even one that was killed: an orphan would compute for nobody."""
    while os.getppid() == parent:
        time.sleep(1)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)

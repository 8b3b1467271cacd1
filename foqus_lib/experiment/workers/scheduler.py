"""Workers of a dask cluster: anywhere, as long as they see the results folder under the same name.

The bench goes to every worker once a stage, those that join later included (a worker plugin;
scattered data are lost with the last worker that holds them). Jobs travel, results stay in the
store: what comes back is an error or None. Only this file knows dask.
"""

import hashlib
import json
import logging
import os
import pickle
import platform
import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch
from distributed import Client, KilledWorker, Worker, WorkerPlugin, get_worker
from distributed.protocol.pickle import dumps
from distributed.security import Security

import foqus_lib
from foqus_lib.errors import DeviceLost
from foqus_lib.experiment.workers.job import answered
from foqus_lib.processes import SHARED, has_place, sharers

log = logging.getLogger(__name__)

CONNECT = 30.0  # seconds until a scheduler counts as absent
NO_WORKERS = 300.0  # seconds without any worker until the sweep ends
LOOK = 2.0  # seconds without an answer until we look at who is there
ATTEMPTS = 5  # to give all workers the bench: each one that dies meanwhile spoils one
PREFIX = "foqus-bench-"
GO_ON = "Finished jobs are stored; the same command goes on with what is missing"


class Refused(ValueError):
    """A worker that would compute something else, or where another one computes."""


class BenchPlugin(WorkerPlugin):
    """What a worker keeps for one stage: the bench, or why it must not work for it."""

    def __init__(self, packed: bytes, expected: dict[str, str]):
        self.packed, self.expected, self.bench = packed, expected, None

    def setup(self, worker: Worker) -> None:
        self.refusal = refusal(self.expected, versions(), worker.state.nthreads, worker.address)
        packed, self.packed = self.packed, b""
        if self.refusal:
            raise Refused(self.refusal)
        bench = pickle.loads(packed)
        self.refusal = crowded(bench.device, worker.address)
        if self.refusal:
            raise Refused(self.refusal)
        self.bench = bench


def on_cluster(bench: object, jobs: list, scheduler: str) -> Iterator[tuple]:
    """Yield (job, error or None) as they finish on the workers of the scheduler.

    A worker that is killed, or whose GPU is gone, costs the job it was running, which runs again,
    and an answer that was on its way. A job whose workers die again and again is yielded with a
    ValueError.

    Raises ValueError when the scheduler does not answer or is lost, when there are no workers for
    NO_WORKERS seconds, and for workers that have other versions, several threads or a GPU that
    another one has.
    """
    with _connected(scheduler) as client, _registered(client, bench, scheduler) as name:
        packed = {}
        for place, job in enumerate(jobs):
            try:
                packed[place] = dumps(job)
            except Exception as error:
                yield job, error
        done: queue.Queue = queue.Queue()
        running, suspects, alone = _sent(client, name, packed, done), [], False
        while running or suspects:
            if not running:  # one at a time: dask also blames those that waited at a dead worker
                place, alone = suspects.pop(), True
                running = _sent(client, name, {place: packed[place]}, done)
            for place, error in _settled(client, running, done, scheduler):
                if not isinstance(error, KilledWorker):
                    yield jobs[place], error
                elif alone:
                    yield jobs[place], _given_up(error)
                else:
                    suspects.append(place)


def _sent(client: Client, name: str, packed: dict[int, bytes], done: queue.Queue) -> dict:
    """{key: (future, place)}; a future that ends puts itself into `done`."""
    sent = client.map(_call, [name] * len(packed), list(packed.values()), pure=False)
    for future in sent:
        future.add_done_callback(done.put)
    return {future.key: (future, place) for future, place in zip(sent, packed, strict=True)}


@cache
def versions() -> dict[str, str]:
    """What must be equal for rows to be: the last bits depend on all of it."""
    here = Path(foqus_lib.__file__).parent
    code = hashlib.sha256()
    for path in sorted(here.rglob("*.py")):
        code.update(path.relative_to(here).as_posix().encode() + b"\0" + path.read_bytes())
    return {
        "foqus_lib": f"{foqus_lib.__version__} (code {code.hexdigest()[:12]})",
        "python": ".".join(platform.python_version_tuple()[:2]),
        "torch": version("torch"),
        "numpy": version("numpy"),
    }


def refusal(expected: dict[str, str], found: dict[str, str], threads: int, address: str) -> str:
    """Why the worker must not work for a driver of the expected versions; "" if it may."""
    other = [f"{name} {found.get(name)}" for name in expected if found.get(name) != expected[name]]
    if other:
        mine = ", ".join(f"{name} {text}" for name, text in expected.items())
        return (
            f"worker {address} has {', '.join(other)}; expected, as here: {mine}. Install the "
            "same version there and restart the worker"
        )
    if threads != 1:
        return f"worker {address} has {threads} threads, expected 1: start it with --nthreads 1"
    return ""


def crowded(device: str, address: str) -> str:
    """Why a worker must not compute on that GPU: others have taken all places; "" if it may.

    Each plans its stacks for the memory that is free now, so two would plan for the same.
    """
    if not device.startswith("cuda") or not torch.cuda.is_available():
        return ""  # without a GPU its jobs say so
    gpu = torch.cuda.get_device_properties(torch.device(device))
    if has_place(str(gpu.uuid)):
        return ""
    return (
        f"worker {address}: {sharers()} on its GPU ({gpu.name}) already, expected no more. Start "
        f"one for each GPU, with CUDA_VISIBLE_DEVICES, or set {SHARED} in the shell of all workers "
        "to the number that share one: each then plans for its part of the memory"
    )


def _call(name: str, packed: bytes) -> bytes:
    """On a worker: run a job on the bench of that name. One whose GPU is gone ends its process."""
    mine = get_worker().plugins.get(name)
    if mine is None or mine.bench is None:
        raise Refused(getattr(mine, "refusal", "") or f"worker: has no data of sweep {name}")
    answer = answered(mine.bench, packed)
    if isinstance(lost := pickle.loads(answer), DeviceLost):
        log.error("%s. This worker ends; its job runs elsewhere", lost)
        os._exit(1)  # as if it had been killed
    return answer


@contextmanager
def _connected(scheduler: str) -> Iterator[Client]:
    try:
        address, security = _address(scheduler), Security()
        if address.startswith("tls") and not security.get_connection_args("client")["ssl_context"]:
            raise ValueError("tls:// without certificates in dask's configuration")
        client = Client(address, timeout=CONNECT, set_as_default=False, security=security)
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        raise ValueError(
            f"scheduler {scheduler}: no connection ({error}). Is `dask scheduler` running there, "
            "is the port open to this machine, and for tls:// are the certificates configured?"
        ) from error
    try:
        yield client
    finally:
        client.close()


def _address(scheduler: str) -> str:
    """The address itself, or the one that stands in a scheduler file."""
    if scheduler.startswith(("tcp://", "tls://")):
        return scheduler
    try:
        return json.loads(Path(scheduler).read_text(encoding="utf-8"))["address"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            "expected tcp://HOST:PORT, tls://HOST:PORT or the file that "
            f"`dask scheduler --scheduler-file` writes, got {error!r}"
        ) from error


@contextmanager
def _registered(client: Client, bench: object, scheduler: str) -> Iterator[str]:
    """The name under which all workers, present and future, have the bench."""
    name = PREFIX + client.id
    try:
        client.run_on_scheduler(_forget_the_dead, PREFIX)
        _register(client, BenchPlugin(dumps(bench), versions()), name)
    except Refused:
        _unregister(client, name)
        raise
    except Exception as error:  # of any kind: it comes from another process
        raise ValueError(
            f"scheduler {scheduler}: it or a worker cannot take what it is to run ({error}). "
            f"Install foqus_lib {foqus_lib.__version__} and this Python's packages there"
        ) from error
    try:
        yield name
    finally:
        _unregister(client, name)


def _register(client: Client, plugin: BenchPlugin, name: str) -> None:
    """To all workers at once. When one dies meanwhile, the scheduler hangs up: ask it again."""
    for left in reversed(range(ATTEMPTS)):
        try:
            client.register_plugin(plugin, name=name)
            return
        except OSError:
            if not left or client.status != "running":
                raise
            time.sleep(LOOK)  # until the scheduler has noticed who is gone


def _unregister(client: Client, name: str) -> None:
    if client.status == "running":
        with suppress(Exception):  # else the next driver at this scheduler does it
            client.unregister_worker_plugin(name)


async def _forget_the_dead(prefix: str, dask_scheduler=None) -> None:
    """On the scheduler: drop the benches of drivers that were killed."""
    for name in list(dask_scheduler.worker_plugins):
        if name.startswith(prefix) and name.removeprefix(prefix) not in dask_scheduler.clients:
            await dask_scheduler.unregister_worker_plugin(comm=None, name=name)


def _settled(client: Client, running: dict, done: queue.Queue, scheduler: str) -> list[tuple]:
    """Wait for answers; (place, error or None) of each, which leaves `running`.

    No name may hold its future any longer: dask computes it again if its worker dies later.
    """
    ended = _ended(client, done, scheduler)
    answers = _answers(client, ended, scheduler)
    for future in ended:
        if future.key not in answers:  # its worker died since: it is running again
            future.add_done_callback(done.put)
    return [(running.pop(key)[1], error) for key, error in answers.items()]


def _ended(client: Client, done: queue.Queue, scheduler: str) -> list:
    """The futures that have ended, one at least; waits for it and watches who is there."""
    alone_since = None
    while True:
        with suppress(queue.Empty):
            found = [done.get(timeout=LOOK)]
            while not done.empty():
                found.append(done.get())
            return found
        if client.status != "running":
            raise _lost(scheduler)
        try:
            alone = not client.nthreads()
        except OSError:
            raise _lost(scheduler) from None
        alone_since = (alone_since or time.monotonic()) if alone else None
        if alone and time.monotonic() - alone_since >= NO_WORKERS:
            raise ValueError(
                f"scheduler {scheduler}: no worker for {NO_WORKERS:g} s. Start some: "
                f"dask worker {_address(scheduler)} --nthreads 1 --memory-limit 0. {GO_ON}"
            )


def _answers(client: Client, futures: list, scheduler: str) -> dict[str, Exception | None]:
    """By key; without those whose only copy has died with its worker."""
    answers = {}
    for future in futures:
        if future.status == "cancelled" or client.status != "running":
            raise _lost(scheduler)
        if future.status == "error":
            error = future.exception(timeout=CONNECT)
            if not isinstance(error, KilledWorker):
                raise error
            answers[future.key] = error
    finished = [future for future in futures if future.status == "finished"]
    try:
        packed = client.gather(finished, errors="skip")
    except OSError:
        raise _lost(scheduler) from None
    if len(packed) == len(finished):
        answers |= {f.key: pickle.loads(each) for f, each in zip(finished, packed, strict=True)}
    return answers


def _given_up(error: KilledWorker) -> ValueError:
    return ValueError(
        f"workers: {error.allowed_failures + 1} died one after another while they ran this job "
        f"alone (the last: {error.last_worker.address}), out of memory perhaps. Look at their "
        "logs; start fewer workers on a machine"
    )


def _lost(scheduler: str) -> ValueError:
    return ValueError(
        f"scheduler {scheduler}: the connection was lost, its process ended perhaps. Start it "
        f"and its workers again. {GO_ON}"
    )

"""The same jobs on a dask cluster of real processes: same bits, whatever is killed."""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import psutil
import pytest

from foqus_lib.experiment.workers import executed
from tests.working import (
    DiesWithOne,
    Job,
    bench_in,
    compute,
    die_until,
    fail,
    fail_oddly,
    fill_disk,
    lose_device_once,
    nothing,
    results,
    runs,
)

ROOT = Path(__file__).resolve().parents[2]


def started(words, folder, environment=None, log="log"):
    """A process of dask's, in a session of its own."""
    with open(folder / log, "a") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
            stdout=file,
            stderr=file,
            cwd=folder,
            start_new_session=True,
        )


def ended(process):
    """With all its children, at once."""
    family = [process]
    if psutil.pid_exists(process.pid):
        family += psutil.Process(process.pid).children(recursive=True)
    for each in family:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait(10)


class Cluster:
    """A scheduler on a free port of this machine, and workers that join when asked."""

    def __init__(self, folder, stack):
        self.folder, self.stack, self.file = folder, stack, folder / "scheduler.json"
        words = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        self.scheduler = self.start([*words, "--scheduler-file", str(self.file)])
        deadline = time.monotonic() + 120
        while not self.file.exists() or not self.file.read_text().rstrip().endswith("}"):
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        self.address = json.loads(self.file.read_text())["address"]

    def start(self, words, environment=None):
        process = started(words, self.folder, environment)
        self.stack.callback(ended, process)
        return process

    def all_there(self):
        """Wait until the scheduler knows every worker."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=60)

    def worker(self, threads=1, nanny=False, environment=None):
        words = ["worker", self.address, "--nthreads", str(threads), "--memory-limit", "0"]
        words += ["--nanny" if nanny else "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
        return self.start(words, environment)


@contextmanager
def cluster(folder, workers=2):
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        made = Cluster(folder, stack)
        made.workers = [made.worker() for _ in range(workers)]
        yield made


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A scheduler with two workers that the tests leave as they were."""
    with cluster(tmp_path_factory.mktemp("two")) as made:
        yield made


def benches_at(address):
    """What the scheduler still keeps for the workers of a sweep."""
    from distributed import Client

    from foqus_lib.experiment.workers.scheduler import PREFIX

    def names(dask_scheduler):
        return list(dask_scheduler.worker_plugins)

    with Client(address, set_as_default=False) as client:
        return [name for name in client.run_on_scheduler(names) if name.startswith(PREFIX)]


@pytest.fixture
def bench(tmp_path):
    return bench_in(tmp_path)


def run(bench, jobs, scheduler):
    """{place of a job: what it raised}; each exactly once, and the very objects that came in."""
    found = {}
    for job, error in executed(bench, jobs, 1, scheduler):
        [place] = [i for i, each in enumerate(jobs) if each is job]
        assert place not in found
        found[place] = error
    assert sorted(found) == list(range(len(jobs)))
    return found


def test_the_same_bits_as_here(two, bench, tmp_path):
    jobs = [Job(compute, (name,)) for name in range(6)]
    assert set(run(bench, jobs, two.address).values()) == {None}
    alone = bench_in(tmp_path / "alone")
    alone.root.mkdir()
    run(alone, jobs, "")
    assert results(bench.root) == results(alone.root) and len(results(bench.root)) == 6
    assert {len(runs(bench.root, name)) for name in range(6)} == {1}
    pids = {int(line) for name in range(6) for line in runs(bench.root, name)}
    assert os.getpid() not in pids


def test_errors_come_back_and_the_others_go_on(two, bench):
    jobs = [Job(fail, (0,)), Job(compute, (1,)), Job(fail_oddly, ()), Job(compute, (3,))]
    found = run(bench, jobs, str(two.file))
    assert found[1] is None and found[3] is None
    assert type(found[0]) is RuntimeError and "in fail\n" in found[0].__notes__[0]
    assert str(found[2]) == "Unpicklable: odd"


def test_what_concerns_all_ends_the_sweep(two, bench):
    with pytest.raises(OSError, match="no space left"):
        run(bench, [Job(fill_disk, ()), Job(nothing, ())], two.address)
    assert run(bench, [Job(nothing, ())], two.address) == {0: None}  # the workers are still there


def test_a_caller_that_stops_reading_leaves_nothing_on_the_scheduler(two, bench):
    reading = executed(bench, [Job(nothing, ())] + [Job(compute, (n, 0.2)) for n in range(50)], 1,
                       two.address)  # fmt: skip
    next(reading)
    reading.close()
    assert not benches_at(two.address)

    def begun():
        return len(list(bench.root.glob("*.runs")))

    at_the_end = begun()
    time.sleep(2)  # in which two workers would begin twenty
    assert begun() <= at_the_end + 2


def test_other_versions_are_refused_before_anything_runs(two, bench, monkeypatch):
    from foqus_lib.experiment.workers import scheduler

    other = scheduler.versions() | {"torch": "0.4"}
    monkeypatch.setattr(scheduler, "versions", lambda: other)
    with pytest.raises(ValueError, match=r"worker tcp://.* has torch 2.*; expected, as here: "
                       r"foqus_lib .*torch 0.4.* Install the same version there"):  # fmt: skip
        run(bench, [Job(compute, (0,))], two.address)
    assert not runs(bench.root, 0)


def test_what_must_be_equal():
    from foqus_lib.experiment.workers.scheduler import refusal, versions

    mine = versions()
    assert set(mine) == {"foqus_lib", "python", "torch", "numpy"} and "code" in mine["foqus_lib"]
    assert refusal(mine, mine, 1, "tcp://here:1") == ""
    assert "has python 3.1;" in refusal(mine, mine | {"python": "3.1"}, 1, "tcp://here:1")
    assert refusal(mine, mine, 4, "tcp://here:1").endswith(
        "worker tcp://here:1 has 4 threads, expected 1: start it with --nthreads 1"
    )


def test_a_worker_on_a_gpu_that_another_has_is_refused_and_told_how_to_share(bench, monkeypatch):
    from foqus_lib.experiment.workers import scheduler

    asked = []
    gpu = SimpleNamespace(uuid="1-2-3", name="NVIDIA H200")
    monkeypatch.setattr(scheduler.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(scheduler.torch.cuda, "get_device_properties", lambda device: gpu)
    monkeypatch.setattr(scheduler, "has_place", lambda name: asked.append(name) or len(asked) < 2)
    state = SimpleNamespace(nthreads=1)
    worker = Mock(spec=scheduler.Worker, state=state, address="tcp://here:1")

    def another(device):
        packed = pickle.dumps(replace(bench, device=device))
        plugin = scheduler.BenchPlugin(packed, scheduler.versions())
        plugin.setup(worker)
        return plugin

    assert another("cuda:0").bench.device == "cuda:0"
    wanted = r"here:1: 1 on its GPU \(NVIDIA H200\) already, .* CUDA_VISIBLE_DEVICES, or set FOQUS"
    with pytest.raises(scheduler.Refused, match=wanted):
        another("cuda:0")
    assert another("cpu").bench.device == "cpu" and asked == ["1-2-3"] * 2


@pytest.mark.parametrize(
    "scheduler, match",
    [("nowhere.json", "expected tcp://HOST:PORT, tls://HOST:PORT or the file"),
     ("http://127.0.0.1:9", "expected tcp://HOST:PORT, tls://HOST:PORT or the file"),
     ("tls://127.0.0.1:9", "no connection .tls:// without certificates in dask's configuration"),
     ("tcp://127.0.0.1:9", "scheduler tcp://127.0.0.1:9: no connection .*Is `dask scheduler` run")],
)  # fmt: skip
def test_a_scheduler_that_is_not_there(scheduler, match, bench, monkeypatch):
    from foqus_lib.experiment.workers import scheduler as module

    monkeypatch.setattr(module, "CONNECT", 1.0)
    with pytest.raises(ValueError, match=match):
        run(bench, [Job(nothing, ())], scheduler)


@pytest.mark.slow
def test_dask_is_imported_only_when_a_scheduler_is_named():
    code = "import sys, foqus_lib.experiment.sweep; sys.exit('dask' in ' '.join(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.slow
def test_a_worker_killed_in_a_job_costs_that_job_only(bench, tmp_path):
    """One is not replaced, the other goes on with all that is left."""
    jobs = [Job(compute, (name, 2.0)) for name in range(8)]
    jobs.append(Job(die_until, ("dies", 1, 1.0)))
    with cluster(tmp_path / "cluster") as made:
        victims = []

        def running(name):
            return runs(tmp_path, name) and f"{name}.result" not in results(tmp_path)

        def kill_one():
            while not victims:
                time.sleep(0.05)
                for name in filter(running, range(1, 8)):
                    time.sleep(0.5)  # the answer of the job before it has reached the driver
                    if running(name):
                        victims.append((int(runs(tmp_path, name)[0]), name))
                        os.kill(victims[0][0], signal.SIGKILL)
                        return

        thread = threading.Thread(target=kill_one)
        thread.start()
        made.workers.append(made.worker(nanny=True))
        made.all_there()
        found = run(bench, jobs, made.address)
        thread.join()
    assert set(found.values()) == {None}
    counts = {name: len(runs(tmp_path, name)) for name in range(8)}
    assert counts.pop(victims[0][1]) == 2 and set(counts.values()) == {1}
    assert len(runs(tmp_path, "dies")) == 2
    alone = bench_in(tmp_path / "alone")
    alone.root.mkdir()
    run(alone, jobs[:8], "")
    assert results(tmp_path) == results(alone.root)


def test_a_worker_whose_device_is_lost_ends_and_the_others_go_on(bench, tmp_path):
    with cluster(tmp_path / "cluster") as made:
        made.all_there()
        jobs = [Job(lose_device_once, ("loses",)), *(Job(compute, (n, 0.2)) for n in range(4))]
        assert set(run(bench, jobs, made.address).values()) == {None}
        [lost] = [worker for worker in made.workers if worker.poll() is not None]
    assert lost.returncode == 1 and len(set(runs(tmp_path, "loses"))) == 2
    assert "device: gone. This worker ends" in (tmp_path / "cluster" / "log").read_text()


@pytest.mark.slow
def test_a_job_that_kills_its_workers_is_given_up(bench, tmp_path):
    with cluster(tmp_path / "cluster", 0) as made:
        made.worker(nanny=True)
        found = run(bench, [Job(die_until, ("dies", 99, 0.5)), Job(compute, (1,))], made.address)
    assert found[1] is None
    assert "4 died one after another while they ran this job alone" in str(found[0])


@pytest.mark.slow
def test_workers_that_come_late_have_the_data_and_must_fit(bench, tmp_path):
    with cluster(tmp_path / "cluster", 0) as made:
        threading.Timer(1.0, made.worker).start()
        assert run(bench, [Job(compute, (0,))], made.address) == {0: None}
    with cluster(tmp_path / "another", 0) as made:
        threading.Timer(1.0, made.worker, [2]).start()
        with pytest.raises(ValueError, match="2 threads, expected 1: start it with --nthreads 1"):
            run(bench, [Job(compute, (0,))], made.address)


def once_begun(root, name, call, *arguments):
    """Call it as soon as that job runs, however slow the machine is today."""

    def wait():
        while not runs(root, name):
            time.sleep(0.05)
        call(*arguments)

    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.slow
def test_a_worker_that_dies_while_it_unpacks_the_data_costs_nobody_else(tmp_path):
    """The scheduler drops the driver's connection then."""
    with cluster(tmp_path / "cluster", 2) as made:
        made.all_there()
        found = run(DiesWithOne(tmp_path), [Job(compute, (n,)) for n in range(3)], made.address)
        assert made.workers[0].poll() is not None or made.workers[1].poll() is not None
    assert found == {0: None, 1: None, 2: None}


@pytest.mark.slow
def test_no_workers_and_a_lost_scheduler_end_with_the_way_to_go_on(bench, tmp_path, monkeypatch):
    from foqus_lib.experiment.workers import scheduler

    monkeypatch.setattr(scheduler, "NO_WORKERS", 2.0)
    monkeypatch.setattr(scheduler, "LOOK", 0.2)
    monkeypatch.setattr(scheduler, "CONNECT", 3.0)
    with cluster(tmp_path / "cluster", 1) as made:
        made.all_there()
        once_begun(tmp_path, 0, ended, made.workers[0])
        with pytest.raises(ValueError, match="no worker for 2 s. Start some: dask worker tcp://.*"
                           "--nthreads 1.* the same command goes on"):  # fmt: skip
            run(bench, [Job(compute, (0, 60.0))], made.address)
        made.workers = [made.worker()]
        made.all_there()
        began = time.monotonic()
        once_begun(tmp_path, 1, ended, made.scheduler)
        with pytest.raises(ValueError, match="the connection was lost.* the same command goes on"):
            run(bench, [Job(compute, (1, 60.0))], made.address)
        assert time.monotonic() - began < 60


@pytest.mark.slow
def test_a_worker_with_another_library_is_refused(bench, tmp_path):
    other = tmp_path / "other" / "foqus_lib"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text('__version__ = "0.0.1"\n')
    with cluster(tmp_path / "cluster", 0) as made:
        made.workers = [made.worker(environment={"PYTHONPATH": str(other.parent)})]
        made.all_there()
        with pytest.raises(ValueError, match="Install (foqus_lib|the same version)"):
            run(bench, [Job(compute, (0,))], made.address)


@pytest.mark.slow
def test_a_killed_driver_leaves_its_data_to_the_next(two, bench, tmp_path):
    code = (
        "from tests.working import *; from foqus_lib.experiment.workers import executed\n"
        f"for _ in executed(bench_in({str(tmp_path)!r}), [Job(compute, (7, 3.0))], 1, "
        f"{two.address!r}): pass"
    )
    driver = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    deadline = time.monotonic() + 120
    while not runs(tmp_path, 7):
        assert time.monotonic() < deadline and driver.poll() is None
        time.sleep(0.05)
    driver.kill()
    driver.wait()
    time.sleep(1)  # until the scheduler has seen it go
    run(bench, [Job(nothing, ())], two.address)
    assert not benches_at(two.address)

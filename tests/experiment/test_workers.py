"""Every job is yielded once, with what it raised, whatever dies; data reach workers by a file."""

import multiprocessing
import os
import pickle
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from foqus_lib.errors import DeviceLost
from foqus_lib.experiment.workers import bench_file, executed, local, one_thread
from tests.working import (
    Job,
    bench_in,
    change_numbers,
    compute,
    die_until,
    fail,
    fail_oddly,
    fill_disk,
    lose_device,
    mark,
    nothing,
    results,
    runs,
)  # fmt: skip

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A temporary folder of the test's own: what is left there afterwards was left by it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.iterdir()), "the data were left on the disk"
    assert not multiprocessing.active_children()


@pytest.fixture
def bench(tmp_path):
    return bench_in(tmp_path)


def run(bench, jobs, workers):
    """{place of a job: what it raised}; each exactly once, and the very objects that came in."""
    found = {}
    for job, error in executed(bench, jobs, workers):
        [place] = [i for i, each in enumerate(jobs) if each is job]
        assert place not in found
        found[place] = error
    assert sorted(found) == list(range(len(jobs)))
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_jobs_and_their_errors_are_yielded_once(workers, bench):
    jobs = [Job(compute, (0,)), Job(fail, (1,)), Job(fail_oddly, ()), Job(compute, (3,))]
    found = run(bench, jobs, workers)
    assert found[0] is None and found[3] is None
    assert isinstance(found[1], RuntimeError) and "job 1 has a bug" in str(found[1])
    assert "odd" in str(found[2])
    assert len(runs(bench.root, 0)) == 1 and results(bench.root)["0.result"].endswith(" 1")


@pytest.mark.slow
def test_an_error_tells_where_in_the_worker_it_arose(bench):
    found = run(bench, [Job(fail, (0,)), Job(fail_oddly, ())], 2)
    assert "in fail\n" in found[0].__notes__[0] and "in fail_oddly\n" in found[1].__notes__[0]
    assert type(found[1]) is RuntimeError and str(found[1]) == "Unpicklable: odd"


@pytest.mark.slow
def test_a_job_that_cannot_travel_is_its_own_failure(bench):
    found = run(bench, [Job(lambda bench: None, ()), Job(compute, (1,)), Job(compute, (2,))], 2)
    assert isinstance(found.pop(0), Exception) and set(found.values()) == {None}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("call, error", [(lose_device, DeviceLost), (fill_disk, OSError)])
def test_what_concerns_all_ends_the_sweep(workers, call, error, bench):
    with pytest.raises(error):
        list(executed(bench, [Job(call, ()), Job(call, ())], workers))


def test_this_process_does_it_on_a_gpu_and_keeps_the_callers_threads(bench):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        object.__setattr__(bench, "device", "cuda:0")
        for _, error in executed(bench, [Job(compute, (name,)) for name in range(2)], 4):
            assert error is None and torch.get_num_threads() == 2
        with one_thread():
            assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    assert runs(bench.root, 0) == [f"{os.getpid()} "]


@pytest.mark.slow
def test_processes_give_the_same_bits(bench, tmp_path):
    jobs = [Job(compute, (name,)) for name in range(6)]
    run(bench, jobs, 2)
    alone = bench_in(tmp_path / "alone")
    alone.root.mkdir()
    run(alone, jobs, 1)
    assert results(bench.root) == results(alone.root)


def test_a_killed_worker_costs_its_own_job_only(bench):
    """The other worker's process and job go on; finished jobs are not run again."""
    jobs = [Job(die_until, (bench_name, int(bench_name == "dies"))) for bench_name in
            ("first", "dies", "last")]  # fmt: skip
    jobs.insert(0, Job(compute, (0, 3.0)))  # runs while the other worker dies
    assert set(run(bench, jobs, 2).values()) == {None}
    assert [len(runs(bench.root, name)) for name in (0, "first", "dies", "last")] == [1, 1, 2, 1]


@pytest.mark.slow
def test_a_job_that_kills_every_worker_is_given_up(bench):
    jobs = [Job(die_until, ("dies", 99)), Job(compute, (1,)), Job(compute, (2,))]
    found = run(bench, jobs, 2)
    assert found.pop(1) is None and found.pop(2) is None
    assert "3 processes ended while they ran this job (killed by SIGKILL)" in str(found[0])
    assert len(runs(bench.root, "dies")) == local.ATTEMPTS


def killed_after(seconds, how_many):
    """A thread that kills the next spawned children, each so long after it appeared."""

    def watch():
        seen = set()
        while len(seen) < how_many and not stop.is_set():
            for child in multiprocessing.active_children():
                if child.pid not in seen and len(seen) < how_many:
                    seen.add(child.pid)
                    threading.Timer(seconds, lambda pid=child.pid: kill(pid)).start()
            time.sleep(0.002)

    stop = threading.Event()
    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return stop, thread


def kill(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.3, 1.0])
def test_workers_killed_while_they_start_are_replaced(seconds, tmp_path):
    """The data are larger than a pipe's buffer: sent through one, the driver waited for ever.

    On a quick machine the latest of the kills finds a worker at its job, which then runs again.
    """
    bench = bench_in(tmp_path, 2_000_000)
    stop, thread = killed_after(seconds, 3)
    began = time.monotonic()
    assert set(run(bench, [Job(compute, (name,)) for name in range(4)], 2).values()) == {None}
    stop.set()
    thread.join()
    ran = [len(runs(tmp_path, name)) for name in range(4)]
    assert time.monotonic() - began < 300 and min(ran) == 1 and sum(ran) <= 4 + 3, ran


def test_workers_that_never_start_end_with_a_message(tmp_path):
    stop, thread = killed_after(0.0, 99)
    with pytest.raises(ValueError, match=r"4 processes in a row ended while they started .*SIGKILL"
                       r".*run again with workers=1"):  # fmt: skip
        list(executed(bench_in(tmp_path), [Job(nothing, ())] * 3, 2))
    stop.set()
    thread.join()


def test_a_start_has_a_limit(bench, monkeypatch):
    monkeypatch.setattr(local, "START_LIMIT", 0.05)
    monkeypatch.setattr(local, "LOOK", 0.01)
    with pytest.raises(ValueError, match=r"did not start within 0.05 s.*run again with workers=1"):
        list(executed(bench, [Job(nothing, ())] * 2, 2))


@pytest.mark.slow
def test_a_caller_that_stops_reading_ends_the_workers(bench):
    jobs = [Job(nothing, ()), Job(compute, (1, 60.0)), Job(compute, (2, 60.0))]
    reading = executed(bench, jobs, 2)
    assert next(reading) == (jobs[0], None)
    began = time.monotonic()
    reading.close()
    assert time.monotonic() - began < 30 and not multiprocessing.active_children()


DRIVER = """
import sys, tempfile
from foqus_lib.experiment.workers import executed
from tests.working import Job, bench_in, compute
if __name__ == "__main__":
    jobs = [Job(compute, (name, 60.0 * (name > 0))) for name in range(3)]
    for job, error in executed(bench_in({root!r}), jobs, 2):
        print("one is done", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_driver_that_ends_leaves_neither_processes_nor_data(stop, tmp_path, temporary):
    script = tmp_path / "driver.py"
    script.write_text(DRIVER.format(root=str(tmp_path)))
    driver = subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert driver.stdout.readline() == "one is done\n"
    children = psutil.Process(driver.pid).children(recursive=True)
    driver.send_signal(stop)
    said = driver.communicate(timeout=120)[1]
    assert not psutil.wait_procs(children, timeout=60)[1], "orphans are still computing"
    deadline = time.monotonic() + 30
    while list(temporary.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert said.count("Traceback") == (stop == signal.SIGINT), said  # the workers say nothing


def test_a_written_bench_is_private_and_reads_the_same(tmp_path, temporary):
    bench = bench_in(tmp_path, 1001)
    much = {"bench": bench, "empty": np.empty((0, 2)), "view": bench.numbers[::2], "text": "x"}
    with bench_file.written(much) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
        first, second = bench_file.read(folder), bench_file.read(folder)
        assert first["text"] == "x" and first["empty"].shape == (0, 2)
        np.testing.assert_array_equal(first["view"], bench.numbers[::2])
        np.testing.assert_array_equal(first["bench"].numbers, bench.numbers)
        first["bench"].numbers[:] = 0  # changes nobody else's
        np.testing.assert_array_equal(second["bench"].numbers, bench.numbers)
        np.testing.assert_array_equal(bench_file.read(folder)["bench"].numbers, bench.numbers)


def test_a_bench_without_arrays(temporary):
    with bench_file.written({"device": "cpu"}) as folder:
        assert bench_file.read(folder) == {"device": "cpu"}


def test_what_a_killed_sweep_left_is_removed_and_what_runs_is_kept(temporary):
    left = temporary / f"{bench_file.PREFIX}left"
    left.mkdir()
    (left / "arrays").write_bytes(b"0")
    with bench_file.written("running") as running:
        for folder in (left, running):
            os.utime(folder, (0, 0))
        with bench_file.written("another"):
            assert not left.exists() and bench_file.read(running) == "running"


def test_where_there_are_no_users_and_no_locks_nothing_is_removed(temporary, monkeypatch):
    left = temporary / f"{bench_file.PREFIX}left"
    left.mkdir()
    monkeypatch.delattr(os, "getuid")  # as on Windows
    bench_file._remove_abandoned()
    left.rmdir()  # it was left alone


def test_a_full_disk_is_explained(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bench_file, "_private", full)
    with pytest.raises(OSError, match="disk full, .* bytes needed"):
        list(executed(bench_in(tmp_path), [Job(nothing, ())] * 2, 2))


@pytest.mark.slow
def test_a_job_that_writes_into_the_data_disturbs_no_other_process(bench):
    before = bench.numbers.copy()
    jobs = [Job(change_numbers, (name,)) for name in range(2)]
    assert set(run(bench, jobs, 2).values()) == {None}
    np.testing.assert_array_equal(bench.numbers, before)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="counts as Linux does")
def test_processes_share_the_pages_of_the_data(tmp_path):
    """A worker's own memory grows by far less than the data it reads."""
    bench = bench_in(tmp_path, 12_500_000)  # 100 MB
    list(executed(bench, [Job(own_memory, (name,)) for name in range(2)], 2))
    for name in range(2):
        grown = int(runs(tmp_path, name)[0].split()[1])
        assert grown < 30_000_000


def own_memory(bench, name):
    before = private()
    bench.numbers.sum()
    mark(bench, name, str(private() - before))


def private():
    """Bytes that are in no file and that no other process shares."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Anonymous:"))


def test_pickled_errors_keep_their_notes():
    from foqus_lib.experiment.workers.job import fit_to_travel

    for error in (ValueError("x"), OSError(28, "full", "file"), DeviceLost("gone")):
        with suppress(type(error)):
            raise error
        back = pickle.loads(pickle.dumps(fit_to_travel(error)))
        assert type(back) is type(error) and back.args == error.args and back.__notes__

"""A sweep finishes a grid, whatever happened to the last one, and repeats nothing."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from foqus_lib.experiment import artifacts, rows, store, sweep, workers
from foqus_lib.experiment.plan import OF_A_WORKER
from foqus_lib.experiment.store import frame
from foqus_lib.experiment.workers import executed
from foqus_lib.selection.catalog import CATALOG
from foqus_lib.studies.coreset import records, run
from foqus_lib.studies.coreset.grid import CORESET
from tests.studies import tiny

LONG = replace(tiny.OPTIONS, epochs=60, batch=8)  # seconds a trial: time to be killed in it


@pytest.fixture
def bench(task, tmp_path):
    return tiny.bench(task, tmp_path)


@pytest.fixture(scope="module")
def trials(task):
    return tiny.trials(task, seeds=2)


@pytest.fixture(scope="module")
def finished(task, trials, tmp_path_factory):
    made = tiny.bench(task, tmp_path_factory.mktemp("finished"))
    tiny.run(made, trials)
    return made


def test_a_second_sweep_does_nothing(finished, trials, monkeypatch):
    before = {path: path.stat().st_mtime_ns for path in finished.root.rglob("*.json")}
    monkeypatch.setattr(workers, "_outcomes", None)
    said = []
    found = tiny.run(finished, trials, progress=said.append)
    assert len(found.complete) == 12 and not found.missing and found.note == ""
    assert {path: path.stat().st_mtime_ns for path in finished.root.rglob("*.json")} == before
    assert said == ["all 12 trials are stored"]


@pytest.mark.slow
def test_two_processes_give_the_same_table(bench, finished, trials):
    tiny.run(bench, trials, 2)
    assert tiny.accuracies(bench, trials) == tiny.accuracies(finished, trials)


def test_a_grid_that_grew_runs_only_what_is_new(task, bench, finished, trials):
    tiny.run(bench, tiny.trials(task))
    kept = {path: path.read_bytes() for path in bench.root.rglob("*.json")}
    tiny.run(bench, trials)
    assert tiny.accuracies(bench, trials) == tiny.accuracies(finished, trials)
    assert all(path.read_bytes() == content for path, content in kept.items())


def test_progress_counts_to_the_end_and_estimates(task, bench):
    said = []
    tiny.run(bench, tiny.trials(task), progress=said.append)
    first = "0 of 6 trials are stored. To do: 1 training that others need and 6 trials in 3 groups"
    assert said[0].startswith(first)
    assert said[1].startswith("1 of 1 training that others need,")
    assert "about 0 s left" in said[1]
    assert said[-1].startswith("3 of 3 groups of trials,")


def test_what_is_left_counts_the_jobs_of_a_stage_and_the_stages_to_come(task, bench, monkeypatch):
    """However many workers there are: a record's last one does not leave hours of trials at 0 s."""
    now, said = [0.0], []

    def in_ten_seconds(bench, jobs, workers, scheduler):
        for job in jobs:
            now[0] += 10.0
            yield from executed(bench, [job], 1)

    def jobs(bench, missing):
        times = zip(CORESET.jobs(bench, missing), (500.0, 100.0), strict=True)
        return [
            [replace(job, kind=(each,), cost=1.0, probe=lambda _, job: job.kind[0]) for job in some]
            for some, each in times
        ]

    monkeypatch.setattr(sweep, "executed", in_ten_seconds)
    monkeypatch.setattr(sweep, "time", SimpleNamespace(monotonic=lambda: now[0]))
    study, roomy = replace(CORESET, jobs=jobs), replace(bench, memory=99 * OF_A_WORKER)
    sweep.sweep(study, roomy, tiny.trials(task), 8, said.append, probed_from=0)
    assert ", about 10 min with 8 workers and " in said[0]
    assert said[1:] == [
        "1 of 1 training that others need, 10 s, about 100 s left",
        "1 of 3 groups of trials, 10 s, about 20 s left",
        "2 of 3 groups of trials, 20 s, about 10 s left",
        "3 of 3 groups of trials, 30 s, about 0 s left",
    ]


def test_a_long_training_gives_a_sign_of_life(task, bench, monkeypatch):
    """Nothing finishes for a quarter of an hour, and somebody wonders whether it hangs."""
    said, waited = [], threading.Event()

    def slowly(bench, jobs, workers, scheduler):
        assert waited.wait(10)
        return executed(bench, jobs, workers, scheduler)

    def progress(text):
        said.append(text)
        if text.startswith("still running"):
            waited.set()

    monkeypatch.setattr("foqus_lib.experiment.sweep.EVERY", 0.02)
    monkeypatch.setattr(sweep, "executed", slowly)
    assert not tiny.run(bench, tiny.trials(task), progress=progress).missing
    assert said[1].startswith("still running: 0 of 1 training that others need, ")
    spoken = [text for text in said if not text.startswith("still running")]
    assert spoken[-1].startswith("3 of 3 groups of trials,")
    assert "heartbeat" not in {thread.name for thread in threading.enumerate()}


def test_who_speaks_needs_no_sign_of_life():
    beats = []
    with sweep.heartbeat(lambda: beats.append(1), every=2.0) as spoken:
        spoken.set()
        while spoken.is_set():  # until the first look at it
            time.sleep(0.005)
    assert not beats


def test_a_job_that_the_plan_did_not_know_does_not_stop_the_sweep(task, bench):
    """On a GPU a job is of as many trials as are missing, and another sweep may make some."""
    asked = []

    def jobs(bench, missing):
        first, (one, *others) = CORESET.jobs(bench, missing)
        asked.append(len(missing))
        return [first, [replace(one, kind=("alone",)) if len(asked) > 1 else one, *others]]

    study, trials = replace(CORESET, jobs=jobs), tiny.trials(task)
    assert not sweep.sweep(study, bench, trials, probed_from=0).missing and len(asked) == 2


@pytest.mark.parametrize(("stored", "times"), [(False, 2), (True, 1)])
def test_jobs_are_looked_for_again_only_after_a_stage_that_made_something(
    stored, times, task, bench
):
    """To look for them is to read every record whole."""
    asked = []
    study = replace(CORESET, jobs=lambda *given: asked.append(given) or CORESET.jobs(*given))
    if stored:
        records.collect_evidence(bench, "CNN1D", [0])
    assert not sweep.sweep(study, bench, tiny.trials(task)).missing and len(asked) == times


def test_a_sweep_takes_away_what_killed_trainings_left_a_month_ago(task, bench):
    folder = artifacts.partial(bench.root, [bench.evidence_key("CNN1D", 9)])
    folder.mkdir(parents=True)
    os.utime(folder, (0, 0))
    tiny.run(bench, tiny.trials(task, methods=("Uniform",), rates=(0.25,)))
    assert not folder.exists()


def test_one_failing_method_does_not_stop_the_others(task, bench, monkeypatch):
    def broken(evidence):
        raise RuntimeError("a method with a bug")

    monkeypatch.setitem(CATALOG, "Margin", broken)
    trials = tiny.trials(task, seeds=2)
    found = tiny.run(bench, trials)
    assert len(found.complete) == 8 and len(found.failed) == 4
    assert all("a method with a bug" in why for why in found.failed.values())
    assert found.note.endswith("(4 failed, 0 quarantined; RuntimeError: a method with a bug)")
    assert len(frame(bench.root, CORESET, trials)) == 8


def test_a_failed_trial_is_tried_again_by_the_next_sweep(task, bench, monkeypatch):
    trials = tiny.trials(task, methods=("Margin",))
    with monkeypatch.context() as patch:
        patch.setitem(CATALOG, "Margin", lambda evidence: 1 / 0)
        assert len(tiny.run(bench, trials).failed) == 2
    found = tiny.run(bench, trials)
    assert found.complete == trials and not found.failed


def diverging(seeds):
    """`collect` in which the trainings of these seeds diverge."""
    real = records.collect

    def some(build, signals, names, *rest, **more):
        found = real(build, signals, names, *rest, **more)
        bad = [any(name.endswith(f" {seed}") for seed in seeds) for name in names]
        return [ValueError("selection training: its loss is not finite from epoch 2") if b else one
                for b, one in zip(bad, found, strict=True)]  # fmt: skip

    return some


def test_one_diverged_selection_seed_leaves_all_the_others(task, bench, monkeypatch, tmp_path):
    trials = tiny.trials(task, methods=("Uniform", "FoQuS"), seeds=3)
    with monkeypatch.context() as patch:
        patch.setattr(records, "collect", diverging([2]))
        found = tiny.run(bench, trials)
    lost = {one for one in trials if one.method == "FoQuS" and one.seed == 2}
    assert set(found.failed) == set(found.missing) == lost
    assert all("not finite from epoch 2" in why for why in found.failed.values())
    assert found.note.startswith("10 of 12 trials (2 failed, 0 quarantined; ")
    assert "loss is not finite" in found.note
    with pytest.raises(ValueError, match="10 of 12 trials .*not finite"):
        rows.export(bench.root, CORESET, trials, tmp_path / "rows.csv")
    assert not list((bench.root / "partial").glob("*"))  # the next sweep begins it anew
    key = bench.evidence_key("CNN1D", 2)
    assert artifacts.find_arrays(bench.root, key) is None
    began = []
    real = records.collect
    monkeypatch.setattr(records, "collect", lambda *a, **k: began.append(a[2]) or real(*a, **k))
    again = tiny.run(bench, trials)
    assert again.complete == trials and not again.failed and again.note == ""
    assert began == [[records.select_name(task.fingerprint, "CNN1D", 2)]]  # and no other seed


def test_a_training_that_diverges_for_real_says_so_in_the_scan(task, bench):
    wild = replace(bench, collection=replace(
        bench.collection, recipe=replace(bench.collection.recipe, lr=1e30)))  # fmt: skip
    options = tiny.OPTIONS
    trials = [
        replace(one, settings=tuple(
            (name, str(wild.collection) if name == "selection_recipe" and value != "-" else value)
            for name, value in one.settings))
        for one in tiny.trials(task, options, methods=("Uniform", "FoQuS"))
    ]  # fmt: skip
    found = tiny.run(wild, trials)
    assert [one.method for one in found.complete] == ["Uniform", "Uniform"]
    assert "not finite from epoch" in found.note and len(found.failed) == 2


def test_a_job_that_raises_fails_only_the_trials_it_left(task, bench, monkeypatch):
    real, first = run.train_trials, []

    def breaking(bench, group):
        first.append(group[0])
        real(bench, group[:1])
        raise RuntimeError("a bug in the job")

    monkeypatch.setattr(run, "train_trials", breaking)
    found = tiny.run(bench, tiny.trials(task, methods=("Uniform",), seeds=2))
    assert len(first) == 2 and set(found.complete) == set(first)
    assert len(found.failed) == 2 and "RuntimeError: a bug in the job" in found.note


def test_a_record_whose_making_raises_tells_the_trials_why(task, bench, monkeypatch):
    def broken(*given, **more):
        raise RuntimeError("a bug in the training")

    monkeypatch.setattr(records, "collect", broken)
    found = tiny.run(bench, tiny.trials(task, methods=("Uniform", "FoQuS")))
    assert [one.method for one in found.complete] == ["Uniform", "Uniform"]
    assert all("a bug in the training" in why for why in found.failed.values())


def test_what_a_job_raised_is_told_before_it_is_kept_on_a_disk_that_is_full(
    task, bench, monkeypatch
):
    def broken(*given, **more):
        raise RuntimeError("a bug in the training")

    def full(*given):
        raise OSError(28, "no space left")

    said = []
    monkeypatch.setattr(records, "collect", broken)
    monkeypatch.setattr(store, "fail", full)
    with pytest.raises(OSError, match="no space left"):
        tiny.run(bench, tiny.trials(task), progress=said.append)
    assert said[-1].endswith("; failed: a bug in the training")


def test_a_results_folder_that_cannot_be_written_is_refused_first(task, bench, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(ValueError, match="file: expected a results folder that can be written to"):
        tiny.run(replace(bench, root=blocked), tiny.trials(task))


SCRIPT = """
import sys, pathlib, time
import numpy as np
sys.path.insert(0, {root!r})
from tests.experiment.test_sweep import LONG
from tests.studies import tiny
from foqus_lib.datasets.catalog import Task
from foqus_lib.signals import Signals
if __name__ == "__main__":
    data = np.load({data!r})
    def part(name):
        return Signals(data[name + "_iq"], data[name + "_label"], data[name + "_snr"],
                       ("low", "mid", "high"))
    task = Task("tones", True, part("train"), part("test"), data["rows"], "0" * 64, "Tones.")
    tiny.run(tiny.bench(task, pathlib.Path({store!r}), LONG), tiny.trials(task, LONG, seeds=2), 2,
             lambda text: print(text, flush=True))
"""


def start(task, folder: Path) -> subprocess.Popen:
    import numpy as np

    arrays = {"rows": task.train_rows}
    for name, part in (("train", task.train), ("test", task.test)):
        arrays |= {f"{name}_{field}": getattr(part, field) for field in ("iq", "label", "snr")}
    np.savez(folder / "data.npz", **arrays)
    script = folder / "go.py"
    root = str(Path(__file__).resolve().parents[2])
    script.write_text(
        SCRIPT.format(root=root, data=str(folder / "data.npz"), store=str(folder / "store"))
    )
    return subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a shell's background jobs ignore SIGINT, and so would all that they start
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def command_of(pid: int) -> bytes:
    """Nothing of a process that has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def alive(pid: int) -> bool:
    """Running, and not only a zombie that nobody has collected."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def descendants(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout
    children = [int(line) for line in found.split()]
    return children + [below for child in children for below in descendants(child)]


@pytest.fixture(scope="module")
def undisturbed(task, tmp_path_factory):
    made = tiny.bench(task, tmp_path_factory.mktemp("undisturbed"), LONG)
    trials = tiny.trials(task, LONG, seeds=2)
    tiny.run(made, trials, 2)
    return tiny.accuracies(made, trials)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_killed_sweep_resumes_without_repeating(stop, task, undisturbed, tmp_path):
    """Killed in the middle: no orphans, nothing lost, nothing run twice, the same table."""
    driver = start(task, tmp_path)
    for line in driver.stdout:
        if re.match(r"[1-9]\d* of \d+ groups of trials", line):  # at least one is published
            break
    workers_then = descendants(driver.pid)
    os.kill(driver.pid, stop)
    assert driver.wait(60) != 0
    driver.stdout.close()
    deadline = time.monotonic() + 60
    while any(map(alive, workers_then)):
        assert time.monotonic() < deadline, "orphans are still computing"
        time.sleep(0.2)
    trials, bench = tiny.trials(task, LONG, seeds=2), tiny.bench(task, tmp_path / "store", LONG)
    kept = {path: path.read_bytes() for path in (bench.root / "trials").rglob("*.json")}
    assert 0 < len(store.scan(bench.root, trials).complete) < len(trials)
    tiny.run(bench, trials)
    assert all(path.read_bytes() == content for path, content in kept.items())
    assert tiny.accuracies(bench, trials) == undisturbed


@pytest.mark.slow
def test_a_killed_worker_is_replaced(task, undisturbed, tmp_path):
    driver = start(task, tmp_path)
    killed = 0
    for line in driver.stdout:
        if "left" in line and killed < 2:
            spawned = [pid for pid in descendants(driver.pid) if b"spawn_main" in command_of(pid)]
            if spawned:  # none between the two stages, or one that has just ended
                with suppress(ProcessLookupError):
                    os.kill(spawned[-1], signal.SIGKILL)
                    killed += 1
    assert driver.wait(120) == 0 and killed == 2
    driver.stdout.close()
    bench = tiny.bench(task, tmp_path / "store", LONG)
    assert tiny.accuracies(bench, tiny.trials(task, LONG, seeds=2)) == undisturbed

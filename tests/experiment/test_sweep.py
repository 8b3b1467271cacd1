"""A sweep finishes a grid, whatever happened to the last one, and repeats nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from foqus_lib.experiment import store, sweep, workers
from foqus_lib.experiment.cell import grid
from foqus_lib.training.collect import Collection
from foqus_lib.training.recipe import Recipe

COLLECTION = Collection(Recipe(epochs=2, batch=32), early_runs=1, early_epochs=1)
EVALUATION = Recipe(epochs=1, batch=16)
LONG = Recipe(epochs=60, batch=8)  # seconds a cell: time to be killed in the middle


def cells_of(task, methods=("Uniform", "FoQuS", "Margin"), seeds=(0, 1), recipe=EVALUATION):
    return grid(
        dataset=task.name,
        fingerprint=task.fingerprint,
        pairs=[("CNN1D", "CNN1D")],
        methods=methods,
        rates=[0.25, 0.5],
        seeds=seeds,
        selection_recipe=str(COLLECTION),
        evaluation_recipe=str(recipe),
    )


def run(task, cells, root, count=1, progress=lambda text: None, recipe=EVALUATION):
    return sweep.sweep(task, cells, COLLECTION, recipe, root, "cpu", count, progress)


def accuracies(root, cells):
    return store.frame(root, cells).accuracy.tolist()


@pytest.fixture(scope="module")
def finished(task, tmp_path_factory):
    root = tmp_path_factory.mktemp("finished")
    run(task, cells_of(task), root)
    return root


def test_a_second_sweep_does_nothing(task, finished, monkeypatch):
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*.json")}
    monkeypatch.setattr(workers, "_outcomes", None)
    said = []
    found = run(task, cells_of(task), finished, progress=said.append)
    assert len(found.complete) == 12 and not found.missing
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*.json")} == before
    assert said == ["all 12 cells are stored: nothing to do"]


def test_two_processes_give_the_same_table(task, finished, tmp_path):
    run(task, cells_of(task), tmp_path, count=2)
    assert accuracies(tmp_path, cells_of(task)) == accuracies(finished, cells_of(task))


def test_a_grid_that_grew_runs_only_what_is_new(task, finished, tmp_path):
    half = cells_of(task, seeds=(0,))
    run(task, half, tmp_path)
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
    run(task, cells_of(task), tmp_path)
    assert accuracies(tmp_path, cells_of(task)) == accuracies(finished, cells_of(task))
    assert all(path.read_bytes() == content for path, content in kept.items())


def test_progress_counts_to_the_end_and_estimates(task, tmp_path):
    said = []
    run(task, cells_of(task, seeds=(0,)), tmp_path, progress=said.append)
    assert (
        "0 of 6 cells are stored. To do: 1 selection trainings and 6 cells in 3 groups" in said[0]
    )
    assert said[1].startswith("1 of 1 selection trainings,") and "about 0 s left" in said[1]
    assert "visits/s" in said[1]
    assert said[-1].startswith("3 of 3 cell groups,")


def test_one_failing_method_does_not_stop_the_others(task, tmp_path, monkeypatch):
    from foqus_lib.selection.catalog import METHODS

    def broken(evidence):
        raise RuntimeError("a method with a bug")

    monkeypatch.setitem(METHODS, "Margin", broken)
    with pytest.raises(ValueError, match=r"4 of 12 cells failed.*Margin.*a method with a bug"):
        run(task, cells_of(task), tmp_path)
    assert len(store.frame(tmp_path, cells_of(task))) == 8


def test_a_results_folder_that_cannot_be_written_is_refused_first(task, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(ValueError, match="file: expected a results folder that can be written to"):
        run(task, cells_of(task), blocked)


SCRIPT = """
import sys, pathlib, time
import numpy as np
sys.path.insert(0, {root!r})
from tests.experiment.test_sweep import COLLECTION, LONG, cells_of
from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.sweep import sweep
from foqus_lib.signals import Signals
if __name__ == "__main__":
    data = np.load({data!r})
    def part(name):
        return Signals(data[name + "_iq"], data[name + "_label"], data[name + "_snr"],
                       ("low", "mid", "high"))
    task = Task("tones", True, part("train"), part("test"), data["rows"], "0" * 64, "Tones.")
    sweep(task, cells_of(task, recipe=LONG), COLLECTION, LONG, pathlib.Path({store!r}), "cpu", 2,
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


def descendants(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout
    children = [int(line) for line in found.split()]
    return children + [below for child in children for below in descendants(child)]


@pytest.fixture(scope="module")
def undisturbed(task, tmp_path_factory):
    root = tmp_path_factory.mktemp("undisturbed")
    cells = cells_of(task, recipe=LONG)
    run(task, cells, root, 2, recipe=LONG)
    return accuracies(root, cells)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_killed_sweep_resumes_without_repeating(stop, task, undisturbed, tmp_path):
    """Killed in the middle: no orphans, nothing lost, nothing run twice, the same table."""
    driver = start(task, tmp_path)
    for line in driver.stdout:
        if "cell groups" in line:  # at least one cell is published
            break
    workers_then = descendants(driver.pid)
    os.kill(driver.pid, stop)
    assert driver.wait(20) != 0
    driver.stdout.close()
    deadline = time.monotonic() + 15
    while any(Path(f"/proc/{pid}").exists() for pid in workers_then):
        assert time.monotonic() < deadline, "orphans are still computing"
        time.sleep(0.2)
    cells = cells_of(task, recipe=LONG)
    root = tmp_path / "store"
    kept = {path: path.read_bytes() for path in (root / "cells").rglob("*.json")}
    assert 0 < len(store.scan(root, cells).complete) < len(cells)
    run(task, cells, root, recipe=LONG)
    assert all(path.read_bytes() == content for path, content in kept.items())
    assert accuracies(root, cells) == undisturbed


@pytest.mark.slow
def test_a_killed_worker_is_replaced(task, undisturbed, tmp_path):
    driver = start(task, tmp_path)
    killed = 0
    for line in driver.stdout:
        if "left" in line and killed < 2:
            spawned = [pid for pid in descendants(driver.pid) if b"spawn_main" in
                       Path(f"/proc/{pid}/cmdline").read_bytes()]  # fmt: skip
            if spawned:  # none between the two stages
                os.kill(spawned[-1], signal.SIGKILL)
                killed += 1
    assert driver.wait(60) == 0 and killed == 2
    driver.stdout.close()
    assert accuracies(tmp_path / "store", cells_of(task, recipe=LONG)) == undisturbed

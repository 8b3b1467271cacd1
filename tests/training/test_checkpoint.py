"""A selection training that is killed goes on at its last epoch, and leaves the same evidence."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from foqus_lib.durable import sync
from foqus_lib.evidence import to_arrays
from foqus_lib.models import MODELS
from foqus_lib.training import checkpoint
from foqus_lib.training.collect import Collection, collect
from foqus_lib.training.fit import fit
from foqus_lib.training.predict import predict
from foqus_lib.training.recipe import Recipe

SMALL = Collection(Recipe(epochs=4, batch=32), early_runs=1, early_epochs=1)
BUILD = MODELS["CNN1D"]  # has dropout


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)


class Killed(BaseException):
    pass


def killed_in(epoch):
    def progress(text):
        if text.startswith(f"epoch {epoch} "):
            raise Killed

    return progress


def same(one, other):
    for name, array in to_arrays(one).items():
        np.testing.assert_array_equal(array, to_arrays(other)[name], err_msg=name)


@pytest.mark.parametrize("epoch", [1, 2, 4])
def test_interrupted_and_resumed_is_the_same_to_the_last_bit(epoch, tones, tmp_path, always):
    (whole, _), *_ = collect(BUILD, tones, ["a"], SMALL)
    with pytest.raises(Killed):
        collect(BUILD, tones, ["a"], SMALL, progress=killed_in(epoch), keep=tmp_path)
    said = []
    (resumed, _), *_ = collect(BUILD, tones, ["a"], SMALL, progress=said.append, keep=tmp_path)
    assert said[0].startswith(f"epoch {epoch} of 4")  # the one it was killed in, not the first
    same(whole, resumed)


def test_a_finished_training_is_not_repeated(tones, tmp_path, always):
    collect(BUILD, tones, ["a"], SMALL, keep=tmp_path)
    said = []
    (again, _), *_ = collect(BUILD, tones, ["a"], SMALL, progress=said.append, keep=tmp_path)
    assert not said
    (whole, _), *_ = collect(BUILD, tones, ["a"], SMALL)
    same(whole, again)


def test_a_stack_resumes_too(tones, tmp_path, always):
    rows, seeds, recipe = [np.arange(50)] * 3, list("abc"), SMALL.recipe

    def stop(replicas, network, epoch):
        if epoch == 2:
            raise Killed

    whole = fit(BUILD, tones, rows, seeds, recipe, together=3)
    with pytest.raises(Killed):
        fit(BUILD, tones, rows, seeds, recipe, after_epoch=stop, together=3, keep=tmp_path)
    seen = []
    found = fit(
        BUILD, tones, rows, seeds, recipe, after_epoch=lambda r, n, epoch: seen.append(epoch),
        together=3, keep=tmp_path,
    )  # fmt: skip
    assert seen == [2, 3]
    assert torch.equal(predict(whole.networks[0], tones)[0], predict(found.networks[0], tones)[0])


@pytest.mark.parametrize("damage", [b"", b"\0" * 500], ids=["cut short", "zeros"])
def test_a_damaged_state_starts_anew(damage, tones, tmp_path, always, caplog):
    with pytest.raises(Killed):
        collect(BUILD, tones, ["a"], SMALL, progress=killed_in(3), keep=tmp_path)
    [path] = tmp_path.glob("*.pt")
    path.write_bytes(path.read_bytes()[:40] + damage)
    said = []
    collect(BUILD, tones, ["a"], SMALL, progress=said.append, keep=tmp_path)
    assert (
        said[0].startswith("epoch 1 of 4") and "damaged; this training starts anew" in caplog.text
    )


def test_a_state_of_another_torch_starts_anew(tones, tmp_path, always, caplog, monkeypatch):
    with pytest.raises(Killed):
        collect(BUILD, tones, ["a"], SMALL, progress=killed_in(3), keep=tmp_path)
    monkeypatch.setattr(torch, "__version__", "9.9")
    said = []
    collect(BUILD, tones, ["a"], SMALL, progress=said.append, keep=tmp_path)
    assert said[0].startswith("epoch 1 of 4") and "this training starts anew" in caplog.text


def test_a_record_reaches_the_disk_before_the_state_that_counts_on_it(
    tones, tmp_path, always, monkeypatch
):
    order = []
    monkeypatch.setattr(checkpoint, "sync", lambda path: order.append(path.stem))
    monkeypatch.setattr(checkpoint, "replace", lambda path, content: order.append("state"))
    fit(BUILD, tones, [np.arange(50)], ["a"], Recipe(epochs=1), keep=tmp_path)
    assert order == ["state"]  # nothing is recorded beside it
    order.clear()
    collect(BUILD, tones, ["a"], SMALL, progress=killed_in(9), keep=tmp_path)
    assert sorted(order[:4]) == ["correct", "drift", "loss", "margin"] and order[4] == "state"


def test_another_sweep_that_ends_first_may_take_the_folder_away(
    tones, tmp_path, always, monkeypatch
):
    def taken_away(path):
        shutil.rmtree(tmp_path)
        sync(path)

    monkeypatch.setattr(checkpoint, "sync", taken_away)
    [found] = collect(BUILD, tones, ["a"], SMALL, keep=tmp_path)
    assert not isinstance(found, ValueError)


def test_the_disk_has_room_for_the_record_before_an_epoch_is_trained(tones, tmp_path, monkeypatch):
    """A page of a mapped file that finds no room is a bus error: nothing could be said."""
    with pytest.raises(Killed):
        collect(BUILD, tones, ["a"], SMALL, progress=killed_in(1), keep=tmp_path / "kept")
    sizes = [path.stat() for path in (tmp_path / "kept").glob("*.npy")]
    assert len(sizes) == 4 and all(512 * one.st_blocks >= one.st_size for one in sizes)

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"correct\.npy: disk full, 384 bytes needed"):
        collect(BUILD, tones, ["a"], SMALL, keep=tmp_path / "full")
    assert not list((tmp_path / "full").iterdir())


@pytest.mark.parametrize("left", ["no loss", "a state alone"])
def test_a_state_whose_record_is_gone_is_no_state(left, tones, tmp_path, always):
    """The second is what a sweep leaves whose folder another one took away meanwhile."""
    (whole, _), *_ = collect(BUILD, tones, ["a"], SMALL)
    with pytest.raises(Killed):
        collect(BUILD, tones, ["a"], SMALL, progress=killed_in(3), keep=tmp_path)
    for record in tmp_path.glob("loss.npy" if left == "no loss" else "*.npy"):
        record.unlink()
    said = []
    (again, _), *_ = collect(BUILD, tones, ["a"], SMALL, progress=said.append, keep=tmp_path)
    assert said[0].startswith("epoch 1 of 4")
    same(whole, again)


def test_a_folder_that_was_taken_away_is_not_made_again_for_a_state(tones, tmp_path, always):
    keep = tmp_path / "partial"

    def take_away(text):
        if text.startswith("epoch 2 "):
            shutil.rmtree(keep)

    short = Collection(Recipe(epochs=4, batch=32), early_runs=0)
    [(found, _)] = collect(BUILD, tones, ["a"], short, progress=take_away, keep=keep)
    assert found.loss.shape[0] == 4 and not keep.exists()


def test_a_record_that_lacks_an_epoch_of_its_state_is_noticed(tones, tmp_path, always):
    with pytest.raises(Killed):
        collect(BUILD, tones, ["a"], SMALL, progress=killed_in(3), keep=tmp_path)
    np.load(tmp_path / "loss.npy", mmap_mode="r+")[0, 0] = np.nan
    [found] = collect(BUILD, tones, ["a"], SMALL, keep=tmp_path)
    assert str(found).startswith(f"{tmp_path}: its record does not belong to its state")
    assert "Delete it" in str(found)


def test_states_are_kept_now_and_then_not_every_epoch(tones, tmp_path):
    collect(BUILD, tones, ["a"], SMALL, keep=tmp_path)  # seconds: nothing worth keeping
    assert not list(tmp_path.glob("*.pt"))


SCRIPT = """
import sys, pathlib
import numpy as np, torch
torch.set_num_threads(1)
from foqus_lib.evidence import to_arrays
from foqus_lib.models import MODELS
from foqus_lib.signals import Signals
from foqus_lib.training import checkpoint
from foqus_lib.training.collect import Collection, collect
from foqus_lib.training.recipe import Recipe
checkpoint.EVERY_S = 0.0
data = np.load(sys.argv[1])
tones = Signals(data["iq"], data["label"], data["snr"], ("low", "mid", "high"))
how = Collection(Recipe(epochs=40, batch=8), early_runs=1, early_epochs=1)
[(found, _)] = collect(MODELS["CNN1D"], tones, ["a"], how, progress=lambda t: print(t, flush=True),
                       keep=pathlib.Path(sys.argv[2]))
np.savez(sys.argv[3], **to_arrays(found))
"""


@pytest.mark.slow
def test_kill_9_at_any_moment(tones, tmp_path):
    """Killed again and again, a little later each time, until it gets through."""
    script, data = tmp_path / "go.py", tmp_path / "data.npz"
    script.write_text(SCRIPT)
    np.savez(data, iq=tones.iq, label=tones.label, snr=tones.snr)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}

    def start(keep, out):
        command = [sys.executable, str(script), str(data), str(keep), str(out)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    whole = start(tmp_path / "whole", tmp_path / "whole.npz")
    assert len(whole.communicate()[0].splitlines()) == 40
    kills, out = 0, tmp_path / "killed.npz"
    while not out.exists():
        one = start(tmp_path / "kept", out)
        for _line in one.stdout:
            time.sleep(0.03 * (kills % 7))
            if kills < 6:
                one.send_signal(signal.SIGKILL)
                kills += 1
                break
        one.communicate()
    assert kills == 6
    with np.load(tmp_path / "whole.npz") as a, np.load(out) as b:
        for name in a.files:
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.SGD])
def test_a_state_of_another_device_leaves_the_learning_rate_where_graphs_read_it(kind):
    """Begun on a CPU, where it is a number, a captured step would keep that number for ever."""
    of_cpu = {} if kind is torch.optim.Adam else {"momentum": 0.9}
    of_gpu = {"capturable": True} if kind is torch.optim.Adam else of_cpu
    here, there = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
    begun = kind(here.parameters(), 0.1, fused=True, **of_cpu)
    here(torch.ones(1, 2)).sum().backward()
    begun.step()
    rate = torch.tensor(0.1)
    going_on = kind(there.parameters(), rate, fused=True, **of_gpu)
    state = checkpoint.state_of(here, begun, [], 1, {})
    assert checkpoint.put_back(state, there, going_on, []) == (1, {})
    [group] = going_on.param_groups
    assert group["lr"] is rate and group.get("capturable", True)
    assert len(going_on.state) == 2 and torch.equal(here.weight, there.weight)

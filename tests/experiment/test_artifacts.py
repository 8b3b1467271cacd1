"""Evidence on disk: whole or absent, checked on every look, first writer wins (S06)."""

import os
import time
from multiprocessing import get_context

import numpy as np
import pytest

from foqus_lib.errors import Diverged
from foqus_lib.experiment import store
from foqus_lib.experiment.artifacts import (
    find_arrays,
    load_arrays,
    needed,
    partial,
    provenance_of,
    save_arrays,
    sweep_partial,
)

KEY = {"dataset": "d", "fingerprint": "f", "model": "CNN1D", "seed": 0, "recipe": "r"}
ARRAYS = {"loss": np.arange(6, dtype=np.float32).reshape(2, 3), "schema": np.int64(1)}
FACTS = {"device": "cpu", "threads": 1}


def test_saved_arrays_are_found_bit_equal(tmp_path):
    assert find_arrays(tmp_path, KEY) is None
    path = save_arrays(tmp_path, KEY, ARRAYS, FACTS)
    assert find_arrays(tmp_path, KEY) == path
    np.testing.assert_array_equal(load_arrays(path)["loss"], ARRAYS["loss"])
    assert load_arrays(path).keys() == ARRAYS.keys()
    assert save_arrays(tmp_path, KEY, {"loss": np.zeros(1)}, FACTS) == path  # the first stays
    assert find_arrays(tmp_path, KEY | {"seed": 1}) is None


def test_what_is_needed_is_there_or_says_why_not(tmp_path):
    with pytest.raises(ValueError, match="^no pond, in .*: Run the sweep first"):
        needed(tmp_path, KEY, "pond")
    other = KEY | {"what": "other"}
    store.fail(tmp_path, other, RuntimeError("made up"))
    with pytest.raises(ValueError, match="^no pond, in .*: RuntimeError: made up"):
        needed(tmp_path, KEY, "pond", blamed=other)
    path = save_arrays(tmp_path, KEY, ARRAYS, FACTS)
    assert needed(tmp_path, KEY, "pond", blamed=other) == path


def test_what_needs_a_thing_whose_making_diverged_has_diverged_too(tmp_path):
    store.fail(tmp_path, KEY, Diverged("loss: not finite"))
    with pytest.raises(Diverged, match="^no pond, in .*Diverged: loss: not finite"):
        needed(tmp_path, KEY, "pond")


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize(
    "damage", [lambda raw: raw[:-9], lambda raw: b"", lambda raw: b"x" + raw[1:]]
)
def test_s06_damage_means_missing_and_can_be_mended(tmp_path, suffix, damage):
    path = save_arrays(tmp_path, KEY, ARRAYS, FACTS)
    broken = path.with_suffix(suffix)
    broken.write_bytes(damage(broken.read_bytes()))
    assert find_arrays(tmp_path, KEY) is None
    assert list((tmp_path / "quarantine").iterdir())
    assert save_arrays(tmp_path, KEY, ARRAYS, FACTS) == path == find_arrays(tmp_path, KEY)


def test_s06_one_flipped_bit_is_noticed(tmp_path):
    path = save_arrays(tmp_path, KEY, ARRAYS, FACTS)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    assert find_arrays(tmp_path, KEY) is None


@pytest.mark.parametrize("whole", [True, False])
def test_a_writer_killed_before_its_record(tmp_path, whole):
    path = save_arrays(tmp_path, KEY, ARRAYS, FACTS)
    path.with_suffix(".json").unlink()
    if not whole:
        path.write_bytes(path.read_bytes()[:-50])
    assert find_arrays(tmp_path, KEY) is None
    assert save_arrays(tmp_path, KEY, ARRAYS, FACTS) == path == find_arrays(tmp_path, KEY)


def test_a_file_under_another_keys_name_is_missing(tmp_path):
    """Copied by hand, file and record: whole, but of another training."""
    other = save_arrays(tmp_path, KEY | {"seed": 1}, ARRAYS, FACTS)
    path = save_arrays(tmp_path, KEY, {"loss": np.zeros(1)}, FACTS)
    for suffix in (".npz", ".json"):
        path.with_suffix(suffix).write_bytes(other.with_suffix(suffix).read_bytes())
    assert find_arrays(tmp_path, KEY) is None
    assert find_arrays(tmp_path, KEY | {"seed": 1}) == other


def test_a_whole_file_without_a_record_is_kept_and_a_damaged_pair_goes_together(tmp_path):
    path = save_arrays(tmp_path, KEY, ARRAYS, FACTS)
    first = path.read_bytes()
    path.with_suffix(".json").unlink()
    save_arrays(tmp_path, KEY, {"loss": np.zeros(1)}, FACTS)
    assert path.read_bytes() == first and not (tmp_path / "quarantine").exists()
    path.write_bytes(first[:-50])
    assert find_arrays(tmp_path, KEY) is None
    assert not path.exists() and not path.with_suffix(".json").exists()
    assert len(list((tmp_path / "quarantine").iterdir())) == 2


def test_a_store_that_is_a_file_holds_no_arrays(tmp_path):
    (tmp_path / "store").write_text("")
    assert find_arrays(tmp_path / "store", KEY) is None


def test_a_missing_array_file_is_missing(tmp_path):
    save_arrays(tmp_path, KEY, ARRAYS, FACTS).unlink()
    assert find_arrays(tmp_path, KEY) is None


def test_objects_and_float_keys_are_refused(tmp_path):
    with pytest.raises(ValueError, match="expected numbers, got objects"):
        save_arrays(tmp_path, KEY, {"a": np.array([{}], dtype=object)}, FACTS)
    with pytest.raises(ValueError, match=r"lr: expected str or int"):
        find_arrays(tmp_path, {"lr": 0.1})


def test_provenance_is_the_makers_whoever_comes_later(tmp_path):
    path = save_arrays(tmp_path, KEY, ARRAYS, FACTS)
    assert save_arrays(tmp_path, KEY, ARRAYS, {"device": "cuda:0", "threads": 8}) == path
    assert provenance_of(path) == FACTS


def test_the_folder_of_a_running_training_is_its_own(tmp_path):
    one, other = partial(tmp_path, [KEY]), partial(tmp_path, [KEY, KEY | {"seed": 1}])
    assert one != other and one == partial(tmp_path, [dict(reversed(KEY.items()))])


def test_what_a_killed_training_left_is_swept_when_nobody_touched_it_for_a_month(tmp_path):
    then = time.time() - 31 * 86_400
    for name in ("old", "going on", "new"):
        folder = tmp_path / "partial" / name
        folder.mkdir(parents=True)
        (folder / "state.pt").write_text("")
        if name != "new":
            os.utime(folder / "state.pt", None if name == "going on" else (then, then))
            os.utime(folder, (then, then))
    assert [folder.name for folder in sweep_partial(tmp_path)] == ["old"]
    assert {path.name for path in (tmp_path / "partial").iterdir()} == {"going on", "new"}
    assert sweep_partial(tmp_path / "no store") == []


def saver(root, me, barrier, queue):
    seen = []
    for seed in range(20):
        barrier.wait()
        path = save_arrays(root, KEY | {"seed": seed}, {"by": np.full(1000, me)}, FACTS)
        with np.load(path) as file:
            seen.append(int(file["by"][0]))
    queue.put(seen)


def test_racing_writers_all_load_the_same_arrays(tmp_path):
    spawn = get_context("spawn")
    barrier, queue = spawn.Barrier(4), spawn.Queue()
    savers = [spawn.Process(target=saver, args=(tmp_path, me, barrier, queue)) for me in range(4)]
    for process in savers:
        process.start()
    first, *others = [queue.get(timeout=300) for _ in savers]
    for process in savers:
        process.join()
    assert all(other == first for other in others)
    assert not (tmp_path / "quarantine").exists()

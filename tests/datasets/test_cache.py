"""The cache: what is found is what was stored, from that source; everything else is made again."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from layouts import noise

from foqus_lib.datasets import cache

IQ = noise(50, 16)
ROWS = {"label": np.arange(50) % 3}
SOURCE = {"file": "/a", "bytes": 1, "changed_ns": 2, "sampled_sha256": "f", "lowest_snr": 10.0}


def store(folder, blocks=None):
    blocks = np.array_split(IQ, 7) if blocks is None else blocks
    cache.store(folder, SOURCE, IQ.shape, blocks, ROWS)


def test_what_is_stored_is_found_and_mapped(tmp_path):
    assert cache.find(tmp_path / "a", SOURCE) is None
    store(tmp_path / "a")
    entry = cache.find(tmp_path / "a", SOURCE)
    np.testing.assert_array_equal(entry.iq, IQ)
    np.testing.assert_array_equal(entry.rows["label"], ROWS["label"])
    assert isinstance(entry.iq, np.memmap) and not entry.iq.flags.writeable
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("field", SOURCE)
def test_another_source_is_not_found(tmp_path, field):
    store(tmp_path / "a")
    assert cache.find(tmp_path / "a", SOURCE | {field: "other"}) is None


@pytest.mark.parametrize("name", ["iq.npy", "rows.npz", "manifest.json"])
def test_one_flipped_bit_anywhere_is_seen(tmp_path, name):
    store(tmp_path / "a")
    path = tmp_path / "a" / name
    content = path.read_bytes()
    for at in np.linspace(0, len(content) - 1, 60).astype(int):
        flipped = bytearray(content)
        flipped[at] ^= 1
        path.write_bytes(bytes(flipped))
        entry = cache.find(tmp_path / "a", SOURCE)
        assert entry is None or np.array_equal(entry.iq, IQ), at  # a blank in JSON may change
    assert name == "manifest.json" or entry is None


def test_a_file_cut_short_or_gone_is_seen(tmp_path):
    for name in ("iq.npy", "rows.npz", "manifest.json"):
        store(tmp_path / name)
        path = tmp_path / name / name
        os.truncate(path, path.stat().st_size // 2)
        assert cache.find(tmp_path / name, SOURCE) is None
        path.unlink()
        assert cache.find(tmp_path / name, SOURCE) is None
        store(tmp_path / name)
        assert cache.find(tmp_path / name, SOURCE) is not None


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    def failing():
        yield IQ[:20]
        raise ValueError("row 20")

    with pytest.raises(ValueError, match="row 20"):
        store(tmp_path / "cache" / "a", failing())
    assert not any((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_an_error_of_the_disk_leaves_nothing(tmp_path, monkeypatch, call):
    def fail(*given):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(OSError, match="disk full, 6400 bytes needed"):
            store(tmp_path / "a")
    assert not any(tmp_path.iterdir())
    store(tmp_path / "a")
    assert cache.find(tmp_path / "a", SOURCE) is not None


def test_a_full_disk_is_noticed_before_anything_is_written(tmp_path, monkeypatch):
    usage = cache.shutil.disk_usage(tmp_path)._replace(free=6399)
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match="disk full, 6400 bytes needed"):
        store(tmp_path / "a", iter([]))
    assert not any(tmp_path.iterdir())


def test_the_first_of_two_writers_wins(tmp_path):
    def slow():
        store(tmp_path / "a")  # the other one finishes in between
        first = (tmp_path / "a" / "manifest.json").stat().st_ino
        yield IQ
        assert (tmp_path / "a" / "manifest.json").stat().st_ino == first

    store(tmp_path / "a", slow())
    assert cache.find(tmp_path / "a", SOURCE) is not None
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_entry_that_is_whole_is_not_replaced_by_the_same(tmp_path):
    """Two that cut one file at once: the later one took the first one's entry away."""
    store(tmp_path / "a")
    first = (tmp_path / "a" / "iq.npy").stat().st_ino
    store(tmp_path / "a")
    assert (tmp_path / "a" / "iq.npy").stat().st_ino == first
    cache.store(tmp_path / "a", SOURCE | {"bytes": 2}, IQ.shape, [IQ], ROWS)  # a newer source
    assert cache.find(tmp_path / "a", SOURCE | {"bytes": 2}) is not None
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


DIES = """
import os, signal, sys
from pathlib import Path
import numpy as np
from foqus_lib.datasets import cache

def blocks():
    yield np.ones((20, 2, 16), np.float32)
    os.kill(os.getpid(), signal.SIGKILL)

cache.store(Path(sys.argv[1]), {"file": "/a"}, (50, 2, 16), blocks(), {})
"""


def test_a_writer_that_is_killed_leaves_no_half(tmp_path):
    done = subprocess.run([sys.executable, "-c", DIES, tmp_path / "a"])
    assert done.returncode == -signal.SIGKILL
    assert cache.find(tmp_path / "a", {"file": "/a"}) is None
    assert [path.suffix for path in tmp_path.iterdir()] == [".tmp"]
    store(tmp_path / "a")
    assert cache.find(tmp_path / "a", SOURCE) is not None


def test_what_a_killed_writer_left_is_swept_after_a_day(tmp_path):
    for name, age in ((".a.1.tmp", 2 * cache.DAY), (".a.2.tmp", 60)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "iq.npy").write_bytes(b"half")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    store(tmp_path / "a")
    assert {path.name for path in tmp_path.iterdir()} == {"a", ".a.2.tmp"}


def test_identity_sees_content_size_and_time(tmp_path):
    path = tmp_path / "set"
    path.write_bytes(bytes(3_000_000))
    os.utime(path, ns=(0, 0))
    before = cache.identity(path)
    assert before == cache.identity(path)
    with open(path, "r+b") as file:
        file.seek(1_234_567)
        file.write(b"x")
    os.utime(path, ns=(0, 0))
    changed = cache.identity(path)
    assert {key for key in before if before[key] != changed[key]} == {"sampled_sha256"}
    assert json.dumps(before)

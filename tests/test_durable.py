"""S01-S04, S09, S10: crash, EIO, ENOSPC at every system call; kill -9; races; no hard links."""

import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import pytest

from foqus_lib import durable
from foqus_lib.durable import explained, sweep_temporary, write_once

REPO = Path(__file__).resolve().parents[2]


def fault_points(writer):
    """(points visited, violations) of faults.py, in a process of its own: it forks."""
    script = Path(__file__).with_name("faults.py")
    done = subprocess.run(
        [sys.executable, script, writer], cwd=REPO, env=os.environ | {"PYTHONPATH": str(REPO)},
        capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize("writer", ["write_once", "without_hard_links"])
def test_s02_old_or_new_state_after_a_fault_at_every_system_call(writer):
    points, violations = fault_points(writer)
    assert points > 50
    assert violations == []


def test_s02_control_the_harness_sees_a_naive_writer_fail():
    _points, violations = fault_points("naive")
    assert len(violations) > 5


def refuse_links(*_):
    raise OSError(errno.EPERM, "no hard links here")


WRITER = """
import hashlib, os, sys
from pathlib import Path
from foqus_lib.durable import write_once
root, me, ack = Path(sys.argv[1]), sys.argv[2], os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND)
for n in range(10**9):
    name = f"{me}-{n:06d}"
    content = hashlib.sha256(name.encode()).hexdigest().encode() * 140  # 9 kB
    if MODE == "naive":
        with open(root / name, "wb", buffering=64) as file:
            for start in range(0, len(content), 64):
                file.write(content[start : start + 64])
    else:
        write_once(root / name[-1] / name, content)
    os.write(ack, (name + "\\n").encode())
"""


def kill_writers(root, kills, mode="store"):
    """(acknowledged, lost, corrupt) after kill -9 of two writers, again and again, at random."""
    random_ = random.Random(0)
    root.mkdir()
    ack = root.parent / "ack"
    ack.touch()
    code = WRITER.replace("MODE", repr(mode))

    def start(n):
        return subprocess.Popen([sys.executable, "-c", code, root, f"w{n}", ack], cwd=REPO)

    writers = [start(0), start(1)]
    try:
        for n in range(2, kills + 2):
            before, wait_until = ack.stat().st_size, time.monotonic() + 20
            while ack.stat().st_size < before + 60 and time.monotonic() < wait_until:
                time.sleep(0.002)
            time.sleep(random_.uniform(0, 0.05))
            victim = writers[n % 2]
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            writers[n % 2] = start(n)
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    acknowledged = set(ack.read_text().split())
    files = {p.name: p for p in root.rglob("w*") if p.is_file()}
    corrupt = [
        name
        for name, path in files.items()
        if path.read_bytes() != hashlib.sha256(name.encode()).hexdigest().encode() * 140
    ]
    return acknowledged, acknowledged - set(files), corrupt


def test_s01_kill_writers_20_times(tmp_path):
    acknowledged, lost, corrupt = kill_writers(tmp_path / "store", kills=20)
    assert len(acknowledged) >= 20
    assert (lost, corrupt) == (set(), [])
    left = len(list((tmp_path / "store").rglob("*.tmp")))
    assert len(sweep_temporary(tmp_path, older_than_s=0)) == left
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_name_of_all_the_bytes_that_a_name_may_have(tmp_path):
    path = tmp_path / ("x" * durable.LONGEST_NAME)
    durable.replace(path, b"1")
    assert path.read_bytes() == b"1" and list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_s01_kill_writers_200_times(tmp_path):
    acknowledged, lost, corrupt = kill_writers(tmp_path / "store", kills=200)
    assert len(acknowledged) >= 200
    assert (lost, corrupt) == (set(), [])


@pytest.mark.slow
def test_s01_control_kills_tear_a_naive_writers_files(tmp_path):
    assert kill_writers(tmp_path / "naive", kills=60, mode="naive")[2]


def racer(root, me, barrier, queue, links):
    if not links:
        os.link = refuse_links
    won, seen = 0, {}
    for key in range(100):
        barrier.wait()
        won += write_once(root / f"{key}.json", json.dumps({"by": me}).encode())
        seen[key] = json.loads((root / f"{key}.json").read_bytes())["by"]
    barrier.wait()
    changed = [
        k for k, by in seen.items() if json.loads((root / f"{k}.json").read_bytes())["by"] != by
    ]
    queue.put((won, changed))


@pytest.mark.parametrize("links", [True, False])
def test_s04_four_writers_one_winner_that_never_changes(tmp_path, links):
    spawn = get_context("spawn")
    barrier, queue = spawn.Barrier(4), spawn.Queue()
    racers = [
        spawn.Process(target=racer, args=(tmp_path, me, barrier, queue, links)) for me in range(4)
    ]
    for process in racers:
        process.start()
    results = [queue.get(timeout=300) for _ in racers]
    for process in racers:
        process.join()
    assert sum(won for won, _ in results) == 100
    assert [changed for _, changed in results] == [[], [], [], []]


def test_s09_lost_nfs_reply_counts_as_success(tmp_path, monkeypatch):
    link = os.link

    def link_then_say_it_exists(source, target):
        link(source, target)
        raise FileExistsError(errno.EEXIST, "File exists")

    monkeypatch.setattr(os, "link", link_then_say_it_exists)
    assert write_once(tmp_path / "a", b"mine") is True
    monkeypatch.undo()
    assert write_once(tmp_path / "a", b"theirs") is False
    assert (tmp_path / "a").read_bytes() == b"mine"


def test_s09_no_hard_links(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", refuse_links)
    assert write_once(tmp_path / "a", b"mine") is True
    assert write_once(tmp_path / "a", b"theirs") is False
    assert (tmp_path / "a").read_bytes() == b"mine"
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (errno.ENOSPC, OSError, "disk full, 4 bytes needed. Finished results are safe"),
        (errno.EROFS, OSError, "read-only file system"),
        (errno.EACCES, PermissionError, "no permission for user"),
        (errno.EIO, OSError, "the disk reported an error"),
    ],
)
def test_s03_messages_name_the_path_and_the_mend(tmp_path, monkeypatch, code, kind, words):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(kind, match=words) as caught:
        write_once(tmp_path / "cell.json", b"1234")
    assert caught.value.errno == code
    assert str(tmp_path / "cell.json") in str(caught.value)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_s03_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "store").write_text("a note")
    with pytest.raises(OSError, match="a file stands where a folder is wanted"):
        write_once(tmp_path / "store" / "cells" / "a.json", b"1234")


def test_s03_really_full_disk(tmp_path):
    done = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], capture_output=True
        )
        if shutil.which("mount")
        else None
    )
    if done is None or done.returncode:
        pytest.skip("cannot mount a small tmpfs here; the injected ENOSPC above covers it")
    try:
        written = 0
        with pytest.raises(OSError, match=r"disk full, 9000 bytes needed"):
            for written in range(100):
                write_once(tmp_path / str(written), b"x" * 9000)
        assert 0 < written < 100
        assert sorted(p.name for p in tmp_path.iterdir()) == [str(n) for n in range(written)]
        assert all(p.stat().st_size == 9000 for p in tmp_path.iterdir())
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_other_errors_pass_unchanged(tmp_path):
    with pytest.raises(InterruptedError), explained(tmp_path):
        raise InterruptedError(errno.EINTR, "interrupted")


def test_s10_a_young_tmp_is_left_alone(tmp_path):
    (tmp_path / ".a.json.0.tmp").touch()
    assert sweep_temporary(tmp_path) == []


def test_quarantine_puts_back_what_was_mended_meanwhile(tmp_path):
    path = tmp_path / "cells" / "a.json"
    write_once(path, b"whole")
    durable.quarantine(tmp_path, path, seen=b"damaged")
    assert path.read_bytes() == b"whole"
    assert list((tmp_path / "quarantine").iterdir()) == []


@pytest.fixture
def full(monkeypatch):
    """A disk of 1 GB with 3 kB left."""
    usage = shutil._ntuple_diskusage(10**9, 10**9 - 3000, 3000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)


def test_a_full_disk_is_told_before_anything_is_written(full, tmp_path):
    wanted = r"expected 2.0 MB of free space .*, got 0.003 MB. Free space, or name another .*--out"
    with pytest.raises(ValueError, match=wanted):
        durable.check_room(tmp_path / "not" / "yet", 2**21, "--out")
    durable.check_room(tmp_path, 3000)
    with pytest.raises(ValueError, match="coreset: expected 1.0 MB of free space"):
        durable.can_be_made(tmp_path / "coreset")


def test_what_a_full_disk_says_within_a_folder_to_be_names_it(tmp_path):
    words = "disk full. Finished results are safe; free"
    with pytest.raises(OSError, match=words) as raised, durable.unfinished(tmp_path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert str(tmp_path) in str(raised.value) and "bytes needed" not in str(raised.value)
    with pytest.raises(OSError, match="^.*chosen.npy: disk full, 9"), durable.unfinished(tmp_path):
        raise OSError(errno.ENOSPC, "chosen.npy: disk full, 9 bytes needed")
    assert not list(tmp_path.iterdir())

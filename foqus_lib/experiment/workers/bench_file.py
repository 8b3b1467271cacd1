"""A bench as a private file that processes of this machine read: its arrays are there once for all.

Handed over through a pipe, as multiprocessing does, data that exceed the pipe's buffer keep the
sender waiting for ever if the receiver is killed, and every process holds a copy. A mapped file
does neither: pages are shared until somebody writes into his own.
"""

import mmap
import os
import pickle
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from foqus_lib.durable import explained

PREFIX = "foqus-bench-"
ALIGNED = 64  # bytes: where an array may begin
ABANDONED = 3600  # seconds: younger folders may not have been locked yet


@contextmanager
def written(bench: object) -> Iterator[Path]:
    """A folder that holds the bench, readable by this user alone, while the context lasts."""
    _remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = _lock(folder)
    try:
        _write(folder, bench)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def read(folder: Path) -> object:
    """The bench. Its arrays are the file's pages: writing into one changes this process's alone."""
    spans, body = pickle.loads((folder / "objects").read_bytes())
    buffers = []
    if spans:
        with open(folder / "arrays", "rb") as file:
            pages = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
        buffers = [pages[begin:end] for begin, end in spans]
    return pickle.loads(body, buffers=buffers)


def _write(folder: Path, bench: object) -> None:
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(bench, protocol=5, buffer_callback=buffers.append)
    raw = [buffer.raw() for buffer in buffers]
    with explained(folder, needed=len(body) + sum(map(len, raw))):
        spans = []
        with _private(folder / "arrays") as file:
            for array in raw:
                file.write(b"\0" * (-file.tell() % ALIGNED))
                begin = file.tell()
                file.write(array)
                spans.append((begin, file.tell()))
            file.write(b"\0")  # an empty file cannot be mapped
        with _private(folder / "objects") as file:
            file.write(pickle.dumps((spans, body)))


def _private(path: Path):
    return open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600))


def _lock(folder: Path) -> int | None:
    """An open lock that the kernel frees however this process ends; None if another holds it."""
    if os.name == "nt":
        return None
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return handle
    except OSError:
        os.close(handle)
        return None


def _remove_abandoned() -> None:
    """The folders that killed sweeps of this user left behind."""
    if not hasattr(os, "getuid"):  # Windows: no locks either, so nobody knows whose are in use
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            found = folder.lstat()
            if found.st_uid != os.getuid() or time.time() - found.st_mtime < ABANDONED:
                continue
            if (lock := _lock(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)

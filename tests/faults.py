"""python faults.py WRITER: crash, EIO, ENOSPC at every system call of a writer; prints what broke.

After SQLite's tests. WRITER: write_once, without_hard_links, or naive, the control. Prints JSON:
[fault points visited, [violations]].
"""

import errno
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from foqus_lib.durable import write_once

CALLS = ["open", "write", "fsync", "close", "link", "unlink", "mkdir", "rename", "stat"]
OLD, NEW = b"old" * 100, b"new" * 150


def naive(path, content):
    """What research code usually does: the control that shows the harness sees a violation."""
    path.parent.mkdir(exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
    finally:
        os.close(handle)
    return True


def without_hard_links(path, content):
    """write_once on a file system such as exFAT."""
    link = os.link
    os.link = refuse_links
    try:
        return write_once(path, content)
    finally:
        os.link = link


def refuse_links(*_):
    raise OSError(errno.EPERM, "no hard links here")


def child(writer, path, mode, nth):
    """In a fork, the nth call crashes or fails. 0 published, 5 refused, 77 died, 99 no nth."""
    count, real = 0, {name: getattr(os, name) for name in CALLS}

    def wrapped(name):
        def call(*args, **kwargs):
            nonlocal count
            count += 1
            if name == "write":
                args = (args[0], args[1][:128])  # short writes: more fault points in one file
            if count != nth:
                return real[name](*args, **kwargs)
            if mode == "crash after":
                real[name](*args, **kwargs)
            if mode.startswith("crash"):
                os._exit(77)
            raise OSError(getattr(errno, mode), "injected", name)

        return call

    for name in CALLS:
        setattr(os, name, wrapped(name))
    try:
        writer(path, NEW)
        code = 0
    except OSError:
        code = 5
    os._exit(code if count >= nth else 99)


def fault_points(writer):
    """(points visited, violations): after each fault old and new state only, and a retry works."""
    points, violations = 0, []
    for mode in ("crash before", "crash after", "EIO", "ENOSPC"):
        for nth in range(1, 100):
            root = Path(tempfile.mkdtemp())
            old, new = root / "a" / "old.json", root / "b" / "new.json"
            writer(old, OLD)
            if (pid := os.fork()) == 0:
                child(writer, new, mode, nth)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            if code == 99:
                shutil.rmtree(root)
                break
            points += 1
            seen = new.read_bytes() if new.exists() else None
            good = old.read_bytes() == OLD and seen in (None, NEW)
            good &= code != 0 or seen == NEW  # acknowledged means there
            writer(new, NEW)
            if not good or new.read_bytes() != NEW:
                violations.append((mode, nth))
            shutil.rmtree(root)
    return points, violations


if __name__ == "__main__":
    writers = {w.__name__: w for w in (write_once, without_hard_links, naive)}
    print(json.dumps(fault_points(writers[sys.argv[1]])))

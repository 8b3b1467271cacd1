"""The door for files of strangers: whatever stops a reader becomes one ValueError that names them.

Libraries below the readers raise what they like at a damaged byte: zlib.error, KeyError without a
file, MemoryError, an OSError that says nothing. A reader refuses what it knows by field; the rest
is caught here, once.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
from jaxtyping import TypeCheckError

OUR_SLIPS = (AssertionError, TypeCheckError, Warning)  # shapes and warnings: checked in tests only
OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)  # say nothing of the file
LONGEST = 1000  # characters of a message
MOST_ENTRIES = 100_000  # files and folders below a folder: more are a disk, not recordings
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe (FIFO)",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@contextmanager
def reading(path: Path, *others: Path) -> Iterator[None]:
    """Whatever is raised inside becomes a ValueError that names `path`, or one of the others.

    others: further files a message may name instead. Interrupts, slips of ours and a full or
    broken disk pass.
    """
    try:
        with np.errstate(all="ignore"):  # what becomes NaN or infinity is refused by its row
            yield
    except OUR_SLIPS:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in OF_THE_DISK:
            raise
        if _is_refusal(error, (path, *others)):
            if len(str(error)) <= LONGEST and str(error).isprintable():
                raise
            raise ValueError(_short(str(error), LONGEST)) from error
        mend = "Copy or write it again"
        if isinstance(error, PermissionError):
            mend = "Mend the rights"
        what = f"{type(error).__name__} {_short(str(error), 200)}".strip()
        raise ValueError(
            f"{path}: expected a whole file of its kind, got one that cannot be read ({what}). "
            f"{mend}"
        ) from error


def _is_refusal(error: Exception, names: tuple[Path, ...]) -> bool:
    """Whether a reader said it, who knows more of the file than the door."""
    can_be = isinstance(error, ValueError) and not isinstance(error, UnicodeError)
    return can_be and any(str(name) in str(error) for name in names)


def _short(text: str, most: int) -> str:
    """One line without control characters, its middle left out: libraries quote whole files."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    return line if len(line) <= most else f"{line[: most // 2]} ... {line[-most // 2 :]}"


def plain_file(path: Path, where: str = "") -> None:
    """ValueError unless it is a file: a pipe or a device may never end, a folder has no bytes.

    where: what to do if nothing is there.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        where = where or f"Check the path; it starts at {Path.cwd()}"
        what = "a link to nothing" if path.is_symlink() else "no such file"
        raise ValueError(f"{path}: {what}. {where}") from None
    if not stat.S_ISREG(found.st_mode):
        kind = KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise ValueError(f"{path}: expected a file, got {kind}. Give a file")


def below(folder: Path, ending: str) -> list[Path]:
    """All below the folder whose names end so, sorted; links to folders are not followed.

    ValueError after MOST_ENTRIES: somebody named a disk.
    """
    found, seen = [], 0
    for where, folders, files in os.walk(folder):
        seen += len(folders) + len(files)
        if seen > MOST_ENTRIES:
            raise ValueError(
                f"{folder}: expected a folder of recordings, got one with more than "
                f"{MOST_ENTRIES:,} files and folders below it. Name a folder that holds them alone"
            )
        found += [Path(where, name) for name in folders + files if name.endswith(ending)]
    return sorted(found)


def fits(what: str, needed: int, mend: str) -> None:
    """ValueError unless so many bytes are free; asked before they are allocated."""
    free = psutil.virtual_memory().available
    if needed > free:
        raise ValueError(
            f"{what}: expected at most {free / 1e9:.3g} GB, the memory free on this machine, got "
            f"{needed / 1e9:.3g} GB. {mend}"
        )

"""Files that are whole or absent, whatever dies: tmp, fsync, link, fsync of the folder.

Survives the kill of any process (tested). Power loss: by order of fsync only (not tested; macOS
would need F_FULLFSYNC). What may fail says which path, and what to do.
"""

import errno
import logging
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

log = logging.getLogger(__name__)

NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
FULL = errno.ENOSPC, errno.EDQUOT
SAFE = "Finished results are safe"
A_DAY = 86_400  # s: what a killed writer left is swept after it
LEAST_ROOM = 2**20  # bytes: with less no table or page can be written
LONGEST_NAME = 255  # bytes, on the usual file systems
UNFINISHED = ".foqus-unfinished."


def _mend(code: int | None, needed: int) -> str:
    if code in FULL:
        what = "disk full" if code == errno.ENOSPC else "disk quota reached"
        much = f", {needed} bytes needed" if needed else ""
        return f"{what}{much}. {SAFE}; free space, then run again"
    if code == errno.EROFS:
        return f"read-only file system. {SAFE}; choose a results folder that can be written"
    if code in (errno.EACCES, errno.EPERM):
        user = os.getuid() if hasattr(os, "getuid") else os.getlogin()
        return (
            f"no permission for user {user}. {SAFE}; choose another results folder or mend rights"
        )
    if code in (errno.ENOTDIR, errno.EEXIST):
        return (
            "a file stands where a folder is wanted; move it away or choose another results folder"
        )
    if code == errno.EIO:
        return f"the disk reported an error. {SAFE}; check the disk, then run again"
    return ""


@contextmanager
def explained(path: Path, needed: int = 0) -> Iterator[None]:
    """OSErrors keep type and errno, and gain a cause and a mend."""
    try:
        yield
    except OSError as error:
        if not (mend := _mend(error.errno, needed)):
            raise
        raise OSError(error.errno, f"{path}: {mend}") from error


def write_once(path: Path, content: bytes | memoryview) -> bool:
    """True if this call made the file; False if somebody was first, whose file stays for ever."""
    return write_once_by(path, lambda file: file.write(content), len(content))


def write_once_by(path: Path, write: Callable[[BinaryIO], object], needed: int) -> bool:
    """The same for content that `write` puts into a file, about `needed` bytes: never in memory."""
    with explained(path, needed=needed):
        make_folder(path.parent)
        with _temporary(path, write) as tmp:
            first = _link(tmp, path)
        sync(path.parent)
    return first


def replace(path: Path, content: bytes) -> None:
    """The file holds the old content or the new, never a mixture. Only for what can be derived."""
    with explained(path, needed=len(content)):
        make_folder(path.parent)
        with _temporary(path, lambda file: file.write(content)) as tmp:
            os.replace(tmp, path)
        sync(path.parent)


def make_folder(folder: Path) -> None:
    """mkdir -p; each folder made is also made durable in its parent."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


def sync(path: Path) -> None:
    """A file's content, mapped pages too, or the names in a folder reach the disk.

    Windows offers no such call.
    """
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _temporary(path: Path, write: Callable[[BinaryIO], object]) -> Iterator[Path]:
    """A file of our own beside `path`, whole and on the disk; gone afterwards."""
    tmp = path.with_name(f".{uuid.uuid4().hex}.tmp")  # any name that fits, fits
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(tmp, flags, 0o644)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(handle)
        yield tmp
    finally:
        with suppress(OSError):  # left behind it is harmless, and swept later
            os.unlink(tmp)


def _link(tmp: Path, path: Path) -> bool:
    try:
        os.link(tmp, path)  # not os.replace: the first writer wins
        return True
    except OSError as error:
        # NFS: the server linked, the reply was lost, the client asked again.
        if os.stat(tmp).st_nlink == 2:
            return True
        if error.errno == errno.EEXIST:
            return False
        if error.errno not in NO_HARD_LINKS:
            raise
    return _rename_first(tmp, path)


def _rename_first(tmp: Path, path: Path) -> bool:
    """First writer wins without hard links (exFAT): under a lock the kernel frees on any death."""
    if os.name == "nt":
        try:
            os.rename(tmp, path)  # refuses an existing target there
            return True
        except FileExistsError:
            return False
    import fcntl

    lock = os.open(path.parent / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return False
        os.rename(tmp, path)
        return True
    finally:
        os.close(lock)


def check_writable(folder: Path, option: str = "results=...") -> None:
    """ValueError unless results can be written there; made if it is not there."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"{folder}: expected a results folder that can be written to, got {error.strerror}. "
            f"Name another one ({option})"
        ) from error


def check_room(folder: Path, needed: int, option: str = "results=...") -> None:
    """ValueError unless about `needed` bytes are free where the folder is, or will be."""
    above = next(one for one in (folder, *Path(folder).absolute().parents) if Path(one).exists())
    whole, _, free = shutil.disk_usage(above)
    if whole and free < needed:  # some network file systems say nothing
        raise ValueError(
            f"{folder}: expected {_megabytes(needed)} MB of free space for what will be written, "
            f"got {_megabytes(free)} MB. Free space, or name another place ({option})"
        )


def _megabytes(size: int) -> str:
    """ "12.3"; of less than 0.1 as many digits as tell it from nothing."""
    return f"{size / 2**20:.1f}" if size >= 2**20 / 10 else f"{size / 2**20:.3f}"


def sweep_temporary(root: Path, older_than_s: float = A_DAY) -> list[Path]:
    """Remove the .tmp files that killed writers left; a living writer needs milliseconds."""
    gone = []
    for tmp in sorted(Path(root).rglob(".*.tmp")):
        with suppress(FileNotFoundError):
            if time.time() - tmp.stat().st_mtime >= older_than_s:
                tmp.unlink()
                gone.append(tmp)
    return gone


def short_enough(path: Path) -> None:
    """ValueError for a name that no file can have."""
    for name in path.parts:
        if (size := len(os.fsencode(name))) > LONGEST_NAME:
            raise ValueError(
                f"{path}: expected names of up to {LONGEST_NAME} bytes, got {size}. Shorten it"
            )


def can_be_made(path: Path) -> None:
    """ValueError unless the nearest folder above it that is there can be written to."""
    short_enough(path)
    above = next(one for one in path.absolute().parents if one.exists() or one.is_symlink())
    try:
        with tempfile.TemporaryFile(dir=above):
            pass
    except OSError as error:
        raise ValueError(
            f"{path}: cannot be written ({above}: {error.strerror}). Name another place"
        ) from error
    check_room(path, LEAST_ROOM, "another file or folder")


@contextmanager
def unfinished(parent: Path) -> Iterator[Path]:
    """A hidden folder to write into before a rename; gone afterwards, of a killed run in a day."""
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{UNFINISHED}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime >= A_DAY:
                shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=parent))
    try:
        yield made
    except OSError as error:
        if error.errno not in FULL or error.strerror != os.strerror(error.errno):
            raise
        with explained(parent):  # of a full disk the system names no file
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def quarantine(root: Path, path: Path, seen: bytes) -> str:
    """Move a damaged file to root/quarantine; says where. Puts back what is not what was `seen`."""
    aside = Path(root) / "quarantine" / f"{path.stem}.{uuid.uuid4().hex[:8]}{path.suffix}"
    try:
        make_folder(aside.parent)
        os.replace(path, aside)
        if (moved := aside.read_bytes()) != seen:  # mended by somebody since we looked
            write_once(path, moved)
            aside.unlink()
        sync(path.parent)
    except FileNotFoundError:
        return "It is gone: another process set it aside"
    except OSError as error:
        return f"It could not be moved to {aside.parent} ({error.strerror}): delete it"
    log.warning("%s set aside as %s", path, aside)
    return f"Moved to {aside}"

"""Arrays that many trials share, evidence or weights: root/artifacts/ab/<sha of key>.npz, .json.

The .npz is stored, not pickled. The record beside it is written last and holds its SHA-256 and
where it comes from, so a record means a whole file; on every look the content is compared with it.
"""

import json
import shutil
import time
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy import ndarray

from foqus_lib.durable import quarantine, write_once, write_once_by
from foqus_lib.errors import Diverged
from foqus_lib.experiment.key import canonical, name_of
from foqus_lib.experiment.store import last_failure


def save_arrays(
    root: Path,
    key: Mapping[str, object],
    arrays: Mapping[str, ndarray],
    provenance: Mapping[str, object],
) -> Path:
    """Store once and say where. Load that file: another process may have been first."""
    if objects := [name for name, array in arrays.items() if np.asarray(array).dtype.hasobject]:
        raise ValueError(
            f"arrays {objects}: expected numbers, got objects, which only pickle holds"
        )
    path = _path(root, key)
    for _ in range(3):  # more than once only if a damaged file stands in our place
        if find_arrays(root, key) is not None:
            return path
        _write_both(root, path, key, arrays, provenance)
    raise ValueError(f"{path}: damaged and cannot be moved away; delete it and run again")


def _write_both(
    root: Path,
    path: Path,
    key: Mapping[str, object],
    arrays: Mapping[str, ndarray],
    provenance: Mapping[str, object],
) -> None:
    def write(file: BinaryIO) -> None:
        np.savez(file, **arrays)

    size = sum(np.asarray(array).nbytes for array in arrays.values())
    if not write_once_by(path, write, size) and not _whole(path):
        quarantine(root, path, seen=path.read_bytes())  # of a writer killed before its record
        write_once_by(path, write, size)
    record = {
        "schema": 2,
        "key": dict(key),
        "provenance": dict(provenance),
        "bytes": path.stat().st_size,
        "sha256": _sha256(path),
    }
    write_once(path.with_suffix(".json"), canonical(record).encode())


def find_arrays(root: Path, key: Mapping[str, object]) -> Path | None:
    """The .npz of a key, its SHA-256 checked now; None if absent or damaged (then set aside)."""
    path = _path(root, key)
    beside = path.with_suffix(".json")
    try:
        raw = beside.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        record, found = json.loads(raw), _sha256(path)
        whole = record["key"] == dict(key) and record["sha256"] == found
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        whole = False
    if whole:
        return path
    content = path.read_bytes() if path.exists() else b""
    quarantine(root, beside, seen=raw)  # the record first: without it the file does not count
    quarantine(root, path, seen=content)
    return None


def needed(
    root: Path, key: Mapping[str, object], what: str, blamed: Mapping[str, object] | None = None
) -> Path:
    """The .npz of a key, for those who cannot go on without; ValueError that says why not.

    Diverged if that is why: what needs it will fail so again, as its maker.
    what: in words, "record of CNN1D, seed 0". blamed: under which its failures are noted, if not
    under the key itself.
    """
    path = find_arrays(root, key)
    if path is None:
        failure = last_failure(root, blamed or key)
        kind = Diverged if failure and failure.diverged else ValueError
        raise kind(f"no {what}, in {root}: {failure or 'Run the sweep first'}")
    return path


def load_arrays(path: Path) -> dict[str, ndarray]:
    """All arrays of a file that was found; never unpickles."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def provenance_of(path: Path) -> dict[str, str | int | float]:
    """Where the arrays of a file that `find_arrays` found come from, as its maker wrote it."""
    return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["provenance"]


def partial(root: Path, keys: Sequence[Mapping[str, object]]) -> Path:
    """Folder for what a training of these evidence keys keeps while it runs; it deletes it.

    Of these keys together: a training of more seeds, or fewer, has another and begins anew.
    """
    return Path(root) / "partial" / name_of({"of": " ".join(name_of(key) for key in keys)})


def sweep_partial(root: Path, older_than_s: float = 30 * 86_400) -> list[Path]:
    """Remove what killed trainings left that nobody went on with; a living one writes every epoch.

    (Without its folder it would go on all the same, and only a kill would cost more.)
    """
    gone = []
    for folder in sorted((Path(root) / "partial").glob("*")):
        with suppress(OSError):  # somebody else's, or taken away meanwhile
            touched = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
            if time.time() - touched >= older_than_s:
                shutil.rmtree(folder)
                gone.append(folder)
    return gone


def _path(root: Path, key: Mapping[str, object]) -> Path:
    name = name_of(key)
    return Path(root) / "artifacts" / name[:2] / f"{name}.npz"


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _whole(path: Path) -> bool:
    """A zip that opens and whose every checksum holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except zipfile.BadZipFile:
        return False

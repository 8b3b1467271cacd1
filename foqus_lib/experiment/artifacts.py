"""Arrays that many trials share, evidence or weights: root/artifacts/ab/<sha of key>.npz, .json.

The .npz is stored, not pickled. The record beside it is written last and holds its SHA-256 and
where it comes from, so a record means a whole file; on every look the content is compared with it.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy import ndarray

from foqus_lib.durable import quarantine, write_once
from foqus_lib.experiment.key import canonical, name_of


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
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        _write_both(root, path, key, buffer.getbuffer(), provenance)
    raise ValueError(f"{path}: damaged and cannot be moved away; delete it and run again")


def _write_both(
    root: Path,
    path: Path,
    key: Mapping[str, object],
    content: memoryview,
    provenance: Mapping[str, object],
) -> None:
    if not write_once(path, content):
        theirs = path.read_bytes()  # a race, or a writer killed before its record
        if _whole(theirs):
            content = memoryview(theirs)
        else:
            quarantine(root, path, seen=theirs)
            write_once(path, content)
    record = {
        "schema": 2,
        "key": dict(key),
        "provenance": dict(provenance),
        "bytes": len(content),
        "sha256": sha256(content).hexdigest(),
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
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    try:
        record = json.loads(raw)
        whole = record["key"] == dict(key) and record["sha256"] == sha256(content).hexdigest()
    except (ValueError, KeyError, TypeError):
        whole = False
    if whole:
        return path
    quarantine(root, beside, seen=raw)  # the record first: without it the file does not count
    quarantine(root, path, seen=content)
    return None


def provenance_of(path: Path) -> dict[str, str | int | float]:
    """Where the arrays of a file that `find_arrays` found come from, as its maker wrote it."""
    return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["provenance"]


def partial(root: Path, keys: Sequence[Mapping[str, object]]) -> Path:
    """Folder for what a training of these evidence keys keeps while it runs; it deletes it."""
    return Path(root) / "partial" / name_of({"of": " ".join(name_of(key) for key in keys)})


def _path(root: Path, key: Mapping[str, object]) -> Path:
    name = name_of(key)
    return Path(root) / "artifacts" / name[:2] / f"{name}.npz"


def _whole(content: bytes) -> bool:
    """A zip that opens and whose every checksum holds."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.testzip() is None
    except zipfile.BadZipFile:
        return False

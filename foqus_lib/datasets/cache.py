"""What was once cut out of a large file, kept on disk: checked, whole or absent, memory-mapped.

An entry is a folder with iq.npy (N, 2, L) float32, rows.npz (label, snr, row and a 64-bit checksum
of every frame) and manifest.json (which file it was made from, SHA-256 of rows.npz). It is written
under another name and renamed when it is on the disk, so no half of it is ever seen. It can be
deleted at any time.
"""

import errno
import hashlib
import io
import json
import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from numpy.lib import format as npy

from foqus_lib import durable
from foqus_lib.signals import frame_hashes

log = logging.getLogger(__name__)

FORMAT = 1
SAMPLES, BLOCK = 64, 65_536  # of a source file: 64 blocks of 64 KiB are hashed, not all 20 GB
DAY = 86_400  # seconds


@dataclass(frozen=True, eq=False)
class Entry:
    """The arrays of an entry; iq is mapped, not read."""

    iq: Float32[ndarray, "N 2 L"]
    rows: Mapping[str, ndarray]


def identity(path: Path) -> dict[str, str | int]:
    """What tells a source file from another: size, time of change, SHA-256 of 64 sampled blocks.

    A change that keeps size and time and misses every sampled block is not seen.
    """
    facts, digest = path.stat(), hashlib.sha256()
    with open(path, "rb") as file:
        for at in np.linspace(0, max(0, facts.st_size - BLOCK), SAMPLES).astype(int):
            file.seek(int(at))
            digest.update(file.read(BLOCK))
    return {
        "file": str(path.resolve()),
        "bytes": facts.st_size,
        "changed_ns": facts.st_mtime_ns,
        "sampled_sha256": digest.hexdigest(),
    }


def find(folder: Path, source: Mapping[str, str | int]) -> Entry | None:
    """The entry if it is whole, undamaged and made from this source; None if it must be made."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT or manifest["source"] != dict(source):
            log.info("%s was made from another file or version: making it again", folder)
            return None
        packed = (folder / "rows.npz").read_bytes()
        if hashlib.sha256(packed).hexdigest() != manifest["rows_sha256"]:
            raise ValueError("rows.npz has another SHA-256")
        stream = io.BytesIO(packed)
        with np.load(stream, allow_pickle=False) as file:
            rows = {name: file[name] for name in file.files}
        iq = np.load(folder / "iq.npy", mmap_mode="r", allow_pickle=False)
        wrong = np.flatnonzero(frame_hashes(iq) != rows.pop("checksum"))
        if len(wrong):
            raise ValueError(f"{len(wrong)} frames changed on the disk, first frame {wrong[0]}")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, EOFError, OSError) as error:
        log.warning("%s is damaged (%s): making it again", folder, error)
        return None
    return Entry(iq, rows)


def store(
    folder: Path,
    source: Mapping[str, str | int],
    shape: tuple[int, int, int],
    blocks: Iterable[Float32[ndarray, "_ 2 L"]],
    rows: Mapping[str, ndarray],
) -> None:
    """Write the frames, block by block, and what is known of each; replaces an older entry.

    If the blocks raise or the disk fills nothing is left behind; a killed writer leaves a hidden
    folder, which a later one sweeps after a day.
    """
    needed = 4 * int(np.prod(shape))
    durable.make_folder(folder.parent)
    _sweep(folder.parent)
    unfinished = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.tmp")
    with durable.explained(folder, needed=needed):
        if shutil.disk_usage(folder.parent).free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        unfinished.mkdir()
        try:
            checksum = _write_frames(unfinished / "iq.npy", shape, blocks)
            packed = io.BytesIO()
            np.savez(packed, checksum=checksum, **rows)
            _write(unfinished / "rows.npz", packed.getvalue())
            manifest = {
                "format": FORMAT,
                "source": dict(source),
                "rows_sha256": hashlib.sha256(packed.getvalue()).hexdigest(),
            }
            _write(unfinished / "manifest.json", json.dumps(manifest, indent=1).encode())
            durable.sync(unfinished)
            if folder.is_dir() and find(folder, source) is not None:
                return  # another process was first: its entry stays
            shutil.rmtree(folder, ignore_errors=True)  # made from an older file, or damaged
            try:
                os.rename(unfinished, folder)
            except OSError:
                if not folder.is_dir():  # else another process was first: its entry stays
                    raise
            durable.sync(folder.parent)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _write_frames(path: Path, shape: tuple[int, int, int], blocks: Iterable[ndarray]) -> ndarray:
    """The .npy of all blocks; returns the checksum of each frame, taken before it was written."""
    checksum, done = np.empty(shape[0], np.uint64), 0
    with open(path, "xb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(file, header)
        for block in blocks:
            block = np.ascontiguousarray(block, "<f4")
            checksum[done : done + len(block)] = frame_hashes(block)
            file.write(block.data)
            done += len(block)
        file.flush()
        os.fsync(file.fileno())
    assert done == shape[0], (done, shape)
    return checksum


def _write(path: Path, content: bytes) -> None:
    with open(path, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sweep(folder: Path) -> None:
    for left in folder.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > DAY:
                shutil.rmtree(left, ignore_errors=True)

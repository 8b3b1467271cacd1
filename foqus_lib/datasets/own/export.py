"""Signals as a file that other programs read, and that `files.load` reads back bit for bit.

coreset.npz    X, y, snr, classes
coreset.h5     /iq, /labels, /snr, /classes; coreset.foqus.yaml beside it says what is what
coreset/       SigMF: recordings of the frames one after the other, each an annotation
               (core:label, foqus:snr_db), and coreset.foqus.yaml beside the folder
"""

import json
import os
import shutil
from pathlib import Path

import h5py
import numpy as np

from foqus_lib.durable import can_be_made, short_enough, unfinished
from foqus_lib.signals import Signals

SNR_FIELD = "foqus:snr_db"
FRAMES = 20_000  # of a recording: metadata of 100,000 annotations are the most that is read
ARRAYS = (".npz", ".h5")


def check(*paths: Path, out: Path | None = None) -> None:
    """ValueError if one is there, is named twice, or cannot be made: asked before the work.

    out: a folder that will be made as well; exports may lie in it.
    """
    taken = {out.resolve()} if out else set()
    for path in map(Path, paths):
        if path.suffix not in (*ARRAYS, ""):
            raise ValueError(
                f"{path}: expected .npz, .h5, or a folder for SigMF, got {path.suffix!r}. Rename it"
            )
        for one in (path, sidecar_of(path)) if path.suffix != ".npz" else (path,):
            short_enough(one)
            if one.exists() or one.is_symlink():
                raise ValueError(f"{one}: is there already. Name another one or move it away")
            if (there := one.resolve()) in taken:
                raise ValueError(f"{one}: would be written twice. Give every export its own name")
            taken.add(there)
        can_be_made(path)
    for path in map(Path, paths):
        if within := [one for one in taken if path.resolve() in one.parents]:
            raise ValueError(f"{path}: {within[0]} would lie in it. Name places beside each other")


def sidecar_of(path: Path) -> Path:
    """The few lines that say what is in it: what is given in place of the data."""
    return path.with_name(f"{path.stem}.foqus.yaml")


def write(path: Path, signals: Signals) -> Path:
    """Write all or nothing; returns what is given to `files.load`: the file or its sidecar."""
    path = Path(path)
    check(path)
    with unfinished(path.parent) as made:
        target = made / path.name
        names = ", ".join(json.dumps(name) for name in signals.classes)
        said = {".npz": _npz, ".h5": _hdf5, "": _sigmf}[path.suffix](target, signals)
        if said:
            beside = sidecar_of(target)
            beside.write_text(f"{said}classes: [{names}]\n", encoding="utf-8")
            os.rename(beside, sidecar_of(path))
        os.rename(target, path)
    return sidecar_of(path) if said else path


def remove(path: Path) -> None:
    """What `write` made of it."""
    if path.suffix:
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)
    if path.suffix != ".npz":
        sidecar_of(path).unlink(missing_ok=True)


def _npz(path: Path, signals: Signals) -> str:
    np.savez(
        path, X=signals.iq, y=signals.label, snr=signals.snr, classes=np.array(signals.classes)
    )
    return ""


def _hdf5(path: Path, signals: Signals) -> str:
    with h5py.File(path, "w") as file:
        file["iq"], file["labels"], file["snr"] = signals.iq, signals.label, signals.snr
        file["classes"] = np.array(signals.classes, dtype=h5py.string_dtype())
    return f"file: {json.dumps(path.name)}\nX: /iq\ny: /labels\nsnr: /snr\n"


def _sigmf(path: Path, signals: Signals) -> str:
    path.mkdir()
    for first in range(0, len(signals), FRAMES):
        part = signals[np.arange(first, min(first + FRAMES, len(signals)))]
        stem = path / f"part_{first // FRAMES:06d}"
        part.iq.transpose(0, 2, 1).astype("<f4").tofile(stem.with_suffix(".sigmf-data"))
        text = json.dumps(_metadata(part), indent=1)
        stem.with_suffix(".sigmf-meta").write_text(text + "\n", encoding="utf-8")
    return (
        f"folder: {json.dumps(path.name)}\nlength: {signals.length}\nlabel: core:label\n"
        f"snr: {SNR_FIELD}\n"
    )


def _metadata(signals: Signals) -> dict:
    length = signals.length
    return {
        "global": {
            "core:datatype": "cf32_le",
            "core:version": "1.2.0",
            "core:description": "A coreset by foqus select: frames one after the other",
            "core:extensions": [{"name": "foqus", "version": "1.0.0", "optional": True}],
        },
        "captures": [{"core:sample_start": 0}],
        "annotations": [
            {
                "core:sample_start": length * row,
                "core:sample_count": length,
                "core:label": signals.classes[label],
                SNR_FIELD: float(snr),
            }
            for row, (label, snr) in enumerate(zip(signals.label, signals.snr, strict=True))
        ],
    }

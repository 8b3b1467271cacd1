"""RML2018.01a as published: one HDF5 file of 20 GB, read only where the SNR cut asks for it.

X (N, 1024, 2) float32, Y (N, 24) one-hot, Z (N, 1) SNR in dB; rows by class, then SNR rising, the
whole set with 4096 frames each: row = 26 * 4096 * class + 4096 * (snr + 20) / 2 + frame.
Data (c) 2018 DeepSig Inc., CC BY-NC-SA 4.0; cite O'Shea, Roy and Clancy, IEEE JSTSP 2018.
"""

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray

from foqus_lib.datasets import cache, checks, door, hdf5
from foqus_lib.signals import Signals

NAME = "RML2018.01a"
LENGTH = 1024
SNRS = tuple(range(-20, 31, 2))  # dB
# What the columns of Y mean. The list shipped with the file (classes.txt) is wrong: it begins with
# 32PSK, 16APSK, 32QAM, FM, GMSK (radioML/dataset, issue 25). Accuracies do not depend on it;
# tables by class do.
CLASSES = (
    "OOK", "4ASK", "8ASK", "BPSK", "QPSK", "8PSK", "16PSK", "32PSK", "16APSK", "32APSK", "64APSK",
    "128APSK", "16QAM", "32QAM", "64QAM", "128QAM", "256QAM", "AM-SSB-WC", "AM-SSB-SC",
    "AM-DSB-WC", "AM-DSB-SC", "FM", "GMSK", "OQPSK",
)  # fmt: skip


def load(
    path: Path, snr_min: float = -np.inf, cached: Path | None = None
) -> tuple[Signals, Int64[ndarray, " N"]]:
    """Signals of SNR label snr_min (dB) or more, and the row of the file each stands in.

    cached: a folder for cuts already made. The first call writes the cut there, later ones map it
    into memory after a check; without it the cut is read into memory.
    Raises ValueError naming file, dataset, row, what came, what was wanted and how to mend it.
    """
    path = Path(path)
    with hdf5.opened(path) as file:
        x, y, z = _datasets(path, file)
        snr = _snr(path, z)
        keep = snr >= snr_min
        if not keep.any():
            raise ValueError(
                f"{path}: Z: no signal at {snr_min:g} dB or more; labels end at {snr.max():g} dB. "
                "Lower the cut"
            )
        shape = (int(keep.sum()), 2, LENGTH)
        if cached is None:
            door.fits(f"{path}: X", 8 * LENGTH * shape[0], "Raise the SNR cut, or use the cache")
            rows, iq, done = _rows(path, x, y, snr, keep), np.empty(shape, np.float32), 0
            for block in _frames(path, x, keep):
                iq[done : done + len(block)] = block
                done += len(block)
            return Signals(iq, rows["label"], rows["snr"], CLASSES), rows["row"]
        source = cache.identity(path) | {"lowest_snr": float(snr[keep].min())}
        folder = Path(cached) / _entry_name(source)
        for _ in range(2):  # between two that make it at once an entry may be away for a moment
            if (entry := cache.find(folder, source)) is not None:
                break
            rows = _rows(path, x, y, snr, keep)
            cache.store(folder, source, shape, _frames(path, x, keep), rows)
        if entry is None and (entry := cache.find(folder, source)) is None:
            raise OSError(f"{folder}: what was just written cannot be read. Check the disk")
    rows = entry.rows
    return Signals(entry.iq, rows["label"], rows["snr"], CLASSES), rows["row"]


def write(path: Path, signals: Signals) -> None:
    """A file of exactly this layout: for tests, for classes, for programs that want the real one.

    The rows must stand by class, then SNR rising, as in the real file. Whole or absent.
    """
    path = Path(path)
    if signals.classes != CLASSES or signals.length != LENGTH:
        raise ValueError(
            f"{path}: expected the {len(CLASSES)} classes of {NAME} in its order and {LENGTH} "
            f"samples; got {signals.classes} and {signals.length}"
        )
    _refuse_disorder(path, signals.label, signals.snr)
    n = len(signals)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with h5py.File(unfinished, "x") as file:
            x = file.create_dataset("X", (n, LENGTH, 2), "f4", chunks=(min(n, 64), LENGTH, 2))
            for start in range(0, n, hdf5.ROWS):
                x[start : start + hdf5.ROWS] = signals.iq[start : start + hdf5.ROWS].swapaxes(1, 2)
            file["Y"] = np.eye(len(CLASSES), dtype=np.int64)[signals.label]
            file["Z"] = signals.snr[:, None].astype(np.int64)
        os.replace(unfinished, path)
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()


def _entry_name(source: dict) -> str:
    digest = hashlib.sha256(source["file"].encode()).hexdigest()[:12]
    return f"{NAME}-{source['lowest_snr']:g}dB-{digest}"


def _datasets(path: Path, file: h5py.File) -> tuple[h5py.Dataset, h5py.Dataset, h5py.Dataset]:
    for name, wanted in [("X", "samples"), ("Y", "one-hot classes"), ("Z", "SNR in dB")]:
        if name not in file:
            raise ValueError(
                f"{path}: {name}: expected the datasets X, Y and Z of {NAME}, got "
                f"{', '.join(sorted(file)[:12]) or 'none'}: no {wanted}. For a file of your own "
                "name its datasets in a .foqus.yaml (book/own_data.md)"
            )
    x = hdf5.dataset(path, file, "X")
    y, z = (hdf5.labels(path, file, name) for name in "YZ")
    n = x.shape[0] if x.shape else 0
    for name, data, wanted in [("X", x, (LENGTH, 2)), ("Y", y, (len(CLASSES),)), ("Z", z, (1,))]:
        fits = n > 0 and data.shape == (n, *wanted)
        if not fits or (name == "X" and data.dtype.newbyteorder("=") != np.float32):
            kind = "float32" if name == "X" else "numbers"
            raise ValueError(
                f"{path}: {name}: expected {kind} of shape {('N', *wanted)}, the same N in X, Y "
                f"and Z, as in {NAME}; got {data.dtype} of {data.shape}. Download the file again; "
                "for a file of your own name its datasets in a .foqus.yaml"
            )
    return x, y, z


def _snr(path: Path, z: h5py.Dataset) -> Float32[ndarray, " N"]:
    """All of Z (20 MB in the real file), each a label of the set."""
    snr = z[:, 0]
    if (wrong := ~np.isin(snr, SNRS)).any():
        row = int(wrong.argmax())
        raise ValueError(
            f"{path}: Z: expected an SNR label of {SNRS[0]}, {SNRS[1]}, ... {SNRS[-1]} dB, got "
            f"{snr[row]} in row {row} ({int(wrong.sum())} such rows). Download the file again"
        )
    return snr.astype(np.float32)


def _rows(
    path: Path,
    x: h5py.Dataset,
    y: h5py.Dataset,
    snr: Float32[ndarray, " N"],
    keep: Bool[ndarray, " N"],
) -> dict[str, ndarray]:
    """What is known of every kept row, checked before any large part of X is read."""
    label = _labels(path, y, snr, keep)
    rows = np.flatnonzero(keep)
    _refuse_shipped_order(path, x, label, snr[keep], rows)
    return {"label": label, "snr": snr[keep], "row": rows}


def _labels(
    path: Path, y: h5py.Dataset, snr: Float32[ndarray, " N"], keep: Bool[ndarray, " N"]
) -> Int64[ndarray, " n"]:
    """Class of every kept row; each must be one-hot, and rows must stand by class, then SNR."""
    label = np.full(len(keep), -1)
    for rows in hdf5.bands(y, keep):
        one_hot = y[rows]
        label[rows], wrong = checks.one_hot(one_hot)
        if (wrong & keep[rows]).any():
            row = int(np.argmax(wrong & keep[rows]))
            raise ValueError(
                f"{path}: Y: expected one 1 among zeros in every row, got "
                f"{np.unique(one_hot[row], return_counts=True)} in row {rows.start + row}. "
                "Download the file again"
            )
    label = label[keep].astype(np.int64)
    _refuse_disorder(path, label, snr[keep])
    return label


def _refuse_disorder(path: Path, label: Int64[ndarray, " n"], snr: ndarray) -> None:
    falls = (np.diff(label) < 0) | ((np.diff(label) == 0) & (np.diff(snr) < 0))
    if falls.any():
        at = int(falls.argmax()) + 1
        raise ValueError(
            f"{path}: expected rows by class, then SNR rising, as in {NAME}; got class "
            f"{label[at]} at {snr[at]:g} dB after class {label[at - 1]} at {snr[at - 1]:g} dB, in "
            f"kept row {at}. Sort the rows, or name the datasets in a .foqus.yaml"
        )


LOUD, LOOKED_AT = 20, 64  # dB; frames of each class


def _refuse_shipped_order(
    path: Path,
    x: h5py.Dataset,
    label: Int64[ndarray, " n"],
    snr: Float32[ndarray, " n"],
    rows: Int64[ndarray, " n"],
) -> None:
    """ValueError if somebody reordered the columns of Y to fit the wrong list of classes.

    FM and GMSK have a constant envelope: columns 21 and 22 of the right order, 3 and 4 of the wrong
    one. Refused only where 3 and 4 are clearly flatter, so noise passes, and so does any other
    permutation: the numbers in the file cannot show that.
    """
    spread = {}
    for column in (3, 4, 21, 22):
        loud = rows[(label == column) & (snr >= LOUD)][-LOOKED_AT:]
        if len(loud) == 0:
            return
        iq = x[loud[0] : loud[-1] + 1].astype(np.float64)
        envelope = np.hypot(iq[..., 0], iq[..., 1])
        spread[column] = np.median(envelope.std(axis=1) / (envelope.mean(axis=1) + 1e-30))
    if 2 * max(spread[3], spread[4]) < min(spread[21], spread[22]):
        raise ValueError(
            f"{path}: Y: columns 3 and 4 hold signals of constant envelope (FM, GMSK) where "
            f"{CLASSES[3]} and {CLASSES[4]} belong: the columns follow the wrong list that was "
            "shipped with the data. Use the file as published; its columns are in the right order"
        )


def _frames(
    path: Path, x: h5py.Dataset, keep: Bool[ndarray, " N"]
) -> Iterator[Float32[ndarray, "_ 2 L"]]:
    """The kept frames as (n, 2, L), block by block; a NaN is named by its row in the file."""
    rows, done = np.flatnonzero(keep), 0
    for block in hdf5.rows_of(x, keep):
        finite = np.isfinite(block).reshape(len(block), -1).all(axis=1)
        if not finite.all():
            raise ValueError(
                f"{path}: X: expected finite samples, got NaN or infinity in row "
                f"{rows[done + int(finite.argmin())]}. Download the file again"
            )
        done += len(block)
        yield block.swapaxes(1, 2)

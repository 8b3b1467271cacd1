"""What holds for signals of every format: class names, labels, how a bad row is named."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Int64, Num, Shaped
from numpy import ndarray

from foqus_lib.signals import BLOCK, Signals

MOST_CLASSES = 1000
LEAST_LENGTH = 2  # samples; each network says itself what it needs, CNN1D 64
MOST_DECIBELS = 1000  # below -1000 `settings.NO_CUT` would drop what nobody cut
NAME = re.compile(r"(?!.* $)[A-Za-z0-9][A-Za-z0-9 ._+/-]{0,31}")  # class names go into pages


def classes(path: Path, names: Sequence[str]) -> None:
    """ValueError unless the names are distinct, not too many, and fit for a page."""
    if not 1 <= len(names) <= MOST_CLASSES:
        raise ValueError(
            f"{path}: classes: expected 1 to {MOST_CLASSES} names, got {len(names)}. Keep the "
            "classes that are to be told apart"
        )
    for row, name in enumerate(names):
        if not NAME.fullmatch(name) or name in names[:row]:
            raise ValueError(
                f"{path}: classes: expected distinct names of up to 32 ASCII letters and digits, "
                f"spaces and ._+/-, a letter or digit first, no space last; got {name[:40]!r} in "
                f"row {row}. Rename it"
            )


def labels(path: Path, y: Shaped[ndarray, " N"], classes: Sequence[str]) -> None:
    """ValueError unless every label names a class and every class has a row."""
    refuse_labels(path, "y", y, len(classes))
    counts = np.bincount(y.astype(np.int64, copy=False), minlength=len(classes))
    if not counts.all():
        name = classes[int(counts.argmin())]
        raise ValueError(f"{path}: classes: {name!r} has no row in y. Remove it or add signals")


def length(path: Path, field: str, samples: int) -> None:
    """ValueError for signals of a sample each: nothing goes on in them, and N may be millions."""
    if samples < LEAST_LENGTH:
        raise ValueError(
            f"{path}: {field}: expected signals of {LEAST_LENGTH} samples or more, got {samples}. "
            "Cut longer frames"
        )


def refuse_labels(path: Path, field: str, y: Shaped[ndarray, " N"], classes: int) -> None:
    """ValueError unless every label is 0 to classes - 1."""
    mend = "Labels count from 0. Mend or drop them, or add the missing class"
    if (y >= 1).all() and (y == classes).any():
        mend = f"Labels count from 0, these from 1. Save {field} - 1; to drop rows mislabels all"
    refuse_rows(path, field, y, (y < 0) | (y >= classes), f"0 to {classes - 1}", mend=mend)


def decibels(path: Path, field: str, snr: Float32[ndarray, " N"]) -> None:
    """ValueError unless every SNR can be one: NaN, or a -9999 for "unknown", is none."""
    wanted = f"finite dB from -{MOST_DECIBELS} to {MOST_DECIBELS}"
    mend = "Mend or drop these rows; if no SNR is known, give all rows one value"
    refuse_rows(path, field, snr, ~(abs(snr) <= MOST_DECIBELS), wanted, mend=mend)


def one_hot(rows: Num[ndarray, "N C"]) -> tuple[Int64[ndarray, " N"], Bool[ndarray, " N"]]:
    """Label of each row, and which rows are anything but one 1 among zeros."""
    there = rows != 0
    label = there.argmax(axis=1)
    is_one = rows[np.arange(len(rows)), label] == 1
    return label.astype(np.int64), ~is_one | (np.count_nonzero(there, axis=1) != 1)


def varied(source: Path | str, signals: Signals) -> None:
    """ValueError unless there is something to tell apart: two classes, and signals that differ."""
    first = signals.classes[signals.label[0]]
    if (signals.label == signals.label[0]).all():
        raise ValueError(
            f"{source}: classes: expected signals of two classes or more, got {first!r} alone. Add "
            "signals of another class"
        )
    blocks = range(0, len(signals), BLOCK)  # the first ends it, but for files that are refused
    if all((signals.iq[start : start + BLOCK] == signals.iq[0]).all() for start in blocks):
        what = "the same" if signals.iq[0].any() else "zero in every sample"
        raise ValueError(
            f"{source}: X: expected signals that differ, got {len(signals)} that are all {what}. "
            "Look at what wrote the file"
        )


def refuse_rows(
    path: Path,
    field: str,
    values: ndarray,
    bad: ndarray,
    wanted: str,
    first: int = 0,
    mend: str = "Mend or drop these rows",
) -> None:
    """ValueError that names the first bad row and counts them. first: row of values[0]."""
    if bad.any():
        row = int(bad.argmax())
        got = "NaN or infinity" if field == "X" else " ".join(str(values[row]).split())[:60]
        raise ValueError(
            f"{path}: {field}: expected {wanted}, got {got} in row {first + row} "
            f"({int(bad.sum())} such rows). {mend}"
        )

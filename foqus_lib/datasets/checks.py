"""What holds for signals of every format: class names, labels, and how a bad row is named."""

import re
from collections.abc import Sequence
from pathlib import Path

from jaxtyping import Shaped
from numpy import ndarray

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+/-]{0,31}")  # class names go into pages


def classes(path: Path, names: Sequence[str]) -> None:
    """ValueError unless the names are distinct and fit for a page."""
    for row, name in enumerate(names):
        if not NAME.fullmatch(name) or name in names[:row]:
            raise ValueError(
                f"{path}: classes: expected distinct names of up to 32 letters, digits, spaces and "
                f"._+/-, got {name[:40]!r} in row {row}. Rename it"
            )


def labels(path: Path, y: Shaped[ndarray, " N"], classes: Sequence[str]) -> None:
    """ValueError unless every label names a class and every class has a row."""
    refuse_rows(path, "y", y, (y < 0) | (y >= len(classes)), f"0 to {len(classes) - 1}")
    for c, name in enumerate(classes):
        if not (y == c).any():
            raise ValueError(f"{path}: classes: {name!r} has no row in y. Remove it or add signals")


def refuse_rows(path: Path, field: str, values: ndarray, bad: ndarray, wanted: str) -> None:
    """ValueError that names the first bad row and counts them."""
    if bad.any():
        row = int(bad.argmax())
        got = "NaN or infinity" if field == "X" else values[row]
        raise ValueError(
            f"{path}: {field}: expected {wanted}, got {got} in row {row} ({int(bad.sum())} such "
            "rows). Mend or drop these rows"
        )

"""What the page shows of a set."""

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from foqus_lib.companions.distillation.descent import Distilled


def before_and_after(found: Distilled, classes: int) -> tuple[Float32[ndarray, "M 2 L"], list[str]]:
    """One signal before and after, of the classes that moved most: rows and titles of a picture."""
    first, last = found.start, found.signals
    moved = np.linalg.norm(last.iq - first.iq, axis=(1, 2)) / np.linalg.norm(first.iq, axis=(1, 2))
    rows = [np.flatnonzero(first.label == y)[-1] for y in range(len(first.classes))]
    rows = sorted(rows, key=lambda row: -moved[row])[:classes]
    names = [first.classes[first.label[row]] for row in rows]
    frames = [one.iq[row] for row in rows for one in (first, last)]
    titles = [f"{name}, {when}" for name in names for when in ("before", "after")]
    return np.stack(frames), titles

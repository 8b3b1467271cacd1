"""The folder of a coreset of one's own: written as a whole, read back and checked.

folder/indices.npy     rows of the data file that are kept, ascending
folder/scores.csv      one line a signal: class, SNR, kept or not, every score (Uniform: if asked)
folder/report.html     what was kept of what, for people; and whether it helps, if that was measured
folder/manifest.json   data fingerprint, recipe, seed, versions: enough to rebuild or refuse
"""

import io
import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int64
from numpy import ndarray

from foqus_lib.datasets import checks, door
from foqus_lib.durable import can_be_made, short_enough, unfinished

SCHEMA = 3  # before 3 Uniform drew other rows for each network named
FILES = ("indices.npy", "scores.csv", "report.html", "manifest.json")


def check_new(folder: Path) -> None:
    """ValueError for a folder that holds a coreset, or that cannot be made: before the training."""
    short_enough(folder)
    if any((folder / name).exists() for name in FILES):
        raise ValueError(f"{folder}: holds a coreset already. Name another folder or move it away")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ValueError(f"{folder}: expected a new or empty folder. Name another one")
    if folder.is_symlink() or folder.is_mount() or folder.resolve() == Path.cwd():
        raise ValueError(
            f"{folder}: a link, a mount point or the folder you stand in cannot be replaced by a "
            "whole coreset. Name a new folder"
        )
    can_be_made(folder)


def write(
    folder: Path,
    rows: Int64[ndarray, " k"],
    table: pd.DataFrame,
    page: str,
    manifest: dict,
    before: Callable[[Path], object] = lambda made: None,
) -> None:
    """All four files or none: they appear together, by one rename.

    before(made): what else has to succeed first; it may write into `made`, the folder to be.
    """
    with unfinished(folder.parent) as made:
        np.save(made / "indices.npy", rows, allow_pickle=False)
        table.to_csv(made / "scores.csv", index=False, lineterminator="\n")
        of_utf8 = page.encode("utf-8", "replace")  # a file's name may hold other bytes
        (made / "report.html").write_bytes(of_utf8)
        files = {name: sha256((made / name).read_bytes()).hexdigest() for name in FILES[:-1]}
        text = json.dumps(manifest | {"sha256": files}, indent=2)
        (made / "manifest.json").write_text(text + "\n", encoding="utf-8")
        before(made)
        made.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()  # an empty folder may stand there; anything else is not ours to remove
        os.rename(made, folder)


def read(folder: Path) -> tuple[Int64[ndarray, " k"], dict]:
    """Rows of the data file and the manifest, checked against each other.

    Raises ValueError naming file, field, what came, what was wanted and how to mend it.
    """
    where, indices = folder / "manifest.json", folder / "indices.npy"
    for path in (where, indices):
        door.plain_file(path, f"{folder}: not a coreset folder. Run foqus select")
    with door.reading(where):
        try:
            manifest = json.loads(where.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"{where}: not JSON ({str(error)[:100]}): not a coreset folder. Run foqus select"
            ) from None
        wanted = _checked(where, manifest)
    with door.reading(indices):
        content = indices.read_bytes()
        if (got := sha256(content).hexdigest()) != wanted:
            raise ValueError(
                f"{indices}: expected SHA-256 {wanted[:16]}, got {got[:16]}. "
                "It was changed after it was made; run foqus select again"
            )
        rows = np.load(io.BytesIO(content), allow_pickle=False)
        _check_rows(indices, rows)
    return rows.astype(np.int64, copy=False), manifest


def _checked(path: Path, manifest: object) -> str:
    """The SHA-256 of the rows; ValueError unless it and the data's facts are there."""
    for names in (("data", "file"), ("sha256", "indices.npy")):
        got = manifest
        for name in names:
            got = got.get(name) if isinstance(got, dict) else None
        if not isinstance(got, str):
            raise ValueError(
                f"{path}: {': '.join(names)}: expected text, got {type(got).__name__}: not a "
                "coreset folder. Run foqus select"
            )
    return got


def _check_rows(path: Path, rows: ndarray) -> None:
    """ValueError unless they are rows of a file: integers, each once, ascending from 0 or above."""
    mend = "Run foqus select again"
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise ValueError(
            f"{path}: expected integers of shape (k,), got {rows.dtype} of {rows.shape}. {mend}"
        )
    wrong = np.append(rows[:1] < 0, rows[1:] <= rows[:-1])
    checks.refuse_rows(path, "rows", rows, wrong, "0 or more, ascending, each once", mend=mend)


def subset(dataset: torch.utils.data.Dataset, folder: Path) -> torch.utils.data.Subset:
    """The coreset of a torch data set whose items stand in the order of the data file."""
    rows, manifest = read(folder)
    if len(rows) and rows[-1] >= len(dataset):
        raise ValueError(
            f"{folder}: keeps row {rows[-1]} but the data set has {len(dataset)} items. "
            f"It was made from {manifest['data']['file']}"
        )
    return torch.utils.data.Subset(dataset, rows.tolist())

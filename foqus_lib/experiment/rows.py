"""Committed result rows: the finished cells of a grid as one small, tidy, diffable CSV."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from foqus_lib.durable import replace
from foqus_lib.experiment import store
from foqus_lib.experiment.cell import Cell, from_key


def export(root: Path, cells: Sequence[Cell], path: Path) -> pd.DataFrame:
    """Write rows.csv: sorted by key, floats to the last bit. Refuses an incomplete grid."""
    found = store.scan(root, cells)
    if found.missing:
        raise ValueError(
            f"{root}: {found.note}; first missing: {found.missing[0]}. "
            "Run the sweep again, or export only the cells that are complete"
        )
    rows = store.frame(root, cells).sort_values(list(store.KEY), ignore_index=True)
    replace(Path(path), rows.to_csv(index=False, lineterminator="\n").encode())
    return rows


def load_rows(path: Path) -> pd.DataFrame:
    """Read what `export` wrote. Unknown columns, broken keys and repeated cells are refused."""
    strings = [name for name, dtype in store.COLUMNS.items() if dtype == "str"]
    try:
        rows = pd.read_csv(
            path,
            dtype=dict.fromkeys(strings, "str"),
            keep_default_na=False,
            na_values={"accuracy_best": [""]},
        )
    except pd.errors.ParserError as error:
        raise ValueError(f"{path}: not a CSV of result rows ({error}). Export it again") from error
    except pd.errors.EmptyDataError as error:
        raise ValueError(f"{path}: empty file. Export it again") from error
    if list(rows.columns) != list(store.COLUMNS):
        raise ValueError(
            f"{path}: expected columns {', '.join(store.COLUMNS)}; got {', '.join(rows.columns)}"
        )
    try:
        rows = rows.astype(store.COLUMNS)
    except ValueError as error:
        raise ValueError(f"{path}: a number was expected ({error}). Export it again") from error
    _check(rows, path)
    return rows


def _check(rows: pd.DataFrame, path: Path) -> None:
    seen: dict[Cell, int] = {}
    for line, row in enumerate(rows.to_dict("records"), start=2):
        try:
            cell = from_key({field: row[field] for field in store.KEY})
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {error}") from error
        if row["rate"] != cell.rate:
            raise ValueError(
                f"{path}, line {line}: expected rate {cell.rate} for rate_bp {cell.rate_bp}, "
                f"got {row['rate']}"
            )
        if not 0 <= row["accuracy"] <= 1 or row["kept"] < 1:
            raise ValueError(
                f"{path}, line {line}: expected accuracy 0 to 1 and kept 1 or more, "
                f"got {row['accuracy']} and {row['kept']}"
            )
        if cell in seen:
            raise ValueError(f"{path}, line {line}: repeats the cell of line {seen[cell]}")
        seen[cell] = line

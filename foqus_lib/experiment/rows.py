"""Committed result rows: the finished trials of a grid as one small, tidy, diffable CSV."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from foqus_lib.durable import replace
from foqus_lib.experiment import store
from foqus_lib.experiment.key import FIELDS, Trial, from_key
from foqus_lib.experiment.study import Study

log = logging.getLogger(__name__)

LINE = 2048  # bytes of a row at most: those of the committed ones are 500 to 1,200


def export(root: Path, study: Study, trials: Sequence[Trial], path: Path) -> pd.DataFrame:
    """Write rows.csv: sorted by key, floats to the last bit. Refuses an incomplete grid."""
    found, rows = store.results(root, study, trials)
    if found.missing:
        raise ValueError(
            f"{root}: {found.note}; first missing: {found.missing[0]}. "
            "Run the sweep again, or export only what is complete: fewer rates, seeds or methods"
        )
    rows = rows.sort_values([*FIELDS, *study.settings], ignore_index=True)
    replace(Path(path), rows.to_csv(index=False, lineterminator="\n").encode())
    return rows


def take_in(root: Path, study: Study, path: Path) -> tuple[int, int]:
    """Publish the rows of an export as finished trials: (new to the store, all in the file).

    So a sweep goes on from rows that somebody committed, though the store that made them is gone.
    Provenance comes along; numbers by level (accuracy by SNR) are in no row and stay missing.
    """
    rows = load_rows(path, study).to_dict("records")
    new, other = 0, []
    for row in rows:
        trial = from_key({name: row[name] for name in [*FIELDS, *study.settings]})
        measured = {
            one.name: row[one.name] for one in study.metrics if row[one.name] == row[one.name]
        }
        if not store.has(root, trial):
            provenance = {name: row[name] for name in store.PROVENANCE}
            new += store.publish(root, trial, measured, provenance)
        elif not measured.items() <= store.read(root, trial)["metrics"].items():
            other.append(trial)
    if other:
        log.warning(
            "%s: %d of %d rows have other numbers than %s, whose numbers stay; the first: %s",
            path, len(other), len(rows), root, other[0],
        )  # fmt: skip
    return new, len(rows)


def load_rows(path: Path, study: Study) -> pd.DataFrame:
    """Read what `export` wrote; ValueError for other columns or another study, for broken keys,
    numbers that are not finite, and repeated trials."""
    dtypes = store.columns(study)
    strings = [name for name, dtype in dtypes.items() if dtype == "str"]
    numbers = {metric.name: [""] for metric in study.metrics}  # not every trial has each
    try:
        rows = pd.read_csv(
            path, dtype=dict.fromkeys(strings, "str"), keep_default_na=False, na_values=numbers
        )
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a CSV of result rows ({error}). Export it again") from error
    except pd.errors.EmptyDataError as error:
        raise ValueError(f"{path}: empty file. Export it again") from error
    if list(rows.columns) != list(dtypes):
        raise ValueError(
            f"{path}: expected columns {', '.join(dtypes)}; got {', '.join(rows.columns)}"
        )
    if not isinstance(rows.index, pd.RangeIndex):  # pandas took the first column for names of rows
        raise ValueError(f"{path}: lines have more fields than there are columns. Export it again")
    for name in (name for name, dtype in dtypes.items() if dtype == "int64"):
        whole = pd.to_numeric(rows[name], errors="coerce") % 1 == 0
        if not whole.all():
            at = int((~whole).idxmax())
            line, got = at + 2, rows[name].tolist()[at]  # as Python prints it
            raise ValueError(f"{path}, line {line}: {name}: expected a whole number, got {got!r}")
    try:
        rows = rows.astype(dtypes)
    except ValueError as error:
        raise ValueError(f"{path}: a number was expected ({error}). Export it again") from error
    _check(rows, study, path)
    return rows


def _check(rows: pd.DataFrame, study: Study, path: Path) -> None:
    seen: dict[Trial, int] = {}
    first = study.metrics[0]
    for line, row in enumerate(rows.to_dict("records"), start=2):
        try:
            trial = from_key({name: row[name] for name in [*FIELDS, *study.settings]})
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {error}") from error
        if trial.study != study.name:
            raise ValueError(
                f"{path}, line {line}: expected rows of {study.name!r}, got {trial.study!r}. "
                "Name the export of that chapter"
            )
        if not any(row[metric.name] == row[metric.name] for metric in study.metrics):
            raise ValueError(f"{path}, line {line}: expected a number of a metric, got none")
        if endless := [one.name for one in study.metrics if math.isinf(row[one.name])]:
            raise ValueError(f"{path}, line {line}: expected a finite {endless[0]}, got infinity")
        if first.points and (row[first.name] < 0 or row[first.name] > 1):
            raise ValueError(
                f"{path}, line {line}: expected {first.name} 0 to 1, got {row[first.name]}"
            )
        if trial in seen:
            raise ValueError(f"{path}, line {line}: repeats the trial of line {seen[trial]}")
        seen[trial] = line

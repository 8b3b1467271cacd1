"""The finished trials of a grid as a tidy table, and as committed rows: a small, diffable CSV."""

import logging
import math
from collections.abc import Iterable, Sequence
from operator import itemgetter
from pathlib import Path

import pandas as pd

from foqus_lib.durable import replace
from foqus_lib.experiment import store
from foqus_lib.experiment.key import FIELDS, Trial, from_key
from foqus_lib.experiment.study import Study

log = logging.getLogger(__name__)

DTYPES = {str: "str", int: "int64"}
LINE = 2048  # bytes of a row at most: those of the committed ones are 500 to 1,200


def columns(study: Study) -> dict[str, str]:
    """Of `frame`, in order, with their dtypes: key, settings, metrics, provenance."""
    key = {name: DTYPES[kind] for name, kind in FIELDS.items()}
    settings = dict.fromkeys(study.settings, "str")
    metrics = {metric.name: "float64" for metric in study.metrics}
    return key | settings | metrics | store.PROVENANCE


def results(root: Path, study: Study, trials: Iterable[Trial]) -> tuple[store.Scan, pd.DataFrame]:
    """`scan` and `frame` of a grid, each file opened once."""
    names, rows = list(columns(study)), []
    pick, lacking = itemgetter(*names), dict.fromkeys(names, math.nan)  # a metric not measured

    def keep(body: dict) -> None:
        rows.append(pick(lacking | body["key"] | body["metrics"] | body["provenance"]))

    found = store.scan(root, trials, keep)
    by_column = zip(*rows, strict=True) if rows else [[]] * len(names)
    table = pd.DataFrame({n: list(c) for n, c in zip(names, by_column, strict=True)})
    return found, table.astype(columns(study))


def frame(root: Path, study: Study, trials: Iterable[Trial]) -> pd.DataFrame:
    """One row a finished trial, in the grid's order, with `columns`, also when there is none.

    Rows that are missing are not here: ask `scan` which, and say so beside any mean.
    """
    return results(root, study, trials)[1]


def frame_by(
    root: Path, study: Study, trials: Iterable[Trial], metric: str, level: str
) -> pd.DataFrame:
    """One row a finished trial and level of a metric: frame_by(..., "accuracy", "snr")."""
    kept = [*FIELDS, *study.settings]
    rows = []

    def keep(body: dict) -> None:
        key = {name: body["key"][name] for name in kept}
        levels = body["metrics"].get(f"{metric}_by_{level}", {})
        rows.extend(key | {level: float(at), metric: value} for at, value in levels.items())

    store.scan(root, trials, keep)
    dtypes = {name: columns(study)[name] for name in kept} | {level: "float64", metric: "float64"}
    return pd.DataFrame(rows, columns=list(dtypes)).astype(dtypes)


def export(root: Path, study: Study, trials: Sequence[Trial], path: Path) -> pd.DataFrame:
    """Write rows.csv: sorted by key, floats to the last bit. Refuses an incomplete grid."""
    found, rows = results(root, study, trials)
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
    dtypes = columns(study)
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

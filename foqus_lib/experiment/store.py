"""One JSON file a finished cell, published once, never changed: root/cells/ab/abcd....json.

An engine may run a cell twice or lose a worker; what is published stays, and `scan` says what is
left. Each file is {"sha256": ..., "body": "<canonical JSON>"}, so damage is noticed: the file goes
to root/quarantine and the cell counts as missing. Errors go to root/failures, never to cells/.
"""

import json
import logging
import math
import traceback
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path

import pandas as pd

from foqus_lib.durable import quarantine, write_once
from foqus_lib.experiment.cell import ALGORITHM, Cell, canonical, from_key, name_of

log = logging.getLogger(__name__)

SCHEMA = 1
DAMAGE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)  # of a broken record
PROVENANCE = {
    "foqus": "str", "git": "str", "torch": "str", "numpy": "str", "python": "str",
    "platform": "str", "device": "str", "threads": "int64", "fused": "int64",
    "seconds": "float64", "started": "str", "about": "str",
}  # fmt: skip
METRICS = {"accuracy": "float64", "accuracy_best": "float64", "kept": "int64"}
KEY = {field.name: {str: "str", int: "int64"}[field.type] for field in fields(Cell)}
COLUMNS = KEY | {"rate": "float64"} | METRICS | PROVENANCE  # of `frame`: name -> dtype


@dataclass(frozen=True)
class Scan:
    """What a grid has and lacks. Completion is decided here, never by the engine."""

    complete: list[Cell]
    missing: list[Cell]  # to run; failed and quarantined cells are among them
    failed: dict[Cell, str]  # last line of the newest error of a missing cell
    quarantined: dict[Cell, str]  # file set aside of a missing cell

    @property
    def note(self) -> str:
        """ "132 of 135 cells (1 failed, 0 quarantined)"; "" when nothing is missing."""
        if not self.missing:
            return ""
        total = len(self.complete) + len(self.missing)
        return (
            f"{len(self.complete)} of {total} cells "
            f"({len(self.failed)} failed, {len(self.quarantined)} quarantined)"
        )


def publish(root: Path, cell: Cell, metrics: Mapping, provenance: Mapping) -> bool:
    """Store a finished cell; False if it was there before, whose numbers then stay."""
    _check_metrics(metrics)
    if missing := [field for field in PROVENANCE if field not in provenance]:
        raise ValueError(f"provenance: missing {', '.join(missing)}; use provenance.provenance()")
    body = {
        "schema": SCHEMA,
        "key": cell.key,
        "metrics": dict(metrics),
        "provenance": dict(provenance),
    }
    path, record = _path(root, cell.name), _sealed(body)
    for _ in range(3):  # more than once only if a damaged file stands in our place
        if write_once(path, record):
            return True
        theirs, _trouble = _look(root, cell.name)
        if theirs is not None:
            if theirs["metrics"] != json.loads(canonical(dict(metrics))):
                log.warning("%s: published before with other metrics; the first ones stay", path)
            return False
    raise ValueError(f"{path}: damaged and cannot be moved away; delete it and run again")


def has(root: Path, cell: Cell) -> bool:
    """Whether the cell is stored and whole: what resuming asks."""
    return _look(root, cell.name)[0] is not None


def read(root: Path, cell: Cell) -> dict:
    """The body {schema, key, metrics, provenance}; ValueError if absent or damaged."""
    body, trouble = _look(root, cell.name)
    if body is None:
        raise ValueError(trouble or f"{_path(root, cell.name)}: not run yet. Run the sweep first")
    return body


def fail(root: Path, cell: Cell, error: BaseException, attempt: Mapping | None = None) -> Path:
    """Keep the traceback of one attempt, with what the caller knows about it; says where."""
    folder = Path(root) / "failures" / cell.name
    earlier = len(list(folder.glob("*.json"))) if folder.is_dir() else 0
    path = folder / f"{earlier + 1:04d}-{uuid.uuid4().hex[:8]}.json"
    body = {
        "schema": SCHEMA,
        "key": cell.key,
        "error": "".join(traceback.format_exception_only(error)).strip(),
        "traceback": "".join(traceback.format_exception(error)),
        "attempt": dict(attempt or {}),
    }
    write_once(path, _sealed(body))
    return path


def scan(root: Path, cells: Iterable[Cell]) -> Scan:
    """Complete, missing, failed and quarantined cells of a grid, each cell read and checked."""
    complete, missing, failed, quarantined = [], [], {}, {}
    aside = {path.name.split(".")[0]: path for path in _files(Path(root) / "quarantine")}
    for cell in dict.fromkeys(cells):
        body, trouble = _look(root, cell.name)
        if body is not None:
            complete.append(cell)
            continue
        missing.append(cell)
        if trouble or cell.name in aside:
            quarantined[cell] = trouble or f"{aside[cell.name]}: set aside earlier"
        if attempts := _files(Path(root) / "failures" / cell.name):
            failed[cell] = _last_error(attempts[-1])
    return Scan(complete, missing, failed, quarantined)


def frame(root: Path, cells: Iterable[Cell] | None = None) -> pd.DataFrame:
    """One row a finished cell, in the grid's order (without a grid: all, by name). See COLUMNS.

    Rows that are missing are not here: ask `scan` which, and say so beside any mean.
    """
    return typed(pd.DataFrame(_row(body) for body in _bodies(root, cells)))


def frame_by_snr(root: Path, cells: Iterable[Cell] | None = None) -> pd.DataFrame:
    """One row a finished cell and SNR: the cell's fields, snr (dB), accuracy at that SNR."""
    rows = [
        {field: body["key"][field] for field in KEY} | {"snr": float(snr), "accuracy": accuracy}
        for body in _bodies(root, cells)
        for snr, accuracy in body["metrics"].get("accuracy_by_snr", {}).items()
    ]
    columns = KEY | {"snr": "float64", "accuracy": "float64"}
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def typed(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of `frame`, in order and with their dtypes, also when there is no row."""
    return rows.reindex(columns=list(COLUMNS)).astype(COLUMNS)


def _row(body: Mapping) -> dict:
    numbers = {name: body["metrics"].get(name, math.nan) for name in METRICS}
    notes = {name: body["provenance"][name] for name in PROVENANCE}
    return body["key"] | {"rate": body["key"]["rate_bp"] / 10_000} | numbers | notes


def _bodies(root: Path, cells: Iterable[Cell] | None) -> Iterator[dict]:
    if cells is None:
        names = [path.stem for path in sorted(Path(root).glob("cells/??/*.json"))]
    else:
        names = [cell.name for cell in dict.fromkeys(cells)]
    for name in names:
        body, _ = _look(root, name)
        if body is not None and body["key"]["algorithm"] == ALGORITHM:
            yield body


def _path(root: Path, name: str) -> Path:
    return Path(root) / "cells" / name[:2] / f"{name}.json"


def _sealed(body: Mapping) -> bytes:
    text = canonical(body)
    return json.dumps({"sha256": sha256(text.encode()).hexdigest(), "body": text}).encode()


def _look(root: Path, name: str) -> tuple[dict | None, str]:
    """(body, ""), or (None, "") if the cell was never published, or (None, what was damaged)."""
    path = _path(root, name)
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None, ""
    try:
        body = unsealed(raw)
        newer = body["schema"] > SCHEMA
        if not newer:  # a newer schema may have other keys: it is not ours to judge
            from_key(body["key"])
            if name_of(body["key"]) != name:
                raise ValueError("holds another cell than its name says")
    except DAMAGE as error:
        where = quarantine(root, path, seen=raw)
        return None, f"{path}: {error}. {where}; run the sweep again to recompute this cell"
    if newer:
        raise ValueError(
            f"{path}: schema {body['schema']} was written by foqus "
            f"{body.get('provenance', {}).get('foqus', '?')}; this library knows up to {SCHEMA}. "
            "Update the library; nothing was changed"
        )
    return body, ""


def unsealed(raw: bytes) -> dict:
    """The body of a record, its SHA-256 checked."""
    record = json.loads(raw)
    if not isinstance(record, dict) or set(record) != {"sha256", "body"}:
        raise ValueError("expected a JSON object of sha256 and body")
    got = sha256(record["body"].encode()).hexdigest()
    if got != record["sha256"]:
        raise ValueError(f"expected sha256 {record['sha256'][:16]}..., got {got[:16]}...")
    return json.loads(record["body"])


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("[!.]*.json")) if folder.is_dir() else []


def _last_error(path: Path) -> str:
    try:
        return f"{unsealed(path.read_bytes())['error']} ({path})"
    except (OSError, *DAMAGE) as error:
        return f"unreadable failure record {path}: {error}"


def _check_metrics(metrics: Mapping) -> None:
    for field in ("accuracy", "kept"):
        if field not in metrics:
            raise ValueError(f"metrics: missing {field}; got {', '.join(metrics) or 'nothing'}")
    flat = {k: v for k, v in metrics.items() if k != "accuracy_by_snr"}
    flat |= {f"accuracy_by_snr[{k}]": v for k, v in metrics.get("accuracy_by_snr", {}).items()}
    for field, value in flat.items():
        if not math.isfinite(value):
            raise ValueError(f"metrics.{field}: expected a finite number, got {value}")
        if field.startswith("accuracy") and not 0 <= value <= 1:
            raise ValueError(f"metrics.{field}: expected a fraction 0 to 1, got {value}")

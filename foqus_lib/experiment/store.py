"""One JSON file a finished trial, published once, never changed: root/trials/ab/abcd....json.

An engine may run a trial twice or lose a worker; what is published stays, and `scan` says what is
left. Each file is sealed, so damage is noticed: it goes to root/quarantine and the trial counts as
missing. Errors go to root/failures, never to trials/.
"""

import gc
import json
import logging
import math
import os
import traceback
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import pandas as pd

from foqus_lib.durable import quarantine, write_once
from foqus_lib.errors import Diverged
from foqus_lib.experiment.key import FIELDS, Trial, canonical, from_key, name_of
from foqus_lib.experiment.sealed import opened, parsed, sealed, unsealed
from foqus_lib.experiment.study import Study

log = logging.getLogger(__name__)

SCHEMA = 2  # 1 had one kind of experiment, and no versions
DAMAGE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)  # of a broken record
PROVENANCE = {
    "foqus": "str", "git": "str", "torch": "str", "numpy": "str", "python": "str",
    "platform": "str", "device": "str", "threads": "int64", "fused": "int64",
    "seconds": "float64", "started": "str", "about": "str",
}  # fmt: skip
DTYPES = {str: "str", int: "int64"}


@dataclass(frozen=True)
class Failure:
    """What an attempt at a key ended with."""

    error: str  # its last line
    path: Path  # of the record, which holds the traceback
    diverged: bool  # the same key will fail so again

    def __str__(self) -> str:
        return f"{self.error} ({self.path})"


@dataclass(frozen=True)
class Scan:
    """What a grid has and lacks. Completion is decided here, never by the engine."""

    complete: list[Trial]
    missing: list[Trial]  # to run; failed and quarantined trials are among them
    failed: dict[Trial, str]  # last line of the newest error of a missing trial
    quarantined: dict[Trial, str]  # file set aside of a missing trial

    @property
    def note(self) -> str:
        """ "132 of 135 trials (1 failed, 0 quarantined)" and why; "" when nothing is missing."""
        if not self.missing:
            return ""
        total = len(self.complete) + len(self.missing)
        counts = f"{len(self.failed)} failed, {len(self.quarantined)} quarantined"
        why = "".join(f"; {reason}" for reason in list(dict.fromkeys(self.failed.values()))[:3])
        return f"{len(self.complete)} of {total} trials ({counts}{why})"


def publish(root: Path, trial: Trial, metrics: Mapping, provenance: Mapping) -> bool:
    """Store a finished trial; False if it was there before, whose numbers then stay.

    metrics: {name: number} and, by name of a level, {name: {level: number}}.
    """
    _check_finite(metrics)
    if missing := [field for field in PROVENANCE if field not in provenance]:
        raise ValueError(f"provenance: missing {', '.join(missing)}; use provenance.provenance()")
    body = {
        "schema": SCHEMA,
        "key": trial.key,
        "metrics": dict(metrics),
        "provenance": dict(provenance),
    }
    path, record = _path(root, trial.name), sealed(body)
    for _ in range(3):  # more than once only if a damaged file stands in our place
        if write_once(path, record):
            return True
        theirs, _trouble = _look(root, trial)
        if theirs is not None:
            if theirs["metrics"] != json.loads(canonical(dict(metrics))):
                log.warning("%s: published before with other metrics; the first ones stay", path)
            return False
    raise ValueError(f"{path}: damaged and cannot be moved away; delete it and run again")


def has(root: Path, trial: Trial) -> bool:
    """Whether the trial is stored and whole: what resuming asks."""
    return _look(root, trial)[0] is not None


def read(root: Path, trial: Trial) -> dict:
    """The body {schema, key, metrics, provenance}; ValueError if absent or damaged."""
    body, trouble = _look(root, trial)
    if body is None:
        where = _path(root, trial.name)
        raise ValueError(trouble or f"{where}: not run yet. Run the sweep first")
    return body


def fail(root: Path, key: Mapping, error: BaseException) -> Path:
    """Keep the traceback of one attempt at a trial's key, or at a record's; says where."""
    folder = Path(root) / "failures" / name_of(key)
    earlier = len(list(folder.glob("*.json"))) if folder.is_dir() else 0
    path = folder / f"{earlier + 1:04d}-{uuid.uuid4().hex[:8]}.json"
    body = {
        "schema": SCHEMA,
        "key": dict(key),
        "error": traceback.format_exception_only(error)[0].strip(),  # without notes
        "traceback": "".join(traceback.format_exception(error)),
        "diverged": isinstance(error, Diverged),
    }
    write_once(path, sealed(body))
    return path


def last_failure(root: Path, key: Mapping) -> Failure | None:
    """Of the newest attempt at this key; None if none failed."""
    attempts = _files(Path(root) / "failures" / name_of(key))
    return _failure(attempts[-1]) if attempts else None


def scan(
    root: Path, trials: Iterable[Trial], keep: Callable[[dict], None] = lambda body: None
) -> Scan:
    """Complete, missing, failed and quarantined trials of a grid, each read and checked once.

    `keep` gets the body of each that is complete, in order.
    """
    complete, missing, failed, quarantined = [], [], {}, {}
    aside = {path.name.split(".")[0]: path for path in _files(Path(root) / "quarantine")}
    for trial in _uncollected(dict.fromkeys(trials)):
        body, trouble = _look(root, trial)
        if body is not None:
            complete.append(trial)
            keep(body)
            continue
        missing.append(trial)
        if trouble or trial.name in aside:
            quarantined[trial] = trouble or f"{aside[trial.name]}: set aside earlier"
        if failure := last_failure(root, trial.key):
            failed[trial] = failure.error
    return Scan(complete, missing, failed, quarantined)


def columns(study: Study) -> dict[str, str]:
    """Of `frame`, in order, with their dtypes: key, settings, metrics, provenance."""
    key = {name: DTYPES[kind] for name, kind in FIELDS.items()}
    settings = dict.fromkeys(study.settings, "str")
    metrics = {metric.name: "float64" for metric in study.metrics}
    return key | settings | metrics | PROVENANCE


def results(root: Path, study: Study, trials: Iterable[Trial]) -> tuple[Scan, pd.DataFrame]:
    """`scan` and `frame` of a grid, each file opened once."""
    names, rows = list(columns(study)), []
    pick, lacking = itemgetter(*names), dict.fromkeys(names, math.nan)  # a metric not measured

    def keep(body: dict) -> None:
        rows.append(pick(lacking | body["key"] | body["metrics"] | body["provenance"]))

    found = scan(root, trials, keep)
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

    scan(root, trials, keep)
    dtypes = {name: columns(study)[name] for name in kept} | {level: "float64", metric: "float64"}
    return pd.DataFrame(rows, columns=list(dtypes)).astype(dtypes)


def _uncollected(trials: Iterable[Trial]) -> Iterator[Trial]:
    """The trials; Python looks for no cycles meanwhile, which takes a fifth among so many rows."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield from trials
    finally:
        if was_on:
            gc.enable()


def _path(root: Path, name: str) -> Path:
    return Path(root) / "trials" / name[:2] / f"{name}.json"


def _look(root: Path, trial: Trial) -> tuple[dict | None, str]:
    """(body, ""), or (None, "") if the trial was never published, or (None, what was damaged)."""
    path = f"{root}/trials/{trial.name[:2]}/{trial.name}.json"  # a Path costs more than to read it
    try:
        raw = _content(path)
    except (FileNotFoundError, NotADirectoryError):
        return None, ""
    except OSError as error:  # while it was read: such an error names no file
        raise OSError(error.errno, error.strerror, path) from error
    try:
        text, head = opened(raw), f'{{"key":{trial.text},'
        if text.startswith(head):  # the trial's own key, letter by letter: need not be read again
            body = parsed("{" + text[len(head) :]) | {"key": dict(trial.key)}
            newer = body["schema"] > SCHEMA
        else:
            body = parsed(text)
            newer = body["schema"] > SCHEMA
            if not newer:  # a newer schema may have other keys: it is not ours to judge
                _refuse(body["key"])
    except DAMAGE as error:
        where = quarantine(root, Path(path), seen=raw)
        return None, f"{path}: {error}. {where}; run the sweep again to recompute this trial"
    if newer:
        raise ValueError(
            f"{path}: schema {body['schema']} was written by foqus "
            f"{body.get('provenance', {}).get('foqus', '?')}; this library knows up to {SCHEMA}. "
            "Update the library; nothing was changed"
        )
    return body, ""


def _content(path: str) -> bytes:
    """All bytes of a small file. `open` asks first what it is and how big: half as long again."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        parts = []
        while part := os.read(handle, 1 << 16):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(handle)


def _refuse(key: dict) -> None:
    """ValueError for a key that is not the trial's own to the letter; 1.0 or True is not 1."""
    from_key(key)  # says what is wrong with it, if it is none
    raise ValueError("holds another trial than its name says")


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("[!.]*.json")) if folder.is_dir() else []


def _failure(path: Path) -> Failure:
    try:
        body = unsealed(path.read_bytes())
        return Failure(body["error"], path, body.get("diverged", False))  # older ones did not say
    except (OSError, *DAMAGE) as error:
        return Failure(f"unreadable failure record: {error}", path, False)


def _check_finite(metrics: Mapping) -> None:
    if not metrics:
        raise ValueError("metrics: expected at least one number, got nothing")
    for name, value in metrics.items():
        for level, number in (value if isinstance(value, Mapping) else {"": value}).items():
            if not math.isfinite(number):
                where = f"metrics.{name}" + (f"[{level}]" if level else "")
                raise ValueError(f"{where}: expected a finite number, got {number}")

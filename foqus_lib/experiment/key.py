"""Trial: the key of one result of any chapter, and the one name that a key has."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import sha256
from operator import attrgetter
from typing import Protocol, runtime_checkable

from foqus_lib.errors import unknown

Plain = str | int
Settings = tuple[tuple[str, str], ...]
NONE = "-"  # a setting that a trial does not have: no network, no recipe, no coreset


@runtime_checkable
class Signed(Protocol):
    """What a trial is run on: a name for readers, and the digest that tells it from all others."""

    name: str
    fingerprint: str


@dataclass(frozen=True)
class Trial:
    """Nothing but str and int: 1 and 1.0, or the spellings of 0.3, must not be several trials.

    Whatever else decides the result stands in `settings`: networks, recipes, and the versions of
    the code that computes, so that no change of code returns yesterday's number as today's. They
    are text: a committed row has a column for each, and from a column 5 and "5" read alike.
    """

    study: str
    version: int  # of the study
    dataset: str
    fingerprint: str  # SHA-256 of the training and test signals
    method: str
    budget: int  # what the study's axis counts: basis points of a rate, signals a class, layers ...
    seed: int
    repeat: int  # of what is random after the choice was made
    settings: Settings = ()  # by name, sorted

    def __post_init__(self) -> None:
        for name, kind in FIELDS.items():
            _check_field(name, getattr(self, name), kind)
        names = [name for name, _ in self.settings]
        if names != sorted(set(names)):
            raise ValueError(f"trial.settings: expected distinct names in order, got {names}")
        if taken := set(names) & set(FIELDS):
            raise ValueError(f"trial.settings: {sorted(taken)} are fields of every trial")
        for name, value in self.settings:
            _check_field(name, value, str)

    @classmethod
    def on(
        cls,
        task: Signed,
        study: str,
        version: int,
        method: str,
        budget: int,
        seed: int,
        repeat: int = 0,
        **settings: str,
    ) -> "Trial":
        """A trial on the task's signals, its settings in any order."""
        of_task = task.name, task.fingerprint
        ordered = tuple(sorted(settings.items()))
        return cls(study, version, *of_task, method, budget, seed, repeat, ordered)

    def __getitem__(self, setting: str) -> str:
        """The value of a setting: trial["evaluation_model"]."""
        known = dict(self.settings)
        if setting not in known:
            raise unknown("setting of the trial", setting, known)
        return known[setting]

    @cached_property
    def key(self) -> dict[str, Plain]:
        """Fields and settings in one: what the name is made of, and a row's first columns."""
        return dict(zip(FIELDS, _VALUES(self), strict=True)) | dict(self.settings)

    @cached_property
    def text(self) -> str:
        """The canonical JSON of the key: what the name is a digest of, and how a record begins."""
        return canonical(self.key)

    @cached_property
    def name(self) -> str:
        """Content address of the key, as `name_of` has it; the result's file name."""
        return sha256(self.text.encode()).hexdigest()  # its types were checked above


def versions_text(found: Mapping[str, int]) -> str:
    """Of code, by its name, as a setting: "CNN1D=1 Entropy=1 fit=2"."""
    return " ".join(f"{name}={version}" for name, version in sorted(found.items()))


FIELDS = {field.name: field.type for field in fields(Trial)[:-1]}  # name -> str or int
_VALUES = attrgetter(*FIELDS)


def _check_field(name: str, value: object, kind: type) -> None:
    if type(value) is not kind:
        raise ValueError(
            f"trial.{name}: expected {kind.__name__}, got {value!r} ({type(value).__name__}); "
            "rates are basis points (0.05 is 500), other numbers go in as text"
        )
    if value == "":
        raise ValueError(f"trial.{name}: expected a name, got ''")
    if kind is int and value < 0:
        raise ValueError(f"trial.{name}: expected 0 or more, got {value}")


def from_key(key: Mapping[str, object]) -> Trial:
    """A Trial from its key, as read from a file: what is no field is a setting."""
    if missing := [name for name in FIELDS if name not in key]:
        raise ValueError(f"trial: missing {', '.join(missing)}; expected {', '.join(FIELDS)}")
    settings = sorted((name, value) for name, value in key.items() if name not in FIELDS)
    return Trial(**{name: key[name] for name in FIELDS}, settings=tuple(settings))


_JSON = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), allow_nan=False, default=lambda x: x.item()
)


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted, no spaces, no NaN; numpy scalars become numbers."""
    return _JSON.encode(value)


def name_of(key: Mapping[str, object]) -> str:
    """SHA-256 of the canonical JSON of a key; refuses what has more than one spelling."""
    for name, value in key.items():
        if type(value) not in (str, int):
            raise ValueError(
                f"key.{name}: expected str or int, got {value!r} ({type(value).__name__})"
            )
    return sha256(canonical(dict(key)).encode()).hexdigest()


def basis_points(rate: float) -> int:
    """0.05 -> 500; refuses what is no whole number of basis points, 0 or less, or above 1."""
    if isinstance(rate, bool) or not 0 < rate <= 1:
        raise ValueError(f"rate: expected 0 < |S|/N <= 1, got {rate!r}; 5 % is 0.05")
    points = round(rate * 10_000)
    if points / 10_000 != rate:
        raise ValueError(
            f"rate: expected whole basis points (multiples of 0.0001), got {rate!r}; "
            f"the nearest is {max(points, 1) / 10_000}"
        )
    return points

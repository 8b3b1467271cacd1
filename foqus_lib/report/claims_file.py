"""book/claims.yml: the paper's claims as data, checked field by field when they are read."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import yaml

from foqus_lib.errors import unknown
from foqus_lib.report import paper
from foqus_lib.report.claim_rules import RULES, Scope

FILE = paper.REPORTED.parents[1] / "claims.yml"
PAPERS, OURS = WHOSE = "paper", "ours"  # who put it into this form
NAMES = ("method", "table", "dataset", "selection_model", "evaluation_model", "budget")


@dataclass(frozen=True)
class Printed:
    """A number of the paper: a selection of its cells, or the difference of two.

    `less` without a method is the best of all other methods.
    """

    label: str
    cell: Mapping[str, object]
    less: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Claim:
    """One claim, in a few words, and where the paper shows it."""

    id: str
    claim: str
    shown: str
    rule: str
    tested: Scope | None = None
    reason: str = ""  # of a claim that nothing tests
    paper: tuple[Printed, ...] = ()
    whose: str = PAPERS  # or OURS


def read_claims(path: Path = FILE) -> list[Claim]:
    """The claims in their order. Errors name the file, the claim and the field."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(found, list):
        raise ValueError(f"{path}: expected a list of claims, got {type(found).__name__}")
    claims = [_claim(entry, f"{path}, claim {place}") for place, entry in enumerate(found, start=1)]
    ids = [claim.id for claim in claims]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"{path}: id {', '.join(twice)} is given twice")
    return claims


def _claim(entry: object, where: str) -> Claim:
    given = _checked(entry, Claim, where)
    where = f"{where} ({given['id']})"
    if given["rule"] not in RULES:
        raise ValueError(f"{where}: {unknown('rule', given['rule'], RULES)}")
    if given.get("whose", PAPERS) not in WHOSE:
        raise ValueError(f"{where}: {unknown('whose', given['whose'], WHOSE)}")
    if (given["rule"] == "not_tested") != ("tested" not in given):
        raise ValueError(f"{where}: expected tested for every rule but not_tested")
    if (given["rule"] == "not_tested") != bool(given.get("reason")):
        raise ValueError(f"{where}: expected a reason for not_tested, and for no other rule")
    if "tested" in given:
        tested = _checked(given["tested"], Scope, f"{where}, tested")
        if given["rule"] == "difference_between":
            _same_length(tested, where)
        given["tested"] = Scope(**{k: _frozen(v) for k, v in tested.items()})
    printed = given.get("paper", [])
    if not isinstance(printed, list):
        raise ValueError(f"{where}, paper: expected a list, got {printed!r}")
    given["paper"] = tuple(_printed(one, f"{where}, paper") for one in printed)
    return Claim(**given)


def _same_length(tested: dict, where: str) -> None:
    one, other = len(tested["methods"]), len(tested.get("against", []))
    if one != other:
        raise ValueError(
            f"{where}, tested: difference_between sets each method against the one at its place; "
            f"got {one} methods against {other}"
        )


def _printed(entry: object, where: str) -> Printed:
    given = _checked(entry, Printed, where)
    for name in ("cell", "less"):
        for column in given.get(name) or {}:
            if column not in NAMES:
                raise ValueError(f"{where}, {name}: {unknown('column', column, NAMES)}")
    return Printed(**given)


def _checked(entry: object, kind: type, where: str) -> dict:
    """The mapping, if it has the fields of the dataclass, of their types, and no others."""
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: expected a mapping, got {entry!r}")
    known = {one.name: one for one in fields(kind)}
    for name in entry:
        if name not in known:
            raise ValueError(f"{where}: {unknown('field', name, known)}")
    needed = [name for name, one in known.items() if _required(one)]
    if missing := [name for name in needed if name not in entry]:
        raise ValueError(f"{where}: missing {', '.join(missing)}")
    for name, value in entry.items():
        if not _fits(value, known[name].type):
            raise ValueError(f"{where}, {name}: expected {_words(known[name].type)}, got {value!r}")
    return dict(entry)


def _required(one) -> bool:
    return one.default is one.default_factory  # both MISSING


def _fits(value: object, kind: object) -> bool:
    if kind is str:
        return isinstance(value, str) and bool(value.strip())
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind in (tuple[str, ...], tuple[int, ...]):
        inner = str if kind == tuple[str, ...] else int
        return isinstance(value, list) and bool(value) and all(type(v) is inner for v in value)
    if "Mapping" in str(kind):
        return isinstance(value, dict)
    return True  # checked where it is read


def _words(kind: object) -> str:
    words = {str: "text", float: "a number", tuple[str, ...]: "a list of names"}
    return words.get(kind, "a list of whole numbers" if kind == tuple[int, ...] else "a mapping")


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value

"""What the paper claims, beside what the committed rows show: a verdict is computed, never typed.

book/claims.yml holds each claim as data; a rule below turns its rows into a verdict:

    holds            shown, after Holm's adjustment over all comparisons of the claim
    does not hold    the contrary is shown
    not shown        neither; the smallest difference the rows could have shown stands beside
    not tested       no committed rows, or nothing that rows could test
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd
import yaml

from foqus_lib.errors import unknown
from foqus_lib.experiment.study import Metric, Study
from foqus_lib.report import compare, paper
from foqus_lib.report.blocks import block_names, block_of, budgets_of, in_blocks, in_order
from foqus_lib.report.printed import write_json, write_plain
from foqus_lib.report.tables import AVERAGE, comparison_text, difference_text, laid_out, value_text

FILE = paper.REPORTED.parents[1] / "claims.yml"
HOLDS, FAILS, UNSHOWN, UNTESTED = VERDICTS = "holds", "does not hold", "not shown", "not tested"
NO_ROWS = "no committed rows"
NAMES = ("method", "table", "dataset", "selection_model", "evaluation_model", "budget")


@dataclass(frozen=True)
class Scope:
    """Which committed rows test a claim; names may hold * (fnmatch)."""

    layer: str  # folder of book/results
    rows: str  # main -> main.csv
    methods: tuple[str, ...]
    budgets: tuple[int, ...]
    against: tuple[str, ...] = ()
    margin: float = 0.0  # of no_worse_than


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


@dataclass(frozen=True)
class Finding:
    """What the rows say of a claim."""

    verdict: str
    ours: str = ""  # difference, interval, n
    data: str = ""
    comparisons: pd.DataFrame = field(default_factory=pd.DataFrame)


# ---- claims.yml ----------------------------------------------------------------------------------


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


# ---- the rows of a claim -------------------------------------------------------------------------


@dataclass(frozen=True)
class Rows:
    """The rows a rule sees: each under the budgets of its block, the ceiling under each of them."""

    frame: pd.DataFrame
    study: Study
    tested: Scope

    def names(self, patterns: tuple[str, ...]) -> list[str]:
        """The methods that fit a pattern, in the order of tables; the ceiling only by its name."""
        return [
            name
            for name in in_order(list(self.frame.method), self.study)
            if name in patterns
            or name != self.study.ceiling
            and any(fnmatchcase(name, pattern) for pattern in patterns)
        ]

    def series(self, key: tuple, method: str, budget: int) -> pd.Series:
        """The metric by (seed, repeat) of one row of a table; empty where there is none."""
        block = block_of(self.study)
        here = (self.frame[block] == list(key)).all(axis=1) & (self.frame.budget == budget)
        return compare.by_trial(self.frame[here & (self.frame.method == method)], self.metric)

    @property
    def metric(self) -> Metric:
        return self.study.metrics[0]

    @property
    def blocks(self) -> list[tuple]:
        keys = self.frame[block_of(self.study)].itertuples(index=False, name=None)
        return list(dict.fromkeys(keys))

    @property
    def budgets(self) -> list[int]:
        return [b for b in budgets_of(self.frame) if b in self.tested.budgets]

    def at(self, key: tuple, budget: int) -> str:
        """ "1 %", with the block where there are several."""
        text = self.study.axis.text(budget)
        one = pd.DataFrame([key], columns=block_of(self.study))
        return f"{block_names(one, self.study).iloc[0]}, {text}" if len(self.blocks) > 1 else text


def _compared(rows: Rows, found: list[tuple[str, str, pd.Series, pd.Series]]) -> pd.DataFrame:
    """One line a comparison: at, label, then what `compare.judged` gives; one family."""
    lines = [
        {"at": at, "label": label} | compare.compare(ours, theirs)
        for at, label, ours, theirs in found
        if len(ours) and len(theirs)
    ]
    names = ["at", "label", *compare.COLUMNS, "error", "freedom", "each"]
    lines = pd.DataFrame(lines, columns=names).assign(family=0)
    return compare.judged(lines, ["family"], rows.metric).drop(columns="family")


def _against(rows: Rows) -> pd.DataFrame:
    """Each method of the claim less each it is set against, at each budget of each block."""
    return _compared(rows, [
        (rows.at(key, budget), other, rows.series(key, method, budget),
         rows.series(key, other, budget))
        for key in rows.blocks
        for budget in rows.budgets
        for method in rows.names(rows.tested.methods)
        for other in rows.names(rows.tested.against)
        if other != method
    ])  # fmt: skip


def _texts(numbers: pd.DataFrame, metric: Metric) -> list[str]:
    """ "1 %: +1.0 [-0.5, +2.5] (n = 10; from 2.3 on it would show)"."""
    return [
        f"{row.at}: {comparison_text(row, metric)}"
        + (
            f" (n = {row.n}; would show {difference_text(row.detectable, metric)[1:]})"
            if row.p == row.p
            else ""
        )
        for row in numbers.itertuples()
    ]


def _all_or_any(verdicts: pd.Series) -> str:
    """Holds if every comparison is shown, fails if the contrary of one is."""
    if (verdicts == "worse").any():
        return FAILS
    return HOLDS if len(verdicts) and (verdicts == "better").all() else UNSHOWN


# ---- the rules -----------------------------------------------------------------------------------


def above_floor(rows: Rows) -> Finding:
    """The method is shown above the floor at every budget there is."""
    numbers = _against(rows)
    return Finding(_all_or_any(numbers.verdict), "; ".join(_texts(numbers, rows.metric)),
                   comparisons=numbers)  # fmt: skip


def above_all(rows: Rows) -> Finding:
    """The method is shown above every other at more than half of the budgets.

    Fails if at half of the budgets or more some other is shown above it. Printed: at each budget
    the smallest lead, over whom, and how many others the method is shown above.
    """
    numbers, words, won, lost = _against(rows), [], 0, 0
    for _, group in numbers.groupby("at", sort=False):
        won += (group.verdict == "better").all()
        lost += (group.verdict == "worse").any()
        sign = 1 if rows.metric.higher_is_better else -1
        least = group.loc[[(sign * group.difference).idxmin()]]
        [text] = _texts(least, rows.metric)
        words.append(
            f"{text} over {least.label.iloc[0]}, shown above {(group.verdict == 'better').sum()} "
            f"of {len(group)}"
        )
    half = numbers["at"].nunique() / 2
    verdict = HOLDS if won > half else FAILS if lost and lost >= half else UNSHOWN
    return Finding(verdict, "; ".join(words), comparisons=numbers)


def no_worse_than(rows: Rows) -> Finding:
    """The method loses less than the margin at every budget; fails if somewhere it loses more.

    Decided by the 95 % intervals: all of them must lie on one side, so none is adjusted.
    """
    numbers = _against(rows)
    sign = 1 if rows.metric.higher_is_better else -1
    worst = numbers[["low", "high"]].mul(sign).min(axis=1)
    best = numbers[["low", "high"]].mul(sign).max(axis=1)
    holds, fails = worst > -rows.tested.margin, best < -rows.tested.margin
    verdict = FAILS if fails.any() else HOLDS if len(numbers) and holds.all() else UNSHOWN
    return Finding(verdict, "; ".join(_texts(numbers, rows.metric)), comparisons=numbers)


def largest_at_first(rows: Rows) -> Finding:
    """The lead over the floor at the claim's first budget is above that at every other budget."""
    first, *others = [budget for budget in rows.tested.budgets if budget in rows.budgets] or [0]
    if first != rows.tested.budgets[0] or not others:
        return Finding(UNTESTED, f"{NO_ROWS} at two budgets")
    found = []
    for key in rows.blocks:
        for method in rows.names(rows.tested.methods):
            for floor in rows.names(rows.tested.against):
                leads = {
                    budget: _by_seed(compare.seed_differences(
                        rows.series(key, method, budget), rows.series(key, floor, budget)
                    ))
                    for budget in [first, *others]
                }  # fmt: skip
                found += [
                    (f"{rows.at(key, first)} less {rows.study.axis.text(b)}", method,
                     leads[first], leads[b])
                    for b in others
                ]  # fmt: skip
    numbers = _compared(rows, found)
    return Finding(_all_or_any(numbers.verdict), "; ".join(_texts(numbers, rows.metric)),
                   comparisons=numbers)  # fmt: skip


def rising(rows: Rows) -> Finding:
    """Every method gains with every step to the next budget; fails if one is shown to lose."""
    steps = list(zip(rows.budgets, rows.budgets[1:], strict=False))
    found = [
        (f"{rows.at(key, low)} to {rows.study.axis.text(high)}", method,
         _by_seed(rows.series(key, method, high)), _by_seed(rows.series(key, method, low)))
        for key in rows.blocks
        for low, high in steps
        for method in rows.names(rows.tested.methods)
    ]  # fmt: skip
    numbers = _compared(rows, found)
    if numbers.empty:
        return Finding(UNTESTED, f"{NO_ROWS} at two budgets")
    sign = 1 if rows.metric.higher_is_better else -1
    least = numbers.loc[[(sign * numbers.difference).idxmin()]]
    [text] = _texts(least, rows.metric)
    shown = {kind: int((numbers.verdict == kind).sum()) for kind in ("better", "worse")}
    words = (
        f"shown to rise in {shown['better']} of {len(numbers)} steps, to fall in "
        f"{shown['worse']}; least: {least.label.iloc[0]}, {text}"
    )
    return Finding(_all_or_any(numbers.verdict), words, comparisons=numbers)


def difference_between(rows: Rows) -> Finding:
    """Each method less the one at its place in `against`: pairs that differ in one thing.

    The pairs share their seeds, so they are averaged within a seed: the seeds are the n. The sign
    count is printed beside, and decides nothing.
    """
    there = set(rows.frame.method)
    wanted = zip(rows.tested.methods, rows.tested.against, strict=True)
    pairs = [(one, other) for one, other in wanted if {one, other} <= there]
    found, above, total = [], 0, 0
    for key in rows.blocks if pairs else []:
        for budget in rows.budgets:
            sides = [
                [rows.series(key, name, budget) for name in side]
                for side in zip(*pairs, strict=True)
            ]
            ours, theirs = (pd.concat(side, axis=1).mean(axis=1, skipna=False) for side in sides)
            found.append((rows.at(key, budget), "", ours.dropna(), theirs.dropna()))
            signs = [compare.seed_differences(a, b).mean() > 0 for a, b in zip(*sides, strict=True)]
            above, total = above + sum(signs), total + len(signs)
    numbers = _compared(rows, found)
    words = "; ".join(_texts(numbers, rows.metric))
    return Finding(_all_or_any(numbers.verdict), f"{words}; above 0 in {above} of {total} pairs",
                   comparisons=numbers)  # fmt: skip


def _by_seed(values: pd.Series) -> pd.Series:
    """Means of the seeds, as trials of one repeat: what other budgets can be set against."""
    seeds = values.groupby(level="seed").mean().to_frame("value").assign(repeat=0)
    return seeds.set_index("repeat", append=True).value


def not_tested(rows: Rows) -> Finding:
    """For claims without a measurement; never called with rows."""
    raise AssertionError("a claim by not_tested has no rows")


RULES: dict[str, Callable[[Rows], Finding]] = {
    rule.__name__: rule
    for rule in (above_floor, above_all, no_worse_than, largest_at_first, rising,
                 difference_between, not_tested)
}  # fmt: skip


# ---- claim and rows together ---------------------------------------------------------------------

Layers = Mapping[str, Mapping[str, pd.DataFrame]]  # {"rml2016_04c_8cls": {"main": rows}}


def finding(claim: Claim, layers: Layers, studies: Mapping[str, Study]) -> Finding:
    """The claim's rule on its rows; "not tested" with the reason where there are none."""
    tested = claim.tested
    if tested is None:
        return Finding(UNTESTED, claim.reason)
    rows = layers.get(tested.layer, {}).get(tested.rows)
    if rows is None or rows.empty:
        return Finding(UNTESTED, NO_ROWS)
    study = studies[tested.rows]
    laid = laid_out(in_blocks(rows, study), study)
    seen = Rows(laid[laid.column != AVERAGE].astype({"budget": "int64"}), study, tested)
    for patterns in (tested.methods, tested.against):
        if patterns and not seen.names(patterns):
            return Finding(UNTESTED, f"{NO_ROWS} of {', '.join(patterns)}")
    if not seen.budgets:
        wanted = ", ".join(map(study.axis.text, tested.budgets))
        return Finding(UNTESTED, f"{NO_ROWS} at {wanted}")
    found = RULES[claim.rule](seen)
    if found.verdict != UNTESTED and found.comparisons.empty:
        return Finding(UNTESTED, f"{NO_ROWS} of a pair to compare")
    return Finding(found.verdict, found.ours, _data(seen), found.comparisons)


def _data(rows: Rows) -> str:
    """Which data, networks and budgets."""
    sets = ", ".join(dict.fromkeys(rows.frame.dataset))
    models = ", ".join(dict.fromkeys(block_names(rows.frame, rows.study)))
    budgets = ", ".join(map(rows.study.axis.text, rows.budgets))
    return ", ".join(part for part in (sets, models, budgets) if part)


def paper_text(claim: Claim, study: Study | None = None) -> str:
    """What the paper prints, "label: +25.0 at 1 %, +24.8 at 5 %", by selection from its cells."""
    metric = study.metrics[0] if study else Metric("accuracy", "accuracy", points=True)
    told = []
    for printed in claim.paper:
        values = _values(printed, claim)
        form = difference_text if printed.less is not None else value_text
        numbers = [f"{form(value, metric)} at {budget / 100:g} %" for budget, value in values]
        told.append(f"{printed.label}: {', '.join(numbers)}")
    return "; ".join(told)


def _values(printed: Printed, claim: Claim) -> list[tuple[int, float]]:
    """(budget, value or difference) in the order of budgets, those of the claim alone."""
    cells = paper.cells()
    if claim.tested:
        cells = cells[cells.budget.isin(claim.tested.budgets)]
    ours = _cells(cells, printed.cell, claim).groupby("budget").accuracy.max()
    if printed.less is not None:
        theirs = (
            cells if "method" in printed.less else cells[cells.method != printed.cell["method"]]
        )
        ours = ours - _cells(theirs, printed.less, claim).groupby("budget").accuracy.max()
    return [(budget, value) for budget, value in ours.items() if not math.isnan(value)]


def _cells(cells: pd.DataFrame, wanted: Mapping[str, object], claim: Claim) -> pd.DataFrame:
    found = cells
    for name, value in wanted.items():
        found = found[found[name] == value]
    if found.empty:
        raise ValueError(
            f"{FILE.name}, {claim.id}: the paper prints no cell {dict(wanted)}; "
            "compare with book/results/reported/"
        )
    return found


def derive(
    layers: Layers, studies: Mapping[str, Study], folder: Path, path: Path = FILE
) -> pd.DataFrame:
    """claims.csv for the page, claims.json for {res}; returns the table."""
    lines, numbers = [], {}
    for claim in read_claims(path):
        found = finding(claim, layers, studies)
        ours = found.ours
        lines.append({
            "Claim": f"{claim.claim} ({claim.shown})",
            "The paper": paper_text(claim) or "no number",
            "Ours": ours,
            "Data": found.data or "–",
            "Verdict": found.verdict,
        })  # fmt: skip
        numbers[claim.id] = _numbers(claim, found)
    table = pd.DataFrame(lines)
    write_plain(table, folder / "claims.csv")
    counts = {kind: int((table.Verdict == kind).sum()) for kind in VERDICTS}
    write_json(folder / "claims.json", {
        "_about": {"from": "book/claims.yml and the committed rows"},
        "counts": counts | {"all": len(table)},
        "test": _test(),
        "claims": numbers,
    })  # fmt: skip
    return table


def _numbers(claim: Claim, found: Finding) -> dict:
    """One claim for {res}: verdict, what is printed, and the ends of n and detectable."""
    tested = found.comparisons
    if len(tested):
        tested = tested[tested.p.notna()]
    smallest = None if tested.empty else float(tested.detectable.min())
    largest = None if tested.empty else float(tested.detectable.max())
    return {
        "claim": claim.claim, "shown": claim.shown, "rule": claim.rule, "verdict": found.verdict,
        "paper": paper_text(claim), "ours": found.ours, "data": found.data,
        "comparisons": len(found.comparisons), "detectable": {"from": smallest, "to": largest},
        "n": None if tested.empty else int(tested.n.min()),
    }  # fmt: skip


def _test() -> str:
    """How the verdicts were reached, for the note below the table."""
    how = "paired repeat by repeat" if compare.PAIRED else "by Welch's test"
    return (
        f"Differences in points, {how}; the selection seeds are the n; in brackets 95 % "
        f"t-intervals, unadjusted. A verdict needs p below {compare.LEVEL} after Holm's adjustment "
        f"over all comparisons of the claim, and {compare.LEAST} seeds or more; behind n stands "
        "the smallest difference that the adjusted test shows in "
        f"{100 * compare.POWER:g} of 100 cases."
    )

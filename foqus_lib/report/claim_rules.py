"""Rules that turn the rows of a claim into a verdict. One function a rule; `claims` names them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

from foqus_lib.experiment.study import Metric, Study
from foqus_lib.report import compare
from foqus_lib.report.blocks import block_names, block_of, budgets_of, in_order
from foqus_lib.report.differences import comparison_text, difference_text

HOLDS, FAILS, UNSHOWN, UNTESTED = VERDICTS = "holds", "does not hold", "not shown", "not tested"
NO_ROWS = "no committed rows"


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
class Finding:
    """What the rows say of a claim."""

    verdict: str
    ours: str = ""  # difference, interval, n
    data: str = ""
    comparisons: pd.DataFrame = field(default_factory=pd.DataFrame)


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
    found = compare.judged(lines, ["family"], rows.metric).drop(columns="family")
    return found.assign(freedom=lines.freedom)


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
    """ "1 %: +1.0 [-0.5, +2.5] (n = 10; would show 2.3)"; without a test of zero only n."""
    return [
        f"{row.at}: {comparison_text(row, metric)}{_behind(row, metric)}"
        for row in numbers.itertuples()
    ]


def _behind(row, metric: Metric) -> str:
    if row.low != row.low:  # `comparison_text` says how few seeds there are
        return ""
    tested = row.p == row.p
    could = f"; would show {difference_text(row.detectable, metric)[1:]}" if tested else ""
    return f" (n = {row.n}{could})"


def _least(numbers: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """The line of the smallest lead; the first where no two rows share a seed."""
    leads = numbers.difference if metric.higher_is_better else -numbers.difference
    return numbers.loc[[leads.idxmin() if leads.notna().any() else numbers.index[0]]]


def _all_or_any(verdicts: pd.Series) -> str:
    """Holds if every comparison is shown, fails if the contrary of one is."""
    if (verdicts == "worse").any():
        return FAILS
    return HOLDS if len(verdicts) and (verdicts == "better").all() else UNSHOWN


# ---- the rules -----------------------------------------------------------------------------------


def above_floor(rows: Rows) -> Finding:
    """The method is shown above the floor, or each of several, at every budget there is."""
    numbers = _against(rows)
    words = _texts(numbers, rows.metric)
    if numbers.label.nunique() > 1:
        words = [f"{text} over {other}" for text, other in zip(words, numbers.label, strict=True)]
    return Finding(_all_or_any(numbers.verdict), "; ".join(words), comparisons=numbers)


def above_all(rows: Rows) -> Finding:
    """The method is shown above every other at more than half of the budgets.

    Fails if at half of the budgets or more some other is shown above it. Printed: at each budget
    the smallest lead, over whom, and how many others the method is shown above.
    """
    numbers, words, won, lost = _against(rows), [], 0, 0
    for _, group in numbers.groupby("at", sort=False):
        won += (group.verdict == "better").all()
        lost += (group.verdict == "worse").any()
        least = _least(group, rows.metric)
        [text] = _texts(least, rows.metric)
        words.append(
            f"{text} over {least.label.iloc[0]}, shown above {(group.verdict == 'better').sum()} "
            f"of {len(group)}"
        )
    half = len(rows.blocks) * len(rows.tested.budgets) / 2  # of the claim's, there or not
    verdict = HOLDS if won > half else FAILS if lost >= half else UNSHOWN
    return Finding(verdict, "; ".join(words), comparisons=numbers)


def no_worse_than(rows: Rows) -> Finding:
    """The method loses less than the margin at every budget; fails if somewhere it loses more.

    It holds if all 95 % intervals lie within the margin: none is adjusted, for all must. One that
    lies beyond it is enough to fail, so there the intervals are as wide as Bonferroni asks. What
    is tested is the margin, so no p against zero is given, and better means within the margin.
    """
    numbers = _against(rows)
    sign = 1 if rows.metric.higher_is_better else -1
    worst = numbers[["low", "high"]].mul(sign).min(axis=1)
    best = numbers[["low", "high"]].mul(sign).max(axis=1)
    level, tests = 1 - compare.LEVEL / 2, max(int(numbers.p.notna().sum()), 1)
    wider = stats.t.ppf(1 - compare.LEVEL / 2 / tests, numbers.freedom)
    extra = (best - worst) / 2 * (wider / stats.t.ppf(level, numbers.freedom) - 1)
    holds, fails = worst > -rows.tested.margin, best + extra < -rows.tested.margin
    verdict = FAILS if fails.any() else HOLDS if len(numbers) and holds.all() else UNSHOWN
    each = np.select([fails, holds], ["worse", "better"], compare.UNSHOWN)
    numbers = numbers.assign(p=np.nan, p_holm=np.nan, detectable=np.nan, verdict=each)
    return Finding(verdict, "; ".join(_texts(numbers, rows.metric)), comparisons=numbers)


def largest_at_first(rows: Rows) -> Finding:
    """The lead over the floor at the claim's first budget is above that at every other budget."""
    first, *others = [budget for budget in rows.tested.budgets if budget in rows.budgets]
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
    found = [
        (f"{rows.at(key, low)} to {rows.study.axis.text(high)}", method,
         _by_seed(rows.series(key, method, high)), _by_seed(rows.series(key, method, low)))
        for key in rows.blocks
        for low, high in pairwise(rows.budgets)
        for method in rows.names(rows.tested.methods)
    ]  # fmt: skip
    numbers = _compared(rows, found)
    if numbers.empty:
        return Finding(UNTESTED, f"{NO_ROWS} at two budgets")
    least = _least(numbers, rows.metric)
    [text] = _texts(least, rows.metric)
    shown = {kind: int((numbers.verdict == kind).sum()) for kind in ("better", "worse")}
    words = (
        f"shown to rise in {shown['better']} of {len(numbers)} steps, to fall in "
        f"{shown['worse']}; least: {least.label.iloc[0]}, {text}"
    )
    return Finding(_all_or_any(numbers.verdict), words, comparisons=numbers)


def rising_on_average(rows: Rows) -> Finding:
    """The mean over the methods, taken within a seed, gains with every step to the next budget."""
    found = []
    for key in rows.blocks:
        means = {
            budget: _average([
                rows.series(key, method, budget) for method in rows.names(rows.tested.methods)
            ])
            for budget in rows.budgets
        }  # fmt: skip
        found += [
            (f"{rows.at(key, low)} to {rows.study.axis.text(high)}", "", means[high], means[low])
            for low, high in pairwise(rows.budgets)
        ]
    numbers = _compared(rows, found)
    if numbers.empty:
        return Finding(UNTESTED, f"{NO_ROWS} at two budgets")
    return Finding(_all_or_any(numbers.verdict), "; ".join(_texts(numbers, rows.metric)),
                   comparisons=numbers)  # fmt: skip


def difference_between(rows: Rows) -> Finding:
    """Each method less the one at its place in `against`: pairs that differ in one thing.

    The pairs share their seeds, so they are averaged within a seed: the seeds are the n. The sign
    count is printed beside, and decides nothing. A pair without rows is in neither.
    """
    found, above, total = [], 0, 0
    for key in rows.blocks:
        for budget in rows.budgets:
            wanted = zip(rows.tested.methods, rows.tested.against, strict=True)
            both = [[rows.series(key, name, budget) for name in pair] for pair in wanted]
            both = [pair for pair in both if all(map(len, pair))]
            if not both:
                continue
            ours, theirs = map(_average, zip(*both, strict=True))
            found.append((rows.at(key, budget), "", ours, theirs))
            leads = [compare.seed_differences(*pair).mean() for pair in both]
            above, total = above + sum(lead > 0 for lead in leads), total + len(leads)
    numbers = _compared(rows, found)
    words = "; ".join(_texts(numbers, rows.metric))
    return Finding(_all_or_any(numbers.verdict), f"{words}; above 0 in {above} of {total} pairs",
                   comparisons=numbers)  # fmt: skip


def _average(several: Sequence[pd.Series]) -> pd.Series:
    """Of the rows' means, seed by seed; a seed that one of them lacks would be another mean."""
    return pd.concat(map(_by_seed, several), axis=1).mean(axis=1, skipna=False).dropna()


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
                 rising_on_average, difference_between, not_tested)
}  # fmt: skip

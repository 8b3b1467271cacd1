"""Every method less the floor: intervals over seeds, verdicts after adjustment."""

import pandas as pd

from foqus_lib.experiment.study import Metric, Study
from foqus_lib.report import compare
from foqus_lib.report.blocks import (
    block_names,
    block_of,
    budget_texts,
    budgets_of,
    compared_of,
    in_blocks,
    in_order,
    note_on,
    titled,
)
from foqus_lib.report.means import PAIRS, in_table_order
from foqus_lib.report.printed import Table, nothing_yet, wide


def difference_to_floor(rows: pd.DataFrame, study: Study, unfinished: str = "") -> Table:
    """The first metric less the floor's, with a 95 % t-interval over seeds and a verdict.

    numbers: dataset, the block's settings, method, budget, difference, sd, n, low, high, p, each
    (the seeds' own differences), p_holm, detectable, verdict (better | worse | no difference shown
    | n = 2: no verdict, below the study's verdict_from, or of its unjudged). One family of Holm's
    adjustment: all methods and budgets of a block that get one. Without a row: as `budget_table`.
    """
    if rows.empty and unfinished:
        return nothing_yet(_differences(rows, study), unfinished)
    blocked = in_blocks(rows, study)
    compared = compared_of(blocked, study)
    if study.floor not in set(compared.method) and not unfinished:
        raise ValueError(
            f"difference_to_floor: no row of {study.floor}; add it to the methods of {study.name}"
        )
    numbers = _differences(compared, study)
    unit = "in points" if study.metrics[0].points else f"of {study.metrics[0].label}"
    printed = f"Differences to {study.floor} {unit}, {PAIRS},"
    about = note_on(compared, study, unfinished, printed)
    note = f"{about} {_difference_note(numbers, compared, study)}"
    return Table(numbers, *_print_differences(numbers, study), note)


def _differences(compared: pd.DataFrame, study: Study) -> pd.DataFrame:
    block, metric = block_of(study), study.metrics[0]
    keys = [*block, "budget"]
    floors = {
        key: compare.by_trial(group, metric)
        for key, group in compared[compared.method == study.floor].groupby(keys)
    }
    none = compare.by_trial(compared[:0], metric)
    found = [
        dict(zip([*keys, "method"], key, strict=True))
        | compare.compare(
            compare.by_trial(group, metric), floors.get(key[:-1], none), study.verdict_from
        )
        for key, group in compared[compared.method != study.floor].groupby(
            [*keys, "method"], sort=False
        )
    ]
    names = [*keys, "method", *compare.COLUMNS, "error", "freedom", "each"]
    found = pd.DataFrame(found, columns=names)
    found = found.assign(p=found.p.mask(found.method.isin(study.unjudged)))
    numbers = compare.judged(found, block, metric)
    numbers = numbers.assign(column=budget_texts(numbers, study))
    front = [*block, "method", "budget"]
    return in_table_order(numbers, study)[front + [n for n in numbers.columns if n not in front]]


def _difference_note(numbers: pd.DataFrame, compared: pd.DataFrame, study: Study) -> str:
    """Which test it is, its family, and what it could have shown."""
    metric = study.metrics[0]
    parts = []
    tested = numbers[numbers.p.notna()]
    if len(tested):
        sizes = tested.groupby(block_of(study)).size()
        size = f"{sizes.min()}" + (f" to {sizes.max()}" if sizes.nunique() > 1 else "")
        each = " of a block" if len(sizes) > 1 else ""
        word = "comparison" if sizes.max() == 1 else "comparisons"
        low, high = (difference_text(d, metric)[1:] for d in _ends(tested.detectable))
        least = low if low == high else f"{low} to {high}"
        points = " points" if metric.points else ""
        which = "" if low == high else ", depending on the comparison"
        parts.append(
            "In brackets 95 % t-intervals, unadjusted; better and worse only where p after Holm's "
            f"adjustment over the {size} {word}{each} (all methods and budgets) is below "
            f"{compare.LEVEL}. The smallest true difference found with {100 * compare.POWER:g} % "
            f"power is at most {least}{points}{which}."
            + (_seeds_wanted(tested, int(sizes.max()), metric) if metric.points else "")
        )
    if (numbers.n < compare.LEAST).any():
        parts.append(
            f"Below n = {compare.LEAST} there is no interval and no verdict: the seeds' own "
            "differences stand there."
        )
    left = to_judge(numbers, study)
    if (left.low.notna() & left.p.isna()).any():
        parts.append(
            f"Brackets are 95 % t-intervals, unadjusted. This chapter gives a verdict from "
            f"n = {study.verdict_from} on; below, the interval stands without one."
        )
    if told := withheld(numbers, study):
        parts.append(told)
    if compare.PAIRED and (lost := _without_floor(compared, study)):
        parts.append(f"{lost} rows have no {study.floor} of their seed: left out.")
    return " ".join(parts)


def _seeds_wanted(tested: pd.DataFrame, comparisons: int, metric: Metric) -> str:
    """How many seeds each budget's median spread takes; nothing where no seed differs from another.

    At the strictest step of the adjustment, so that fewer may do.
    """
    wanted = {}
    for column, rows in tested.sort_values("budget", kind="stable").groupby("column", sort=False):
        if (sd := float(rows.sd.median())) > 0:
            wanted[column] = compare.seeds_that_show(compare.WORTH, sd, comparisons)
    if not wanted:
        return ""
    told = ", ".join(f"{n} at {column}" for column, n in wanted.items())
    worth = difference_text(compare.WORTH, metric)[1:]
    return f" Seeds that would show {worth} points, at the median spread over seeds: {told}."


def to_judge(numbers: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The differences of the methods that get a verdict as soon as they have seeds enough."""
    return numbers[~numbers.method.isin(study.unjudged)]


def withheld(numbers: pd.DataFrame, study: Study) -> str:
    """Of which methods there is no verdict, however many seeds they have; "" if of none."""
    names = in_order([name for name in numbers.method if name in study.unjudged], study)
    if not names:
        return ""
    return (
        f"No verdict on {'; '.join(names)}: a seed hardly moves them, and what another draw of "
        "the data would do is in no interval."
    )


def _ends(values: pd.Series) -> tuple[float, float]:
    return values.min(), values.max()


def _without_floor(compared: pd.DataFrame, study: Study) -> int:
    seed = [*block_of(study), "budget", "seed"]
    floor = compared.loc[compared.method == study.floor, seed].drop_duplicates().assign(there=True)
    others = compared[compared.method != study.floor]
    return int(others.merge(floor, on=seed, how="left").there.isna().sum())


def difference_text(value: float, metric: Metric) -> str:
    """+0.021 -> "+2.1" (points of a fraction), other numbers by three figures."""
    return f"{100 * value:+.1f}" if metric.points else f"{value:+.3g}"


def comparison_text(row, metric: Metric) -> str:
    """ "+2.1 [+0.4, +3.8]"; below LEAST seeds "+1.2, +2.8 (n = 2: no interval)"."""
    if row.n == 0:
        return "–"
    if row.low != row.low:
        each = row.each or (row.difference,)
        seeds = ", ".join(difference_text(value, metric) for value in each)
        return f"{seeds} (n = {row.n}: no interval)"
    low, high = difference_text(row.low, metric), difference_text(row.high, metric)
    return f"{difference_text(row.difference, metric)} [{low}, {high}]"


def _print_differences(numbers: pd.DataFrame, study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    metric = study.metrics[0]
    several = numbers.n[numbers.n >= compare.LEAST].nunique() > 1
    texts = [
        comparison_text(row, metric)
        + (f" (n = {row.n})" if several and row.n >= compare.LEAST else "")
        + (f" {row.verdict}" if row.verdict in ("better", "worse") else "")
        for row in numbers.itertuples()
    ]
    printed = numbers.assign(
        models=block_names(numbers, study), text=texts, better=numbers.verdict == "better",
        row=numbers.method,
    )  # fmt: skip
    columns = [study.axis.text(budget) for budget in budgets_of(numbers)]
    down = ["dataset", "models", "row"]
    text = wide(printed, down, "column", "text").fillna("")[columns]
    bold = wide(printed, down, "column", "better")[columns].eq(True)
    return titled(text, study), titled(bold, study)

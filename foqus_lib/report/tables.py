"""Tidy result rows of any study -> its two tables: every method, and every method less the floor.

The tables know a study's axis, metrics, floor, ceiling and block, nothing else of it.
"""

import math

import pandas as pd

from foqus_lib.experiment.study import Metric, Study
from foqus_lib.report import compare
from foqus_lib.report.blocks import (
    block_names,
    block_of,
    block_title,
    budget_texts,
    budgets_of,
    heads,
    in_blocks,
    in_order,
    note_on,
)
from foqus_lib.report.printed import Table, wide

AVERAGE = "Avg"
PAIRS = "paired repeat by repeat" if compare.PAIRED else "seeds not paired (Welch)"
BOLD = (
    "Bold: not shown to be worse than the best of its column "
    f"({PAIRS}, p at least {compare.LEVEL}, unadjusted; only rows of n = {compare.LEAST} or more)."
)


# ---- every method --------------------------------------------------------------------------------


def budget_table(
    rows: pd.DataFrame,
    study: Study,
    reported: pd.DataFrame | None = None,
    unfinished: str = "",
) -> Table:
    """Methods down, budgets and their average across, mean ± sd over selection seeds.

    numbers: dataset, the block's settings, method, budget (NA: the average, taken seed by seed),
    column, mean, sd, n, repeats, best, paper. The ceiling stands under each budget. `reported`
    (`paper.beside`) puts the paper's values beside; None shows no such columns.
    """
    blocked = in_blocks(rows, study)
    laid = laid_out(blocked, study)
    numbers = spread(laid, [*block_of(study), "method", "column"], study.metrics[0])
    numbers = _sorted(numbers.merge(_budgets(laid, study), how="left"), study)
    numbers = numbers.assign(best=_best(laid, numbers, study))
    numbers = numbers.assign(paper=_paper_values(numbers, reported, study))
    note = f"{note_on(blocked, study, unfinished)} {BOLD}{_paper_note(numbers, reported)}"
    return Table(numbers, *_print_means(numbers, study), note)


def spread(rows: pd.DataFrame, keys: list[str], metric: Metric) -> pd.DataFrame:
    """mean, sd (NaN for one), n over selection seeds of the mean over `repeats`."""
    seeds = rows.groupby([*keys, "seed"], sort=False)[metric.name].agg(["mean", "size"])
    groups = seeds.groupby(level=keys, sort=False)
    found = groups["mean"].agg(["mean", "std", "size"])
    found = found.rename(columns={"std": "sd", "size": "n"})
    return found.assign(repeats=groups["size"].max()).reset_index()


def laid_out(blocked: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows under the columns they are printed in; a ceiling comes once for each budget."""
    metric, parts = study.metrics[0].name, []
    for _, block in blocked.groupby(block_of(study), sort=False):
        compared = block[block.method != study.ceiling]
        ceiling = block[block.method == study.ceiling]
        budgets = budgets_of(compared) or budgets_of(ceiling)
        under = pd.concat([compared, *(ceiling.assign(budget=budget) for budget in budgets)])
        under = under.assign(column=budget_texts(under, study))
        parts.append(under)
        if len(budgets) > 1:
            keys = [*block_of(study), "method", "seed"]
            seeds = under.pivot_table(index=keys, columns="budget", values=metric)
            seeds = seeds.reindex(columns=budgets).dropna().mean(axis=1).rename(metric)
            parts.append(seeds.reset_index().assign(column=AVERAGE, repeat=0))
    return pd.concat(parts, ignore_index=True)


def _budgets(laid: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Which budget a column is; an average is none."""
    budgets = laid.loc[laid.column != AVERAGE, ["column", "budget"]].drop_duplicates()
    return budgets.astype({"budget": "Int64"})


def _sorted(numbers: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Block by block as they come, then methods in their order, then budgets, the average last."""
    blocks = list(dict.fromkeys(numbers[block_of(study)].itertuples(index=False, name=None)))
    order = in_order(list(numbers.method), study)
    places = pd.DataFrame({
        "block": [blocks.index(key) for key in
                  numbers[block_of(study)].itertuples(index=False, name=None)],
        "method": numbers.method.map(order.index),
        "budget": numbers.budget.astype("float64").fillna(math.inf),
    })  # fmt: skip
    places = places.sort_values(list(places.columns), kind="stable")
    return numbers.loc[places.index].reset_index(drop=True)


def _best(laid: pd.DataFrame, numbers: pd.DataFrame, study: Study) -> list[bool]:
    keys = [*block_of(study), "column"]
    best = {
        key: compare.not_worse_than_best(group, study.metrics[0])
        for key, group in laid[laid.method != study.ceiling].groupby(keys, sort=False)
    }
    return [
        method in best.get(tuple(key), ())
        for *key, method in numbers[[*keys, "method"]].itertuples(index=False, name=None)
    ]


def _paper_values(
    numbers: pd.DataFrame, reported: pd.DataFrame | None, study: Study
) -> list[float]:
    """The paper's value of each row; its average is taken over the same budgets as ours."""
    if reported is None:
        return [math.nan] * len(numbers)
    keys = [*block_of(study), "method"]
    theirs = reported.pivot(index=keys, columns="budget", values=study.metrics[0].name)
    found = []
    for *key, column, budget in numbers[[*keys, "column", "budget"]].itertuples(
        index=False, name=None
    ):
        line = theirs.loc[tuple(key)] if tuple(key) in theirs.index else pd.Series(dtype=float)
        if column == AVERAGE:
            mine = numbers[(numbers[keys] == key).all(axis=1)].budget.dropna()
            found.append(line.reindex(mine).mean(skipna=False))
        else:
            found.append(line.get(budget, math.nan))
    return found


def _paper_note(numbers: pd.DataFrame, reported: pd.DataFrame | None) -> str:
    if reported is None or numbers.paper.isna().all():
        return ""
    shared = [name for name in numbers.columns if name in reported.columns]
    shared = [name for name in shared if name in ("dataset", "selection_model", "evaluation_model")]
    sources = reported.merge(numbers[shared].drop_duplicates(), on=shared).source
    names = dict.fromkeys(name for name in sources)
    sets = {name.split(" of ")[1] for name in names}
    ours = sorted(set(numbers.dataset) - sets)
    other = f", not our data ({', '.join(ours)})" if ours else ""
    return f" Columns headed paper: the mean of three runs printed in {', '.join(names)}{other}."


def value_text(value: float, metric: Metric) -> str:
    """A fraction by three digits, other numbers by four figures, NaN as a dash."""
    if value != value:
        return "–"
    return f"{value:.3f}" if metric.points else f"{value:.4g}"


def mean_texts(numbers: pd.DataFrame, metric: Metric) -> list[str]:
    """ "0.512 ± 0.021", with n where n differs within the table, "± –" for one seed."""
    several = numbers.n.nunique() > 1
    return [
        f"{value_text(row.mean, metric)} ± {value_text(row.sd, metric)}"
        + (f" (n = {row.n})" if several else "")
        for row in numbers[["mean", "sd", "n"]].itertuples(index=False)
    ]


def _print_means(numbers: pd.DataFrame, study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The text and the bold cells of `budget_table`."""
    printed = numbers.assign(
        models=block_names(numbers, study),
        row=heads(numbers.method, study),
        text=mean_texts(numbers, study.metrics[0]),
        theirs=[f"{x:.4f}" if x == x else "" for x in numbers.paper],
    )
    columns = list(dict.fromkeys(numbers.sort_values("budget", kind="stable").column))
    down = ["dataset", "models", "row"]
    text = wide(printed, down, "column", "text").fillna("")[columns]
    bold = wide(printed, down, "column", "best")[columns].eq(True)
    if numbers.paper.notna().any():
        theirs = wide(printed, down, "column", "theirs").fillna("")[columns]
        pairs = [name for column in columns for name in (column, f"paper {column}")]
        text = text.join(theirs.add_prefix("paper "))[pairs]
        bold = bold.reindex(columns=pairs, fill_value=False)
    return _titled(text, study), _titled(bold, study)


def _titled(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    titles = {"dataset": "Data", "models": block_title(study), "row": "Method"}
    return table.rename_axis([titles[name] for name in table.index.names])


# ---- every method less the floor -----------------------------------------------------------------


def difference_to_floor(rows: pd.DataFrame, study: Study, unfinished: str = "") -> Table:
    """The first metric less the floor's, with a 95 % t-interval over seeds and a verdict.

    numbers: dataset, the block's settings, method, budget, difference, sd, n, low, high, p, each
    (the seeds' own differences), p_holm, detectable, verdict (better | worse | no difference shown
    | n = 2: no verdict). One family of Holm's adjustment: all methods and budgets of a block.
    """
    blocked = in_blocks(rows, study)
    compared = blocked[blocked.method != study.ceiling]
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
        | compare.compare(compare.by_trial(group, metric), floors.get(key[:-1], none))
        for key, group in compared[compared.method != study.floor].groupby(
            [*keys, "method"], sort=False
        )
    ]
    names = [*keys, "method", *compare.COLUMNS, "error", "freedom", "each"]
    numbers = compare.judged(pd.DataFrame(found, columns=names), block, metric)
    numbers = numbers.assign(column=budget_texts(numbers, study))
    front = [*block, "method", "budget"]
    return _sorted(numbers, study)[front + [n for n in numbers.columns if n not in front]]


def _difference_note(numbers: pd.DataFrame, compared: pd.DataFrame, study: Study) -> str:
    """Which test it is, its family, and what it could have shown."""
    metric = study.metrics[0]
    parts = []
    tested = numbers[numbers.p.notna()]
    if len(tested):
        sizes = tested.groupby(block_of(study)).size()
        size = f"{sizes.min()}" + (f" to {sizes.max()}" if sizes.nunique() > 1 else "")
        each = " of a block" if len(sizes) > 1 else ""
        low, high = (difference_text(d, metric)[1:] for d in _ends(tested.detectable))
        parts.append(
            "In brackets 95 % t-intervals, unadjusted; better and worse only where p after Holm's "
            f"adjustment over the {size} comparisons{each} (all methods and budgets) is below "
            f"{compare.LEVEL}. The adjusted test would show differences from {low} to {high} "
            f"in {100 * compare.POWER:g} of 100 cases."
        )
    if len(tested) < len(numbers):
        parts.append(
            f"Below n = {compare.LEAST} there is no interval and no verdict: the seeds' own "
            "differences stand there."
        )
    if compare.PAIRED and (lost := _without_floor(compared, study)):
        parts.append(f"{lost} rows have no {study.floor} of their seed and repeat: left out.")
    return " ".join(parts)


def _ends(values: pd.Series) -> tuple[float, float]:
    return values.min(), values.max()


def _without_floor(compared: pd.DataFrame, study: Study) -> int:
    trial = [*block_of(study), "budget", "seed", "repeat"]
    floor = compared.loc[compared.method == study.floor, trial].assign(there=True)
    others = compared[compared.method != study.floor]
    return int(others.merge(floor, on=trial, how="left").there.isna().sum())


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
    return _titled(text, study), _titled(bold, study)

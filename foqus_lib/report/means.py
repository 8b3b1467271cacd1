"""Every method: mean ± sd over selection seeds, with the ceiling, the average and the paper's."""

import math

import pandas as pd

from foqus_lib.experiment.study import Metric, Study
from foqus_lib.report import compare
from foqus_lib.report.blocks import (
    block_names,
    block_of,
    budget_texts,
    budgets_of,
    compared_of,
    heads,
    in_blocks,
    in_order,
    note_on,
    titled,
)
from foqus_lib.report.printed import Table, nothing_yet, wide

AVERAGE = "Avg"
PAIRS = "paired seed by seed" if compare.PAIRED else "seeds not paired (Welch)"


def bold_note(study: Study) -> str:
    """What is printed bold, for the note below a table."""
    return (
        f"Bold: not shown to be worse than the best of its column ({PAIRS}, p at least "
        f"{compare.LEVEL} after Holm's adjustment over the column; only rows of "
        f"n = {study.verdict_from} or more)."
    )


def budget_table(
    rows: pd.DataFrame,
    study: Study,
    reported: pd.DataFrame | None = None,
    unfinished: str = "",
) -> Table:
    """Methods down, budgets and their average across, mean ± sd over selection seeds.

    numbers: dataset, the block's settings, method, budget (NA: the average, taken seed by seed),
    column, mean, sd, n, repeats, best, paper. The ceiling stands under each budget. `reported`
    (`paper.beside`) puts the paper's values beside; None shows no such columns. Of a grid that
    has no row yet, as `unfinished` says, there is only the note.
    """
    if rows.empty and unfinished:
        return nothing_yet(rows, unfinished)
    blocked = in_blocks(rows, study)
    laid = laid_out(blocked, study)
    numbers = spread(laid, [*block_of(study), "method", "column"], study.metrics[0])
    numbers = in_table_order(numbers.merge(_budgets(laid, study), how="left"), study)
    numbers = numbers.assign(best=_best(laid, numbers, study))
    numbers = numbers.assign(paper=_paper_values(numbers, reported, study))
    note = (
        f"{note_on(blocked, study, unfinished)} {bold_note(study)}{_average_note(numbers, study)}"
        f"{_paper_note(numbers, reported)}"
    )
    return Table(numbers, *_print_means(numbers, study), note)


def spread(rows: pd.DataFrame, keys: list[str], metric: Metric) -> pd.DataFrame:
    """mean, sd (NaN for one), n over selection seeds of the mean over `repeats`.

    A trial that has no such number does not count.
    """
    seeds = rows.groupby([*keys, "seed"], sort=False)[metric.name].agg(["mean", "count"])
    groups = seeds.groupby(level=keys, sort=False)
    found = groups["mean"].agg(["mean", "std", "count"])
    found = found.rename(columns={"std": "sd", "count": "n"})
    return found.assign(repeats=groups["count"].max()).reset_index()


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


def in_table_order(numbers: pd.DataFrame, study: Study) -> pd.DataFrame:
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
        key: compare.not_worse_than_best(group, study)
        for key, group in compared_of(laid, study).groupby(keys, sort=False)
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


def _average_note(numbers: pd.DataFrame, study: Study) -> str:
    """An average that rests on fewer seeds than a cell beside it is not the mean of its row."""
    row = [*block_of(study), "method"]
    most = numbers.groupby(row, sort=False).n.transform("max")
    if not ((numbers.column == AVERAGE) & (numbers.n < most)).any():
        return ""
    return (
        f" {AVERAGE}: over the seeds that a row has in every column, so where n differs it is not "
        "the mean of the cells."
    )


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
        _mean_text(row.mean, row.sd, metric) + (f" (n = {row.n})" if several else "")
        for row in numbers[["mean", "sd", "n"]].itertuples(index=False)
    ]


def _mean_text(mean: float, sd: float, metric: Metric) -> str:
    """The spread with the decimals of its mean: 2.896 ± 0.006."""
    if metric.points or sd != sd or not 1e-3 <= abs(mean) < 1e4:
        return f"{value_text(mean, metric)} ± {value_text(sd, metric)}"
    decimals = 3 - math.floor(math.log10(abs(mean)))  # four figures of the mean
    return f"{mean:.{decimals}f} ± {sd:.{decimals}f}"


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
    named = {lead + AVERAGE: lead + _average_head(numbers, study) for lead in ("", "paper ")}
    text, bold = text.rename(columns=named), bold.rename(columns=named)
    return titled(text, study), titled(bold, study)


def _average_head(numbers: pd.DataFrame, study: Study) -> str:
    """ "Avg of 1, 5, 10 %": the budgets that are there; where blocks differ in them, "Avg"."""
    printed = numbers[numbers.column != AVERAGE]
    of_blocks = {
        tuple(study.axis.text(budget) for budget in budgets_of(block))
        for _, block in printed.groupby(block_of(study), sort=False)
    }
    if len(of_blocks) != 1:
        return AVERAGE
    *others, last = of_blocks.pop()
    unit = last.rpartition(" ")[2]
    return f"{AVERAGE} of {', '.join([text.removesuffix(f' {unit}') for text in others] + [last])}"

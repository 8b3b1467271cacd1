"""What rows say, in two sentences that follow from them: what is shown, and what could have been.

A chapter ends with these; how to read its tables is told by the page itself.
"""

import html
from collections.abc import Callable, Mapping

import pandas as pd
from IPython.display import HTML

from foqus_lib.experiment.study import Metric, Study
from foqus_lib.report import compare
from foqus_lib.report.blocks import SHOWN, block_names, block_of
from foqus_lib.report.differences import (
    difference_text,
    difference_to_floor,
    to_judge,
    withheld,
)

SIMULATED = r"[^(]*\(simulated"  # how what rows say of their data begins; later it may be a source


def conclusion(rows: pd.DataFrame, study: Study, unfinished: str = "") -> str:
    """Which differences to the floor are shown after Holm's adjustment, and which could have been.

    Below the study's `verdict_from` seeds: that nothing can be concluded.
    """
    numbers = difference_to_floor(rows, study, unfinished).numbers
    if numbers.empty:
        return f"Only {study.floor} has rows: nothing is compared."
    compared, without = to_judge(numbers, study), withheld(numbers, study)
    tested = compared[compared.p.notna()]
    parts = []
    if len(tested):
        parts += [_shown(tested, study), _detectable(tested, study.metrics[0])]
        if few := len(compared) - len(tested):
            parts.append(
                f"Of {few} more there are fewer than {study.verdict_from} seeds: no verdict."
            )
    elif len(compared):
        parts.append(
            f"n = {compared.n.max()}: below {study.verdict_from} seeds nothing is concluded. "
            "More seeds first."
        )
    return " ".join([*parts, without] if without else parts)


def conclude(
    study: Study,
    kept: Mapping[str, pd.DataFrame],
    own: pd.DataFrame | None = None,
    unfinished: str = "",
    pick: Callable[[pd.DataFrame], pd.DataFrame] = lambda rows: rows,
) -> HTML:
    """A paragraph for each set of committed rows, then one for the page's own.

    kept: {stem: rows}, as `committed` gives them. unfinished: what the page's own rows lack, as
    `Scan.note` has it. pick: which rows of a set are compared.
    """
    told = [(f"Committed rows {stem}.csv", pick(rows), "") for stem, rows in kept.items()]
    told += [("This page's own rows", pick(own), unfinished)] if own is not None else []
    paragraphs = [
        f"{source}, {_data(rows)}: {conclusion(rows, study, lacking)}"
        for source, rows, lacking in told
        if len(rows)
    ]
    return HTML("".join(f"<p>{html.escape(text)}</p>" for text in paragraphs))


def _shown(tested: pd.DataFrame, study: Study) -> str:
    """ "n = 5: of 9 differences to the floor (Band), adjusted together (Holm), 1 is shown ..."."""
    n = f"n = {tested.n.min()}" + (f" to {tested.n.max()}" if tested.n.nunique() > 1 else "")
    word = "difference" if len(tested) == 1 else "differences"
    head = f"{n}: of {len(tested)} {word} to the floor ({study.floor}){_adjusted(tested, study)}"
    found = {verdict: tested[tested.verdict == verdict] for verdict in ("better", "worse")}
    parts = [
        f"{len(rows)} {'is' if len(rows) == 1 else 'are'} shown {verdict} "
        f"({_named(rows, tested, study)})"
        for verdict, rows in found.items()
        if len(rows)
    ]
    if not parts:
        return f"{head} not one is shown, for better or worse."
    left = len(tested) - sum(map(len, found.values()))
    return f"{head} {' and '.join(parts)}" + (f"; of {left} nothing is shown." if left else ".")


def _adjusted(tested: pd.DataFrame, study: Study) -> str:
    """What was adjusted for what: a count over several blocks is no one family's."""
    sizes = tested.groupby(block_of(study)).size()
    if len(sizes) == 1:
        return ", adjusted together (Holm)," if sizes.iloc[0] > 1 else ""
    if sizes.max() == 1:
        return f", one in each of {len(sizes)} blocks and so not adjusted,"
    return f", adjusted (Holm) within each of {len(sizes)} blocks and not over all of them,"


def _named(rows: pd.DataFrame, tested: pd.DataFrame, study: Study) -> str:
    """The largest first; block and budget are named where there are several."""
    metric, unit = study.metrics[0], _unit(study.metrics[0])
    blocks, budgets = block_names(tested, study), tested.budget
    rows = rows.assign(block=blocks)
    rows = rows.sort_values("difference", key=abs, ascending=False, kind="stable")
    names = [
        (f"{row.block}: " if blocks.nunique() > 1 else "")
        + row.method
        + (f" at {study.axis.text(int(row.budget))}" if budgets.nunique() > 1 else "")
        + f", {difference_text(row.difference, metric)} {unit}"
        for row in rows.itertuples()
    ]
    more = [f"and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return "; ".join(names[:SHOWN] + more)


def _detectable(tested: pd.DataFrame, metric: Metric) -> str:
    """What the adjusted tests could have seen, given the spread and n at hand."""
    sizes = tested.detectable.median(), tested.detectable.min(), tested.detectable.max()
    middle, low, high = (difference_text(size, metric)[1:] for size in sizes)
    spread = f" (from {low} to {high})" if low != high else ""
    return (
        f"In {100 * compare.POWER:g} of 100 cases, or more, the median test would have shown a "
        "difference of "
        f"{middle} {_unit(metric)}{spread}; smaller ones may be there."
    )


def _unit(metric: Metric) -> str:
    return "points" if metric.points else metric.label


def _data(rows: pd.DataFrame) -> str:
    """The data sets, those that were computed called simulated."""
    abouts = rows.groupby("dataset", sort=False).about
    return ", ".join(
        f"{name} (simulated)" if about.str.match(SIMULATED).any() else str(name)
        for name, about in abouts
    )

"""The rows that the book commits, for the head of a chapter's page: what they are, or none.

What shows them takes None for rows that there are not, and then gives None: the page goes on.
"""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from IPython.display import HTML

from foqus_lib.experiment.rows import load_rows
from foqus_lib.experiment.study import Study
from foqus_lib.report import printed
from foqus_lib.report.curves import budget_curve
from foqus_lib.report.means import budget_table
from foqus_lib.report.paper import REPORTED
from foqus_lib.report.svg import inline_svg

RESULTS = REPORTED.parent
Pick = Callable[[pd.DataFrame], pd.DataFrame]


def folder_of(study: Study) -> str:
    """Where in book/results/ the rows of a study lie."""
    return study.name.replace(" ", "_")


def committed(
    study: Study, *stems: str, results: Path = RESULTS, folder: str = ""
) -> dict[str, pd.DataFrame]:
    """{stem: rows} of book/results/<folder>/<stem>.csv, those that there are.

    folder: left out, the study's name.
    """
    folder = folder or folder_of(study)
    paths = {stem: results / folder / f"{stem}.csv" for stem in stems}
    return {stem: load_rows(path, study) for stem, path in paths.items() if path.exists()}


def first(
    study: Study,
    stem: str,
    folder: str = "",
    pick: Pick | None = None,
) -> HTML | None:
    """Say what the committed rows are, or that there are none; their table, if there are any.

    pick: which of the rows the table shows; left out, all of them.
    """
    rows = committed(study, stem, folder=folder).get(stem)
    print(in_words(rows, study, stem, folder))
    return show(rows, study, f"committed {stem}", pick=pick)


def show(
    rows: pd.DataFrame | None,
    study: Study,
    name: str,
    make: Callable[[pd.DataFrame, Study], printed.Table] = budget_table,
    pick: Pick | None = None,
) -> HTML | None:
    """The rows in one of a study's tables; pick: which of them, or under which names."""
    if rows is None:
        return None
    return printed.show(make(pick(rows) if pick else rows, study), name)


def curve(
    rows: pd.DataFrame | None, study: Study, name: str, label: str, pick: Pick | None = None
) -> HTML | None:
    """The metric against the budget, the ceiling dashed; `label` is read aloud."""
    if rows is None:
        return None
    drawn = budget_curve(pick(rows) if pick else rows, study, all_data="--")
    return inline_svg(drawn, label, name)


def in_words(rows: pd.DataFrame | None, study: Study, stem: str, folder: str = "") -> str:
    """What committed rows are: data, n, seeds, hours, device, commit; or a line that says: none."""
    folder = folder or folder_of(study)
    if rows is None:
        return (
            f"No committed rows {folder}/{stem}.csv yet: what stands below is this page's own "
            "run, and small."
        )
    seeds = rows[rows.method == study.floor].seed.nunique()
    facts = {name: ", ".join(sorted(set(rows[name]))) for name in ("about", "device", "git")}
    return (
        f"Committed rows {folder}/{stem}.csv. {facts['about']} {len(rows)} trials, n = {seeds} "
        f"seeds, {rows.seconds.sum() / 3600:.1f} hours of one core for the trials themselves, "
        f"{facts['device']}, commit {facts['git']}."
    )


def summary(kept: dict[str, pd.DataFrame], study: Study) -> pd.DataFrame:
    """Several sets of rows side by side: methods down, files across, mean ± sd as printed."""
    columns = {stem: budget_table(rows, study).text.iloc[:, 0] for stem, rows in kept.items()}
    return pd.DataFrame(columns)

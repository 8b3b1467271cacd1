"""Committed rows first: what a chapter shows before it computes anything, and where it is from.

    kept = committed.read("layer_pruning", study)
    committed.shown(kept, tables.budget_table, "pruning committed")    # the table, or a clear line

book/results/<name>/<stem>.csv is what `foqus sweep ... --export` writes.
"""

import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from IPython.display import HTML

from foqus_lib.experiment.rows import load_rows
from foqus_lib.experiment.study import Study
from foqus_lib.report.paper import REPORTED
from foqus_lib.report.printed import Table, show

RESULTS = REPORTED.parent


@dataclass(frozen=True, eq=False)
class Committed:
    """Rows of a study and one sentence that says what they are; no rows: why there are none."""

    study: Study
    rows: pd.DataFrame | None
    about: str

    def __bool__(self) -> bool:
        return self.rows is not None


def read(name: str, study: Study, stem: str = "rows", results: Path = RESULTS) -> Committed:
    """The committed rows of that name; ValueError for a file that is not what `export` wrote."""
    path = results / name / f"{stem}.csv"
    where = f"book/results/{name}/{stem}.csv"
    if not path.exists():
        about = f"No committed rows yet: {where} does not exist. Below is what this page computes."
        return Committed(study, None, about)
    rows = load_rows(path, study)
    if rows.empty:
        raise ValueError(f"{path}: expected result rows, got none. Export it again, or delete it")
    return Committed(study, rows, f"{where}: {provenance(rows)}")


def provenance(rows: pd.DataFrame) -> str:
    """Data, n, number of trials, their hours, commit, torch and device of these rows."""
    commits = _listed(rows.git.str.replace(r"^(.{10})[0-9a-f]*", r"\1", regex=True))
    data = " ".join(dict.fromkeys(rows["about"]))
    trials, hours = len(rows), rows.seconds.sum() / 3600
    return (
        f"{data} n = {rows.seed.nunique()} seeds, {trials:,} trials, {hours:.1f} hours in all; "
        f"commit {commits}, torch {_listed(rows.torch)}, {_listed(rows.device)}, "
        f"{rows.started.min()[:10]}."
    )


def _listed(values: pd.Series) -> str:
    return ", ".join(sorted(set(values)))


def shown(found: Committed, table: Callable[[pd.DataFrame, Study], Table], name: str) -> HTML:
    """The table of the committed rows with where they are from, or why there is none."""
    if not found:
        return HTML(f'<p class="table-note">{html.escape(found.about)}</p>')
    told = html.escape(f"Committed rows, not computed by this page. {found.about}")
    return HTML(
        f'<p class="table-note">{told}</p>{show(table(found.rows, found.study), name).data}'
    )

"""Which rows of the chapter stand in which of its tables."""

import pandas as pd

from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.distillation.options import FLOOR, MAIN


def of_table(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """The methods and the ceiling, of one network."""
    return rows[(rows.evaluation_model == model) & rows.method.isin([*MAIN, ALL_DATA])]


def of_sweep(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """What was tried on val, and Random beside it, at the budget of the sweep."""
    own = rows[rows.evaluation_model == model]
    tried = own[own.method.str.contains(" | ", regex=False)]
    floor = own[(own.method == FLOOR) & own.budget.isin(tried.budget) & own.seed.isin(tried.seed)]
    return pd.concat([floor, tried])


def of_others(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """The networks that did not distil."""
    return rows[rows.evaluation_model != model]


def applied(rows: pd.DataFrame, model: str) -> str:
    """Weight and step that each synthetic method of the table has, in a line each."""
    made = of_table(rows, model)
    made = made[made.step.notna()].drop_duplicates(["method", "alpha", "step"])
    lines = [
        f"{row.method}: step {row.step:g}" + (f", alpha {row.alpha:g}" * (row.alpha == row.alpha))
        for row in made.itertuples()
    ]
    return "\n".join(lines) or "no synthetic set by distribution matching in these rows"


def guard(rows: pd.DataFrame) -> pd.DataFrame:
    """How far the synthetic sets moved, and the share of their loss that went."""
    made = rows[rows.move.notna()].groupby(["method", "budget"], sort=False)
    found = made.agg(
        move=("move", "mean"), largest=("move", "max"), fall=("fall", "mean"), n=("move", "size")
    ).reset_index()
    found.columns = ["Method", "signals per class", "move", "largest move", "loss taken away", "n"]
    return found

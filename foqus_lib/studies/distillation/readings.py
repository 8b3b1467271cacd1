"""Which rows of the chapter stand in which of its tables."""

import pandas as pd

from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.distillation.options import FLOOR, MAIN

# The guard: where a set's move should end. Below nothing happened, above its signals are destroyed.
LEAST, MOST = 0.05, 0.35


def of_table(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """The methods and the ceiling, of one network."""
    return rows[(rows.evaluation_model == model) & rows.method.isin([*MAIN, ALL_DATA])]


def of_sweep(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """What was tried on val, and Random beside it, at the budget of the sweep.

    A method whose sets were destroyed says so in its name: that it ends at chance is no finding
    about its weight or step.
    """
    own = rows[rows.evaluation_model == model]
    tried = own[own.method.str.contains(" | ", regex=False)]
    floor = own[(own.method == FLOOR) & own.budget.isin(tried.budget) & own.seed.isin(tried.seed)]
    fate = {method: _fate(sets) for method, sets in _sets(tried).groupby("method")}
    names = tried.method.map(lambda name: f"{name} ({fate[name]})" if fate[name] else name)
    return pd.concat([floor, tried.assign(method=names)])


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
    """How far the synthetic sets moved, what that says, and the share of their loss that went."""
    made = _sets(rows).groupby(["method", "budget"], sort=False)
    found = made.agg(
        move=("move", "mean"), largest=("move", "max"), fall=("fall", "mean"), n=("move", "size")
    )
    found = found.assign(fate=[_fate(sets) or "–" for _, sets in made]).reset_index()
    found.columns = [
        "Method", "signals per class", "move", "largest move", "loss taken away", "n", "guard"
    ]  # fmt: skip
    return found


def _sets(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a synthetic set, however many networks were trained on it."""
    return rows[rows.move.notna()].drop_duplicates(["method", "budget", "seed"])


def _fate(sets: pd.DataFrame) -> str:
    """ "destroyed", "1 of 2 destroyed"; "" where all moved as far as they should."""
    counts = {"destroyed": (sets.move > MOST).sum(), "hardly moved": (sets.move < LEAST).sum()}
    return ", ".join(
        word if count == len(sets) else f"{count} of {len(sets)} {word}"
        for word, count in counts.items()
        if count
    )

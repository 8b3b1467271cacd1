"""Which rows of the chapter stand in which of its tables, and what was chosen for them."""

import pandas as pd

from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.distillation.moves import marked
from foqus_lib.studies.distillation.options import FLOOR, MAIN
from foqus_lib.studies.distillation.study import CHOSEN_BY


def of_table(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """The methods and the ceiling, of one network."""
    return rows[(rows.evaluation_model == model) & rows.method.isin([*MAIN, ALL_DATA])]


def of_sweep(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """What was tried on val, and Random beside it, at the budget of the sweep.

    A method whose sets were destroyed says so in its name: that it ends at chance is no finding
    about its weight or step.
    """
    tried = _tried(rows, model)
    own = rows[(rows.evaluation_model == model) & (rows.method == FLOOR)]
    floor = own[own.budget.isin(tried.budget) & own.seed.isin(tried.seed)]
    return on_val(pd.concat([floor, marked(tried)]))


def on_val(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the number by which `choice` chooses: its mean over seeds and repeats."""
    mean = (rows.accuracy_val + rows.accuracy_val_rotated) / 2
    return rows.assign(**{CHOSEN_BY.name: mean})


def of_others(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """The networks that did not distil."""
    return rows[rows.evaluation_model != model]


def tried_on_val(rows: pd.DataFrame, model: str) -> str:
    """How many weights and steps were tried on val, and which."""
    tried = _tried(rows, model)
    if tried.empty:
        return "nothing was tried on val in these rows"
    weights, steps = (_counted(tried[of], word) for of, word in (("alpha", "weight"),
                                                                 ("step", "step")))  # fmt: skip
    where = ", ".join(map(str, sorted(set(tried.budget))))
    return f"tried on val at {where} signals per class: {weights} and {steps}; weight 0 is DM"


def applied(rows: pd.DataFrame, model: str) -> str:
    """Weight and step that each synthetic method of the table has, in a line each."""
    made = of_table(rows, model)
    made = made[made.step.notna()].drop_duplicates(["method", "alpha", "step"])
    lines = [
        f"{row.method}: step {row.step:g}" + (f", alpha {row.alpha:g}" * (row.alpha == row.alpha))
        for row in made.itertuples()
    ]
    return "\n".join(lines) or "no synthetic set by distribution matching in these rows"


def _tried(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    return rows[(rows.evaluation_model == model) & rows.method.str.contains(" | ", regex=False)]


def _counted(values: pd.Series, word: str) -> str:
    """ "3 weights (0.01, 0.1, 1)"."""
    found = sorted(set(values.dropna()))
    return f"{len(found)} {word}{'s' * (len(found) != 1)} ({', '.join(f'{x:g}' for x in found)})"

"""How long each row of the chapter was trained, from its recipe and the signals it kept."""

import numpy as np
import pandas as pd

from foqus_lib.experiment.study import RATE
from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.frontier.options import DISTILLED, FRESH, SHORT, WHOLE


def gradient_steps(rows: pd.DataFrame) -> pd.Series:
    """Epochs x batches of one training; a cut network and its control are trained twice."""
    said = rows.recipe.str.extract(r"batch=(?P<batch>\d+) epochs=(?P<epochs>\d+)").astype(int)
    return said.epochs * np.ceil(rows.kept / said.batch).astype(int)


def steps_in_words(rows: pd.DataFrame) -> str:
    """What is about equal at a rate, in numbers: a set's steps beside those on all data.

    A fresh draw keeps all signals and takes the steps of a set; it is not listed.
    """
    counted = rows[rows.method != FRESH]
    counted = counted.assign(steps=gradient_steps(counted))
    parts = []
    for budget, group in counted[counted.method != ALL_DATA].groupby("budget"):
        short = group.method == SHORT
        told = {"on a set": group.steps[~short], f"of {SHORT}": group.steps[short]}
        each = [f"{_range(steps)} {where}" for where, steps in told.items() if len(steps)]
        parts.append(f"{RATE.text(int(budget))}: {', '.join(each)}")
    if len(whole := counted.steps[counted.method == ALL_DATA]):
        parts.append(f"{ALL_DATA}: {_range(whole)}")
    if twice := [form for form in dict.fromkeys(rows.form) if form != WHOLE]:
        parts.append(f"two trainings, so twice as many: {' | '.join(twice)}")
    return f"Gradient steps of one training. {'; '.join(parts)}"


def epochs_in_words(rows: pd.DataFrame, elsewhere: pd.DataFrame | None = None) -> str:
    """The epochs of each kind of training, and MDM's iterations K.

    elsewhere: rows of the chapter on distillation, whose K then stands beside.
    """
    alone = rows.method.isin([ALL_DATA, SHORT])
    parts = {
        "on a set": _numbers(rows.recipe[~alone], "epochs"),
        f"of {SHORT}": _numbers(rows.recipe[rows.method == SHORT], "epochs"),
        f"of {ALL_DATA}": _numbers(rows.recipe[rows.method == ALL_DATA], "epochs"),
        "of the training that scores": _numbers(rows.selection_recipe, "epochs"),
    }
    text = "Epochs: " + ", ".join(f"{number} {what}" for what, number in parts.items() if number)
    if not (made := _numbers(rows.distillation_recipe, "K")):
        return f"{text}."
    text += f". {DISTILLED}: K = {made} iterations"
    if elsewhere is not None:
        own = elsewhere.distillation_recipe[elsewhere.method == DISTILLED]
        text += f"; the longest rows of the chapter on distillation have K = {_numbers(own, 'K')}"
    return f"{text}."


def _numbers(recipes: pd.Series, name: str) -> str:
    """ "1 and 3": the values of a field over these rows; empty if no row has it."""
    said = recipes.str.extract(rf"\b{name}=(\d+)", expand=False).dropna().astype(int)
    return " and ".join(map(str, sorted(said.unique())))


def _range(steps: pd.Series) -> str:
    low, high = steps.min(), steps.max()
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"

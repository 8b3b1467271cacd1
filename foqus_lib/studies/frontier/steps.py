"""How many gradient steps each row of the chapter took, from its recipe and the signals it kept."""

import numpy as np
import pandas as pd

from foqus_lib.experiment.study import RATE
from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.frontier.options import FRESH, SHORT


def gradient_steps(rows: pd.DataFrame) -> pd.Series:
    """Epochs x batches of a row's one training; a cut network is trained twice."""
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
    return f"Gradient steps of one training. {'; '.join(parts)}"


def _range(steps: pd.Series) -> str:
    low, high = steps.min(), steps.max()
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"

"""The same rule on radio signals: rows of chapter 10's study, before the training on and after it.

Right after the cut they tell what the lost blocks did, after the training on what that is worth.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from foqus_lib.experiment.study import Metric, Study
from foqus_lib.studies.layer_pruning import FULL, LAST, RANDOM, SCRATCH

MOMENTS = {"before training on": "accuracy_before", "after it": "accuracy"}
FLOORS = (FULL, RANDOM)  # what a row is set against
NEARLY = 1 / 10
HOLDS, ABOVE, BELOW = "holds zero", "lies above zero", "lies below zero"
Found = Mapping[tuple[str, str], pd.DataFrame]  # differences by moment and floor


def of_moments(study: Study) -> dict[str, Study]:
    """By moment, the study of which tables are accuracies at that moment."""
    return {moment: replace(study, metrics=(_metric(study, moment),)) for moment in MOMENTS}


def set_against(study: Study) -> dict[tuple[str, str], Study]:
    """By moment and floor, the study of which tables are differences to that row of `under`."""
    return {
        (moment, floor): replace(of, floor=floor, ceiling=None)
        for moment, of in of_moments(study).items()
        for floor in FLOORS
    }


def _metric(study: Study, moment: str) -> Metric:
    return next(one for one in study.metrics if one.name == MOMENTS[moment])


def under(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, the whole network at the one number of blocks that is left of it."""
    [left] = rows.budget[rows.method != FULL].unique()
    return rows.assign(budget=left)


# ---- in words ------------------------------------------------------------------------------------


def side_by_side(found: Found) -> pd.DataFrame:
    """Methods down, moments and floors across: points, and the interval in brackets."""
    columns = {
        f"{moment}, less {floor}": numbers.set_index("method").apply(_text, axis=1)
        for (moment, floor), numbers in found.items()
    }
    return pd.DataFrame(columns).fillna("")


def in_words(found: Found, study: Study) -> str:
    """What the intervals of Last blocks dropped say at each moment, and what follows from them."""
    rows = {key: numbers.set_index("method").loc[LAST] for key, numbers in found.items()}
    lines = [
        f"{LAST} {moment}, less {floor}: {_text(row)} points, which {_side(row)}."
        for (moment, floor), row in rows.items()
    ]
    n = int(min(row.n for row in rows.values()))
    few = f"; a verdict takes {study.verdict_from}" if n < study.verdict_from else ""
    lines.append(f"95 % intervals over n = {n} base networks, not adjusted{few}.")
    if all(row.low == row.low for row in rows.values()):
        read = "Read so, and no verdict" if few else "By these"
        lines.append(f"{read}: {_idle(rows)}; {_better_than_dice(rows)}.")
    return "\n".join(lines)


def _idle(rows: Mapping[tuple[str, str], pd.Series]) -> str:
    """Whether the network misses its late blocks as soon as they are gone, as it does random ones.

    Nearly idle: the whole interval below a `NEARLY` of what random blocks cost in the mean.
    """
    whole, dice = (rows[next(iter(MOMENTS)), floor] for floor in FLOORS)
    lost, most, of_random = -whole.difference, -whole.low, dice.difference - whole.difference
    shown = "" if most < NEARLY * of_random else "not shown to be "
    return (
        f"the late blocks are {shown}nearly idle, for as soon as they are gone {100 * lost:.1f} "
        f"points are missing in the mean and at most {100 * most:.1f} by the interval, without "
        f"random ones {100 * of_random:.1f}"
    )


def _better_than_dice(rows: Mapping[tuple[str, str], pd.Series]) -> str:
    before, after = (_side(rows[moment, RANDOM]) == ABOVE for moment in MOMENTS)
    if before and after:
        return "position is better than dice before the training on and after it"
    if before:
        return (
            "position is better than dice before the training on and not shown to be after it, "
            "so the training on hides what the choice was worth"
        )
    return "position is better than dice only after the training on" if after else (
        "position is better than dice at neither moment"
    )  # fmt: skip


def _text(row: pd.Series) -> str:
    """ "-0.4 [-1.0, +0.3]"; without an interval the mean alone."""
    mean = f"{100 * row.difference:+.1f}"
    return mean if row.low != row.low else f"{mean} [{100 * row.low:+.1f}, {100 * row.high:+.1f}]"


def _side(row: pd.Series) -> str:
    if row.low != row.low:
        return "has no interval"
    return ABOVE if row.low > 0 else BELOW if row.high < 0 else HOLDS


def epochs_in_words(rows: pd.DataFrame) -> str:
    """Who has learnt for how long, by the recipes of the rows."""
    base, on = (_epochs(rows[name]) for name in ("base_recipe", "recipe"))
    return (
        f"{SCRATCH} has learnt for the {on} epochs after the cut alone, all others for "
        f"{base} + {on} = {base + on}: its row does not say what the kept weights are worth at "
        "equal training."
    )


def _epochs(recipes: pd.Series) -> int:
    [recipe] = recipes.unique()
    return int(re.search(r"epochs=(\d+)", recipe)[1])

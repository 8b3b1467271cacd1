"""How often a training moved its weights: an epoch is a pass, so the steps grow with the rate."""

import pandas as pd

from foqus_lib.experiment.study import Study


def quoted(rows: pd.DataFrame, study: Study) -> dict:
    """{"steps": {"1 %": "100", ..., "sentence": "100 at 1 %, ..."}}; {} where no recipe says.

    ceil(signals kept / batch) steps an epoch, as the recipe of each row names batch and epochs.
    """
    if not {"kept", "evaluation_recipe"} <= set(rows):
        return {}
    sizes = rows.evaluation_recipe.str.extract(r"batch=(?P<batch>\d+).* epochs=(?P<epochs>\d+)")
    if sizes.isna().any(axis=None):
        return {}
    sizes = sizes.astype(int)
    steps = (-(-rows.kept.astype(int) // sizes.batch) * sizes.epochs).groupby(rows.budget).agg(set)
    found = {study.axis.text(int(budget)): sorted(numbers) for budget, numbers in steps.items()}
    texts = {name: " to ".join(f"{n:,}" for n in numbers) for name, numbers in found.items()}
    *some, last = (f"{text} at {name}" for name, text in texts.items())
    sentence = f"{', '.join(some)} and {last}" if some else last
    return {"steps": texts | {"sentence": sentence}}

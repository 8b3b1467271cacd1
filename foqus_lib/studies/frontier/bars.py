"""What the specification asks of the capstone, section 1.1: select, mix and cut, for a quarter."""

from collections.abc import Callable

import pandas as pd

from foqus_lib.experiment.bar import Bar
from foqus_lib.studies.frontier.options import FOQUS, MIXED, RESNET, WHOLE

SAVING, PLAIN = f"{FOQUS}{MIXED}, cut", f"{FOQUS}, {WHOLE}"
MARGIN, SHARE = 0.03, 0.25  # accuracy that may be lost, parameters that may be left


def crossed(rows: pd.DataFrame, network: str = RESNET) -> pd.DataFrame:
    """The rows of a network with its form in the method's name, and its share of the parameters."""
    here = rows[rows.network == network]
    form = here.form.where(here.form == WHOLE, "cut")
    whole = here.parameters[here.form == WHOLE].mean()
    return here.assign(method=here.method + ", " + form, parameters_left=here.parameters / whole)


def bars_of(rows: pd.DataFrame, text: Callable[[int], str]) -> list[Bar]:
    """For each budget: within 3 points of the plain row, on at most a quarter of the parameters.

    text: what the study's axis makes of a budget. The rows are those of `crossed`.
    """
    found = []
    for budget in sorted(rows.budget[rows.method == SAVING].unique()):
        at, where = text(int(budget)), {"budget": budget}
        found += [
            Bar("1.1", f"{at}: {SAVING}, within 3 points of {PLAIN}", (SAVING,), PLAIN,
                least=-MARGIN, where=where),
            Bar("1.1", f"{at}: at most a quarter of the parameters", (SAVING,), None,
                metric="parameters_left", most=SHARE, where=where),
        ]  # fmt: skip
    return found

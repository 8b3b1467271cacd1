"""What the rows say of the specification's bar: select, mix and cut against select alone."""

from dataclasses import dataclass

import pandas as pd

from foqus_lib.experiment.study import Metric
from foqus_lib.report import compare
from foqus_lib.studies.frontier.options import FOQUS, MIXED, RESNET, WHOLE

MARGIN, SHARE = 0.03, 0.25  # accuracy that may be lost, parameters that may be left


@dataclass(frozen=True)
class Bar:
    """Difference (fraction) with its 95 % interval over n seeds, the share of parameters left."""

    difference: float
    low: float
    high: float
    n: int
    parameters: float

    @property
    def verdict(self) -> str:
        """Met, not met, or not shown: by the interval, and never below five seeds."""
        if self.parameters > SHARE:
            return f"not met: {self.parameters:.0%} of the parameters are left"
        if self.n < compare.LEAST:
            return f"no verdict from {self.n} seeds"
        if self.low > -MARGIN:
            return "met"
        return "not met" if self.high < -MARGIN else "not shown"


def bar_of(rows: pd.DataFrame, budget: int, network: str = RESNET) -> Bar | None:
    """FoQuS + n-RM on the cut network less FoQuS on the whole one; None while rows are missing."""
    here = rows[(rows.network == network) & (rows.budget == budget)]
    cut = here[(here.form != WHOLE) & (here.method == FOQUS + MIXED)]
    whole = here[(here.form == WHOLE) & (here.method == FOQUS)]
    if cut.empty or whole.empty:
        return None
    accuracy = Metric("accuracy", "accuracy", points=True)
    found = compare.compare(*(compare.by_trial(one, accuracy) for one in (cut, whole)))
    left = cut.parameters.mean() / whole.parameters.mean()
    return Bar(found["difference"], found["low"], found["high"], found["n"], left)

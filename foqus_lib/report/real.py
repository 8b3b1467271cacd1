"""What real recordings look like in eight numbers, to set a simulation beside them."""

import pandas as pd

from foqus_lib.datasets.statistics import STATISTICS, class_statistics
from foqus_lib.report.paper import REPORTED
from foqus_lib.signals import Signals

FILE = REPORTED.parent / "reference" / "rml2016_statistics.csv"


def statistics() -> pd.DataFrame:
    """Real RadioML frames at 10..18 dB, pooled: class, source, STATISTICS.

    Eight classes from RML2016.04C (1,030 to 3,895 frames each), three from 50 frames of 10b.
    """
    return pd.read_csv(FILE)


def beside(signals: Signals) -> pd.DataFrame:
    """Each class of `signals` above the real one: rows (class, source), columns STATISTICS."""
    ours = pd.DataFrame(class_statistics(signals), columns=STATISTICS)
    ours = ours.assign(**{"class": signals.classes, "source": "these signals"})
    both = pd.concat([ours, statistics()])
    both = both[both["class"].isin(ours["class"])]
    return both.sort_values("class", kind="stable").set_index(["class", "source"])

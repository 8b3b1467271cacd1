"""What real recordings look like in eight numbers, to set a simulation beside them."""

from pathlib import Path

import numpy as np
import pandas as pd

from foqus_lib.datasets.statistics import STATISTICS, class_statistics
from foqus_lib.report.paper import REPORTED
from foqus_lib.report.printed import write_json
from foqus_lib.signals import Signals

FILE = REPORTED.parent / "reference" / "rml2016_statistics.csv"


def statistics() -> pd.DataFrame:
    """Real RadioML frames at 10..18 dB, pooled: class, source, frames (how many), STATISTICS.

    Eight classes from RML2016.04C, all frames of each; three from 50 frames of 10b.
    """
    return pd.read_csv(FILE)


def beside(signals: Signals) -> pd.DataFrame:
    """Each class of `signals` above the real one: rows (class, source), frames and STATISTICS."""
    ours = pd.DataFrame(class_statistics(signals), columns=STATISTICS)
    frames = np.bincount(signals.label, minlength=len(signals.classes))
    ours = ours.assign(**{"class": signals.classes, "source": "these signals", "frames": frames})
    both = pd.concat([ours, statistics()])
    both = both[both["class"].isin(ours["class"])]
    both = both.sort_values("class", kind="stable").set_index(["class", "source"])
    return both[["frames", *STATISTICS]]


def derive(folder: Path, source: str = "RML2016.04C") -> None:
    """The smallest and the largest class of the published file, for pages."""
    there = statistics()
    there = there[there.source == source].sort_values("frames", kind="stable")
    least, most = there.iloc[0], there.iloc[-1]
    ends = {
        name: {"class": row["class"], "frames": int(row.frames)}
        for name, row in {"least": least, "most": most}.items()
    }
    about = {"data": f"{source}, {len(there)} classes, 10 to 18 dB"}
    write_json(folder / "classes.json", {"_about": about} | ends)

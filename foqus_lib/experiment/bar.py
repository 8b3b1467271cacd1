"""What a chapter was asked for before it was run. `report.bars` judges it by rows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bar:
    """A bar on one number of a study's rows, or on the difference of two methods."""

    number: str  # in the specification, for instance "2.7.3"
    says: str
    ours: tuple[str, ...]  # methods; of several the one of the highest mean
    theirs: str | None  # the method it is compared with; None: the metric itself is judged
    metric: str = ""  # left out: the one that `report.bars` takes
    least: float = -math.inf
    most: float = math.inf
    where: Mapping[str, object] = field(default_factory=dict)  # of which rows
    file: str = "rows"
    unit: str | None = None  # None: points of a difference, else per cent; others as they are
    always: bool = False  # asked of every seed, as of a guard; else of the mean

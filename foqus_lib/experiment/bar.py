"""A bar: what a chapter was asked for before it was run. `report.bars` judges it by rows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bar:
    """A number that a chapter was asked for before it was run."""

    number: str  # in the specification, for instance "2.7.3"
    says: str
    ours: tuple[str, ...]  # methods; of several the one of the highest mean
    theirs: str | None  # the method it is compared with; None: the metric itself is judged
    metric: str = ""  # a fraction; left out: the one that `report.bars` takes
    least: float = -math.inf
    most: float = math.inf
    errors: float = 0.0  # by how many of its standard errors the difference has to pass 0
    where: Mapping[str, object] = field(default_factory=dict)  # of which rows
    file: str = "rows"

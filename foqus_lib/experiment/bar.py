"""What a chapter was asked for before it was run, and what it measured. `report.bars` judges it."""

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
    metric: str = ""  # a fraction; left out: the one that `report.bars` takes
    least: float = -math.inf
    most: float = math.inf
    where: Mapping[str, object] = field(default_factory=dict)  # of which rows
    file: str = "rows"
    unit: str = ""  # left out: points of a difference, else per cent


@dataclass(frozen=True)
class Measured:
    """One number a seed beside its bar; no number: not measured."""

    number: str
    says: str
    each: tuple[float, ...]
    least: float = -math.inf
    most: float = math.inf
    unit: str = "points"  # "points" and "%" of a fraction; others are printed as they are
    always: bool = False  # asked of every seed, as of a guard; else of the mean
    others: tuple[tuple[float, ...], ...] = ()  # the same of methods that this is the best of

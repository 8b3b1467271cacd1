"""Study: what a chapter measures. The engine runs it and the report prints it; neither knows more.

trials(common, options, task) -> the keys of all results the chapter shows
jobs(bench, missing)          -> stages of jobs: what has to be made first (records, base
                                 networks), then the trials
sweep -> publish(trial, {metric: value}, facts) -> frame -> tables
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from foqus_lib.experiment.key import Trial


@dataclass(frozen=True)
class Metric:
    """One number of a result."""

    name: str  # the column of rows
    label: str  # in tables and on axes
    points: bool = False  # a fraction, whose differences are printed in points (hundredths)
    higher_is_better: bool = True


@dataclass(frozen=True)
class Axis:
    """What `budget` counts."""

    label: str  # "rate |S|/N"
    text: Callable[[int], str]  # 500 -> "5 %"

    @property
    def title(self) -> str:
        """The label as the head of a column."""
        return self.label[:1].upper() + self.label[1:]


def percent_of_points(points: int) -> str:
    """500 basis points -> "5 %"."""
    return f"{points / 100:g} %"


RATE = Axis("rate |S|/N", percent_of_points)


@dataclass(frozen=True)
class Job:
    """One call of a module-level function, and what it costs."""

    call: Callable  # call(bench, *arguments)
    arguments: tuple
    trials: tuple[Trial, ...] = ()  # that it publishes; those it has not fail if it raises
    makes: tuple[Mapping, ...] = ()  # keys of the artifacts it makes, which fail if it raises
    kind: tuple = ()  # jobs of a kind take the same time for a unit of cost
    cost: float = 1.0  # in units, for instance visits: one signal forward and backward
    probe: Callable[..., float] | None = None  # probe(bench, job): seconds a unit, measured now
    memory: int = 0  # bytes a worker needs for it beyond Python and torch
    disk: int = 0  # bytes that the artifacts it makes, and what it keeps meanwhile, take at most


@dataclass(frozen=True)
class Study:
    """A kind of experiment. Several chapters may ask it for different trials."""

    name: str
    version: int  # raised when what its trials mean changes
    axis: Axis
    metrics: tuple[Metric, ...]  # the first is the one tables print
    settings: tuple[str, ...]  # names of the settings in its trials, sorted
    block: tuple[str, ...]  # those of them that tell one table's block from another's
    floor: str  # the method every other is compared with
    ceiling: str | None  # a method that has no budget: it stands under each
    jobs: Callable[..., Sequence[Sequence[Job]]]
    shares: tuple[str, ...] = ()  # settings that say, with the seed, whose artifact a trial needs
    drawn: tuple[str, ...] = ()  # methods whose repeats are draws: tables show their mean
    prices: tuple[str, ...] = ()  # metrics that are paid for the first: see report/pareto.py
    verdict_from: int = 5  # selection seeds below which an interval stands without a verdict
    unjudged: tuple[str, ...] = ()  # methods that a seed hardly moves: intervals, no verdict
    uncompared: tuple[str, ...] = ()  # methods with a budget that are ceilings all the same
    reference: str = ""  # what heads the ceiling's row where other rows may pass it
    tabled: Callable[[pd.DataFrame], pd.DataFrame] | None = None  # rows of its table; None: all


@dataclass(frozen=True)
class Bar:
    """What a chapter was asked for before it was run; `report.bars` judges it by rows.

    On one number of a study's rows, or on the difference of two methods.
    """

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

"""What may be mixed: training signals of one class and one SNR."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int64
from numpy import ndarray

from foqus_lib.datasets.catalog import Task
from foqus_lib.signals import Signals


@dataclass(frozen=True, eq=False)
class TrainingPart:
    """Rows of a task's training signals: all that mixing ever takes.

    It is made from the Task, whose `train` it reads itself, so test and val signals cannot be
    given: mixing across a split is refused by type. Numbers below are places among these rows.
    """

    task: Task
    rows: Int64[ndarray, " k"]  # of task.train, ascending

    def __post_init__(self) -> None:
        if not isinstance(self.task, Task):
            raise ValueError(
                f"mixing: expected a Task, whose training signals are mixed, got "
                f"{type(self.task).__name__}. Test and validation signals are never mixed"
            )
        n, rows = len(self.task.train), self.rows
        if len(rows) == 0 or (np.diff(rows) <= 0).any() or rows[0] < 0 or rows[-1] >= n:
            raise ValueError(
                f"mixing: expected distinct rows in order of the {n} training signals, got "
                f"{len(rows)}{f' from {rows.min()} to {rows.max()}' if len(rows) else ''}. "
                "Sort them, or take np.arange(n) for all"
            )

    @cached_property
    def signals(self) -> Signals:
        """The k signals."""
        return self.task.train[self.rows]

    @cached_property
    def group(self) -> Int64[ndarray, " k"]:
        """The number of each signal's (class, SNR)."""
        pairs = np.stack([self.signals.label, self.signals.snr], axis=1)
        return np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)

    @cached_property
    def members(self) -> tuple[Int64[ndarray, " k"], Int64[ndarray, " G"], Int64[ndarray, " G"]]:
        """Signals group by group, where each group begins in that list, and how many it has."""
        sizes = np.bincount(self.group).astype(np.int64)
        return np.argsort(self.group, kind="stable"), np.cumsum(sizes) - sizes, sizes

    @property
    def alone(self) -> Bool[ndarray, " k"]:
        """Signals that have no other of their (class, SNR): they stay as they are."""
        return self.members[2][self.group] == 1


def checked_part(part: object) -> TrainingPart:
    """The part itself; ValueError for anything else, such as bare signals."""
    if not isinstance(part, TrainingPart):
        raise ValueError(
            f"mixing: expected a TrainingPart, got {type(part).__name__}. Make one of the Task: "
            "TrainingPart(task, rows); test and validation signals are never mixed"
        )
    return part


def refuse_strangers(part: TrainingPart, a: Int64[ndarray, " P"], b: Int64[ndarray, " P"]) -> None:
    """ValueError if a pair is not of one class and one SNR: its label would be a lie."""
    group = checked_part(part).group
    if (bad := group[a] != group[b]).any():
        at, signals = int(bad.argmax()), part.signals
        one, other = (
            f"{signals.classes[signals.label[i]]} at {signals.snr[i]:g} dB" for i in (a[at], b[at])
        )
        raise ValueError(
            f"mixing: expected pairs of one class and SNR, got {one} with {other} "
            f"(pair {at}, {int(bad.sum())} such pairs). Draw partners by `partners`"
        )


def partners(
    part: TrainingPart, at: Int64[ndarray, " P"], rng: np.random.Generator
) -> Int64[ndarray, " P"]:
    """For each signal another one of its (class, SNR), uniformly; itself where it is alone."""
    order, first, sizes = checked_part(part).members
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    begin, size = first[part.group[at]], sizes[part.group[at]]
    step = rng.integers(1, np.maximum(size, 2))
    return order[begin + (place[at] - begin + step) % size]


def cut_length(part: TrainingPart, ratio: float) -> int:
    """l = floor(r L) samples; ValueError if that is none, or more than there are."""
    span = checked_part(part).signals.length
    length = int(ratio * span)
    if not 1 <= length <= span:
        raise ValueError(
            f"ratio: expected {1 / span:.3g} to 1 of a signal of {span} samples, got {ratio:g}"
        )
    return length


def matched(
    part: TrainingPart, rng: np.random.Generator
) -> tuple[Int64[ndarray, " P"], Int64[ndarray, " P"], Bool[ndarray, " P"]]:
    """All signals in random pairs of one (class, SNR): (a, b, whether b's child is kept as well).

    The odd one of a group borrows a partner that has its own child already; alone, itself.
    """
    group = checked_part(part).group
    order = np.lexsort((rng.random(len(group)), group))
    _, first, sizes = part.members
    begin, size = first[group[order]], sizes[group[order]]
    place = np.arange(len(order)) - begin
    at = np.flatnonzero(place % 2 == 0)
    both = place[at] + 1 < size[at]
    return order[at], order[np.where(both, np.minimum(at + 1, len(order) - 1), begin[at])], both

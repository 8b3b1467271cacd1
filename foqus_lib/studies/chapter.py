"""Chapter: a study, what a notebook may ask of it, and the two together, ready to run."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Protocol, runtime_checkable

import pandas as pd

from foqus_lib.datasets.catalog import Task, prepare
from foqus_lib.experiment import store
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.plan import Bench, Plan, plan
from foqus_lib.experiment.settings import Common
from foqus_lib.experiment.store import frame, frame_by
from foqus_lib.experiment.study import Study
from foqus_lib.experiment.sweep import Progress, sweep


@runtime_checkable  # the tests check signatures
class Subject(Protocol):
    """What a chapter looks at: a Task of signals, or something else with a name of its own."""

    name: str
    fingerprint: str
    about: str


def _signals(how: Common, options: object) -> Task:
    """The data set that is asked for, cut, split and scaled."""
    return prepare(
        how.dataset,
        snr_min=how.snr_min,
        split=how.split,
        normalise=how.normalise,
        train_share=how.train_share,
        val_share=how.val_share,
        frames=how.frames,
        seed=how.data_seed,
    )


@dataclass(frozen=True)
class Chapter:
    """What a notebook measures, and what it can be given."""

    study: Study
    options: type  # a frozen dataclass, its annotations say what each field is
    trials: Callable[[Common, object, Subject], list[Trial]]
    bench: Callable[[Common, object, Subject], Bench]
    task: Callable[[Common, object], Subject] = _signals
    fixed: tuple[str, ...] = ()  # of settings.SIGNALS, those that it would not look at
    why_fixed: str = ""
    methods: tuple[str, ...] = ("methods",)  # parameters that name rows; a page lists the first

    @classmethod
    def of(cls, package: ModuleType, **more: object) -> "Chapter":
        """Of a package of studies/, which names its STUDY, Options, trials and bench."""
        return cls(package.STUDY, package.Options, package.trials, package.bench, **more)


@dataclass(frozen=True, eq=False)
class Opened:
    """A chapter that is ready to run. Data are made when first asked for."""

    notebook: str
    chapter: Chapter
    common: Common
    options: object
    part: str = ""

    def __str__(self) -> str:
        how = self.common
        return f"{self.notebook}: profile {how.profile}, {how.dataset}, results in {how.results}"

    @cached_property
    def task(self) -> Subject:
        """The signals, or whatever else the chapter looks at."""
        return self.chapter.task(self.common, self.options)

    @cached_property
    def bench(self) -> Bench:
        """What every job is told."""
        return self.chapter.bench(self.common, self.options, self.task)

    @cached_property
    def trials(self) -> list[Trial]:
        """All results that the chapter shows, or those of a part."""
        found = self.chapter.trials(self.common, self.options, self.task)
        if not self.part:
            return found

        def unit(trial: Trial) -> tuple:  # what shares an artifact, which is dear
            return trial.seed, *(trial[name] for name in self.study.shares)

        kept = set(shard(list(dict.fromkeys(map(unit, found))), self.part))
        return [trial for trial in found if unit(trial) in kept]

    @property
    def study(self) -> Study:
        """What is measured, and how tables read it."""
        return self.chapter.study

    def plan(self) -> Plan:
        """What `run` would do, and about how long it would take."""
        common = self.common
        return plan(self.study, self.bench, self.trials, common.workers, scheduler=common.scheduler)

    def run(self, progress: Progress) -> store.Scan:
        """Run what is missing; say what is complete, missing and failed. See `sweep`."""
        how = self.common
        return sweep(self.study, self.bench, self.trials, how.workers, progress, how.scheduler)

    def rows(self) -> pd.DataFrame:
        """One row a finished trial."""
        return frame(self.common.store, self.study, self.trials)

    def rows_by(self, metric: str, level: str) -> pd.DataFrame:
        """One row a finished trial and level: rows_by("accuracy", "snr")."""
        return frame_by(self.common.store, self.study, self.trials, metric, level)


def shard(items: Sequence, text: str) -> list:
    """Part i of n of a grid, for machines that share a folder and nothing else.

    shard(cells, "2/5") -> every 5th from the 2nd on. The n parts are disjoint and are all.

    Raises ValueError for anything but i/n with 1 <= i <= n.
    """
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip())
    part, parts = map(int, found.groups()) if found else (0, 0)
    if not 1 <= part <= parts:
        raise ValueError(f"shard: expected i/n with i from 1 to n, such as 2/5, got {text!r}")
    return list(items[part - 1 :: parts])

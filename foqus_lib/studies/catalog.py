"""Every chapter by its notebook. A new one is one line here, and its own file beside."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, runtime_checkable

import pandas as pd

from foqus_lib.datasets.catalog import DATASETS, Task, prepare
from foqus_lib.errors import unknown
from foqus_lib.experiment import settings, store
from foqus_lib.experiment.key import Trial, canonical
from foqus_lib.experiment.plan import Bench, Plan, plan
from foqus_lib.experiment.settings import Common
from foqus_lib.experiment.study import Job, Study
from foqus_lib.experiment.sweep import Progress, sweep
from foqus_lib.experiment.workers import executed
from foqus_lib.experiment.workers.shard import shard
from foqus_lib.studies import (
    distillation,
    layer_pruning,
    leaderboard,
    llm_pruning,
    mixing,
    scoring_proxy,
)
from foqus_lib.studies.clustering import bench as clustering_bench
from foqus_lib.studies.clustering import grid as clustering_grid
from foqus_lib.studies.clustering import options as clustering_options
from foqus_lib.studies.clustering.run import STUDY as CLUSTERING
from foqus_lib.studies.coreset import grid
from foqus_lib.studies.frontier import bench as frontier_bench
from foqus_lib.studies.frontier import options as frontier_options
from foqus_lib.studies.frontier import study as frontier
from foqus_lib.studies.frontier import trials as frontier_trials
from foqus_lib.studies.visibility_graph import grid as visibility_graph


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


def _coreset(trials: Callable) -> Chapter:
    return Chapter(grid.CORESET, grid.Options, trials, grid.bench)


CHAPTERS: dict[str, Chapter] = {
    "01_setup": _coreset(grid.uniform_coresets),
    "02_method": _coreset(grid.no_trials),
    "02_explorer": _coreset(grid.no_trials),
    "03_main_tables": _coreset(grid.main_tables),
    "04_cross_architecture": _coreset(grid.cross_architecture),
    "05_ablation": _coreset(grid.ablation),
    "06_datasets": _coreset(grid.no_trials),
    "07_all_snr": _coreset(grid.all_snr),
    "08_distillation": Chapter(
        distillation.STUDY, distillation.Options, distillation.trials, distillation.bench
    ),
    "09_mixing": Chapter(mixing.STUDY, mixing.Options, mixing.trials, mixing.bench),
    "10_layer_pruning": Chapter(
        layer_pruning.STUDY, layer_pruning.Options, layer_pruning.trials, layer_pruning.bench
    ),
    # no notebook of its own: the second half of 10_layer_pruning
    "10_scoring_proxy": Chapter(
        scoring_proxy.STUDY, layer_pruning.Options, scoring_proxy.trials, layer_pruning.bench
    ),
    "11_llm_pruning": Chapter(
        llm_pruning.STUDY,
        llm_pruning.Options,
        llm_pruning.trials,
        llm_pruning.bench,
        task=llm_pruning.task,
        fixed=tuple(name for name in settings.SIGNALS if name != "dataset"),
        why_fixed="it reads text, which dataset= names",
        methods=("rules", "brief_rules"),
    ),
    "12_clustering": Chapter(
        CLUSTERING, clustering_options.Options, clustering_grid.trials, clustering_bench.bench
    ),
    "13_visibility_graph": Chapter(
        visibility_graph.STUDY,
        visibility_graph.Options,
        visibility_graph.trials,
        visibility_graph.bench,
    ),
    "14_frontier": Chapter(
        frontier.STUDY, frontier_options.Options, frontier_trials.trials, frontier_bench.bench
    ),
    # no notebook: `foqus score`, and book/leaderboard.md
    "leaderboard": Chapter(
        leaderboard.STUDY,
        leaderboard.Options,
        leaderboard.trials,
        leaderboard.bench,
        task=leaderboard.public,
        fixed=settings.SIGNALS,
        why_fixed="its boards are fixed; choose one with board=",
    ),
}

# Whose rows book/results/<layer>/<name>.csv holds: what `foqus derive` reads.
COMMITTED: dict[str, Study] = dict.fromkeys(("main", "ablation", "cross", "newer"), grid.CORESET)
COMMITTED |= {f"distillation/{stem}": distillation.STUDY for stem in distillation.FILES}
COMMITTED |= {f"layer_pruning/{stem}": layer_pruning.STUDY for stem in ("rows", "real")}
COMMITTED |= {f"layer_pruning/{stem}": scoring_proxy.STUDY for stem in ("proxy", "real_proxy")}
COMMITTED |= {f"mixing/{stem}": mixing.STUDY for stem in mixing.FILES}
COMMITTED |= {
    "llm_pruning/rows": llm_pruning.STUDY,
    "llm_pruning/half": llm_pruning.STUDY,
    "llm_pruning/radio": layer_pruning.STUDY,
    "clustering/rows": CLUSTERING,
    "clustering/real": CLUSTERING,
    "visibility_graph/rows": visibility_graph.STUDY,
    "frontier/rows": frontier.STUDY,
    "leaderboard/rows": leaderboard.STUDY,
}


def grids() -> list[str]:
    """The chapters that have trials to run."""
    return [name for name, one in CHAPTERS.items() if one.trials is not grid.no_trials]


def chapter_of(notebook: str) -> Chapter:
    """The chapter of that notebook; ValueError with the nearest name if there is none."""
    if notebook not in CHAPTERS:
        raise unknown("chapter", notebook, CHAPTERS)
    return CHAPTERS[notebook]


def parameters(notebook: str) -> dict[str, settings.Field]:
    """What the notebook can be given."""
    return settings.declared(Common, chapter_of(notebook).options)


def checked(notebook: str, given: Mapping) -> dict[str, object]:
    """`given`, as typed on a command line, in the notebook's types; else ValueError."""
    known = parameters(notebook)
    for name in given:
        if name not in known:
            raise unknown(f"parameter of {notebook}", name, known)
    typed = {name: settings.typed(name, value, known[name].kind) for name, value in given.items()}
    return json.loads(json.dumps(typed))  # papermill wants lists


def make_shared(chapters: Sequence["Opened"], workers: int, say: Progress) -> None:
    """Trainings that several of these chapters need, made once before any of them runs.

    Notebooks that run side by side would each make their own. What fails here is tried again, and
    told, by the notebooks that need it.
    """
    wanted: dict[tuple, list[tuple[Opened, Job]]] = defaultdict(list)
    for chapter in chapters:
        first = []
        with suppress(ValueError):  # its notebook will say what is wrong
            if missing := store.scan(chapter.bench.root, chapter.trials).missing:
                first = chapter.study.jobs(chapter.bench, missing)[0]
        for job in first:
            wanted[chapter.bench.root, *map(canonical, job.makes)].append((chapter, job))
    todo = defaultdict(list)
    for (_root, *makes), asked in wanted.items():
        if makes and len(asked) > 1:
            chapter, job = asked[0]
            todo[chapter].append(job)
    for chapter, jobs in todo.items():
        say(f"{len(jobs)} selection trainings that several notebooks read")
        for _ in executed(chapter.bench, jobs, workers, chapter.common.scheduler):
            pass


def opened(notebook: str, given: Mapping, part: str = "") -> "Opened":
    """The chapter with its settings: the profile's, changed by `given` (a dict, or globals()).

    part: "2/8" for the second of eight parts of its trials, which need no record of another part
    (but 10_scoring_proxy, where a seed is compared with the one before, and both may train it).
    """
    one = chapter_of(notebook)
    asked = settings.asked(given)
    for name in one.fixed:
        if name in asked:  # refused, as it would be ignored
            raise ValueError(f"{name}: {notebook} takes none, got {asked[name]!r}: {one.why_fixed}")
    common, options = settings.read(notebook, one.study.name, one.options, given)
    if common.dataset not in DATASETS and "frames" not in asked:
        common = replace(common, frames=0)  # a profile's size is that of what it simulates
    if "In" in given and asked.get(one.methods[0]):
        options = _with_floor(options, one)
    return Opened(notebook, one, common, options, part)


def _with_floor(options: object, chapter: Chapter) -> object:
    """The rows that a page was asked for, and the one that its tables set them against."""
    floor, name = chapter.study.floor, chapter.methods[0]
    if any(floor in getattr(options, names) for names in chapter.methods):
        return options
    with suppress(ValueError):  # 10_scoring_proxy: the methods are rows of another study
        return replace(options, **{name: (floor, *getattr(options, name))})
    return options


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
        return store.frame(self.common.store, self.study, self.trials)

    def rows_by(self, metric: str, level: str) -> pd.DataFrame:
        """One row a finished trial and level: rows_by("accuracy", "snr")."""
        return store.frame_by(self.common.store, self.study, self.trials, metric, level)

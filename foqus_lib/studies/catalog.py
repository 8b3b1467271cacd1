"""Every chapter by its notebook. A new one is an import and an entry here, and its own files."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from foqus_lib.datasets.catalog import DATASETS
from foqus_lib.durable import check_room, check_writable
from foqus_lib.errors import unknown
from foqus_lib.experiment import settings, store
from foqus_lib.experiment.key import canonical
from foqus_lib.experiment.plan import Plan, counted, that_fit
from foqus_lib.experiment.settings import Common
from foqus_lib.experiment.study import Job
from foqus_lib.experiment.sweep import Progress, run_stage
from foqus_lib.studies import (
    boundary,
    clustering,
    distillation,
    frontier,
    layer_pruning,
    leaderboard,
    llm_pruning,
    mixing,
    scoring_proxy,
    visibility_graph,
)
from foqus_lib.studies.chapter import Chapter, Opened
from foqus_lib.studies.coreset import grid


def _coreset(trials: Callable) -> Chapter:
    return Chapter(grid.CORESET, grid.Options, trials, grid.bench)


CHAPTERS: dict[str, Chapter] = {
    "01_setup": _coreset(grid.uniform_coresets),
    "02_method": _coreset(grid.no_trials),
    "02_explorer": _coreset(grid.no_trials),
    # no notebook of its own: a claim about what 02_method shows
    "02_boundary": Chapter.of(boundary),
    "03_main_tables": _coreset(grid.main_tables),
    "04_cross_architecture": _coreset(grid.cross_architecture),
    "05_ablation": _coreset(grid.ablation),
    "06_datasets": _coreset(grid.no_trials),
    "07_all_snr": _coreset(grid.all_snr),
    "08_distillation": Chapter.of(distillation),
    "09_mixing": Chapter.of(mixing),
    "10_layer_pruning": Chapter.of(layer_pruning),
    # the second half of the notebook 10_layer_pruning
    "10_scoring_proxy": Chapter.of(scoring_proxy),
    "11_llm_pruning": Chapter.of(
        llm_pruning,
        task=llm_pruning.task,
        fixed=tuple(name for name in settings.SIGNALS if name != "dataset"),
        why_fixed="it reads text, which dataset= names",
        methods=("rules", "brief_rules"),
    ),
    "12_clustering": Chapter.of(clustering),
    "13_visibility_graph": Chapter.of(visibility_graph),
    "14_frontier": Chapter.of(frontier),
    "leaderboard": Chapter.of(  # no notebook: `foqus score`, and book/leaderboard.md
        leaderboard,
        task=leaderboard.public,
        fixed=settings.SIGNALS,
        why_fixed="its boards are fixed; choose one with board=",
    ),
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


def make_shared(chapters: Sequence[Opened], workers: int, say: Progress) -> None:
    """Trainings that several of these chapters need, made once before any of them runs.

    Notebooks that run side by side would each make their own. What fails here is told, and tried
    again by the notebooks that need it: they have pages to say so on.
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
        say(f"{counted(len(jobs), 'selection training')} that several notebooks read")
        try:
            _make(chapter, jobs, workers, say)
        except (OSError, ValueError) as error:
            say(f"not made for all: {error}")


def _make(chapter: Opened, jobs: Sequence[Job], workers: int, say: Progress) -> None:
    bench, scheduler = chapter.bench, chapter.common.scheduler
    check_writable(bench.root)
    check_room(bench.root, sum(job.disk for job in jobs))
    workers, memory = that_fit(bench, jobs, workers)
    todo = Plan(0, [], [list(jobs)], workers, memory, {}, bool(scheduler))
    run_stage(bench, todo, jobs, say, scheduler)


def opened(notebook: str, given: Mapping, part: str = "") -> Opened:
    """The chapter with its settings: the profile's, changed by `given` (a dict, or globals()).

    part: "2/8" for the second of eight parts of its trials, which need nothing that another part
    makes. But in 08_distillation each repeats the sweep on val, in 11_llm_pruning the small model,
    scores and rates; in 10_scoring_proxy a seed is compared with another, and both may be trained.
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

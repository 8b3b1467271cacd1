"""Which results the chapter shows, and the key of each."""

from collections.abc import Iterable

from foqus_lib.companions import distillation
from foqus_lib.companions import gradient_matching as dc
from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.key import Trial, versions_text
from foqus_lib.experiment.settings import Common
from foqus_lib.models import VERSIONS
from foqus_lib.selection.catalog import version_of
from foqus_lib.studies.coreset.bench import ALL_DATA, NONE
from foqus_lib.studies.distillation.networks import VERSION_OF
from foqus_lib.studies.distillation.options import MAIN, PSI, Options
from foqus_lib.studies.distillation.ways import Way, ways
from foqus_lib.training import collect, fit

NAME, VERSION = "distillation", 1  # raised when what its trials mean changes


def trials(common: Common, options: Options, task: Task) -> list[Trial]:
    """The sweep on val; every method at every budget; networks that did not distil at one."""
    found = sweep_trials(options, task, options.asked)
    wanted = [
        (model, method, budget)
        for model in options.models
        for budget in options.per_class
        for method in options.methods or MAIN
        if not (options.dear_from and budget >= options.dear_from) or method in options.dear_methods
    ]
    wanted += [
        (model, method, options.cross_per_class)
        for model in options.cross_models
        for method in options.cross_methods
    ]
    everything = len(task.train) // len(task.train.classes)
    wanted += [(model, ALL_DATA, everything) for model in options.models]
    found += [
        trial(task, options, model, method, budget, seed, repeat)
        for model, method, budget in dict.fromkeys(wanted)
        for seed in range(common.seeds)
        for repeat in range(1 if method == ALL_DATA else options.repeats)
    ]
    return found


def sweep_trials(how: Options, task: Task, methods: Iterable[str]) -> list[Trial]:
    """Those by which the methods that have to be chosen are chosen: all of their seeds."""
    known = ways(how)
    tried = dict.fromkeys(name for method in methods for name in known[method].tried)
    return [
        trial(task, how, how.models[0], name, how.sweep_per_class, seed, repeat)
        for name in tried
        for seed in range(how.sweep_seeds)
        for repeat in range(how.repeats)
    ]


def trial(
    task: Task, how: Options, model: str, method: str, budget: int, seed: int, repeat: int
) -> Trial:
    """One result: a set of `budget` signals per class, and a network that was trained on it."""
    way = Way("Uniform") if method == ALL_DATA else ways(how)[method]
    return Trial.on(
        task,
        NAME,
        VERSION,
        method,
        budget,
        seed,
        repeat,
        distillation_recipe=way.recipe,
        evaluation_model=model,
        evaluation_recipe=how.evaluation(model, method),
        selection_recipe=str(how.collection) if way.looks else NONE,
        versions=versions(way, model, drawn=method != ALL_DATA),
    )


def versions(way: Way, model: str, drawn: bool = True) -> str:
    """Of all code that decides the number."""
    found = {"fit": fit.VERSION, model: VERSION_OF[model]}
    if way.looks:
        found |= {"collect": collect.VERSION, PSI: VERSIONS[PSI]}
    if drawn and way.start != "Random":
        found[way.start] = version_of(way.start)
    if way.made:
        found |= {"distillation": distillation.VERSION, PSI: VERSIONS[PSI]}
    if way.gradients:
        found["gradient_matching"] = dc.VERSION
    return versions_text(found)

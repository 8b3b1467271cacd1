"""The trials of each coreset chapter: which methods, networks, rates, seeds and repeats.

`foqus sweep 03_main_tables --profile paper` and the notebook ask here, so they share every trial.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from foqus_lib.datasets.catalog import Task
from foqus_lib.errors import unknown
from foqus_lib.experiment.key import Trial, basis_points, versions_text
from foqus_lib.experiment.settings import MULTIPLIES, Common, at_least
from foqus_lib.experiment.study import RATE, Metric, Study
from foqus_lib.models import VERSIONS as NETWORKS
from foqus_lib.models import known_model
from foqus_lib.models.shapes import check_length
from foqus_lib.selection.catalog import (
    ABLATION_METHODS,
    METHODS,
    SNR_BALANCED,
    method_named,
    version_of,
)
from foqus_lib.studies.coreset.bench import ALL_DATA, NONE, Bench, looked
from foqus_lib.studies.coreset.draw import refuse_impossible
from foqus_lib.studies.coreset.run import jobs
from foqus_lib.training import collect, fit
from foqus_lib.training.collect import Collection
from foqus_lib.training.device import pick_device
from foqus_lib.training.recipe import DEEPCORE_SGD, Recipe, of_model

CORESET = Study(
    name="coreset",
    version=1,
    axis=RATE,
    metrics=(
        Metric("accuracy", "accuracy", points=True),
        Metric("accuracy_best", "best accuracy on the way", points=True),
        Metric("kept", "signals kept"),
    ),
    settings=(
        "evaluation_model",
        "evaluation_recipe",
        "selection_model",
        "selection_recipe",
        "versions",
    ),
    block=("selection_model", "evaluation_model"),
    floor="Uniform",
    ceiling=ALL_DATA,
    jobs=jobs,
    shares=("selection_model",),
)

# Of the ablation and of the main tables: strata without preference, shares turned round, what
# Eq. 8 nearly is, and Uniform within (class, SNR).
CONTROLS = (
    "Mean loss | tiers",
    "FoQuS | equal shares",
    "FoQuS | shares turned round",
    "Uniform" + SNR_BALANCED,
)

RECIPES = {"Adam": Recipe(), "SGD": DEEPCORE_SGD}

Names = tuple[str, ...]


@dataclass(frozen=True)
class Options:
    """What the coreset chapters can be given besides `Common`."""

    models: Annotated[Names, "each selects for itself, for instance [CNN1D, CNN2D]"] = ("CNN1D",)
    pairs: Annotated[Names, "A -> B: A selects, B is trained on it (Table III)"] = ()
    methods: Annotated[Names | None, "left out: all of the chapter's"] = None
    later_pairs: Annotated[Names, "A -> B with networks newer than the methods (Table IV)"] = ()
    later_methods: Annotated[Names | None, "for those: they are large"] = None
    ceilings: Annotated[Names, "networks for which All data is trained as well"] = ("CNN1D",)
    rates: Annotated[tuple[float, ...], "|S|/N, for instance [0.01, 0.05]"] = (0.1,)
    repeats: Annotated[
        tuple[int, ...], "of the evaluation: one number, or one for each rate", MULTIPLIES
    ] = (1,)
    selection_epochs: Annotated[int, "T, recorded epochs of the selection training [A2]"] = 50
    epochs: Annotated[int, "of the training on a coreset, and on all data"] = 50
    batch: Annotated[int, "signals a gradient step, in all trainings"] = 128
    selection_precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of the selection training"] = (
        "fp32"
    )
    precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of the training on a coreset"] = "fp32"
    optimiser: Annotated[str, "of the training on a coreset: Adam, or SGD as DeepCore has it"] = (
        "Adam"
    )
    test_every: Annotated[int, "epochs between tests whose best is reported too; 0: none"] = 0
    early_runs: Annotated[int, "short trainings for GraNd and EL2N [A17]"] = 10
    early_epochs: Annotated[int, "their length"] = 5

    def __post_init__(self) -> None:
        for name in ("models", "rates", "repeats", "methods", "later_methods"):
            if (given := getattr(self, name)) is not None and not given:
                raise ValueError(f"{name}: expected at least one, got []. Leave it out for all")
        for rate in self.rates:
            basis_points(rate)
        for repeat in self.repeats:
            at_least("repeats", repeat, 1)
        if len(self.repeats) not in (1, len(self.rates)):
            raise ValueError(
                f"repeats: expected 1 number, or {len(self.rates)} as there are rates; "
                f"got {list(self.repeats)}"
            )
        at_least("selection_epochs", self.selection_epochs, 2)  # forgetting compares two
        for name in ("epochs", "batch", "early_epochs"):
            at_least(name, getattr(self, name), 1)
        for name in ("test_every", "early_runs"):
            at_least(name, getattr(self, name), 0)
        for model in (*self.models, *self.ceilings):
            known_model(model)
        for pair in self.pairs + self.later_pairs:
            both_of(pair)
        for method in (*(self.methods or ()), *(self.later_methods or ())):
            method_named(method)
        _ = self.collection, self.evaluation  # recipes check themselves

    @property
    def collection(self) -> Collection:
        """How a selection model is trained."""
        recipe = Recipe(
            epochs=self.selection_epochs, batch=self.batch, precision=self.selection_precision
        )
        return Collection(recipe, self.early_runs, self.early_epochs)

    @property
    def evaluation(self) -> Recipe:
        """How a network is trained on a coreset, and on all data."""
        if self.optimiser not in RECIPES:
            raise unknown("optimiser", self.optimiser, RECIPES)
        return replace(
            RECIPES[self.optimiser],
            epochs=self.epochs,
            batch=self.batch,
            precision=self.precision,
            test_every=self.test_every,
        )

    @property
    def budgets(self) -> list[tuple[int, int]]:
        """(basis points, repeats) of each rate."""
        repeats = self.repeats * (len(self.rates) if len(self.repeats) == 1 else 1)
        return [(basis_points(r), n) for r, n in zip(self.rates, repeats, strict=True)]


def both_of(pair: str) -> tuple[str, str]:
    """("CNN1D", "CNN2D") of "CNN1D -> CNN2D"."""
    a, arrow, b = pair.partition("->")
    if not arrow:
        raise ValueError(f"pairs: expected such as 'CNN1D -> CNN2D', got {pair!r}")
    return known_model(a.strip()), known_model(b.strip())


def bench(common: Common, options: Options, task: Task) -> Bench:
    """Recipes, store, device and memory of a chapter, for its task."""
    for model in networks(options):
        check_length(model, task.train.length)
    device = str(pick_device(common.device))
    how = options.collection, options.evaluation
    return Bench(task, *how, common.store, device, common.memory)


def networks(options: Options) -> list[str]:
    """Every network that the chapter may train."""
    both = [model for pair in options.pairs + options.later_pairs for model in both_of(pair)]
    return list(dict.fromkeys((*options.models, *both)))


def no_trials(common: Common, options: Options, task: Task) -> list[Trial]:
    """A chapter that looks at signals or at a record."""
    return []


def uniform_coresets(common: Common, options: Options, task: Task) -> list[Trial]:
    """Uniform at the first rate: does a network learn at all? (`scale` varies scale, optimiser)"""
    first = replace(options, rates=options.rates[:1], repeats=options.repeats[:1], ceilings=())
    return _trials(common, first, task, {("Uniform",): _own(options)})


def main_tables(common: Common, options: Options, task: Task) -> list[Trial]:
    """Tables I and II: each model selects for itself; floor Uniform, ceiling All data."""
    return _trials(common, options, task, {options.methods or (*METHODS, *CONTROLS): _own(options)})


def cross_architecture(common: Common, options: Options, task: Task) -> list[Trial]:
    """Tables III and IV: A selects, B is trained on it. Table IV has no baseline; here it has."""
    methods = options.methods or tuple(METHODS)
    pairs = {methods: [both_of(pair) for pair in options.pairs]}
    later = [both_of(pair) for pair in options.later_pairs]
    pairs.setdefault(options.later_methods or methods, []).extend(later)
    return _trials(common, options, task, pairs)


def ablation(common: Common, options: Options, task: Task) -> list[Trial]:
    """Table V: every combination of F, E, Q under both readings and both rules, and controls."""
    methods = options.methods or (*ABLATION_METHODS, *CONTROLS)
    return _trials(common, options, task, {("Uniform", *methods): _own(options)})


def all_snr(common: Common, options: Options, task: Task) -> list[Trial]:
    """As `main_tables`, on every SNR of the set: accuracy against SNR, which the paper never shows.

    Beside Uniform and FoQuS stand the same with equal numbers of every SNR: do they need it?
    """
    balanced = tuple(name + SNR_BALANCED for name in ("Uniform", "FoQuS"))
    return _trials(common, options, task, {options.methods or (*METHODS, *balanced): _own(options)})


def _own(options: Options) -> list[tuple[str, str]]:
    return [(model, model) for model in options.models]


def _trials(
    common: Common,
    options: Options,
    task: Task,
    pairs_of: Mapping[Sequence[str], Sequence[tuple[str, str]]],
) -> list[Trial]:
    """Each group of methods for its pairs of networks, and the ceilings; shared ones once."""
    asked = list(dict.fromkeys(name for group in pairs_of if pairs_of[group] for name in group))
    refuse_impossible(task.train, options.rates, asked, options.early_runs)
    found = [
        trial(task, options, a, b, method, points, seed, repeat)
        for methods, pairs in pairs_of.items()
        for a, b in pairs
        for method in methods
        for points, repeats in options.budgets
        for seed in range(common.seeds)
        for repeat in range(repeats)
    ]
    evaluated = dict.fromkeys(b for pairs in pairs_of.values() for _, b in pairs)
    found += [
        trial(task, options, b, b, ALL_DATA, 10_000, seed, 0)
        for b in evaluated
        if b in options.ceilings
        for seed in range(common.seeds)
    ]
    return list(dict.fromkeys(found))  # pairs share Uniform


def trial(
    task: Task,
    options: Options,
    selection_model: str,
    evaluation_model: str,
    method: str,
    points: int,
    seed: int,
    repeat: int,
) -> Trial:
    """One result of the grid; Uniform and All data forget the selection side."""
    model = looked(method, selection_model)
    blind = model == NONE
    collection = options.collection
    recipe = replace(collection, recipe=of_model(selection_model, collection.recipe))
    return Trial.on(
        task,
        CORESET.name,
        CORESET.version,
        method,
        points,
        seed,
        repeat,
        evaluation_model=evaluation_model,
        evaluation_recipe=str(of_model(evaluation_model, options.evaluation)),
        selection_model=model,
        selection_recipe=NONE if blind else str(recipe),
        versions=_versions(method, evaluation_model, () if blind else [model]),
    )


def _versions(method: str, evaluation_model: str, looked_at: Iterable[str]) -> str:
    """Of all code that decides the number: "CNN1D=1 Entropy=1 collect=2 fit=2"."""
    found = {"fit": fit.VERSION, evaluation_model: NETWORKS[evaluation_model]}
    for model in looked_at:
        found |= {"collect": collect.VERSION, model: NETWORKS[model]}
    if method != ALL_DATA:
        found[method.replace(" ", "-")] = version_of(method)
    return versions_text(found)

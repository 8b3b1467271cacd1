"""Does a learned graph beat a ruled one? One tower, equal epochs, and plain networks beside.

`budget` is the rate |S|/N: 100 % in the comparison of graphs, less where AVGNet is trained on a
coreset that another network chose.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from foqus_lib.companions import visibility_graph
from foqus_lib.companions.visibility_graph import avgnet
from foqus_lib.companions.visibility_graph.layer import long_enough
from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.key import Trial, basis_points
from foqus_lib.experiment.settings import Common, at_least
from foqus_lib.experiment.study import RATE, Job, Metric, Study
from foqus_lib.models import VERSIONS as NETWORKS
from foqus_lib.selection.catalog import method_named, version_of
from foqus_lib.studies.coreset import bench as coreset
from foqus_lib.studies.coreset import run
from foqus_lib.studies.coreset.bench import NONE
from foqus_lib.studies.coreset.grid import known_model
from foqus_lib.studies.visibility_graph import rows
from foqus_lib.studies.visibility_graph.rows import BAND, BY_DEPTH, BY_LAG, LEARNED, METHODS, Shape
from foqus_lib.training import collect, fit
from foqus_lib.training.collect import Collection
from foqus_lib.training.device import pick_device
from foqus_lib.training.recipe import Recipe, of_model

WHOLE = 10_000  # basis points
BLIND = ("Uniform",)  # selectors that look at no network


@dataclass(frozen=True)
class Options:
    """What this chapter can be given besides `Common`. The defaults are the published size."""

    methods: Annotated[tuple[str, ...] | None, "left out: all of the chapter's"] = None
    max_lag: Annotated[int, "m, how far a learned edge reaches, in samples"] = 11
    hidden: Annotated[int, "features of a node within the tower"] = 64
    layers: Annotated[int, "SAGE layers of a block"] = 6
    lags: Annotated[tuple[int, ...], "other m, as rows: [1, 3, 5, 15]"] = ()
    depths: Annotated[tuple[int, ...], "other numbers of SAGE layers, as rows: [1, 3]"] = ()
    epochs: Annotated[int, "of every network with a graph"] = 50
    plain_epochs: Annotated[int, "of CNN1D, CNN2D and LSTM"] = 50
    batch: Annotated[int, "signals a gradient step"] = 128
    precision: Annotated[str, "fp32, tf32 (GPU) or bf16"] = "fp32"
    coresets: Annotated[tuple[str, ...], "selectors whose coresets AVGNet is trained on"] = (
        "Uniform",
        "FoQuS",
    )
    rates: Annotated[tuple[float, ...], "|S|/N of these coresets; []: none"] = (0.1,)
    repeats: Annotated[int, "of the training on a coreset"] = 1
    coreset_epochs: Annotated[int, "of AVGNet on a coreset"] = 50
    selection_model: Annotated[str, "what chooses the coreset, for instance CNN1D"] = "CNN1D"
    selection_epochs: Annotated[int, "T, recorded epochs of the selection training [A2]"] = 50
    selection_batch: Annotated[int, "signals a gradient step of it"] = 128
    selection_precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of it"] = "fp32"
    early_runs: Annotated[
        int, "short trainings for GraNd [A17], to share 03_main_tables' record"
    ] = 10
    early_epochs: Annotated[int, "their length"] = 5

    def __post_init__(self) -> None:
        if self.methods is not None and not self.methods:
            raise ValueError("methods: expected at least one, got []. Leave it out for all")
        for name in self.methods or ():
            rows.known(name)
        for name in self.coresets:
            method_named(name)
        for name in ("lags", "depths"):
            for number in getattr(self, name):
                at_least(name, number, 1)
        for rate in self.rates:
            basis_points(rate)
        at_least("repeats", self.repeats, 1)
        known_model(self.selection_model)
        _ = self.collection, self.recipes, self.shape(1.0)  # they check themselves

    @property
    def collection(self) -> Collection:
        """How the selection model is trained."""
        recipe = Recipe(
            epochs=self.selection_epochs,
            batch=self.selection_batch,
            precision=self.selection_precision,
        )
        return Collection(recipe, self.early_runs, self.early_epochs)

    @property
    def recipes(self) -> dict[str, Recipe]:
        """Of graph networks, plain networks, and AVGNet on a coreset."""
        epochs = {"graph": self.epochs, "plain": self.plain_epochs, "coreset": self.coreset_epochs}
        return {
            name: Recipe(epochs=number, batch=self.batch, precision=self.precision)
            for name, number in epochs.items()
        }

    def recipe_of(self, method: str, chosen: str) -> Recipe:
        """How a row is trained."""
        if chosen != NONE:
            return self.recipes["coreset"]
        return self.recipes["plain" if method in rows.PLAIN else "graph"]

    def shape(self, scale: float) -> Shape:
        """What the graph networks are built of."""
        return Shape(self.max_lag, self.hidden, self.layers, scale)

    @property
    def named(self) -> list[str]:
        """Every row that is trained on all signals, the floor and AVGNet always among them."""
        by_lag = [f"{BY_LAG}{m}" for m in self.lags if m != self.max_lag]
        by_depth = [f"{BY_DEPTH}{n}" for n in self.depths if n != self.layers]
        return list(dict.fromkeys((BAND, LEARNED, *(self.methods or METHODS), *by_lag, *by_depth)))


@dataclass(frozen=True)
class Bench:
    """What every job is told; `records` is what the coreset study's functions are told."""

    task: Task
    how: Options
    shape: Shape
    records: coreset.Bench
    root: Path
    device: str
    memory: int = 0


def bench(common: Common, options: Options, task: Task) -> Bench:
    """Store, device and shape. Refuses signals that are too short before anything is trained."""
    long_enough(task.train.length, max(options.max_lag, *options.lags, 1))
    plain = [name for name in options.named if name in rows.PLAIN]
    for model in (*plain, *([options.selection_model] if options.rates else [])):
        run.long_enough(model, task.train)
    device = str(pick_device(common.device))
    records = coreset.Bench(
        task, options.collection, options.recipes["plain"], common.store, device, common.memory
    )
    shape = options.shape(scale_of(common))
    return Bench(task, options, shape, records, common.store, device, common.memory)


def scale_of(common: Common) -> float:
    """The authors' factor belongs to native amplitudes; at unit power nothing is scaled."""
    return avgnet.NATIVE if common.normalise == "native" else 1.0


def trials(common: Common, options: Options, task: Task) -> list[Trial]:
    """Every network on all signals; AVGNet on each coreset."""
    shape = options.shape(scale_of(common))
    found = [
        _trial(task, options, shape, method, NONE, WHOLE, seed, 0)
        for method in options.named
        for seed in range(common.seeds)
    ]
    return found + [
        _trial(task, options, shape, LEARNED, chosen, basis_points(rate), seed, repeat)
        for chosen in options.coresets
        for rate in options.rates
        for seed in range(common.seeds)
        for repeat in range(options.repeats)
    ]


def _trial(
    task: Task,
    options: Options,
    shape: Shape,
    method: str,
    chosen: str,
    points: int,
    seed: int,
    repeat: int,
) -> Trial:
    looks = chosen not in (NONE, *BLIND)
    plain = method in rows.PLAIN
    model = options.selection_model
    versions = {"fit": fit.VERSION} | (
        {method: NETWORKS[method]} if plain else {"visibility_graph": visibility_graph.VERSION}
    )
    if chosen != NONE:
        versions |= {chosen.replace(" ", "-"): version_of(chosen)}
    if looks:
        versions |= {"collect": collect.VERSION, model: NETWORKS[model]}
    return Trial(
        STUDY.name,
        STUDY.version,
        task.name,
        task.fingerprint,
        method,
        points,
        seed,
        repeat,
        (
            ("coreset", chosen),
            ("network", NONE if plain else str(rows.shape_of(method, shape))),
            ("recipe", str(options.recipe_of(method, chosen))),
            ("selection_model", model if looks else NONE),
            ("selection_recipe", str(_collection(options)) if looks else NONE),
            ("versions", " ".join(f"{name}={value}" for name, value in sorted(versions.items()))),
        ),
    )


def _collection(options: Options) -> Collection:
    how = options.collection
    return replace(how, recipe=of_model(options.selection_model, how.recipe))


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """Two stages: the records that coresets need, and the trials."""
    from foqus_lib.studies.visibility_graph import work

    return work.jobs(bench, missing)


STUDY = Study(
    name="visibility graph",
    version=1,
    axis=RATE,
    metrics=(
        Metric("accuracy", "accuracy", points=True),
        Metric("accuracy_no_edges", "accuracy with every edge zeroed", points=True),
        Metric("degree", "mean weighted degree"),
        Metric("parameters", "parameters", higher_is_better=False),
        Metric("flops", "FLOPs of a signal", higher_is_better=False),
        Metric("ms_1", "ms a signal, alone", higher_is_better=False),
        Metric("ms_128", "ms a signal, among 128", higher_is_better=False),
        Metric("kept", "signals kept"),
    ),
    settings=("coreset", "network", "recipe", "selection_model", "selection_recipe", "versions"),
    block=(),
    floor=BAND,
    ceiling=None,
    jobs=jobs,
)

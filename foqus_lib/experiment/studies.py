"""What each grid notebook runs: its data, its cells, its recipes, all from its Settings.

`foqus sweep 03_main_tables --profile paper` and the notebook ask here, so they share every cell.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from foqus_lib.datasets.catalog import DATASETS, Task, prepare
from foqus_lib.evidence import Evidence
from foqus_lib.experiment import store
from foqus_lib.experiment.bench import Bench
from foqus_lib.experiment.cell import ALL_DATA, Cell, grid
from foqus_lib.experiment.draw import evidence_of
from foqus_lib.experiment.plan import Plan, evidence_jobs, plan
from foqus_lib.experiment.profiles import Settings
from foqus_lib.experiment.run import check_names
from foqus_lib.experiment.sweep import Progress, sweep
from foqus_lib.experiment.workers import one_thread
from foqus_lib.selection.catalog import ABLATION_METHODS, METHODS, SNR_BALANCED
from foqus_lib.training.collect import Collection
from foqus_lib.training.device import pick_device
from foqus_lib.training.recipe import Recipe, of_model


@dataclass(frozen=True, eq=False)
class Study:
    """A grid that is ready to run."""

    settings: Settings
    task: Task
    collection: Collection
    evaluation: Recipe
    cells: list[Cell]

    def run(self, progress: Progress) -> store.Scan:
        """Run what is missing; say what is complete. See `sweep`."""
        how = self.settings
        return sweep(
            self.task,
            self.cells,
            self.collection,
            self.evaluation,
            how.store,
            how.device,
            how.workers,
            progress,
            how.memory,
        )

    def plan(self) -> Plan:
        """What `run` would do, and about how long it would take."""
        check_names(self.cells)
        return plan(bench_of(self.settings, self.task), self.cells, self.settings.workers)

    def rows(self) -> pd.DataFrame:
        """One row a finished cell."""
        return store.frame(self.settings.store, self.cells)

    def rows_by_snr(self) -> pd.DataFrame:
        """One row a finished cell and SNR."""
        return store.frame_by_snr(self.settings.store, self.cells)


def data(settings: Settings) -> Task:
    """The signals of a notebook."""
    return prepare(
        settings.dataset,
        snr_min=settings.snr_min,
        split=settings.split,
        normalise=settings.normalise,
        train_share=settings.train_share,
        frames=settings.frames if settings.dataset in DATASETS else 0,  # a file has its own
        seed=settings.data_seed,
    )


def evidence(
    settings: Settings, model: str, seed: int, progress: Progress
) -> tuple[Task, Evidence]:
    """The signals and the record of one selection training, from the store or collected now."""
    task = data(settings)
    bench = bench_of(settings, task)
    progress(f"the record of {model}, seed {seed}, is in {settings.results}")
    for job in evidence_jobs(bench, [(model, seed)]):
        progress(f"training {model} on all of {task.name}, once")
        with one_thread():
            job.call(bench, *job.arguments)
    return task, evidence_of(bench, model, seed)


def main_tables(settings: Settings) -> Study:
    """Tables I and II: each model selects for itself; floor Uniform, ceiling All data."""
    pairs = [(model, model) for model in settings.models]
    return _study(settings, {settings.methods or tuple(METHODS): pairs})


def cross_architecture(settings: Settings) -> Study:
    """Tables III and IV: A selects, B is trained on it. Table IV has no baseline; here it has."""
    methods = settings.methods or tuple(METHODS)
    pairs = {methods: list(settings.model_pairs)}
    pairs.setdefault(settings.later_methods, []).extend(settings.later_model_pairs)
    return _study(settings, pairs)


def ablation(settings: Settings) -> Study:
    """Table V: every combination of F, E, Q under both readings and both rules, and controls."""
    pairs = [(model, model) for model in settings.models]
    return _study(settings, {("Uniform", *(settings.methods or ABLATION_METHODS)): pairs})


def all_snr(settings: Settings) -> Study:
    """As `main_tables`, on every SNR of the set: accuracy against SNR, which the paper never shows.

    Beside Uniform and FoQuS stand the same with equal numbers of every SNR: do they need it?
    """
    pairs = [(model, model) for model in settings.models]
    balanced = tuple(name + SNR_BALANCED for name in ("Uniform", "FoQuS"))
    return _study(settings, {settings.methods or (*METHODS, *balanced): pairs})


STUDIES: dict[str, Callable[[Settings], Study]] = {
    "03_main_tables": main_tables,
    "04_cross_architecture": cross_architecture,
    "05_ablation": ablation,
    "07_all_snr": all_snr,
}


def bench_of(settings: Settings, task: Task) -> Bench:
    """Recipes, store, device and memory of a notebook, for its task."""
    return Bench(
        task,
        _collection(settings),
        _evaluation(settings),
        settings.store,
        str(pick_device(settings.device)),
        settings.memory,
    )


def _collection(settings: Settings) -> Collection:
    """How a selection model is trained: always fp32, its record decides what is kept."""
    recipe = Recipe(epochs=settings.selection_epochs, batch=settings.batch)
    return Collection(recipe, settings.early_runs, settings.early_epochs)


def _evaluation(settings: Settings) -> Recipe:
    """How a network is trained on a coreset."""
    return Recipe(
        epochs=settings.epochs,
        batch=settings.batch,
        precision=settings.precision,
        test_every=settings.test_every,
    )


def _study(
    settings: Settings, pairs_of: Mapping[Sequence[str], Sequence[tuple[str, str]]]
) -> Study:
    """The cells of the pairs of networks that each group of methods is run for, and ceilings."""
    task, collection, evaluation = data(settings), _collection(settings), _evaluation(settings)
    cells, ceilings = [], []
    for methods, pairs in pairs_of.items():
        for a, b in pairs:
            where = {
                "dataset": task.name,
                "fingerprint": task.fingerprint,
                "pairs": [(a, b)],
                "seeds": range(settings.seeds),
                "selection_recipe": str(replace(collection, recipe=of_model(a, collection.recipe))),
            }
            recipe = str(of_model(b, evaluation))
            cells += grid(**where, methods=methods, rates=settings.rates, evaluation_recipe=recipe)
            recipe = str(of_model(b, collection.recipe))
            ceilings += grid(**where, methods=[ALL_DATA], rates=[], evaluation_recipe=recipe)
    if settings.ceilings == "free":  # those that are a selection training of this grid
        select = {a for pairs in pairs_of.values() for a, _ in pairs}
        ceilings = [one for one in ceilings if one.evaluation_model in select]
    cells = list(dict.fromkeys(cells + ceilings))  # pairs share Uniform
    return Study(settings, task, collection, evaluation, cells)

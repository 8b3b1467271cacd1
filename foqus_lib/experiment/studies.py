"""What each grid notebook runs: its data, its cells, its recipes, all from its Settings.

`foqus sweep 03_main_tables --profile paper` and the notebook ask here, so they share every cell.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from foqus_lib.datasets.catalog import DATASETS, Task, prepare
from foqus_lib.evidence import Evidence
from foqus_lib.experiment import store
from foqus_lib.experiment.bench import Bench
from foqus_lib.experiment.cell import ALL_DATA, Cell, grid
from foqus_lib.experiment.draw import evidence_of
from foqus_lib.experiment.profiles import Settings
from foqus_lib.experiment.sweep import Progress, evidence_jobs, sweep
from foqus_lib.experiment.workers import one_thread
from foqus_lib.selection.catalog import ABLATION_METHODS, METHODS
from foqus_lib.training.collect import Collection
from foqus_lib.training.fit import pick_device
from foqus_lib.training.recipe import Recipe


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
        )

    def rows(self) -> pd.DataFrame:
        """One row a finished cell."""
        return store.frame(self.settings.store, self.cells)


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
    task, collection = data(settings), _collection(settings)
    device = str(pick_device(settings.device))
    bench = Bench(task, collection, collection.recipe, settings.store, device)
    progress(f"the record of {model}, seed {seed}, is in {settings.results}")
    for job in evidence_jobs(bench, [(model, seed)], stacked=False):
        progress(f"training {model} on all of {task.name}, once")
        with one_thread():
            job.call(bench, *job.arguments)
    return task, evidence_of(bench, model, seed)


def main_tables(settings: Settings) -> Study:
    """Tables I and II: each model selects for itself; floor Uniform, ceiling All data."""
    pairs = [(model, model) for model in settings.models]
    return _study(settings, pairs, settings.methods or tuple(METHODS))


def cross_architecture(settings: Settings) -> Study:
    """Table III: A selects, B is trained on it."""
    return _study(settings, settings.model_pairs, settings.methods or tuple(METHODS))


def ablation(settings: Settings) -> Study:
    """Table V: every combination of F, E, Q under both readings and both rules, and controls."""
    pairs = [(model, model) for model in settings.models]
    return _study(settings, pairs, ("Uniform", *(settings.methods or ABLATION_METHODS)))


STUDIES: dict[str, Callable[[Settings], Study]] = {
    "03_main_tables": main_tables,
    "04_cross_architecture": cross_architecture,
    "05_ablation": ablation,
}


def _collection(settings: Settings) -> Collection:
    """How the selection model is trained: always fp32, its record decides what is kept."""
    recipe = Recipe(epochs=settings.selection_epochs, batch=settings.batch)
    return Collection(recipe, settings.early_runs, settings.early_epochs)


def _study(settings: Settings, pairs: Sequence[tuple[str, str]], methods: Sequence[str]) -> Study:
    task, collection = data(settings), _collection(settings)
    evaluation = Recipe(epochs=settings.epochs, batch=settings.batch, precision=settings.precision)
    where = {"dataset": task.name, "fingerprint": task.fingerprint, "seeds": range(settings.seeds)}
    cells = grid(
        **where,
        pairs=pairs,
        methods=methods,
        rates=settings.rates,
        selection_recipe=str(collection),
        evaluation_recipe=str(evaluation),
    )
    # The ceiling is the selection training itself, so it costs nothing where A selects for A.
    ceiling = grid(
        **where,
        pairs=pairs,
        methods=[ALL_DATA],
        rates=[],
        selection_recipe=str(collection),
        evaluation_recipe=str(collection.recipe),
    )
    return Study(settings, task, collection, evaluation, cells + ceiling)

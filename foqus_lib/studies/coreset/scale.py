"""Does a network learn at all? Scale of the signals and optimiser, crossed.

RML2016.10a comes with frames whose magnitudes sum to 1, that is about 0.008 a sample. DeepCore's
default optimiser, which the paper seems to name, does not get off the ground on that scale.
"""

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from foqus_lib.experiment import store
from foqus_lib.experiment.cell import grid
from foqus_lib.experiment.profiles import Settings
from foqus_lib.experiment.studies import Study, data
from foqus_lib.experiment.sweep import Progress
from foqus_lib.signals import NORMALISATIONS
from foqus_lib.training.collect import Collection
from foqus_lib.training.recipe import DEEPCORE_SGD, Recipe


def studies(settings: Settings) -> Iterator[Study]:
    """One small grid of Uniform coresets for each scale and optimiser."""
    recipes = Recipe(epochs=settings.epochs, batch=settings.batch), DEEPCORE_SGD
    for normalise in NORMALISATIONS:
        scaled = replace(settings, normalise=normalise)
        task = data(scaled)
        for recipe in recipes:
            how = replace(recipe, epochs=settings.epochs, batch=settings.batch)
            cells = grid(
                dataset=task.name,
                fingerprint=task.fingerprint,
                pairs=[(model, model) for model in settings.models],
                methods=["Uniform"],
                rates=settings.rates[:1],
                seeds=range(settings.seeds),
                selection_recipe="-",
                evaluation_recipe=str(how),
            )
            yield Study(scaled, task, Collection(), how, cells)


def run(settings: Settings, progress: Progress) -> pd.DataFrame:
    """Rows of `store.frame` of all of them, with the columns normalise and optimiser."""
    found = []
    for study in studies(settings):
        study.run(progress)
        rows = store.frame(settings.store, study.cells)
        optimiser = study.evaluation.optimiser
        found.append(rows.assign(normalise=study.settings.normalise, optimiser=optimiser))
    return pd.concat(found, ignore_index=True)

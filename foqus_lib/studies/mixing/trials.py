"""Which results the chapter shows, and the key of each."""

from dataclasses import replace

from foqus_lib.companions import mixing
from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.key import Trial, basis_points, versions_text
from foqus_lib.experiment.settings import Common
from foqus_lib.models import VERSIONS as NETWORKS
from foqus_lib.selection.catalog import version_of
from foqus_lib.studies.coreset.bench import ALL_DATA, NONE, looked, looks_at_network
from foqus_lib.studies.mixing.bench import narrowed
from foqus_lib.studies.mixing.options import Options
from foqus_lib.studies.mixing.rows import FLOOR, METHODS
from foqus_lib.training import collect, fit
from foqus_lib.training.recipe import of_model

NAME, VERSION = "mixing", 1  # raised when what its trials mean changes
STEPS = "the same in every row: epochs x ceil(k / batch)"


def trials(common: Common, options: Options, task: Task) -> list[Trial]:
    """Each row on each coreset, rate, seed and repeat; and All data, if it was asked for."""
    task = narrowed(task, options.only_snr)
    everywhere = FLOOR, *(options.methods or METHODS)
    found = [
        trial(task, options, coreset, method, basis_points(rate), seed, repeat)
        for place, coreset in enumerate(options.coresets)
        for method in dict.fromkeys(everywhere + (() if place else options.side_methods))
        for rate in options.rates
        for seed in range(common.seeds)
        for repeat in range(options.repeats)
    ]
    if options.ceiling:
        found += [
            trial(task, options, NONE, ALL_DATA, 10_000, seed, 0) for seed in range(common.seeds)
        ]
    return found


def trial(
    task: Task, options: Options, coreset: str, method: str, points: int, seed: int, repeat: int
) -> Trial:
    """One result: a row on a coreset of `points` basis points of the training signals."""
    collection = options.collection
    how = replace(collection, recipe=of_model(options.model, collection.recipe))
    versions = {
        "fit": fit.VERSION,
        "mixing": mixing.VERSION,
        options.model: NETWORKS[options.model],
    }
    if looks_at_network(coreset):
        versions |= {"collect": collect.VERSION}
    if coreset != NONE:
        versions |= {coreset.replace(" ", "-"): version_of(coreset)}
    return Trial.on(
        task,
        NAME,
        VERSION,
        method,
        points,
        seed,
        repeat,
        coreset=coreset,
        evaluation_model=options.model,
        evaluation_recipe=str(options.evaluation(method, points)),
        mixing=NONE if method in (FLOOR, ALL_DATA) else str(options.rules),
        selection_model=looked(coreset, options.model),
        selection_recipe=str(how) if looks_at_network(coreset) else NONE,
        steps=STEPS,
        versions=versions_text(versions),
    )

"""Which trials there are, and the key of each."""

from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.settings import Common
from foqus_lib.studies.clustering import coresets
from foqus_lib.studies.clustering import options as names
from foqus_lib.studies.clustering.bench import (
    NONE,
    Bench,
    clustering_of,
    needs_source,
    pretraining_of,
    versions,
)
from foqus_lib.studies.clustering.bench import bench as bench_of
from foqus_lib.studies.clustering.options import Options

NAME, VERSION = "clustering", 1
CLUSTERS, CORESETS = "clusters", "coresets"  # which table a row belongs to


def trials(common: Common, options: Options, task: Task) -> list[Trial]:
    """Every method in each setting, k and seed; then three coresets of a setting, if asked for.

    The source classifier has classes of its own: it is a row where they are the target's.
    """
    bench = bench_of(common, options, task)
    found = [
        _trial(bench, method, setting, bench.k_of(setting, k), seed, 0, CLUSTERS)
        for setting in options.settings
        for method in options.methods or names.METHODS
        if not (method == names.AS_IS and setting != "a")
        for k in (options.clusters if method not in (names.AS_IS, names.CEILING) else (0,))
        for seed in range(common.seeds)
    ]
    found += [
        _trial(bench, method, setting, coresets.points(options), seed, repeat, CORESETS)
        for setting in options.coresets_of
        for method in names.SELECTIONS
        for seed in range(common.seeds)
        for repeat in range(options.repeats)
    ]
    return list(dict.fromkeys(found))


def _trial(
    bench: Bench, method: str, setting: str, budget: int, seed: int, repeat: int, table: str
) -> Trial:
    how, target = bench.options, bench.transfer(setting)
    looked = names.DTC_A if method == names.WITH_CLUSTERS else method
    of_source = needs_source(looked)
    on_coreset = table == CORESETS
    selected = method in names.SELECTIONS[1:]
    return Trial.on(
        bench.task,
        NAME,
        VERSION,
        method,
        budget,
        seed,
        repeat,
        clustering_recipe=clustering_of(looked, how),
        coreset_recipe=str(how.on_coreset) if on_coreset else NONE,
        network=how.model,
        pretraining_recipe=pretraining_of(looked, how),
        selection_recipe=str(how.collection) if selected else NONE,
        setting=setting,
        source=source_key(bench, setting) if of_source else NONE,
        table=table,
        target=" ".join(target.train.classes),
        versions=versions(how.model, coresets.SELECTOR if selected else ""),
    )


def source_key(bench: Bench, setting: str) -> str:
    """What decides the source of a setting: classes of the task, or signals of their own."""
    how, made = bench.options, bench.transfer(setting)
    classes = " ".join(made.source.classes)
    if setting == "b":
        return classes
    snrs = ",".join(map(str, how.source_snrs))
    return (
        f"simulated {snrs} dB, {how.source_frames} frames, seed {bench.data_seed}, SHA-256 "
        f"{made.source_print}: {classes}"
    )

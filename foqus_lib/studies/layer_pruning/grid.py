"""Which trials there are, and how tables read them."""

from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.settings import Common
from foqus_lib.experiment.study import Axis, Metric, Study
from foqus_lib.studies.layer_pruning.options import (
    FULL,
    LOOKS_ALIKE,
    METHODS,
    NONE,
    RANDOM,
    Options,
    versions,
)
from foqus_lib.studies.layer_pruning.run import jobs


def trials(common: Common, options: Options, task: Task) -> list[Trial]:
    """Every method at every number of blocks; random keep several times; the whole network."""
    return [trial for one in options.each for trial in _trials_of(common, one, task)]


def _trials_of(common: Common, options: Options, task: Task) -> list[Trial]:
    draws = options.draws * (len(options.keep) if len(options.draws) == 1 else 1)

    def repeats(method: str, keep: int, several: int, seed: int) -> int:
        many = options.scatter if (keep, seed) == (options.keep[0], 0) else 0
        return max(several, many) if method == RANDOM else 1

    found = [
        _trial(options, task, method, keep, seed, repeat)
        for method in options.methods or METHODS
        for keep, several in zip(options.keep, draws, strict=True)
        for seed in range(common.seeds)
        for repeat in range(repeats(method, keep, several, seed))
    ]
    blocks = sum(options.depths)
    return found + [_trial(options, task, FULL, blocks, seed, 0) for seed in range(common.seeds)]


def _trial(options: Options, task: Task, method: str, keep: int, seed: int, repeat: int) -> Trial:
    return Trial.on(
        task,
        STUDY.name,
        STUDY.version,
        method,
        keep,
        seed,
        repeat,
        base_recipe=str(options.base_recipe),
        network=options.named,
        recipe=str(options.recipe),
        similarity=options.similarity if method in LOOKS_ALIKE else NONE,
        versions=versions(options),
    )


def in_blocks(number: int) -> str:
    """4 -> "4 blocks"."""
    return f"{number} blocks"


STUDY = Study(
    name="layer pruning",
    version=1,
    axis=Axis("blocks kept", in_blocks),
    metrics=(
        Metric("accuracy", "accuracy", points=True),
        Metric("accuracy_before", "accuracy before training on", points=True),
        Metric("parameters", "parameters", higher_is_better=False),
        Metric("flops", "FLOPs of a signal", higher_is_better=False),
        Metric("latency_1", "ms for one signal", higher_is_better=False),
        Metric("latency_128", "ms for 128 signals", higher_is_better=False),
        Metric("score", "log of the data-free score"),
    ),
    settings=("base_recipe", "network", "recipe", "similarity", "versions"),
    block=("network",),
    floor=RANDOM,
    ceiling=FULL,
    drawn=(RANDOM,),
    jobs=jobs,
    verdict_from=10,
)

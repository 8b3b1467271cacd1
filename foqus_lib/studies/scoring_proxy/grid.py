"""Which trials there are, and how tables read them."""

from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.key import Trial, basis_points
from foqus_lib.experiment.settings import Common
from foqus_lib.experiment.study import RATE, Metric, Study
from foqus_lib.models import VERSIONS as NETWORKS
from foqus_lib.models.shapes import check_length
from foqus_lib.selection.catalog import version_of
from foqus_lib.studies.coreset.draw import refuse_impossible
from foqus_lib.studies.layer_pruning.options import Options, versions
from foqus_lib.studies.scoring_proxy.partners import base_recipe
from foqus_lib.studies.scoring_proxy.records import METHODS, SELECTOR, UNIFORM
from foqus_lib.studies.scoring_proxy.run import jobs
from foqus_lib.training import collect as collecting


def trials(common: Common, options: Options, task: Task) -> list[Trial]:
    """Every method at every rate, seed and repeat, for the first network at its first keep.

    ValueError for signals too short for the network that is trained on the coresets, and for rates
    that they cannot fill.
    """
    refuse_impossible(task.train, options.rates, (SELECTOR,), early_runs=0)
    check_length(options.model, task.train.length)
    return [
        Trial.on(
            task,
            STUDY.name,
            STUDY.version,
            method,
            basis_points(rate),
            seed,
            repeat,
            base_recipe=base_recipe(options, method, seed, common.seeds),
            evaluation_model=options.model,
            evaluation_recipe=str(options.model_recipe),
            keep=str(options.keep[0]),
            network=options.named,
            recipe=str(options.recipe),
            similarity=options.similarity,
            versions=_versions(options),
        )
        for method in METHODS
        for rate in options.rates
        for seed in range(common.seeds)
        for repeat in range(options.repeats)
    ]


def _versions(options: Options) -> str:
    others = f"{SELECTOR}={version_of(SELECTOR)} {options.model}={NETWORKS[options.model]}"
    return f"{versions(options)} collect={collecting.VERSION} {others}"


STUDY = Study(
    name="scoring proxy",
    version=1,
    axis=RATE,
    metrics=(
        Metric("accuracy", "accuracy", points=True),
        Metric("rho", "rank correlation of scores with the whole network's"),
        Metric("selection_seconds", "seconds of selection training", higher_is_better=False),
        Metric("kept", "signals kept"),
    ),
    settings=(
        "base_recipe",
        "evaluation_model",
        "evaluation_recipe",
        "keep",
        "network",
        "recipe",
        "similarity",
        "versions",
    ),
    block=("network",),
    floor=UNIFORM,
    ceiling=None,
    jobs=jobs,
    verdict_from=10,
)

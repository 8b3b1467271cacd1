"""Does a learned graph beat a ruled one? One tower, equal epochs, and plain networks beside.

`budget` is the rate |S|/N: 100 % in the comparison of graphs, less where AVGNet is trained on a
coreset that another network chose.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foqus_lib.companions import visibility_graph
from foqus_lib.companions.visibility_graph import avgnet
from foqus_lib.companions.visibility_graph.layer import long_enough
from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.key import Trial, basis_points, versions_text
from foqus_lib.experiment.settings import Common
from foqus_lib.experiment.study import RATE, Job, Metric, Study
from foqus_lib.models import VERSIONS as NETWORKS
from foqus_lib.models.shapes import check_length
from foqus_lib.selection.catalog import version_of
from foqus_lib.studies.coreset import bench as coreset
from foqus_lib.studies.coreset.bench import NONE, looked, looks_at_network
from foqus_lib.studies.visibility_graph import rows
from foqus_lib.studies.visibility_graph.options import Options
from foqus_lib.studies.visibility_graph.rows import BAND, LEARNED, Shape
from foqus_lib.training import collect, fit
from foqus_lib.training.device import pick_device

WHOLE = 10_000  # basis points
CHOSEN_FLOOR = "Uniform"  # of the rows that are trained on coresets


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
    for model in (*plain, options.selection_model):
        check_length(model, task.train.length)
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
        for seed in range(common.seeds)
        for method in options.named
    ]
    return found + [
        _trial(task, options, shape, LEARNED, chosen, basis_points(rate), seed, repeat)
        for chosen in dict.fromkeys((CHOSEN_FLOOR, *options.coresets))
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
    plain = method in rows.PLAIN
    model = options.selection_model
    versions = {"fit": fit.VERSION} | (
        {method: NETWORKS[method]} if plain else {"visibility_graph": visibility_graph.VERSION}
    )
    if chosen != NONE:
        versions |= {chosen.replace(" ", "-"): version_of(chosen)}
    if looks_at_network(chosen):
        versions |= {"collect": collect.VERSION, model: NETWORKS[model]}
    return Trial.on(
        task,
        STUDY.name,
        STUDY.version,
        method,
        points,
        seed,
        repeat,
        coreset=chosen,
        network=NONE if plain else str(rows.shape_of(method, shape)),
        recipe=str(options.recipe_of(method, chosen)),
        selection_model=looked(chosen, model),
        selection_recipe=str(options.collection) if looks_at_network(chosen) else NONE,
        versions=versions_text(versions),
    )


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
    tabled=rows.compared,
)

"""Does a learned graph beat a ruled one? One tower, equal epochs, and plain networks beside.

`budget` is the rate |S|/N: 100 % in the comparison of graphs, less where AVGNet is trained on a
coreset that another network chose.
"""

from foqus_lib.companions import visibility_graph
from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.key import Trial, basis_points, versions_text
from foqus_lib.experiment.settings import Common
from foqus_lib.experiment.study import RATE, Metric, Study
from foqus_lib.models import VERSIONS as NETWORKS
from foqus_lib.selection.catalog import version_of
from foqus_lib.studies.coreset.bench import NONE, looked, looks_at_network
from foqus_lib.studies.visibility_graph import rows
from foqus_lib.studies.visibility_graph.bench import scale_of
from foqus_lib.studies.visibility_graph.options import Options
from foqus_lib.studies.visibility_graph.rows import BAND, LEARNED, Shape
from foqus_lib.studies.visibility_graph.work import jobs
from foqus_lib.training import collect, fit

WHOLE = 10_000  # basis points
CHOSEN_FLOOR = "Uniform"  # of the rows that are trained on coresets


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

"""How much a selection training writes: asked of shapes alone, before there is anything."""

from foqus_lib.models import MODELS
from foqus_lib.models.shapes import embedding_size, unfilled
from foqus_lib.models.summary import parameters
from foqus_lib.studies.coreset.bench import Bench

OF_EPOCH = 13  # bytes a signal: loss, margin and drift of four, correctness of one
OF_WEIGHT = 4 * 4  # bytes: in the artifact; in the training's state with Adam's two moments


def bytes_on_disk(bench: Bench, model: str) -> int:
    """Of one seed: the record, the network, and what the training keeps beside them meanwhile."""
    train, how = bench.task.train, bench.collection
    classes = len(train.classes)
    weights = parameters(unfilled(MODELS[model], classes, train.length))
    numbers = classes + embedding_size(MODELS[model], classes, train.length)
    numbers += how.early_runs * (classes + 1)
    of_signal = 2 * how.recipe.epochs * OF_EPOCH + 4 * numbers
    return len(train) * of_signal + OF_WEIGHT * weights

"""How much a record takes of memory and of a disk: asked of shapes alone, before there is one."""

from collections.abc import Iterable

from foqus_lib.models import MODELS
from foqus_lib.models.copies import Build
from foqus_lib.models.shapes import embedding_size, unfilled
from foqus_lib.models.summary import parameters
from foqus_lib.signals import Signals
from foqus_lib.studies.coreset.bench import NONE, Bench
from foqus_lib.training.collect import Collection

KEPT = 2  # records that a process keeps in memory
OF_EPOCH = 13  # bytes a signal: loss, margin and drift of four, correctness of one
OF_WEIGHT = 4 * 4  # bytes: in the artifact; in the training's state with Adam's two moments


def bytes_of_record(build: Build, train: Signals, how: Collection) -> int:
    """Of one seed's: every epoch, the outputs after the last one, and those of short trainings."""
    classes = len(train.classes)
    numbers = classes + embedding_size(build, classes, train.length)
    numbers += how.early_runs * (classes + 1)
    return len(train) * (how.recipe.epochs * OF_EPOCH + 4 * numbers)


def bytes_in_memory(bench: Bench, models: Iterable[str]) -> int:
    """Of the records that a process keeps which looks at those of these selection models."""
    looked_at = set(models) - {NONE}
    return KEPT * max((_of_record(bench, model) for model in looked_at), default=0)


def bytes_on_disk(bench: Bench, model: str) -> int:
    """Of one seed: the record, the network, and what the training keeps beside them meanwhile."""
    train = bench.task.train
    weights = parameters(unfilled(MODELS[model], len(train.classes), train.length))
    meanwhile = len(train) * bench.collection.recipe.epochs * OF_EPOCH
    return _of_record(bench, model) + meanwhile + OF_WEIGHT * weights


def _of_record(bench: Bench, model: str) -> int:
    return bytes_of_record(MODELS[model], bench.task.train, bench.collection)

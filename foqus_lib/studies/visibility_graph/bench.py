"""What every job of the chapter is told, and what is refused before any training."""

from dataclasses import dataclass
from pathlib import Path

from foqus_lib.companions.visibility_graph import avgnet
from foqus_lib.companions.visibility_graph.layer import long_enough
from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.settings import Common
from foqus_lib.models.shapes import check_length
from foqus_lib.studies.coreset import bench as coreset
from foqus_lib.studies.coreset.draw import refuse_impossible
from foqus_lib.studies.visibility_graph import rows
from foqus_lib.studies.visibility_graph.options import Options
from foqus_lib.studies.visibility_graph.rows import Shape
from foqus_lib.training.device import pick_device


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
    """Store, device and shape; refuses signals that are too short, and coresets that cannot be."""
    long_enough(task.train.length, max(options.max_lag, *options.lags, 1))
    plain = [name for name in options.named if name in rows.PLAIN]
    for model in (*plain, options.selection_model):
        check_length(model, task.train.length)
    refuse_impossible(task.train, options.rates, options.coresets, options.early_runs)
    device = str(pick_device(common.device))
    records = coreset.Bench(
        task, options.collection, options.recipes["plain"], common.store, device, common.memory
    )
    shape = options.shape(scale_of(common))
    return Bench(task, options, shape, records, common.store, device, common.memory)


def scale_of(common: Common) -> float:
    """The authors' factor belongs to native amplitudes; at unit power nothing is scaled."""
    return avgnet.NATIVE if common.normalise == "native" else 1.0

"""What every job of the chapter is told, and what is refused before any training."""

from foqus_lib.companions.cuttable import NETWORKS
from foqus_lib.companions.layer_pruning import LEAST_SIGNALS
from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.settings import Common
from foqus_lib.models.shapes import check_length
from foqus_lib.selection.budget import budget_of
from foqus_lib.studies.bench import Bench
from foqus_lib.studies.coreset import bench as coreset
from foqus_lib.studies.coreset.draw import affordable
from foqus_lib.studies.frontier.options import PSI, Options
from foqus_lib.training.device import pick_device


def bench(common: Common, options: Options, task: Task) -> Bench:
    """Store, device and recipes. Refuses here what no training could mend."""
    check_length(PSI, task.train.length)
    for rate in options.rates:
        kept = affordable(task.train.label, rate)
        if options.networks and kept < LEAST_SIGNALS:
            raise ValueError(
                f"rates: {rate:g} of {len(task.train)} signals keeps {kept}; a cut compares layers "
                f"on {LEAST_SIGNALS} or more. Raise the rate, or give networks=[]"
            )
    for network in options.networks:
        cut = NETWORKS[network]()
        if not len(cut.needed) <= options.keep < sum(cut.depths):
            raise ValueError(
                f"keep: expected {len(cut.needed)} to {sum(cut.depths) - 1} blocks of {network}, "
                f"got {options.keep}"
            )
    device = str(pick_device(common.device))
    recipe = options.recipe(options.rates[0], "")
    records = coreset.Bench(task, options.collection, recipe, common.store, device, common.memory)
    return Bench(task, options, records, common.store, device, common.memory)


def per_class(bench: Bench, points: int) -> int:
    """Signals of each class that a rate stores."""
    train = bench.task.train
    return max(1, budget_of(points / 10_000, len(train)) // len(train.classes))

"""What every job of the chapter is told, and what is refused before any training."""

from foqus_lib.companions.distillation.checks import check_budget
from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.settings import Common
from foqus_lib.studies.bench import Bench
from foqus_lib.studies.coreset import bench as coreset
from foqus_lib.studies.distillation.networks import check_length
from foqus_lib.studies.distillation.options import PSI, Options
from foqus_lib.studies.distillation.ways import ways
from foqus_lib.training.device import pick_device
from foqus_lib.training.recipe import Recipe


def bench(common: Common, options: Options, task: Task) -> Bench:
    """Store, device and recipes. Refuses here what no training could mend."""
    for model in (PSI, *options.models, *options.cross_models):
        check_length(model, task.train.length)
    for budget in budgets(options):
        check_budget(task.train, budget)
    if task.val is None and chooses(options):
        raise ValueError(
            f"alphas, steps: expected validation signals to choose by, got none. Give val_share "
            f"(0.1), or alpha and step themselves, for instance {options.tried_alphas[0]:g} and "
            f"{options.tried_steps[0]:g}"
        )
    device = str(pick_device(common.device))
    records = coreset.Bench(
        task, options.collection, Recipe(batch=options.batch, precision=options.precision),
        common.store, device, common.memory,
    )  # fmt: skip
    return Bench(task, options, records, common.store, device, common.memory)


def budgets(how: Options) -> list[int]:
    """Every number of signals per class that the chapter asks for."""
    cross = [how.cross_per_class] if how.cross_models else []
    sweep = [how.sweep_per_class] if chooses(how) else []
    return sorted({*how.per_class, *cross, *sweep})


def chooses(how: Options) -> bool:
    """Whether a method that was asked for takes its weight or step from a sweep on val."""
    return any(ways(how)[method].tried for method in how.asked)

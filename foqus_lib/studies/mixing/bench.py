"""What every job of the chapter is told; the data of one SNR alone."""

from dataclasses import replace
from hashlib import sha256

import numpy as np

from foqus_lib.companions.mixing.part import TrainingPart, cut_length
from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.settings import Common
from foqus_lib.models.shapes import check_length
from foqus_lib.signals import fingerprint
from foqus_lib.studies.bench import Bench
from foqus_lib.studies.coreset import bench as coreset_bench
from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.coreset.draw import refuse_impossible
from foqus_lib.studies.mixing.options import Options
from foqus_lib.training.device import pick_device


def narrowed(task: Task, only_snr: float | None) -> Task:
    """The signals of one SNR (dB) alone, as a task with a name of its own; None: all of them."""
    if only_snr is None:
        return task
    if only_snr not in task.train.snr or only_snr not in task.test.snr:
        levels = ", ".join(f"{level:g}" for level in np.unique(task.train.snr))
        raise ValueError(
            f"only_snr: expected one of {levels} dB, got {only_snr:g}. Lower snr_min to keep more"
        )
    rows, tests = (np.flatnonzero(part.snr == only_snr) for part in (task.train, task.test))
    train, test = task.train[rows], task.test[tests]
    prints = fingerprint(train) + fingerprint(test)
    kept = f"{only_snr:g} dB alone: {len(rows):,} train and {len(tests):,} test"
    return replace(
        task,
        name=f"{task.name} at {only_snr:g} dB",
        train=train,
        test=test,
        val=None,
        train_rows=task.train_rows[rows],
        fingerprint=sha256(prints.encode()).hexdigest(),
        about=f"{task.about} Of these, {kept}.",
    )


def bench(common: Common, options: Options, task: Task) -> Bench:
    """Recipes, store, device and memory; the task is narrowed to one SNR if that was asked for.

    Refuses a cut and coresets that cannot be.
    """
    task = narrowed(task, options.only_snr)
    check_length(options.model, task.train.length)
    refuse_impossible(task.train, options.rates, options.coresets, options.early_runs)
    cut_length(TrainingPart(task, np.arange(len(task.train))), options.ratio)
    device = str(pick_device(common.device))
    records = coreset_bench.Bench(
        task, options.collection, options.evaluation(ALL_DATA, 10_000), common.store, device,
        common.memory,
    )  # fmt: skip
    return Bench(task, options, records, common.store, device, common.memory)

"""Do forgotten signals lie near the decision boundary? A row a group of signals and record.

Nothing is trained but the record, which is the coreset grid's own: what 03_main_tables made is
used again. `selection.boundary` says what is measured.
"""

import time
from collections.abc import Sequence

from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment import store
from foqus_lib.experiment.key import Trial, versions_text
from foqus_lib.experiment.provenance import provenance
from foqus_lib.experiment.settings import Common
from foqus_lib.experiment.study import Axis, Job, Metric, Study
from foqus_lib.models import VERSIONS
from foqus_lib.selection.boundary import FORGOTTEN, KNOWN, NEVER, UNKNOWN, distance, groups
from foqus_lib.studies.coreset.bench import Bench
from foqus_lib.studies.coreset.grid import Options, bench
from foqus_lib.studies.coreset.records import evidence_of
from foqus_lib.studies.coreset.room import bytes_in_memory
from foqus_lib.studies.coreset.run import evidence_jobs
from foqus_lib.training import collect, fit
from foqus_lib.training.recipe import of_model

__all__ = ["STUDY", "Options", "bench", "trials"]

NAME, VERSION = "boundary", 1  # raised when what its trials mean changes


def trials(common: Common, options: Options, task: Task) -> list[Trial]:
    """Every group of each record."""
    return [
        _trial(task, options, model, group, seed)
        for model in options.models
        for group in (FORGOTTEN, NEVER, KNOWN, UNKNOWN)
        for seed in range(common.seeds)
    ]


def _epochs(t: int) -> str:
    return f"T = {t}"


def _trial(task: Task, options: Options, model: str, group: str, seed: int) -> Trial:
    recipe = of_model(model, options.collection.recipe)  # its early runs leave no margin
    found = {model: VERSIONS[model], "collect": collect.VERSION, "fit": fit.VERSION}
    return Trial.on(
        task,
        NAME,
        VERSION,
        group,
        options.selection_epochs,
        seed,
        selection_model=model,
        selection_recipe=str(recipe),
        versions=versions_text(found),
    )


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """The records that the store lacks, then their groups."""
    records = {}
    for trial in missing:
        records.setdefault((trial["selection_model"], trial.seed), []).append(trial)
    memory = bench.task.train.iq.nbytes + bytes_in_memory(bench, (model for model, _ in records))
    measured = [
        Job(measure, (*record, tuple(found)), trials=tuple(found), memory=memory)
        for record, found in records.items()
    ]
    return [evidence_jobs(bench, records), measured]


def measure(bench: Bench, model: str, seed: int, wanted: Sequence[Trial]) -> None:
    """Size of each group, and how near to the boundary it lies on average."""
    began = time.perf_counter()
    record = evidence_of(bench, model, seed)
    far, found = distance(record), groups(record.correct)
    for trial in wanted:
        here = found[trial.method]
        metrics = {"share": float(here.mean())}
        if here.any():
            metrics["distance"] = float(far[here].mean())
        facts = provenance(
            device=bench.device, seconds=time.perf_counter() - began, about=bench.task.about
        )
        store.publish(bench.root, trial, metrics, facts)


STUDY = Study(
    name=NAME,
    version=VERSION,
    axis=Axis("epochs T", _epochs),
    metrics=(
        Metric("distance", "mean |margin| at the end (logits)", higher_is_better=False),
        Metric("share", "share of the signals", points=True),
    ),
    settings=("selection_model", "selection_recipe", "versions"),
    block=("selection_model",),
    floor=NEVER,
    ceiling=None,
    jobs=jobs,
)

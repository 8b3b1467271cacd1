"""In which order it all runs: records, then trials."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from foqus_lib.companions.mixing.part import TrainingPart
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.study import Job
from foqus_lib.selection.budget import budget_of
from foqus_lib.studies.coreset.borrowed import record_jobs
from foqus_lib.studies.coreset.room import bytes_in_memory
from foqus_lib.studies.mixing.bench import Bench
from foqus_lib.studies.mixing.run import fitted, recipe_of, run_trials
from foqus_lib.studies.pace import FORWARD, seconds_a_visit


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """Two stages: selection trainings that the store lacks, and the trials, the longest first."""
    looked_at = dict.fromkeys((trial["selection_model"], trial.seed) for trial in missing)
    records = bytes_in_memory(bench.records, (model for model, _ in looked_at))
    groups = defaultdict(list)
    for trial in missing:
        groups[trial["coreset"], trial.method, trial.seed].append(trial)
    found = [
        Job(
            run_trials,
            (group,),
            trials=tuple(group),
            kind=("mixing", group[0]["evaluation_model"], group[0].method),
            cost=sum(_visits(bench, trial) for trial in group),
            probe=_seconds_per_visit,
            memory=2 * (bench.task.train.iq.nbytes + bench.task.test.iq.nbytes) + records,
        )
        for group in groups.values()
    ]
    return [record_jobs(bench, looked_at), sorted(found, key=lambda job: -job.cost)]


def _visits(bench: Bench, trial: Trial) -> float:
    kept = budget_of(trial.budget / 10_000, len(bench.task.train))
    return kept * recipe_of(bench, trial).epochs + len(bench.task.test) * FORWARD


def _seconds_per_visit(bench: Bench, job: Job) -> float:
    """Of the job's row, which mixes as it trains."""
    trial = job.trials[0]
    recipe = recipe_of(bench, trial)
    part = TrainingPart(bench.task, np.arange(min(recipe.batch, len(bench.task.train))))

    def train(epochs: int) -> None:
        how = replace(recipe, epochs=epochs)
        fitted(bench, trial, part, how, "probe", np.zeros(2, np.int64))

    return seconds_a_visit(train, len(part.rows))

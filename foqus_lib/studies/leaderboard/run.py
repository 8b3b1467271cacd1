"""What a board's jobs are told, in which order they run, and how a row is measured."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy import ndarray

from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.settings import Common
from foqus_lib.experiment.study import RATE, Job, Metric, Study
from foqus_lib.models import MODELS
from foqus_lib.studies.attempt import each
from foqus_lib.studies.coreset import bench as coreset_bench
from foqus_lib.studies.coreset.bench import ALL_DATA, NONE, evaluate_name
from foqus_lib.studies.coreset.borrowed import coreset_of, record_jobs
from foqus_lib.studies.coreset.draw import refuse_impossible
from foqus_lib.studies.coreset.room import bytes_in_memory
from foqus_lib.studies.coreset.run import measure
from foqus_lib.studies.leaderboard.boards import TRACKS, task, track_name
from foqus_lib.studies.leaderboard.grid import NAME, VERSION, looks_at_record
from foqus_lib.studies.leaderboard.options import FLOOR, Options
from foqus_lib.studies.pace import FORWARD, seconds_a_visit
from foqus_lib.training.device import pick_device
from foqus_lib.training.predict import said
from foqus_lib.training.recipe import of_model
from foqus_lib.training.single import fit_one


@dataclass(frozen=True)
class Bench:
    """Tasks, options, rows of teams, store, device; `records` is of the pool and the public test.

    Methods choose once a seed, from the pool, whatever the track.
    """

    tasks: dict[str, Task]  # by the track's name in a trial
    how: Options
    teams: dict[str, ndarray]  # digest -> rows
    records: coreset_bench.Bench
    root: Path
    device: str
    memory: int = 0

    @property
    def task(self) -> Task:
        """Of the public track."""
        return self.records.task


def public(common: Common, options: Options) -> Task:
    """The public track of the board that is asked for, whatever data set the profile names."""
    del common
    return task(options.set)


def bench(common: Common, options: Options, subject: Task) -> Bench:
    """Both tracks; subject: the public one. Refuses rates that its pool cannot fill."""
    refuse_impossible(subject.train, options.rates, options.rows, options.early_runs)
    device = str(pick_device(common.device))
    records = coreset_bench.Bench(
        subject, options.collection, options.recipe, common.store, device, common.memory
    )
    tracks = {
        track_name(track, options.secret): task(options.set, track, options.secret)
        for track in TRACKS
    }
    teams = {one.digest: one.rows for one in options.teams}
    return Bench(tracks, options, teams, records, common.store, device, common.memory)


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """Two stages: records that the store lacks, and the trials, the longest first."""
    looks = [t for t in missing if looks_at_record(t.method, t["coreset"])]
    looked_at = dict.fromkeys((bench.how.model, trial.seed) for trial in looks)
    records = bytes_in_memory(bench.records, (model for model, _ in looked_at))
    groups = defaultdict(list)
    for trial in missing:
        groups[trial.method, trial.seed].append(trial)
    found = [
        Job(
            run_trials,
            (group,),
            trials=tuple(group),
            kind=(NAME, bench.how.model),
            cost=sum(_visits(bench, trial) for trial in group),
            probe=_seconds_per_visit,
            memory=3 * (bench.task.train.iq.nbytes + bench.task.test.iq.nbytes) + records,
        )
        for group in groups.values()
    ]
    return [record_jobs(bench, looked_at), sorted(found, key=lambda job: -job.cost)]


def _visits(bench: Bench, trial: Trial) -> float:
    kept = trial.budget / 10_000 * len(bench.task.train)
    return kept * bench.how.epochs + len(bench.task.test) * FORWARD


def _seconds_per_visit(bench: Bench, job: Job) -> float:
    """Of the board's network."""
    rows = np.arange(min(bench.how.recipe.batch, len(bench.task.train)))

    def train(epochs: int) -> None:
        how = replace(bench.how, epochs=epochs)
        _logits(replace(bench, how=how), bench.task, rows, "probe")

    return seconds_a_visit(train, len(rows))


def run_trials(bench: Bench, trials: Sequence[Trial]) -> None:
    """Choose, train, test, publish. What fails does not stop the others."""
    for trial in trials:
        each(bench, [trial], partial(_outcome, bench), bench.tasks[trial["track"]].about)


def _outcome(bench: Bench, trial: Trial) -> dict:
    here, rows = bench.tasks[trial["track"]], _chosen(bench, trial)
    name = evaluate_name(here.fingerprint, bench.how.model, trial.seed, 0)
    return measure(_logits(bench, here, rows, name), here.test, len(rows))


def _chosen(bench: Bench, trial: Trial) -> ndarray:
    """Rows of the pool: a team's, all, or what a method picks with this seed."""
    if trial["coreset"] != NONE:
        return bench.teams[trial["coreset"]]
    rate = trial.budget / 10_000
    return np.sort(coreset_of(bench, trial.method, bench.how.model, rate, trial.seed))


def _logits(bench: Bench, here: Task, rows: ndarray, name: str) -> ndarray:
    """Of the test set, by a network trained on these rows with the board's one recipe."""
    how = bench.how
    recipe, device = of_model(how.model, how.recipe), torch.device(bench.device)
    network = fit_one(MODELS[how.model], here.train, rows, name, recipe, device)
    return said(network, here.test)


STUDY = Study(
    name=NAME,
    version=VERSION,
    axis=RATE,
    metrics=(Metric("accuracy", "accuracy", points=True), Metric("kept", "signals kept")),
    settings=(
        "coreset", "evaluation_recipe", "model", "selection_recipe", "track", "versions",
    ),
    block=("track",),
    floor=FLOOR,
    ceiling=ALL_DATA,
    jobs=jobs,
)  # fmt: skip

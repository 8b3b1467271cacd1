"""How the trials are run: encoders first, then clusters, then coresets."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from foqus_lib.experiment import artifacts
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.study import RATE, Axis, Job, Metric, Study
from foqus_lib.models import MODELS
from foqus_lib.studies.attempt import run
from foqus_lib.studies.clustering import coresets, grid
from foqus_lib.studies.clustering import options as names
from foqus_lib.studies.clustering.bench import NEEDS, SOURCE, TRAINED, Bench
from foqus_lib.studies.clustering.encoders import make_encoder, trained
from foqus_lib.studies.clustering.grid import CLUSTERS, CORESETS
from foqus_lib.studies.clustering.keeping import clusters_of
from foqus_lib.studies.clustering.measuring import measured
from foqus_lib.studies.coreset.room import bytes_of_record
from foqus_lib.studies.pace import FORWARD, seconds_a_visit

K_MEANS = 0.5  # visits a signal that twenty starts cost, about


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """Three stages: encoders that the store lacks, clusters, and coresets that look at clusters."""
    clustered = [one for one in missing if one["table"] == CLUSTERS]
    drawn = [one for one in missing if one["table"] == CORESETS]
    wanted = {(NEEDS[one.method], one["setting"], one.seed) for one in clustered
              if one.method in NEEDS}  # fmt: skip
    wanted |= {(SOURCE, one["setting"], one.seed) for one in drawn
               if one.method == names.WITH_CLUSTERS}  # fmt: skip
    first = [
        replace(
            _job(bench, make_encoder, one, _visits_of_encoder(bench, *one[:2])),
            makes=(bench.encoder_key(*one),),
        )
        for one in sorted(wanted)
        if artifacts.find_arrays(bench.root, bench.encoder_key(*one)) is None
    ]
    second = [_job(bench, run_one, (one,), _visits(bench, one), (one,)) for one in clustered]
    repeats = defaultdict(list)  # of one coreset
    for one in drawn:
        repeats[one.method, one["setting"], one.seed].append(one)
    third = [_coreset_job(bench, tuple(group)) for group in repeats.values()]
    return [sorted(stage, key=lambda job: -job.cost) for stage in (first, second, third)]


def _job(
    bench: Bench, call: Callable, arguments: tuple, cost: float, publishes: tuple[Trial, ...] = ()
) -> Job:
    return Job(
        call, arguments, trials=publishes, kind=(bench.options.model, bench.options.precision),
        cost=cost, probe=_seconds_per_visit,
        memory=2 * (bench.task.train.iq.nbytes + bench.task.test.iq.nbytes),
    )  # fmt: skip


def _coreset_job(bench: Bench, group: tuple[Trial, ...]) -> Job:
    """With the record that its selector looks at."""
    job = _job(bench, coresets.run_trials, (group,), coresets.visits(bench, group), group)
    how, train = bench.options, bench.transfer(group[0]["setting"]).train
    record = bytes_of_record(MODELS[how.model], train, how.collection)
    return replace(job, memory=job.memory + record)


def _visits_of_encoder(bench: Bench, kind: str, setting: str) -> float:
    target = bench.transfer(setting)
    return bench.options.pretrain_epochs * len(target.source if kind == SOURCE else target.train)


def _visits(bench: Bench, one: Trial) -> float:
    how, train = bench.options, bench.transfer(one["setting"]).train
    epochs = K_MEANS
    if one.method in TRAINED:
        by_pairs = one.method not in (names.DEC, names.DTC_B)
        epochs += how.epochs * (1 + FORWARD + (by_pairs and how.look > 0))
    if one.method == names.CEILING:
        epochs += how.pretrain_epochs
    return epochs * len(train)


def _seconds_per_visit(bench: Bench, job: Job) -> float:
    """Of a pre-training."""
    signals, recipe = bench.task.train, bench.options.pretraining
    rows = np.arange(min(recipe.batch, len(signals)))

    def train(epochs: int) -> None:
        trained(bench, signals, rows, "probe", replace(recipe, epochs=epochs))

    return seconds_a_visit(train, len(rows))


def run_one(bench: Bench, trial: Trial) -> None:
    """Cluster, score, publish."""
    setting = trial["setting"]

    def outcome(trial: Trial) -> dict:
        found = clusters_of(bench, trial.method, setting, trial.budget, trial.seed)
        return measured(bench, trial, found)

    run(bench, trial, outcome, f"{bench.task.about} {bench.transfer(setting).about}")


STUDY = Study(
    name=grid.NAME,
    version=grid.VERSION,
    axis=Axis("clusters k", lambda k: f"k = {k}"),
    metrics=(
        Metric("acc", "ACC", points=True),
        Metric("nmi", "NMI", points=True),
        Metric("ari", "ARI", points=True),
        Metric("acc_test", "ACC on test signals", points=True),
        Metric("nmi_test", "NMI on test signals", points=True),
        Metric("ari_test", "ARI on test signals", points=True),
        Metric("recognition", "accuracy on test signals", points=True),
        Metric("largest", "share of the largest cluster", points=True),
        Metric("empty", "empty clusters", higher_is_better=False),
    ),
    settings=(
        "clustering_recipe", "coreset_recipe", "network", "pretraining_recipe",
        "selection_recipe", "setting", "source", "table", "target", "versions",
    ),
    block=("setting",),
    floor=names.FLOOR,
    ceiling=names.CEILING,
    jobs=jobs,
    shares=("setting",),
    unjudged=names.STARTS,
    reference=names.REFERENCE,
    tabled=lambda rows: of_table(rows, "clusters"),
)  # fmt: skip

# The same rows read by another number, and those of coresets, whose budget is a rate.
BY_NMI = replace(STUDY, metrics=(STUDY.metrics[1], STUDY.metrics[0], *STUDY.metrics[2:]))
OF_CORESETS = replace(
    STUDY, axis=RATE, metrics=(STUDY.metrics[6],), floor=names.UNIFORM, ceiling=None, reference=""
)


def of_table(rows: pd.DataFrame, table: str, setting: str = "") -> pd.DataFrame:
    """The rows of one table, and of one setting if it is named."""
    kept = rows[rows["table"] == table]
    return kept[kept.setting == setting] if setting else kept

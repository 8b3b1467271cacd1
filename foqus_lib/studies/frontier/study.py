"""In which order it runs, how a trial runs, and what is measured."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from foqus_lib.experiment import artifacts
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.study import RATE, Job, Metric, Study
from foqus_lib.models.summary import parameters
from foqus_lib.studies.attempt import run
from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.coreset.records import stored
from foqus_lib.studies.coreset.room import bytes_in_memory
from foqus_lib.studies.coreset.run import evidence_job, measure
from foqus_lib.studies.frontier.bench import Bench, per_class
from foqus_lib.studies.frontier.networks import trained
from foqus_lib.studies.frontier.options import AS_LONG, DISTILLED, FLOOR, PSI, WHOLE
from foqus_lib.studies.frontier.sets import (
    Stock,
    make_set,
    price_key,
    record_and_price,
    set_key,
    stock_of,
)
from foqus_lib.studies.frontier.trials import NAME, VERSION, looks_at_record
from foqus_lib.studies.pace import FORWARD, seconds_a_visit
from foqus_lib.training.predict import said


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """Records with their prices, made signals, trials; the longest first."""
    looked = sorted({trial.seed for trial in missing if looks_at_record(trial.method)})
    made = sorted({(trial.budget, trial.seed) for trial in missing if trial.method == DISTILLED})
    memory = _signals(bench) + bytes_in_memory(bench.records, {PSI} if looked else ())
    trials = [_trial_job(bench, trial, memory) for trial in missing]
    return [
        [_record_job(bench, seed) for seed in looked if not _priced(bench, seed)],
        [_set_job(bench, *one) for one in made if not _kept(bench, set_key(bench, *one))],
        sorted(trials, key=lambda job: -job.cost),
    ]


def _kept(bench: Bench, key) -> bool:
    return artifacts.find_arrays(bench.root, key) is not None


def _priced(bench: Bench, seed: int) -> bool:
    """Whether a record is there, and what it cost."""
    return stored(bench.records, PSI, seed) and _kept(bench, price_key(bench, seed))


def _record_job(bench: Bench, seed: int) -> Job:
    """The coreset grid's, with its price, whose failure is asked for under the record's key."""
    job = evidence_job(bench.records, PSI, [seed])
    return replace(
        job, call=record_and_price, arguments=(seed,), kind=(PSI, WHOLE), probe=_seconds_per_visit
    )


def _set_job(bench: Bench, points: int, seed: int) -> Job:
    how, classes = bench.how, len(bench.task.train.classes)
    visits = how.iterations * 2 * classes * (how.batch_real * FORWARD + per_class(bench, points))
    return Job(
        make_set, (points, seed), makes=(set_key(bench, points, seed),), kind=(PSI, WHOLE),
        cost=visits, probe=_seconds_per_visit, memory=_signals(bench),
    )  # fmt: skip


def _trial_job(bench: Bench, trial: Trial, memory: int) -> Job:
    task, rate = bench.task, trial.budget / 10_000
    trainings = {WHOLE: 1, AS_LONG: 2}.get(trial["form"], 1.6)  # of the whole network
    visits = rate * len(task.train) * bench.how.recipe(rate, "").epochs * trainings
    return Job(
        run_one, (trial,), trials=(trial,), kind=(trial["network"], WHOLE),
        cost=visits + len(task.test) * FORWARD, probe=_seconds_per_visit, memory=memory,
    )  # fmt: skip


def _signals(bench: Bench) -> int:
    """Bytes of the signals, twice."""
    return 2 * (bench.task.train.iq.nbytes + bench.task.test.iq.nbytes)


def _seconds_per_visit(bench: Bench, job: Job) -> float:
    """Of the job's network on signals that all stay."""
    network, _ = job.kind
    signals = bench.task.train
    rows = np.arange(min(bench.how.batch, len(signals)))
    probe = Trial.on(bench.task, NAME, VERSION, FLOOR, 1, 0, form=WHOLE, network=network)

    def train(epochs: int) -> None:
        how = replace(bench.how, epochs=epochs, all_epochs=epochs)
        trained(replace(bench, how=how), probe, Stock(signals, rows, 0.0, len(rows)))

    return seconds_a_visit(train, len(rows))


def run_one(bench: Bench, trial: Trial) -> None:
    """Have the signals, train, test, publish with everything that it took."""
    run(bench, trial, partial(_outcome, bench))


def _outcome(bench: Bench, trial: Trial) -> dict:
    task, stock = bench.task, stock_of(bench, trial)
    began = time.process_time()
    network = trained(bench, trial, stock)
    training = time.process_time() - began
    return measure(said(network, task.test), task.test, stock.stored) | {
        "floats": stock.stored * 2 * task.train.length,
        "parameters": parameters(network),
        "seconds_choosing": stock.seconds,
        "seconds_all": stock.seconds + training,
    }


STUDY = Study(
    name=NAME,
    version=VERSION,
    axis=RATE,
    metrics=(
        Metric("accuracy", "accuracy", points=True),
        Metric("floats", "stored floats", higher_is_better=False),
        Metric("seconds_all", "CPU s, choosing and training", higher_is_better=False),
        Metric("seconds_choosing", "CPU s of choosing", higher_is_better=False),
        Metric("parameters", "parameters", higher_is_better=False),
        Metric("kept", "signals stored"),
    ),
    settings=("distillation_recipe", "form", "network", "recipe", "selection_recipe", "versions"),
    block=("network", "form"),
    floor=FLOOR,
    ceiling=ALL_DATA,
    jobs=jobs,
    prices=("floats", "seconds_all", "parameters"),
)

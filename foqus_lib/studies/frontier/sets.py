"""What a row trains on, and the CPU seconds that choosing or making it took."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy import ndarray

from foqus_lib.companions import distillation
from foqus_lib.companions.distillation.descent import distil
from foqus_lib.companions.distillation.networks import fresh_embedding
from foqus_lib.companions.distillation.views import multi_domain
from foqus_lib.experiment import artifacts
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.provenance import provenance
from foqus_lib.experiment.workers import one_thread
from foqus_lib.models import MODELS, VERSIONS
from foqus_lib.seeds import rng_for
from foqus_lib.signals import Signals
from foqus_lib.studies.coreset.bench import ALL_DATA, select_name
from foqus_lib.studies.coreset.borrowed import coreset_of
from foqus_lib.studies.coreset.records import collect_evidence, evidence_of, stored
from foqus_lib.studies.frontier.bench import Bench, per_class
from foqus_lib.studies.frontier.options import DISTILLED, FRESH, PSI, SHORT, chosen_by
from foqus_lib.studies.frontier.trials import looks_at_record
from foqus_lib.studies.watch import device_watched
from foqus_lib.training.collect import collect


@dataclass(frozen=True)
class Stock:
    """Signals at hand, the rows of them that are trained on, and what it took to have them."""

    signals: Signals
    rows: ndarray
    seconds: float  # CPU seconds of choosing or making
    stored: int  # signals that have to be kept


def stock_of(bench: Bench, trial: Trial) -> Stock:
    """The set of a trial. ValueError that says why if its record or its signals are missing."""
    train = bench.task.train
    everything = np.arange(len(train))
    if trial.method in (ALL_DATA, SHORT):
        return Stock(train, everything, 0.0, len(train))
    if trial.method == FRESH:  # as many rows an epoch, drawn anew by the training itself
        count = per_class(bench, trial.budget) * len(train.classes)
        return Stock(train, everything[:count], 0.0, len(train))
    if trial.method == DISTILLED:
        arrays = _found(bench, set_key(bench, trial.budget, trial.seed))
        start = train[_start(bench, trial.budget, trial.seed)]
        made = Signals(arrays["iq"], start.label, start.snr, start.classes)
        return Stock(made, np.arange(len(made)), float(arrays["seconds"]), len(made))
    rows, seconds = _selected(bench, trial)
    return Stock(train, rows, seconds, len(rows))


def _selected(bench: Bench, trial: Trial) -> tuple[ndarray, float]:
    """The coreset that the coreset grid would draw, and the seconds of record and draw."""
    method, looks = chosen_by(trial.method), looks_at_record(trial.method)
    paid = float(_found(bench, price_key(bench, trial.seed))["seconds"]) if looks else 0.0
    if looks:
        evidence_of(bench.records, PSI, trial.seed)  # found and read before the clock starts
    began = time.process_time()
    rows = coreset_of(bench, method, PSI, trial.budget / 10_000, trial.seed)
    return np.sort(rows), paid + time.process_time() - began


def _start(bench: Bench, points: int, seed: int) -> ndarray:
    """As many random signals of each class as the rate stores."""
    train, count = bench.task.train, per_class(bench, points)
    order = rng_for("frontier", "start", bench.task.fingerprint, seed).permutation(len(train))
    label = train.label[order]
    return np.concatenate([order[label == y][:count] for y in range(len(train.classes))])


# ---- records, and what they cost -----------------------------------------------------------------


def price_key(bench: Bench, seed: int) -> Mapping[str, str | int]:
    """Under which the CPU seconds of a record are kept."""
    return bench.records.evidence_key(PSI, seed) | {"what": "seconds of a record"}


def record_and_price(bench: Bench, seed: int) -> None:
    """Train the network that scores, if nobody has, and keep the CPU seconds that takes.

    Of a record that another chapter left behind, or that a killed sweep had begun, the first two
    epochs are timed again.
    """
    here = stored(bench.records, PSI, seed)
    begun = artifacts.partial(bench.root, [bench.records.evidence_key(PSI, seed)]).exists()
    with one_thread():
        began, since = time.time(), time.process_time()
        if not here:
            collect_evidence(bench.records, PSI, [seed])
            if not stored(bench.records, PSI, seed):
                return  # it failed, and is noted under its key
        seconds = time.process_time() - since
        if here or begun:
            seconds = _seconds_of_a_record(bench, seed)
    about = bench.task.about
    facts = provenance(device=bench.device, seconds=seconds, about=about, began=began)
    key = price_key(bench, seed)
    artifacts.save_arrays(bench.root, key, {"seconds": np.array(seconds)}, facts)


def _seconds_of_a_record(bench: Bench, seed: int) -> float:
    """By the first two epochs of its training."""
    how, task = bench.records.collection_of(PSI), bench.task
    two = replace(how, recipe=replace(how.recipe, epochs=2))
    name, began = select_name(task.fingerprint, PSI, seed), time.process_time()
    collect(MODELS[PSI], task.train, [name], two, torch.device(bench.device))
    return (time.process_time() - began) * how.recipe.epochs / 2


# ---- signals that are made -----------------------------------------------------------------------


def set_key(bench: Bench, points: int, seed: int) -> Mapping[str, str | int]:
    """All that decides the signals of MDM."""
    return {
        "what": "frontier set",
        "fingerprint": bench.task.fingerprint,
        "distillation_recipe": bench.how.distilling,
        "per_class": per_class(bench, points),
        "seed": seed,
        "versions": f"distillation={distillation.VERSION} {PSI}={VERSIONS[PSI]}",
    }


def make_set(bench: Bench, points: int, seed: int) -> None:
    """Distil, and keep the signals with the CPU seconds."""
    how, train, key = bench.how, bench.task.train, set_key(bench, points, seed)
    start = train[_start(bench, points, seed)]
    probe = torch.from_numpy(start.iq).to(bench.device)
    name = f"frontier distil {bench.task.fingerprint} {seed}"
    began, since = time.time(), time.process_time()
    with device_watched(bench.device), one_thread():
        made = distil(
            train,
            start,
            lambda k: fresh_embedding(MODELS[PSI], len(train.classes), f"{name} {k}", probe),
            multi_domain(how.alpha),
            rng_for("frontier", "batches", bench.task.fingerprint, seed),
            iterations=how.iterations,
            batch_real=how.batch_real,
            lr=how.step * per_class(bench, points),
            device=torch.device(bench.device),
        )
    seconds, about = time.process_time() - since, bench.task.about
    facts = provenance(device=bench.device, seconds=seconds, about=about, began=began)
    arrays = {"iq": made.signals.iq, "seconds": np.array(seconds)}
    artifacts.save_arrays(bench.root, key, arrays, facts)


def _found(bench: Bench, key: Mapping[str, str | int]) -> dict[str, ndarray]:
    blamed = key | {"what": "evidence"} if "selection_model" in key else key
    what = f"{key['what']}, seed {key['seed']}"
    return artifacts.load_arrays(artifacts.needed(bench.root, key, what, blamed))

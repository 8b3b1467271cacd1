"""Mixing Signals on coresets: does cheap synthesis close the gap that a coreset leaves?

Every row trains one network on one coreset with the same recipe, so in the same number of optimiser
steps on batches of the same rows in the same order; a row differs only in what is done to a batch.
Records and coresets are the coreset study's own: what 03_main_tables made is used again.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from numpy import ndarray

from foqus_lib.companions import mixing
from foqus_lib.companions.mixing import Rule, TrainingPart
from foqus_lib.datasets.catalog import Task
from foqus_lib.errors import DeviceLost, unknown
from foqus_lib.experiment import store
from foqus_lib.experiment.key import Trial, basis_points
from foqus_lib.experiment.provenance import provenance
from foqus_lib.experiment.settings import Common, at_least
from foqus_lib.experiment.study import RATE, Job, Metric, Study
from foqus_lib.experiment.workers import one_thread
from foqus_lib.models import MODELS
from foqus_lib.models import VERSIONS as NETWORKS
from foqus_lib.seeds import rng_for
from foqus_lib.selection.budget import budget_of
from foqus_lib.selection.catalog import SNR_BALANCED, method_named, version_of
from foqus_lib.signals import Signals, fingerprint
from foqus_lib.studies.coreset import bench as coreset_bench
from foqus_lib.studies.coreset.bench import ALL_DATA, NO_NETWORK, NONE, evaluate_name
from foqus_lib.studies.coreset.borrowed import record_jobs
from foqus_lib.studies.coreset.draw import blind, draw
from foqus_lib.studies.coreset.records import evidence_of
from foqus_lib.studies.coreset.run import long_enough, measure
from foqus_lib.studies.coreset.watch import device_watched
from foqus_lib.training import collect, fit
from foqus_lib.training.collect import Collection
from foqus_lib.training.device import pick_device
from foqus_lib.training.fit import Transform
from foqus_lib.training.memory import Build
from foqus_lib.training.predict import logits_of
from foqus_lib.training.recipe import Recipe, of_model

FLOOR = "none"
STEPS = "the same in every row: epochs x ceil(k / batch)"
OVER = " + rotation"  # after a mixing: whatever comes out of it is turned as well
Names = tuple[str, ...]


# ---- what is done to a batch ---------------------------------------------------------------------


@dataclass(frozen=True)
class Rules:
    """The constants of all rows. Equal strings, equal rules: it stands in every key."""

    chance: float = 0.5  # of a signal to give way to its child: as many of either [T]
    ratio: float = 0.5  # r = l / L [T]
    stride: int = 8  # samples between the starts that MSM tries
    theta: float = 0.0  # of theta-SM; 0: the quantile below of random draws
    quantile: float = 0.1
    patience: int = 5  # draws of theta-SM [T]
    n: int = 4  # pieces of n-RM [T]
    noise_db: float = 20.0  # below the signal
    alpha: float = 0.2  # of mixup's Beta

    def __post_init__(self) -> None:
        for name in ("chance", "ratio", "quantile"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected 0 to 1, got {getattr(self, name):g}")
        for name in ("stride", "patience", "n"):
            at_least(name, getattr(self, name), 1)
        at_least("theta", self.theta, 0)
        if not self.alpha > 0:
            raise ValueError(f"alpha: expected more than 0, got {self.alpha:g}")

    def __str__(self) -> str:
        return " ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(self))

    @staticmethod
    def read(text: str) -> "Rules":
        """From the text in a trial's key."""
        given = dict(part.split("=") for part in text.split(" "))
        return Rules(**{field.name: field.type(given[field.name]) for field in fields(Rules)})


Tally = ndarray  # (2,): pairs, and those that nothing satisfied


def _random(part: TrainingPart, rules: Rules, tally: Tally) -> Rule:
    return mixing.own_child(partial(mixing.random_pairs, ratio=rules.ratio))


def _most_similar(part: TrainingPart, rules: Rules, tally: Tally) -> Rule:
    return mixing.own_child(
        partial(mixing.most_similar_pairs, ratio=rules.ratio, stride=rules.stride)
    )


def _theta_similar(part: TrainingPart, rules: Rules, tally: Tally) -> Rule:
    return mixing.own_child(
        partial(
            mixing.theta_similar_pairs, ratio=rules.ratio, theta=theta_for(part, rules),
            patience=rules.patience, tally=tally,
        )
    )  # fmt: skip


def _n_random(part: TrainingPart, rules: Rules, tally: Tally) -> Rule:
    return partial(mixing.n_random_children, ratio=rules.ratio, n=rules.n)


def _copies(part: TrainingPart, rules: Rules, tally: Tally) -> Rule:
    return mixing.other_burst


def theta_for(part: TrainingPart, rules: Rules) -> float:
    """The theta of the key, or the quantile of random draws on this very coreset."""
    if rules.theta:
        return rules.theta
    rng = rng_for("theta", part.task.fingerprint)
    return mixing.theta_of(part, rules.ratio, rules.quantile, rng)


def _mixup(task: Task, rules: Rules) -> Transform:
    return partial(mixing.mixup, classes=len(task.train.classes), alpha=rules.alpha)


def _cutmix(task: Task, rules: Rules) -> Transform:
    return partial(mixing.cutmix, classes=len(task.train.classes))


MIXINGS: dict[str, Callable[[TrainingPart, Rules, Tally], Rule]] = {
    "copies": _copies,
    "RM": _random,
    "MSM": _most_similar,
    "theta-SM": _theta_similar,
    "n-RM": _n_random,
}
OTHERS: dict[str, Callable[[Task, Rules], Transform]] = {
    "rotation": lambda task, rules: mixing.rotation,
    "flip": lambda task, rules: mixing.flip,
    "noise": lambda task, rules: partial(mixing.noise, below_db=rules.noise_db),
    "mixup": _mixup,
    "CutMix": _cutmix,
}
METHODS = (FLOOR, "copies", *OTHERS, "RM", "MSM", "theta-SM", "n-RM", "RM + rotation",
           "n-RM + rotation")  # fmt: skip


def known(method: str) -> str:
    """The name itself; ValueError with the nearest one if there is no such row."""
    if method.removesuffix(OVER) not in MIXINGS and method not in (FLOOR, *OTHERS):
        raise unknown("method", method, (*METHODS, *(name + OVER for name in MIXINGS)))
    return method


def training_of(
    method: str, part: TrainingPart, rules: Rules, model: str, tally: Tally
) -> tuple[Build, Signals, Transform | None]:
    """What `fit` is given for a row: network, signals and what happens to a batch of them."""
    task, name = part.task, known(method).removesuffix(OVER)
    if name not in MIXINGS:
        change = OTHERS[method](task, rules) if method in OTHERS else None
        return MODELS[model], task.train, change
    change = mixing.in_batches(part, MIXINGS[name](part, rules, tally), rules.chance)
    if method.endswith(OVER):
        change = mixing.one_after_another(change, mixing.rotation)
    # Labels are row numbers on their way in: the network still has one output a class.
    build = partial(_with_outputs, MODELS[model], len(task.train.classes))
    return build, mixing.numbered(part), change


def _with_outputs(build: Build, outputs: int, classes: int, length: int, copies: int = 1):
    return build(outputs, length, copies)


# ---- options and trials --------------------------------------------------------------------------


@dataclass(frozen=True)
class Options:
    """What this chapter can be given besides `Common`."""

    model: Annotated[str, "selects and is trained, for instance CNN1D"] = "CNN1D"
    coresets: Annotated[Names, "selectors whose coresets are enlarged: [FoQuS, Uniform]"] = (
        "FoQuS",
        "Uniform",
    )
    methods: Annotated[Names | None, "on every coreset; left out: all of the chapter's"] = None
    side_methods: Annotated[Names, "on the first coreset alone"] = ()
    ceiling: Annotated[int, "1: all training signals, nothing done to them, as a row; 0: none"] = 0
    rates: Annotated[tuple[float, ...], "|S|/N, for instance [0.01, 0.05]"] = (0.1,)
    repeats: Annotated[int, "of the evaluation"] = 1
    selection_epochs: Annotated[int, "T, recorded epochs of the selection training [A2]"] = 50
    epochs: Annotated[tuple[int, ...], "of the training: one number, or one for each rate"] = (50,)
    ceiling_epochs: Annotated[int, "of the training on all data; 0: as at the last rate"] = 0
    selection_batch: Annotated[int, "signals a gradient step, in the selection training"] = 128
    batch: Annotated[int, "signals a gradient step, in the training on a coreset"] = 128
    selection_precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of the selection training"] = (
        "fp32"
    )
    precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of the training on a coreset"] = "fp32"
    early_runs: Annotated[
        int, "short trainings for GraNd [A17], to share 03_main_tables' record"
    ] = 10
    early_epochs: Annotated[int, "their length"] = 5
    only_snr: Annotated[float | None, "dB, one SNR alone, of those that snr_min keeps"] = None
    chance: Annotated[float, "of a signal in a batch to give way to its child"] = 0.5
    ratio: Annotated[float, "r, the share of a signal that is cut"] = 0.5
    stride: Annotated[int, "samples between the starts that MSM tries"] = 8
    theta: Annotated[float, "of theta-SM, in units of the signals; 0: a quantile of D"] = 0.0
    quantile: Annotated[float, "of D over random draws, which theta is if it is 0"] = 0.1
    patience: Annotated[int, "draws of theta-SM"] = 5
    n: Annotated[int, "pieces of n-RM"] = 4

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise unknown("model", self.model, MODELS)
        for name in ("coresets", "rates", "methods"):
            if (given := getattr(self, name)) is not None and not given:
                raise ValueError(f"{name}: expected at least one, got []. Leave it out for all")
        for name in self.coresets:
            method_named(name)
        for method in (*(self.methods or ()), *self.side_methods):
            known(method)
        for rate in self.rates:
            basis_points(rate)
        if len(self.epochs) not in (1, len(self.rates)):
            raise ValueError(
                f"epochs: expected 1 number, or {len(self.rates)} as there are rates; "
                f"got {list(self.epochs)}"
            )
        for epochs in self.epochs:
            at_least("epochs", epochs, 1)
        for name in ("repeats", "batch", "selection_batch", "early_epochs"):
            at_least(name, getattr(self, name), 1)
        at_least("ceiling_epochs", self.ceiling_epochs, 0)
        at_least("selection_epochs", self.selection_epochs, 2)  # forgetting compares two
        _ = self.collection, self.recipes, self.rules  # they check themselves

    @property
    def collection(self) -> Collection:
        """How the selection model is trained."""
        recipe = Recipe(
            epochs=self.selection_epochs,
            batch=self.selection_batch,
            precision=self.selection_precision,
        )
        return Collection(recipe, self.early_runs, self.early_epochs)

    def evaluation(self, method: str, points: int) -> Recipe:
        """How a network is trained at a rate (basis points), whatever is done to its batches."""
        epochs = self.ceiling_epochs or self.epochs[-1]
        if method != ALL_DATA:
            by_rate = zip(
                map(basis_points, self.rates), self.epochs * len(self.rates), strict=False
            )
            epochs = dict(by_rate)[points]
        recipe = Recipe(epochs=epochs, batch=self.batch, precision=self.precision)
        return of_model(self.model, recipe)

    @property
    def recipes(self) -> dict[str, Recipe]:
        """All of them, by the text that stands in a trial."""
        found = [self.evaluation(FLOOR, basis_points(rate)) for rate in self.rates]
        return {str(one): one for one in (*found, self.evaluation(ALL_DATA, 10_000))}

    @property
    def rules(self) -> Rules:
        """The constants of all rows."""
        shared = {field.name for field in fields(Rules)} & {field.name for field in fields(self)}
        return Rules(**{name: getattr(self, name) for name in shared})


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


@dataclass(frozen=True)
class Bench:
    """Data, options, store, device; `records` is what the coreset grid's functions are told."""

    task: Task
    how: Options
    records: coreset_bench.Bench
    root: Path
    device: str
    memory: int = 0


def bench(common: Common, options: Options, task: Task) -> Bench:
    """Recipes, store, device and memory; the task is narrowed to one SNR if that was asked for."""
    task = narrowed(task, options.only_snr)
    long_enough(options.model, task.train)
    mixing.cut_length(TrainingPart(task, np.arange(len(task.train))), options.ratio)
    device = str(pick_device(common.device))
    records = coreset_bench.Bench(
        task, options.collection, options.evaluation(ALL_DATA, 10_000), common.store, device,
        common.memory,
    )  # fmt: skip
    return Bench(task, options, records, common.store, device, common.memory)


def trials(common: Common, options: Options, task: Task) -> list[Trial]:
    """Each row on each coreset, rate, seed and repeat; and All data, if it was asked for."""
    task = narrowed(task, options.only_snr)
    everywhere = FLOOR, *(options.methods or METHODS)
    found = [
        _trial(task, options, coreset, method, basis_points(rate), seed, repeat)
        for place, coreset in enumerate(options.coresets)
        for method in dict.fromkeys(everywhere + (() if place else options.side_methods))
        for rate in options.rates
        for seed in range(common.seeds)
        for repeat in range(options.repeats)
    ]
    if options.ceiling:
        found += [
            _trial(task, options, NONE, ALL_DATA, 10_000, seed, 0) for seed in range(common.seeds)
        ]
    return found


def _trial(
    task: Task, options: Options, coreset: str, method: str, points: int, seed: int, repeat: int
) -> Trial:
    looks_at_none = coreset.removesuffix(SNR_BALANCED) in (*NO_NETWORK, NONE)
    collection = options.collection
    looked = replace(collection, recipe=of_model(options.model, collection.recipe))
    versions = {
        "fit": fit.VERSION,
        "mixing": mixing.VERSION,
        options.model: NETWORKS[options.model],
    }
    if not looks_at_none:
        versions |= {"collect": collect.VERSION}
    if coreset != NONE:
        versions |= {coreset.replace(" ", "-"): version_of(coreset)}
    return Trial(
        STUDY.name,
        STUDY.version,
        task.name,
        task.fingerprint,
        method,
        points,
        seed,
        repeat,
        (
            ("coreset", coreset),
            ("evaluation_model", options.model),
            ("evaluation_recipe", str(options.evaluation(method, points))),
            ("mixing", NONE if method in (FLOOR, ALL_DATA) else str(options.rules)),
            ("selection_model", NONE if looks_at_none else options.model),
            ("selection_recipe", NONE if looks_at_none else str(looked)),
            ("steps", STEPS),
            ("versions", " ".join(f"{name}={value}" for name, value in sorted(versions.items()))),
        ),
    )


# ---- how they are run ----------------------------------------------------------------------------


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """Two stages: selection trainings that the store lacks, and the trials, seed by seed."""
    looked_at = dict.fromkeys((trial["selection_model"], trial.seed) for trial in missing)
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
            memory=2 * (bench.task.train.iq.nbytes + bench.task.test.iq.nbytes),
        )
        for group in groups.values()
    ]
    return [record_jobs(bench, looked_at), sorted(found, key=lambda job: -job.cost)]


def _visits(bench: Bench, trial: Trial) -> float:
    kept = budget_of(trial.budget / 10_000, len(bench.task.train))
    return kept * _recipe(bench, trial).epochs + len(bench.task.test) / 3


def _recipe(bench: Bench, trial: Trial) -> Recipe:
    return bench.how.recipes[trial["evaluation_recipe"]]


def _seconds_per_visit(bench: Bench, job: Job) -> float:
    """Measured on one small batch, after another one that warms up."""
    trial = job.trials[0]
    part = TrainingPart(bench.task, np.arange(min(32, len(bench.task.train))))
    short = replace(_recipe(bench, trial), epochs=1, batch=len(part.rows))

    def once() -> float:
        began = time.perf_counter()
        _fitted(bench, trial, part, short, "probe", np.zeros(2, np.int64))
        return time.perf_counter() - began

    with one_thread():
        once()
        return once() / len(part.rows)


def run_trials(bench: Bench, trials: Sequence[Trial]) -> None:
    """Draw the coreset of each, train, test, publish. What fails does not stop the others."""
    for trial, rows in _coresets(bench, [t for t in trials if not store.has(bench.root, t)]):
        began = time.perf_counter()
        try:
            with device_watched(bench.device):
                metrics = outcome(bench, trial, TrainingPart(bench.task, np.sort(rows)))
        except (DeviceLost, OSError):
            raise
        except Exception as error:
            store.fail(bench.root, trial.key, error)
            continue
        seconds = time.perf_counter() - began
        facts = provenance(device=bench.device, seconds=seconds, about=bench.task.about)
        store.publish(bench.root, trial, metrics, facts)


def _coresets(bench: Bench, trials: Sequence[Trial]) -> Iterator[tuple[Trial, ndarray]]:
    """Each trial with its coreset: the one that the coreset study would draw."""
    for trial in trials:
        try:
            yield trial, coreset_of(bench, trial)
        except OSError:
            raise
        except Exception as error:
            store.fail(bench.root, trial.key, error)


def coreset_of(bench: Bench, trial: Trial) -> ndarray:
    """Rows of task.train: the same as the coreset study's of this selector, rate and seed."""
    task, coreset, model = bench.task, trial["coreset"], trial["selection_model"]
    if coreset == NONE:
        return np.arange(len(task.train))
    record = blind(task.train) if model == NONE else evidence_of(bench.records, model, trial.seed)
    with torch.device(bench.device):
        [rows] = draw(task.fingerprint, record, model, coreset, [trial.budget / 10_000], trial.seed)
    return rows


def outcome(bench: Bench, trial: Trial, part: TrainingPart) -> dict:
    """The metrics of one trial: accuracy, by SNR as well, and what theta-SM could not satisfy."""
    task, model, tally = bench.task, trial["evaluation_model"], np.zeros(2, np.int64)
    recipe = _recipe(bench, trial)
    seed = evaluate_name(task.fingerprint, model, trial.seed, trial.repeat)
    fitted = _fitted(bench, trial, part, recipe, seed, tally)
    if fitted.diverged:
        raise ValueError(f"loss: not finite from epoch {fitted.diverged[0]} ({recipe}); lower lr")
    logits = logits_of(fitted.networks[0], task.test)[0].float().cpu().numpy()
    metrics = measure(logits, task.test, len(part.rows))
    if tally[0]:
        metrics["unmet"] = float(tally[1] / tally[0])
    return metrics


def _fitted(
    bench: Bench, trial: Trial, part: TrainingPart, recipe: Recipe, seed: str, tally: Tally
) -> fit.Fitted:
    rules = Rules() if trial["mixing"] == NONE else Rules.read(trial["mixing"])
    method = FLOOR if trial.method == ALL_DATA else trial.method
    build, signals, change = training_of(method, part, rules, trial["evaluation_model"], tally)
    return fit.fit(
        build, signals, [part.rows], [seed], recipe, torch.device(bench.device),
        memory=bench.records.device_memory, transform=change,
    )  # fmt: skip


STUDY = Study(
    name="mixing",
    version=1,
    axis=RATE,
    metrics=(
        Metric("accuracy", "accuracy", points=True),
        Metric("unmet", "share of pairs that nothing satisfied theta for"),
        Metric("kept", "signals kept"),
    ),
    settings=(
        "coreset",
        "evaluation_model",
        "evaluation_recipe",
        "mixing",
        "selection_model",
        "selection_recipe",
        "steps",
        "versions",
    ),
    block=("coreset",),
    floor=FLOOR,
    ceiling=ALL_DATA,
    jobs=jobs,
)

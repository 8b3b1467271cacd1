"""A few signals of each class, chosen or made: what does a network learn from them?

Rows: real signals that a rule chose (Random is the floor), sets that gradient or distribution
matching made from such a start, and all data as the ceiling. The axis is signals per class: a
made-up signal takes as many stored floats as a real one. Every set trains the same networks for
the same number of steps, once on signals as they are and once with a random carrier phase.

    record (as the coreset grid's) -> start of S -> synthetic set, an artifact -> trials
"""

import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray

from foqus_lib.companions import distillation as dm
from foqus_lib.companions import gradient_matching as dc
from foqus_lib.companions.distillation import Distilled
from foqus_lib.datasets.catalog import Task
from foqus_lib.errors import unknown
from foqus_lib.experiment import artifacts, store
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.provenance import provenance
from foqus_lib.experiment.settings import Common, at_least
from foqus_lib.experiment.study import Axis, Job, Metric, Study
from foqus_lib.experiment.workers import one_thread
from foqus_lib.models import MODELS
from foqus_lib.models import VERSIONS as NETWORKS
from foqus_lib.seeds import rng_for
from foqus_lib.selection.catalog import version_of
from foqus_lib.signals import Signals
from foqus_lib.studies.coreset import bench as coreset
from foqus_lib.studies.coreset import run
from foqus_lib.studies.coreset.bench import ALL_DATA, NONE, evaluate_name
from foqus_lib.studies.coreset.draw import blind, draw
from foqus_lib.studies.coreset.grid import known_model
from foqus_lib.studies.coreset.records import collect_evidence, evidence_of
from foqus_lib.studies.coreset.watch import device_watched
from foqus_lib.training import collect, fit
from foqus_lib.training.collect import Collection
from foqus_lib.training.device import pick_device
from foqus_lib.training.predict import logits_of
from foqus_lib.training.recipe import Recipe, of_model

PSI = "CNN1D"  # the network whose untrained copies distil, and whose record Herding and FoQuS read
FLOOR = "Random"
PROBES = 4  # new networks on which a set's loss is compared with its start's

Names = tuple[str, ...]


@dataclass(frozen=True)
class Way:
    """How a set comes about: rows of a rule, and what is then done to them."""

    start: str  # Random, or a method of the coreset grid
    views: dm.Views = ()  # of distribution matching; none: see `gradients`
    gradients: bool = False
    recipe: str = NONE  # all that decides the set besides data, start, budget and seed
    step: float = 0.0  # learning rate for each signal of a class

    @property
    def made(self) -> bool:
        """Whether the signals are synthetic."""
        return self.recipe != NONE


@dataclass(frozen=True)
class Options:
    """What the chapter can be given besides `Common`."""

    per_class: Annotated[tuple[int, ...], "signals of each class, for instance [1, 10, 50]"] = (10,)
    methods: Annotated[Names | None, "left out: all of the chapter's"] = None
    alpha: Annotated[float, "weight of the frequency domain in MDM; 0 is DM"] = 0.1
    step: Annotated[float, "of the descent on S, for each signal of a class"] = dm.STEP
    iterations: Annotated[int, "of distribution matching, each with a new network"] = 300
    batch_real: Annotated[int, "real signals of each class in an iteration"] = 32
    dc_iterations: Annotated[int, "networks that gradient matching starts from"] = 20
    dc_outer: Annotated[int, "steps on S a network, at most; 0: DC's own number"] = 0
    dc_inner: Annotated[int, "steps of the network between them, at most; 0: DC's own"] = 0
    alphas: Annotated[tuple[float, ...], "of the sweep on validation signals"] = ()
    steps: Annotated[tuple[float, ...], "of the sweep on validation signals"] = ()
    sweep_per_class: Annotated[int, "signals of each class in that sweep"] = 10
    models: Annotated[Names, "networks that are trained on the sets"] = ("CNN1D",)
    cross_models: Annotated[Names, "networks that did not distil"] = ()
    cross_methods: Annotated[Names, "whose sets these are trained on"] = ("Random", "DM", "MDM")
    cross_per_class: Annotated[int, "signals of each class for these"] = 10
    train_steps: Annotated[int, "of every training on a set, whatever its size"] = 600
    all_data_steps: Annotated[int, "of the training on all data; 0: as on a set"] = 0
    batch: Annotated[int, "signals a step"] = 64
    precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of the training on a set"] = "fp32"
    repeats: Annotated[int, "networks trained on each set"] = 1
    selection_epochs: Annotated[int, "of the training that Herding and FoQuS look at"] = 50
    selection_precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of that training"] = "fp32"

    def __post_init__(self) -> None:
        counts = (
            "iterations", "batch_real", "dc_iterations", "sweep_per_class", "cross_per_class",
            "train_steps", "batch", "repeats",
        )  # fmt: skip
        for name in counts:
            at_least(name, getattr(self, name), 1)
        for name in ("dc_outer", "dc_inner", "all_data_steps"):
            at_least(name, getattr(self, name), 0)
        at_least("selection_epochs", self.selection_epochs, 2)
        for name in ("per_class", "methods", "models"):
            if (given := getattr(self, name)) is not None and not given:
                raise ValueError(f"{name}: expected at least one, got []. Leave it out")
        for budget in self.per_class:
            at_least("per_class", budget, 1)
        for step in (self.step, *self.steps):
            if not (math.isfinite(step) and step > 0):
                raise ValueError(f"step: expected a finite number above 0, got {step}")
        for model in (*self.models, *self.cross_models):
            known_model(model)
        known = ways(self)  # checks alpha
        for method in (*(self.methods or ()), *self.cross_methods):
            if method not in known:
                raise unknown("method", method, known)
        _ = self.collection, self.recipe_for(PSI, 1, self.train_steps)

    @property
    def collection(self) -> Collection:
        """How the record is made that Herding and FoQuS read; nothing here needs GraNd's runs."""
        recipe = Recipe(epochs=self.selection_epochs, precision=self.selection_precision)
        return Collection(recipe, early_runs=0)

    def recipe_for(self, model: str, signals: int, steps: int) -> Recipe:
        """As many epochs as make `steps` of so many signals; the rate falls each fifth of them."""
        epochs = max(1, round(steps / math.ceil(signals / self.batch)))
        fifth = math.ceil(epochs / 5)
        return of_model(model, Recipe(epochs, self.batch, step=fifth, precision=self.precision))

    def steps_of(self, method: str) -> int:
        """Optimiser steps of the training on that set."""
        return (self.all_data_steps if method == ALL_DATA else 0) or self.train_steps


def ways(how: Options) -> dict[str, Way]:
    """Every method by name: the rows of the table, then those of the sweep on val."""
    matching = f"K={how.iterations} batch_real={how.batch_real} {PSI}"

    def matched(start: str, views: dm.Views, name: str, step: float = how.step) -> Way:
        return Way(start, views, False, f"{name} step={step!r} {matching}", step)

    own = f"outer={how.dc_outer or 'own'} inner={how.dc_inner or 'own'}"
    mdm = dm.multi_domain(how.alpha), f"MDM alpha={how.alpha!r}"
    found = {
        FLOOR: Way(FLOOR),
        "Uniform": Way("Uniform"),  # Random drawn again: two rows that differ by chance alone
        "Herding": Way("Herding"),
        "FoQuS": Way("FoQuS"),
        "DC": Way(
            FLOOR, (), True, f"DC K={how.dc_iterations} {own} batch_real={how.batch_real} {PSI}"
        ),
        "DM": matched(FLOOR, dm.TIME_ALONE, "DM"),
        "FD only": matched(FLOOR, dm.FREQUENCY_ALONE, "FD"),
        "MDM": matched(FLOOR, *mdm),
        "MDM from FoQuS": matched("FoQuS", *mdm),
    }
    for alpha in how.alphas:
        if alpha not in (0.0, how.alpha):  # these are DM and MDM
            views = dm.multi_domain(alpha)
            found[f"MDM | alpha {alpha:g}"] = matched(FLOOR, views, f"MDM alpha={alpha!r}")
    for step in how.steps:
        if step != how.step:
            found[f"MDM | step {step:g}"] = matched(FLOOR, *mdm, step)
    return found


MAIN = tuple(ways(Options()))


# ---- which trials --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bench:
    """What every job is told; `records` is what the coreset grid's functions are told."""

    task: Task
    how: Options
    records: coreset.Bench
    root: Path
    device: str
    memory: int = 0


def bench(common: Common, options: Options, task: Task) -> Bench:
    """Store, device and recipes. Refuses here what no training could mend."""
    for model in (PSI, *options.models, *options.cross_models):
        run.long_enough(model, task.train)
    for budget in budgets(options):
        dm.check_budget(task.train, budget)
    device = str(pick_device(common.device))
    records = coreset.Bench(
        task, options.collection, Recipe(batch=options.batch, precision=options.precision),
        common.store, device, common.memory,
    )  # fmt: skip
    return Bench(task, options, records, common.store, device, common.memory)


def budgets(how: Options) -> list[int]:
    """Every number of signals per class that the chapter asks for."""
    cross = [how.cross_per_class] if how.cross_models else []
    sweep = [how.sweep_per_class] if how.alphas or how.steps else []
    return sorted({*how.per_class, *cross, *sweep})


def trials(common: Common, options: Options, task: Task) -> list[Trial]:
    """Every method at every budget; the sweep at one; networks that did not distil at one."""
    swept = [name for name in ways(options) if name not in MAIN]
    if swept:
        swept = ["DM", "MDM", *swept]
    wanted = [
        (model, method, budget)
        for model in options.models
        for budget in options.per_class
        for method in options.methods or MAIN
    ]
    wanted += [(options.models[0], method, options.sweep_per_class) for method in swept]
    wanted += [
        (model, method, options.cross_per_class)
        for model in options.cross_models
        for method in options.cross_methods
    ]
    wanted += [
        (model, ALL_DATA, len(task.train) // len(task.train.classes))
        for model in (*options.models, *options.cross_models)
    ]
    return [
        trial(task, options, model, method, budget, seed, repeat)
        for model, method, budget in dict.fromkeys(wanted)
        for seed in range(common.seeds)
        for repeat in range(1 if method == ALL_DATA else options.repeats)
    ]


def trial(
    task: Task, how: Options, model: str, method: str, budget: int, seed: int, repeat: int
) -> Trial:
    """One result: a set of `budget` signals per class, and a network that was trained on it."""
    way = Way(ALL_DATA) if method == ALL_DATA else ways(how)[method]
    return Trial(
        STUDY.name,
        STUDY.version,
        task.name,
        task.fingerprint,
        method,
        budget,
        seed,
        repeat,
        (
            ("distillation_recipe", way.recipe),
            ("evaluation_model", model),
            ("evaluation_recipe", _evaluation(how, model, method)),
            ("selection_recipe", str(how.collection) if _looks(way) else NONE),
            ("versions", _versions(way, model)),
        ),
    )


def _evaluation(how: Options, model: str, method: str) -> str:
    """The canonical form of `recipe_for`, in steps: the same text whatever the set's size."""
    one = how.recipe_for(model, 1, 1)
    return (
        f"{one.optimiser} lr={one.lr!r} gamma={one.gamma!r} each fifth, batch={how.batch} "
        f"steps={how.steps_of(method)} {how.precision}"
    )


def _looks(way: Way) -> bool:
    """Whether the start is chosen by a record."""
    return way.start not in (FLOOR, "Uniform", ALL_DATA)


def _versions(way: Way, model: str) -> str:
    """Of all code that decides the number."""
    found = {"fit": fit.VERSION, model: NETWORKS[model]}
    if _looks(way):
        found |= {"collect": collect.VERSION, PSI: NETWORKS[PSI]}
    if way.start not in (FLOOR, ALL_DATA):
        found[way.start] = version_of(way.start)
    if way.made:
        found |= {"distillation": dm.VERSION, PSI: NETWORKS[PSI]}
    if way.gradients:
        found["gradient_matching"] = dc.VERSION
    return " ".join(f"{name}={version}" for name, version in sorted(found.items()))


# ---- the sets ------------------------------------------------------------------------------------


def rows_of(bench: Bench, start: str, budget: int, seed: int) -> ndarray:
    """Rows of task.train, `budget` of each class: at random, or as the coreset grid draws them."""
    train = bench.task.train
    classes = len(train.classes)
    if start == FLOOR:  # a smaller budget keeps the first ones of a larger
        order = rng_for("distillation", "start", bench.task.fingerprint, seed).permutation(
            len(train)
        )
        label = train.label[order]
        return np.concatenate([order[label == y][:budget] for y in range(classes)])
    looks = start != "Uniform"
    record = evidence_of(bench.records, PSI, seed) if looks else blind(train)
    rate = budget * classes / len(train)
    with torch.device(bench.device):
        [rows] = draw(bench.task.fingerprint, record, PSI if looks else NONE, start, [rate], seed)
    return rows


def set_of(bench: Bench, method: str, budget: int, seed: int) -> Distilled:
    """The set of a method as it is trained on, and what it was before anything moved it."""
    way = ways(bench.how)[method]
    start = bench.task.train[rows_of(bench, way.start, budget, seed)]
    if not way.made:
        return Distilled(start, start, np.empty(0), np.empty(0))
    arrays = _stored(bench, method, budget, seed)
    moved = Signals(arrays["iq"], start.label, start.snr, start.classes)
    return Distilled(start, moved, arrays["loss"], arrays["move"])


def _stored(bench: Bench, method: str, budget: int, seed: int) -> dict[str, ndarray]:
    """What the job of a synthetic set has kept; ValueError that says why if there is nothing."""
    key = set_key(bench, ways(bench.how)[method], budget, seed)
    path = artifacts.find_arrays(bench.root, key)
    if path is None:
        why = store.last_failure(bench.root, key) or "Run the sweep first"
        raise ValueError(f"no set of {method}, {budget} a class, seed {seed}: {why}")
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def set_key(bench: Bench, way: Way, budget: int, seed: int) -> Mapping[str, str | int]:
    """All that decides a synthetic set."""
    return {
        "what": "synthetic set",
        "fingerprint": bench.task.fingerprint,
        "start": way.start,
        "distillation_recipe": way.recipe,
        "selection_recipe": str(bench.how.collection) if _looks(way) else NONE,
        "per_class": budget,
        "seed": seed,
        "versions": _versions(way, PSI),
    }


def make_set(bench: Bench, method: str, budget: int, seed: int) -> None:
    """Distil and keep; what fails is noted under the set's key, and its trials say so."""
    way, began = ways(bench.how)[method], time.perf_counter()
    key = set_key(bench, way, budget, seed)
    try:
        start = bench.task.train[rows_of(bench, way.start, budget, seed)]
        with device_watched(bench.device), one_thread():
            made = (_by_gradients if way.gradients else _by_distributions)(bench, way, start, seed)
            fell = {} if way.gradients else {"fall": np.float64(fall(bench, way, made, seed))}
    except ValueError as error:
        store.fail(bench.root, key, error)
        return
    seconds = time.perf_counter() - began
    facts = provenance(device=bench.device, seconds=seconds, about=bench.task.about)
    arrays = {"iq": made.signals.iq, "loss": made.loss, "move": made.move} | fell
    artifacts.save_arrays(bench.root, key, arrays, facts)


def before_and_after(found: Distilled, classes: int) -> tuple[Float32[ndarray, "M 2 L"], list[str]]:
    """One signal before and after, of the classes that moved most: rows and titles of a picture."""
    first, last = found.start, found.signals
    moved = np.linalg.norm(last.iq - first.iq, axis=(1, 2)) / np.linalg.norm(first.iq, axis=(1, 2))
    rows = [np.flatnonzero(first.label == y)[-1] for y in range(len(first.classes))]
    rows = sorted(rows, key=lambda row: -moved[row])[:classes]
    names = [first.classes[first.label[row]] for row in rows]
    frames = [one.iq[row] for row in rows for one in (first, last)]
    titles = [f"{name}, {when}" for name in names for when in ("before", "after")]
    return np.stack(frames), titles


def fresh_of(bench: Bench, start: Signals, seed: int):
    """k -> the embedding of iteration k: every method of a seed meets the same networks."""
    probe = torch.from_numpy(start.iq).to(bench.device)
    build, classes, fingerprint = MODELS[PSI], len(start.classes), bench.task.fingerprint
    return lambda k: dm.fresh_embedding(build, classes, f"distil {fingerprint} {seed} {k}", probe)


def _by_distributions(bench: Bench, way: Way, start: Signals, seed: int) -> Distilled:
    return dm.distil(
        bench.task.train,
        start,
        fresh_of(bench, start, seed),
        way.views,
        rng_for("distillation", "batches", bench.task.fingerprint, seed),
        iterations=bench.how.iterations,
        batch_real=bench.how.batch_real,
        lr=way.step * dm.per_class(bench.task.train, start),
        device=torch.device(bench.device),
    )


def _by_gradients(bench: Bench, way: Way, start: Signals, seed: int) -> Distilled:
    how, device = bench.how, torch.device(bench.device)
    outer, inner = dc.loops(dm.per_class(bench.task.train, start))

    def fresh(k: int) -> torch.nn.Module:  # eval: no dropout; it still learns
        name = f"distil {bench.task.fingerprint} {seed} {k}"
        return fit.initial(MODELS[PSI], len(start.classes), start.length, [name]).to(device).eval()

    return dc.match_gradients(
        bench.task.train,
        start,
        fresh,
        rng_for("distillation", "batches", bench.task.fingerprint, seed),
        iterations=how.dc_iterations,
        outer=min(outer, how.dc_outer or outer),
        inner=min(inner, how.dc_inner or inner),
        batch_real=how.batch_real,
        device=device,
    )


def fall(bench: Bench, way: Way, made: Distilled, seed: int) -> float:
    """Share of L that distillation took away, on networks and real signals it did not meet."""
    train, fingerprint = bench.task.train, bench.task.fingerprint
    order = rng_for("distillation", "probe", fingerprint, seed).permutation(len(train))
    most = 4 * bench.how.batch_real
    asked = [order[train.label[order] == y][:most] for y in range(len(train.classes))]
    real = train[np.concatenate(asked)]
    fresh, first = fresh_of(bench, made.start, seed), bench.how.iterations
    networks, device = range(first, first + PROBES), torch.device(bench.device)
    before, after = (
        dm.loss_over(real, one, fresh, way.views, networks, device)
        for one in (made.start, made.signals)
    )
    return 1 - after / before


# ---- how they run --------------------------------------------------------------------------------


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """Three stages: records, synthetic sets, trials. Cost is counted in visits, as of coresets."""
    known = ways(bench.how)
    sets = dict.fromkeys((one.method, one.budget, one.seed) for one in missing)
    sets = [one for one in sets if one[0] != ALL_DATA]
    looked_at = dict.fromkeys((PSI, seed) for m, _, seed in sets if _looks(known[m]))
    records = [
        replace(job, call=_make_records, probe=_probe)
        for job in run.evidence_jobs(bench.records, looked_at)
    ]
    lacking = [
        one
        for one in sets
        if known[one[0]].made
        and artifacts.find_arrays(bench.root, set_key(bench, known[one[0]], *one[1:])) is None
    ]
    made = [
        Job(
            make_set, one, kind=(PSI, "fp32", 1), cost=_visits_of_set(bench, *one[:2]),
            probe=_probe, memory=bench.task.train.iq.nbytes,
        )
        for one in lacking
    ]  # fmt: skip
    return [records, sorted(made, key=lambda job: -job.cost), _trial_jobs(bench, missing)]


def _trial_jobs(bench: Bench, missing: Sequence[Trial]) -> list[Job]:
    """On a GPU all repeats of a set train side by side; on a CPU each is a job."""
    groups = defaultdict(list)
    for one in missing:
        alone = () if bench.records.stacked else (one.repeat,)
        groups[one["evaluation_model"], one.method, one.budget, one.seed, *alone].append(one)
    found = [
        Job(
            run_trials, (group,), trials=tuple(group),
            kind=(group[0]["evaluation_model"], bench.how.precision, 1),
            cost=sum(_visits_of_trial(bench, one) for one in group), probe=_probe,
            memory=bench.task.train.iq.nbytes + bench.task.test.iq.nbytes,
        )
        for group in groups.values()
    ]  # fmt: skip
    return sorted(found, key=lambda job: -job.cost)


def _visits_of_set(bench: Bench, method: str, budget: int) -> float:
    how, classes = bench.how, len(bench.task.train.classes)
    way = ways(how)[method]
    if not way.gradients:
        looks = classes * (how.batch_real * run.FORWARD + budget)
        return how.iterations * len([1 for weight, _ in way.views if weight]) * looks
    outer, inner = dc.loops(budget)
    outer, inner = min(outer, how.dc_outer or outer), min(inner, how.dc_inner or inner)
    return how.dc_iterations * outer * classes * (how.batch_real + (3 + inner) * budget)


def _visits_of_trial(bench: Bench, one: Trial) -> float:
    how, task = bench.how, bench.task
    signals = min(len(task.train), one.budget * len(task.train.classes))
    seen = how.steps_of(one.method) * min(how.batch, signals)
    tested = len(task.test) + (len(task.val) if task.val else 0)
    return 2 * (seen + tested * run.FORWARD)


def _make_records(bench: Bench, model: str, seeds: Sequence[int]) -> None:
    collect_evidence(bench.records, model, seeds)


def _probe(bench: Bench, job: Job) -> float:
    """Seconds a visit: the smaller of two short trainings, the first of which warms up."""
    model, precision, _ = job.kind
    signals, batch = bench.task.train, min(32, len(bench.task.train))
    how = Recipe(1, batch, precision=precision)
    took = []
    with one_thread():
        for _ in range(2):
            began = time.perf_counter()
            fit.fit(
                MODELS[model], signals, [np.arange(batch)], ["probe"], how,
                torch.device(bench.device),
            )  # fmt: skip
            took.append((time.perf_counter() - began) / batch)
    return min(took)


def run_trials(bench: Bench, group: Sequence[Trial]) -> None:
    """Train on one set, plainly and with random phases, and test; publish each repeat."""
    began, first = time.perf_counter(), group[0]
    signals, facts = _trained_on(bench, first)
    with device_watched(bench.device):
        plain, turned = (_trained(bench, signals, group, how) for how in (None, dm.random_phase))
    about = provenance(
        device=bench.device, seconds=(time.perf_counter() - began) / len(group),
        about=bench.task.about, fused=len(group),
    )  # fmt: skip
    for one, metrics, others in zip(group, plain, turned, strict=True):
        more = {f"{name}_rotated": value for name, value in others.items() if name != "kept"}
        store.publish(bench.root, one, metrics | more | facts, about)


def _trained_on(bench: Bench, one: Trial) -> tuple[Signals, dict[str, float]]:
    """The set of a trial and, of a synthetic one, how far it moved and what that took from L."""
    if one.method == ALL_DATA:
        return bench.task.train, {}
    found = (one.method, one.budget, one.seed)
    signals = set_of(bench, *found).signals
    if not ways(bench.how)[one.method].made:
        return signals, {}
    arrays = _stored(bench, *found)
    facts = {"move": float(arrays["move"][-1])}
    return signals, facts | ({"fall": float(arrays["fall"])} if "fall" in arrays else {})


def _trained(
    bench: Bench, signals: Signals, group: Sequence[Trial], transform: fit.Transform | None
) -> list[dict]:
    """What each repeat's network says about test and val; ValueError if one diverged."""
    task, how, first = bench.task, bench.how, group[0]
    model = first["evaluation_model"]
    recipe = how.recipe_for(model, len(signals), how.steps_of(first.method))
    fitted = fit.fit(
        MODELS[model],
        signals,
        [np.arange(len(signals))] * len(group),
        [evaluate_name(task.fingerprint, model, one.seed, one.repeat) for one in group],
        recipe,
        torch.device(bench.device),
        memory=bench.records.device_memory,
        transform=transform,
    )
    if fitted.diverged:
        epoch = min(fitted.diverged.values())
        raise ValueError(f"loss: not finite from epoch {epoch} ({recipe}); lower step or alpha")
    found = [
        run.measure(logits.float().cpu().numpy(), task.test, len(signals))
        for network in fitted.networks
        for logits in logits_of(network, task.test)
    ]
    if task.val:
        of_val = [
            logits.float().cpu().numpy()
            for network in fitted.networks
            for logits in logits_of(network, task.val)
        ]
        for metrics, logits in zip(found, of_val, strict=True):
            metrics["accuracy_val"] = float((logits.argmax(1) == task.val.label).mean())
    return found


STUDY = Study(
    name="distillation",
    version=1,
    axis=Axis("signals per class", str),
    metrics=(
        Metric("accuracy", "accuracy", points=True),
        Metric("accuracy_rotated", "accuracy, phases rotated in training", points=True),
        Metric("accuracy_val", "accuracy on val", points=True),
        Metric("accuracy_val_rotated", "accuracy on val, phases rotated in training", points=True),
        Metric("move", "move of S"),
        Metric("fall", "share of L taken away", points=True),
        Metric("kept", "signals trained on"),
    ),
    settings=(
        "distillation_recipe",
        "evaluation_model",
        "evaluation_recipe",
        "selection_recipe",
        "versions",
    ),
    block=("evaluation_model",),
    floor=FLOOR,
    ceiling=ALL_DATA,
    jobs=jobs,
)

# The same rows read by another of their numbers: tables and figures look at a study's first metric.
ROTATED = replace(STUDY, metrics=(STUDY.metrics[1], STUDY.metrics[0], *STUDY.metrics[2:]))
ON_VAL = replace(STUDY, metrics=(STUDY.metrics[3], *STUDY.metrics[:3], *STUDY.metrics[4:]))

"""Which blocks of a trained network may go? Every method keeps as many and trains as long.

A base network is trained once a seed and kept. A method says which blocks are left, what is left
begins from the base's weights, and all are trained on by one recipe from one stream of batches.
Our choices beside the paper's: only residual blocks are counted and cut, stem and poolings always
stay; no L1 penalty in training; the last epoch is reported, not the best on the test signals.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float64
from numpy import ndarray
from torch import Tensor

from foqus_lib import evidence
from foqus_lib.companions import layer_baselines as baselines
from foqus_lib.companions import layer_pruning as pruning
from foqus_lib.companions import signal_resnet
from foqus_lib.companions.cuttable import NETWORKS, WORDS, Cuttable
from foqus_lib.companions.layer_pruning import Kept, Weights
from foqus_lib.datasets.catalog import Task
from foqus_lib.errors import unknown
from foqus_lib.experiment import artifacts, store
from foqus_lib.experiment.key import Trial, basis_points
from foqus_lib.experiment.provenance import provenance
from foqus_lib.experiment.settings import Common, at_least
from foqus_lib.experiment.study import Axis, Job, Metric, Study
from foqus_lib.experiment.workers import one_thread
from foqus_lib.models import MODELS
from foqus_lib.models.copies import Alone, alone, put, taken
from foqus_lib.seeds import rng_for
from foqus_lib.signals import Signals
from foqus_lib.studies.coreset.watch import device_watched
from foqus_lib.training import collect as collecting
from foqus_lib.training import fit as training
from foqus_lib.training.collect import Collection, collect
from foqus_lib.training.device import pick_device
from foqus_lib.training.fit import fit, initial
from foqus_lib.training.predict import logits_of
from foqus_lib.training.recipe import Recipe, of_model

RANDOM, FULL = "Random keep", "Full"
OURS, LARGEST = "Layer pruning", "Layer pruning (largest score)"
LAST, CHANNELS, SCRATCH = "Last blocks dropped", "L1 channels", "From scratch"
REINIT, PROBES = "SR-init", "Linear probes"
METHODS = (RANDOM, OURS, LARGEST, LAST, REINIT, PROBES, CHANNELS, SCRATCH)
LOOKS_ALIKE = (OURS, LARGEST, CHANNELS, SCRATCH)  # they, or their size, follow from the similarity
NONE = "-"  # the similarity of the others
HELD = 640  # signals at most that SR-init and the probes look at
FORWARD = 1 / 3  # of a visit: what looking at a signal without training costs


@dataclass(frozen=True)
class Options:
    """What the chapter can be given besides `Common`; the scoring proxy reads the same."""

    network: Annotated[str, f"whose blocks are cut: {WORDS}"] = "ResNet20"
    others: Annotated[tuple[str, ...], "networks cut alike in the same tables: [CNN1D]"] = ()
    width: Annotated[int, "channels of the first stage; 0: as published (ResNets 16, CNN1D 32)"] = 0
    keep: Annotated[tuple[int, ...], "blocks kept, for instance [4, 6]"] = (4,)
    methods: Annotated[tuple[str, ...] | None, "left out: all of the chapter's"] = None
    draws: Annotated[tuple[int, ...], "of Random keep: one number, or one for each keep"] = (5,)
    scatter: Annotated[int, "draws, if more, at the first keep on the first base network"] = 0
    base_epochs: Annotated[int, "of the network that is cut"] = 50
    epochs: Annotated[int, "of the training after the cut"] = 50
    batch: Annotated[int, "signals a gradient step, in all trainings"] = 128
    precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of all trainings"] = "fp32"
    compared: Annotated[int, "signals of a batch on which layers are compared"] = 128
    batches: Annotated[int, "over which their similarity is averaged"] = 5
    segments: Annotated[int, "at most, into which the blocks are parted"] = 5
    subsets: Annotated[int, "of a segment that are scored; more are sampled"] = 500
    rates: Annotated[tuple[float, ...], "|S|/N of the coresets that proxies choose: [0.1]"] = (0.1,)
    repeats: Annotated[int, "trainings on each of these coresets"] = 1
    model: Annotated[str, "that is trained on these coresets, for instance CNN1D"] = "CNN1D"
    model_epochs: Annotated[int, "of its training"] = 50

    def __post_init__(self) -> None:
        for name in ("width", "scatter"):
            at_least(name, getattr(self, name), 0)
        for one in (self.network, *self.others):
            cut = _cuttable(one)
            blocks, least = sum(cut.depths), len(cut.needed)
            if not self.keep or any(not least <= keep < blocks for keep in self.keep):
                why = ", one a stage," if least > 1 else ""
                raise ValueError(
                    f"keep: expected numbers of blocks from {least}{why} "
                    f"to {blocks - 1} of the {blocks} of {one}, got {list(self.keep)}"
                )
        if len(self.draws) not in (1, len(self.keep)):
            raise ValueError(
                f"draws: expected 1 number, or {len(self.keep)} as there are in keep, "
                f"got {list(self.draws)}"
            )
        for method in self.methods or ():
            if method not in METHODS:
                raise unknown("method", method, METHODS)
        for draws in self.draws:
            at_least("draws", draws, 1)
        at_least("compared", self.compared, pruning.LEAST_SIGNALS)
        for name in ("batches", "segments", "subsets", "repeats"):
            at_least(name, getattr(self, name), 1)
        if self.model not in MODELS:
            raise unknown("model", self.model, MODELS)
        for rate in self.rates:
            basis_points(rate)
        _ = self.base_recipe, self.recipe, self.model_recipe  # they check themselves

    @property
    def each(self) -> "list[Options]":
        """These options once for each network."""
        return [replace(self, network=one, others=()) for one in (self.network, *self.others)]

    @property
    def cut(self) -> Cuttable:
        """The kind of network."""
        return _cuttable(self.network)

    @property
    def depths(self) -> tuple[int, ...]:
        """Blocks of each stage before the cut."""
        return self.cut.depths

    @property
    def channels(self) -> int:
        """Of the first stage."""
        return self.width or self.cut.width

    @property
    def base_recipe(self) -> Recipe:
        """Of the network that is cut."""
        return Recipe(epochs=self.base_epochs, batch=self.batch, precision=self.precision)

    @property
    def recipe(self) -> Recipe:
        """Of the training after the cut."""
        return replace(self.base_recipe, epochs=self.epochs)

    @property
    def model_recipe(self) -> Recipe:
        """Of the training on a coreset that a proxy chose."""
        return of_model(self.model, replace(self.base_recipe, epochs=self.model_epochs))

    @property
    def named(self) -> str:
        """The network in keys and captions."""
        return f"{self.network} width {self.channels}"

    @property
    def similarity(self) -> str:
        """All that decides which blocks look alike and which subsets are scored."""
        return (
            f"{self.batches}x{self.compared} signals, {self.segments} segments, "
            f"{self.subsets} subsets"
        )


def _cuttable(network: str) -> Cuttable:
    if network in NETWORKS:
        return NETWORKS[network]()
    if network in MODELS:
        raise ValueError(
            f"network: the layers of {network} cannot be cut: each expects the shape that the one "
            f"before makes, and there is no shortcut around it. Take one of {WORDS}"
        )
    raise unknown("network", network, NETWORKS)


@dataclass(frozen=True)
class Bench:
    """What every job is told."""

    task: Task
    options: Options
    root: Path  # of the results store
    device: str
    memory: int = 0  # bytes that may be used; 0: what is free

    def of(self, named: str) -> "Bench":
        """The same for the one of its networks that trials call so."""
        [options] = [one for one in self.options.each if one.named == named]
        return replace(self, options=options)

    def build(self, depths: Sequence[int], inner: Sequence[int] | None = None) -> torch.nn.Module:
        """A network for these signals, with random weights."""
        train, how = self.task.train, self.options
        return how.cut.build(len(train.classes), train.length, depths, how.channels, inner)

    def name(self, role: str, *more: int) -> str:
        """A random stream, named by the data and a role, never by a file's name."""
        parts = "pruning", role, self.task.fingerprint, self.options.named, *more
        return " ".join(map(str, parts))

    def base_key(self, seed: int) -> dict[str, str | int]:
        """Under which the base network is kept."""
        return {
            "what": "pruning base",
            "fingerprint": self.task.fingerprint,
            "network": self.options.named,
            "recipe": str(self.options.base_recipe),
            "seed": seed,
            "versions": f"fit={training.VERSION} {self.options.cut.version}",
        }

    def record_key(self, seed: int) -> dict[str, str | int]:
        """Under which is kept what the base network said of the training signals."""
        return self.base_key(seed) | {"what": f"pruning record collect={collecting.VERSION}"}

    def base_keys(self, seed: int) -> tuple[dict[str, str | int], ...]:
        """All that the training of a base network leaves."""
        return self.base_key(seed), self.record_key(seed)


def bench(common: Common, options: Options, task: Task) -> Bench:
    """Store, device and memory of the chapter; refuses signals it cannot compare layers on."""
    if len(task.train) < pruning.LEAST_SIGNALS:
        raise ValueError(
            f"train: expected {pruning.LEAST_SIGNALS} signals or more to compare layers on, got "
            f"{len(task.train)}. Give more data"
        )
    return Bench(task, options, common.store, str(pick_device(common.device)), common.memory)


def trials(common: Common, options: Options, task: Task) -> list[Trial]:
    """Every method at every number of blocks; random keep several times; the whole network."""
    return [trial for one in options.each for trial in _trials_of(common, one, task)]


def _trials_of(common: Common, options: Options, task: Task) -> list[Trial]:
    draws = options.draws * (len(options.keep) if len(options.draws) == 1 else 1)

    def repeats(method: str, keep: int, several: int, seed: int) -> int:
        many = options.scatter if (keep, seed) == (options.keep[0], 0) else 0
        return max(several, many) if method == RANDOM else 1

    found = [
        _trial(options, task, method, keep, seed, repeat)
        for method in options.methods or METHODS
        for keep, several in zip(options.keep, draws, strict=True)
        for seed in range(common.seeds)
        for repeat in range(repeats(method, keep, several, seed))
    ]
    blocks = sum(options.depths)
    return found + [_trial(options, task, FULL, blocks, seed, 0) for seed in range(common.seeds)]


def _trial(options: Options, task: Task, method: str, keep: int, seed: int, repeat: int) -> Trial:
    return Trial(
        STUDY.name,
        STUDY.version,
        task.name,
        task.fingerprint,
        method,
        keep,
        seed,
        repeat,
        (
            ("base_recipe", str(options.base_recipe)),
            ("network", options.named),
            ("recipe", str(options.recipe)),
            ("similarity", options.similarity if method in LOOKS_ALIKE else NONE),
            ("versions", versions(options)),
        ),
    )


def versions(options: Options) -> str:
    """Of all code that decides a trial, as it stands in its key."""
    return f"fit={training.VERSION} pruning={pruning.VERSION} {options.cut.version}"


# ---- the base network ----------------------------------------------------------------------------


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """Two stages: the base networks that the store lacks, and the missing trials.

    Trials of one seed follow one another: they share scored subsets, which are kept in memory.
    """
    wanted = sorted({(trial["network"], trial.seed) for trial in missing})
    ordered = sorted(missing, key=lambda t: (t["network"], t.seed, t.budget))
    return [base_jobs(bench, wanted), [_job(bench.of(t["network"]), t) for t in ordered]]


def base_jobs(bench: Bench, wanted: Sequence[tuple[str, int]]) -> list[Job]:
    """One training for each (network, seed) whose weights or record the store lacks."""
    return [
        Job(
            train_base,
            (named, seed),
            makes=(one.base_key(seed),),
            kind=(named, one.options.precision),
            cost=len(bench.task.train) * one.options.base_epochs * (1 + FORWARD),
            probe=seconds_per_visit,
            memory=memory(one),
        )
        for named, seed in wanted
        for one in [bench.of(named)]
        if not all(artifacts.find_arrays(bench.root, key) for key in one.base_keys(seed))
    ]


def _job(bench: Bench, trial: Trial) -> Job:
    """Cost in visits of the whole network: a part of its blocks costs about that part."""
    how, train, test = bench.options, bench.task.train, bench.task.test
    share = 1.0 if trial.method == FULL else trial.budget / sum(how.depths)
    visits = len(train) * how.recipe.epochs + 2 * FORWARD * len(test)
    return Job(
        run_one,
        (trial,),
        trials=(trial,),
        kind=(how.named, how.precision),
        cost=share * visits,
        probe=seconds_per_visit,
        memory=memory(bench),
    )


def memory(bench: Bench) -> int:
    """Bytes of a worker: the signals, and what a step keeps of the whole network."""
    train, how = bench.task.train, bench.options
    maps = 5 * 2 * train.length * how.channels * sum(how.depths)  # a block keeps about five
    return train.iq.nbytes + bench.task.test.iq.nbytes + 4 * maps * max(how.batch, how.compared)


def seconds_per_visit(bench: Bench, job: Job) -> float:
    """Measured on one small batch, after another one that warms up."""
    bench = bench.of(job.kind[0])
    rows = np.arange(min(32, len(bench.task.train)))
    short = replace(bench.options.recipe, epochs=1, batch=len(rows))

    def once() -> float:
        began = time.perf_counter()
        _trained(bench, bench.options.depths, None, rows, "probe", short, None)
        return time.perf_counter() - began

    with one_thread():
        once()
        return once() / len(rows)


def train_base(bench: Bench, named: str, seed: int) -> None:
    """Train a whole network on all signals; keep it, and what it says of them epoch by epoch.

    A failure is noted under its key.
    """
    bench = bench.of(named)
    how, key = bench.options, bench.base_key(seed)
    try:
        found = recorded(bench, how.depths, bench.name("base", seed), how.base_recipe)
    except ValueError as error:
        store.fail(bench.root, key, error)
        raise
    record, weights, facts = found
    arrays = {name: value.numpy() for name, value in weights.items()}
    artifacts.save_arrays(bench.root, key, arrays, facts)
    artifacts.save_arrays(bench.root, bench.record_key(seed), record, facts)


def recorded(
    bench: Bench, depths: Sequence[int], name: str, recipe: Recipe, start: Weights | None = None
) -> tuple[dict[str, ndarray], Weights, dict]:
    """Train on all signals and record every epoch: (arrays of the evidence, weights, facts).

    Seconds are of the processor on a CPU, where other work may go on beside. ValueError if the
    loss stops being finite.
    """
    clock = time.perf_counter if bench.device.startswith("cuda") else time.process_time
    began, device = clock(), torch.device(bench.device)
    begin = None if start is None else [_wrapped(start)]
    with device_watched(bench.device):
        [found] = collect(
            _builder(bench, depths, None), bench.task.train, [name],
            Collection(recipe, early_runs=0), device, start=begin,
        )  # fmt: skip
    if isinstance(found, ValueError):
        raise found
    record, weights = found
    facts = provenance(device=bench.device, seconds=clock() - began, about=bench.task.about)
    return evidence.to_arrays(record), weights, facts


def _trained(
    bench: Bench,
    depths: Sequence[int],
    inner: Sequence[int] | None,
    rows: ndarray,
    name: str,
    recipe: Recipe,
    start: Weights | None,
) -> torch.nn.Module:
    """By the project's one loop; ValueError if the loss stops being finite."""
    build = _builder(bench, depths, inner)
    begin = None if start is None else [_wrapped(start)]
    device = torch.device(bench.device)
    with device_watched(bench.device):
        fitted = fit(build, bench.task.train, [rows], [name], recipe, device, start=begin)
    if fitted.diverged:
        raise ValueError(
            f"loss: not finite from epoch {fitted.diverged[0]} ({recipe}); lower lr or use fp32"
        )
    return fitted.networks[0]


def _builder(bench: Bench, depths: Sequence[int], inner: Sequence[int] | None) -> Alone:
    how = bench.options
    return alone(partial(how.cut.build, depths=tuple(depths), width=how.channels, inner=inner))


def _wrapped(weights: Weights) -> Weights:
    """As `alone` names them."""
    return {f"network.{name}": value for name, value in weights.items()}


def fresh(bench: Bench, depths: Sequence[int], name: str) -> Weights:
    """The weights that a stream's name gives a network, on the CPU."""
    train = bench.task.train
    stack = initial(_builder(bench, depths, None), len(train.classes), train.length, [name])
    return {n.removeprefix("network."): value for n, value in taken(stack, 0).items()}


@lru_cache(maxsize=4)
def base_weights(bench: Bench, seed: int) -> Weights:
    """The stored base network; ValueError that says why if there is none."""
    key = bench.base_key(seed)
    path = artifacts.find_arrays(bench.root, key)
    if path is None:
        why = store.last_failure(bench.root, key) or "Run the sweep first"
        raise ValueError(f"no base network of seed {seed} in {bench.root}: {why}")
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: torch.from_numpy(file[name]) for name in file.files}
    return {name.removeprefix("network."): value for name, value in arrays.items()}


def base_network(bench: Bench, seed: int) -> torch.nn.Module:
    """The network that is cut, in evaluation mode, on the CPU."""
    network = bench.build(bench.options.depths)
    network.load_state_dict(base_weights(bench, seed))
    return network.eval()


# ---- what is kept --------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def similarity(bench: Bench, seed: int) -> Float64[ndarray, "M M"]:
    """CKA of stem and blocks, the mean over batches of training signals."""
    how, train = bench.options, bench.task.train
    network = base_network(bench, seed)
    rng = rng_for("compare layers", bench.task.fingerprint, how.named, seed)
    size = min(how.compared, len(train))
    found = []
    for _ in range(how.batches):
        rows = rng.choice(len(train), size, replace=False)
        x = torch.from_numpy(train.iq[rows])
        found.append(pruning.cka_matrix(pruning.activations(network, x)))
    return np.mean(found, axis=0)


def parted(bench: Bench, seed: int, keep: int) -> tuple[list[tuple[int, int]], list[int]]:
    """Segments of the blocks, by their row sums of similarity, and what each of them keeps."""
    scores = similarity(bench, seed).sum(1)[1:]  # the stem is compared and never cut
    return pruning.partition(scores, keep, bench.options.cut.needed, bench.options.segments)


def score_of(bench: Bench, seed: int, kept: Sequence[int]) -> float:
    """Log of the data-free score of some blocks of the base network."""
    network, blank = _workbench(bench, seed)
    length = bench.task.train.length
    return pruning.contribution(network, blank, base_weights(bench, seed), kept, length)


@lru_cache(maxsize=2)
def _workbench(bench: Bench, seed: int) -> tuple[torch.nn.Module, Weights]:
    """A network to score on, and the one random state it is filled with."""
    depths = bench.options.depths
    return bench.build(depths), fresh(bench, depths, bench.name("blank", seed))


@lru_cache(maxsize=64)
def scored(bench: Bench, seed: int, keep: int) -> list[list[tuple[float, Kept]]]:
    """Every subset of every segment with its score."""
    segments, budgets = parted(bench, seed, keep)
    how, rng = bench.options, rng_for("subsets", bench.task.fingerprint, bench.options.named, seed)
    return [
        [
            (score_of(bench, seed, kept), kept)
            for kept in pruning.subsets(segment, budget, how.subsets, rng)
        ]
        for segment, budget in zip(segments, budgets, strict=True)
    ]


def kept_blocks(bench: Bench, method: str, keep: int, seed: int, repeat: int = 0) -> Kept:
    """The blocks that a method keeps of the base network."""
    depths, needed = bench.options.depths, bench.options.cut.needed
    if method == RANDOM:
        rng = rng_for(RANDOM, bench.task.fingerprint, bench.options.named, keep, seed, repeat)
        return baselines.random_keep(needed, keep, rng)
    if method in (OURS, LARGEST, CHANNELS, SCRATCH):
        prefer = max if method == LARGEST else min
        return pruning.best_union(scored(bench, seed, keep), needed, prefer)
    if method == LAST:
        return baselines.first_blocks(needed, keep)
    if method == FULL:
        return tuple(range(sum(depths)))
    network, (x, label) = base_network(bench, seed), _looked_at(bench, seed)
    if method == REINIT:
        use = baselines.loss_of_reinit(network, _workbench(bench, seed)[1], x, label)
    else:
        use = baselines.gain_of_probes(network, x, label)
    return baselines.most_useful(needed, keep, use)


def _looked_at(bench: Bench, seed: int) -> tuple[Tensor, Tensor]:
    """Training signals for the methods that measure an accuracy."""
    train = bench.task.train
    rng = rng_for("look at", bench.task.fingerprint, bench.options.named, seed)
    rows = rng.choice(len(train), min(HELD, len(train)), replace=False)
    return torch.from_numpy(train.iq[rows]), torch.from_numpy(train.label[rows])


def equal_flops(bench: Bench, depths: Sequence[int]) -> list[int]:
    """Channels inside each block of the whole network that cost no more than `depths` do.

    The same share everywhere, in steps of a quarter of a channel of the first stage.
    """
    how, length = bench.options, bench.task.train.length
    most = signal_resnet.flops(bench.build(depths), length)
    steps = 4 * how.channels
    inners = [
        [max(1, whole * step // steps) for whole in how.cut.channels(how.channels)]
        for step in range(1, steps + 1)
    ]
    low, high = 0, len(inners)  # the first is taken whatever it costs
    while high - low > 1:
        middle = (low + high) // 2
        fits = signal_resnet.flops(bench.build(how.depths, inners[middle]), length) <= most
        low, high = (middle, high) if fits else (low, middle)
    return inners[low]


# ---- a trial -------------------------------------------------------------------------------------


def run_one(bench: Bench, trial: Trial) -> None:
    """Cut the base network, test it, train what is left, test again, publish."""
    bench = bench.of(trial["network"])
    began, how, test = time.perf_counter(), bench.options, bench.task.test
    name = bench.name("tune", trial.seed, trial.repeat)  # no method in it: common random numbers
    kept = kept_blocks(bench, trial.method, trial.budget, trial.seed, trial.repeat)
    depths, inner = pruning.kept_depths(how.depths, kept, how.cut.needed), None
    if trial.method == CHANNELS:
        inner, depths = equal_flops(bench, depths), how.depths
        start = baselines.l1_channels(base_weights(bench, trial.seed), inner)
    else:
        start = fresh(bench, depths, name)
        if trial.method != SCRATCH:
            trained = base_weights(bench, trial.seed)
            start = pruning.reassembled(trained, start, kept)
    before = _builder(bench, depths, inner)(len(test.classes), test.length)
    put(before, [0], _wrapped(start))
    metrics = {"accuracy_before": _accuracy(logits_of(before, test)[0], test)[0]}
    rows = np.arange(len(bench.task.train))
    network = _trained(bench, depths, inner, rows, name, how.recipe, start)
    found, by_snr = _accuracy(logits_of(network, test)[0], test)
    metrics |= {"accuracy": found, "accuracy_by_snr": by_snr} | costs(network.network, test.length)
    if trial.method not in (CHANNELS, SCRATCH):
        metrics["score"] = score_of(bench, trial.seed, kept)
        metrics["kept_by_block"] = dict.fromkeys(map(str, kept), 1)
    seconds = time.perf_counter() - began
    facts = provenance(device=bench.device, seconds=seconds, about=bench.task.about)
    store.publish(bench.root, trial, metrics, facts)


def _accuracy(logits: Tensor, test: Signals) -> tuple[float, dict[str, float]]:
    """Share of the test signals that are right, in all and by SNR (dB)."""
    right = logits.argmax(1).cpu().numpy() == test.label
    by_snr = {f"{snr:g}": float(right[test.snr == snr].mean()) for snr in np.unique(test.snr)}
    return float(right.mean()), by_snr


def costs(network: torch.nn.Module, length: int) -> dict[str, float]:
    """Parameters, FLOPs of a signal, and milliseconds of a forward pass where the network is."""
    return {
        "parameters": signal_resnet.parameters(network),
        "flops": signal_resnet.flops(network, length),
        "latency_1": latency(network, length, 1, runs=11),
        "latency_128": latency(network, length, 128, runs=3),
    }


@torch.no_grad()
def latency(network: torch.nn.Module, length: int, batch: int, runs: int) -> float:
    """Median time (ms) of one forward pass of a batch, in evaluation mode, warmed up."""
    device = next(network.parameters()).device
    x = torch.zeros(batch, 2, length, device=device)
    network.eval()
    spent = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        network(x)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        spent.append(1000 * (time.perf_counter() - began))
    return median(spent[1:])


def in_blocks(number: int) -> str:
    """4 -> "4 blocks"."""
    return f"{number} blocks"


STUDY = Study(
    name="layer pruning",
    version=1,
    axis=Axis("blocks kept", in_blocks),
    metrics=(
        Metric("accuracy", "accuracy", points=True),
        Metric("accuracy_before", "accuracy before training on", points=True),
        Metric("parameters", "parameters", higher_is_better=False),
        Metric("flops", "FLOPs of a signal", higher_is_better=False),
        Metric("latency_1", "ms for one signal", higher_is_better=False),
        Metric("latency_128", "ms for 128 signals", higher_is_better=False),
        Metric("score", "log of the data-free score"),
    ),
    settings=("base_recipe", "network", "recipe", "similarity", "versions"),
    block=("network",),
    floor=RANDOM,
    ceiling=FULL,
    jobs=jobs,
)


# ---- what the notebook shows besides -------------------------------------------------------------


def mean_of_draws(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the draws of Random keep as one row a seed: their mean, as repeat 0.

    Differences are taken repeat by repeat, and the other methods have but one.
    """
    keys = ["dataset", "network", "method", "budget", "seed"]
    how = {
        name: "mean" if rows[name].dtype == float else "first"
        for name in rows.columns
        if name not in keys
    }
    found = rows.sort_values("repeat", kind="stable").groupby(keys, sort=False).agg(how)
    return found.reset_index()[list(rows.columns)]


def costs_by_method(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds and draws of all metrics but the score, by method and blocks kept."""
    names = [metric.name for metric in STUDY.metrics if metric.name != "score"]
    return rows.groupby(["network", "method", "budget"], sort=False)[names].mean()


def kept_shares(kept: pd.DataFrame) -> pd.DataFrame:
    """How often each method keeps each block, over seeds and draws, of `rows_by("kept", "block")`.

    Methods down, blocks across; who chooses no blocks is not there.
    """
    keys = ["method", "budget"]
    runs = kept.drop_duplicates([*keys, "seed", "repeat"]).groupby(keys, sort=False).size()
    counts = kept.groupby([*keys, "block"], sort=False).size().unstack("block", fill_value=0)
    counts.columns = [f"{block:g}" for block in counts.columns]
    order = sorted(counts.columns, key=int)
    return counts.loc[runs.index, order].div(runs, axis=0)


def rank_correlation(rows: pd.DataFrame) -> pd.DataFrame:
    """Spearman's rho of score and accuracy over the draws of Random keep: one row a budget, seed.

    NaN where all draws are alike.
    """
    drawn = rows[rows.method == RANDOM]
    found = [
        {
            "blocks kept": budget,
            "seed": seed,
            "draws": len(group),
            "rho": _spearman(group.score, group.accuracy),
        }
        for (budget, seed), group in drawn.groupby(["budget", "seed"])
    ]
    return pd.DataFrame(found, columns=["blocks kept", "seed", "draws", "rho"])


def _spearman(one: pd.Series, two: pd.Series) -> float:
    varied = one.nunique() > 1 and two.nunique() > 1
    return one.corr(two, method="spearman") if varied else float("nan")

"""The sets: where they start, how they are made, and where they are kept."""

import time
from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy import ndarray

from foqus_lib.companions import gradient_matching as dc
from foqus_lib.companions.distillation.checks import per_class
from foqus_lib.companions.distillation.descent import Distilled, distil, loss_over
from foqus_lib.companions.distillation.loss import Embed
from foqus_lib.companions.distillation.networks import fresh_embedding
from foqus_lib.experiment import artifacts
from foqus_lib.experiment.provenance import provenance
from foqus_lib.experiment.workers import one_thread
from foqus_lib.models import MODELS
from foqus_lib.seeds import rng_for
from foqus_lib.signals import Signals
from foqus_lib.studies.coreset.bench import NONE
from foqus_lib.studies.coreset.borrowed import coreset_of
from foqus_lib.studies.distillation.bench import Bench
from foqus_lib.studies.distillation.choice import settled
from foqus_lib.studies.distillation.options import FLOOR, PSI
from foqus_lib.studies.distillation.trials import versions
from foqus_lib.studies.distillation.ways import Way
from foqus_lib.studies.watch import device_watched
from foqus_lib.training import fit

PROBES = 4  # new networks on which a set's loss is compared with its start's


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
    return coreset_of(bench, start, PSI, budget * classes / len(train), seed)


def set_of(bench: Bench, method: str, budget: int, seed: int) -> Distilled:
    """The set of a method as it is trained on, and what it was before anything moved it."""
    way = settled(bench, method)
    start = bench.task.train[rows_of(bench, way.start, budget, seed)]
    if not way.made:
        return Distilled(start, start, np.empty(0), np.empty(0))
    arrays = kept(bench, method, budget, seed)
    moved = Signals(arrays["iq"], start.label, start.snr, start.classes)
    return Distilled(start, moved, arrays["loss"], arrays["move"])


def kept(bench: Bench, method: str, budget: int, seed: int) -> dict[str, ndarray]:
    """What the job of a synthetic set has kept; ValueError that says why if there is nothing."""
    key = set_key(bench, settled(bench, method), budget, seed)
    what = f"set of {method}, {budget} a class, seed {seed}"
    return artifacts.load_arrays(artifacts.needed(bench.root, key, what))


def set_key(bench: Bench, way: Way, budget: int, seed: int) -> Mapping[str, str | int]:
    """All that decides a synthetic set; whether its weight and step were chosen does not."""
    return {
        "what": "synthetic set",
        "fingerprint": bench.task.fingerprint,
        "start": way.start,
        "distillation_recipe": way.recipe,
        "selection_recipe": str(bench.how.collection) if way.looks else NONE,
        "per_class": budget,
        "seed": seed,
        "versions": versions(way, PSI),
    }


def make_set(bench: Bench, method: str, budget: int, seed: int) -> None:
    """Distil and keep."""
    way, began = settled(bench, method), time.perf_counter()
    key = set_key(bench, way, budget, seed)
    if artifacts.find_arrays(bench.root, key) is not None:  # what was chosen had been tried
        return
    start = bench.task.train[rows_of(bench, way.start, budget, seed)]
    with device_watched(bench.device), one_thread():
        made = (_by_gradients if way.gradients else _by_distributions)(bench, way, start, seed)
        fell = {} if way.gradients else {"fall": np.float64(fall(bench, way, made, seed))}
    seconds = time.perf_counter() - began
    facts = provenance(device=bench.device, seconds=seconds, about=bench.task.about)
    arrays = {"iq": made.signals.iq, "loss": made.loss, "move": made.move} | fell
    artifacts.save_arrays(bench.root, key, arrays, facts)


def fresh_of(bench: Bench, start: Signals, seed: int) -> Callable[[int], Embed]:
    """k -> the embedding of iteration k: every method of a seed meets the same networks."""
    probe = torch.from_numpy(start.iq).to(bench.device)
    build, classes, fingerprint = MODELS[PSI], len(start.classes), bench.task.fingerprint
    return lambda k: fresh_embedding(build, classes, f"distil {fingerprint} {seed} {k}", probe)


def _by_distributions(bench: Bench, way: Way, start: Signals, seed: int) -> Distilled:
    return distil(
        bench.task.train,
        start,
        fresh_of(bench, start, seed),
        way.views,
        rng_for("distillation", "batches", bench.task.fingerprint, seed),
        iterations=bench.how.iterations,
        batch_real=bench.how.batch_real,
        lr=way.step * per_class(bench.task.train, start),
        device=torch.device(bench.device),
    )


def _by_gradients(bench: Bench, way: Way, start: Signals, seed: int) -> Distilled:
    del way
    how, device = bench.how, torch.device(bench.device)
    outer, inner = dc.loops(per_class(bench.task.train, start))

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
    """Share of L that distillation took away, on networks it did not meet and a new draw of T."""
    train, fingerprint = bench.task.train, bench.task.fingerprint
    order = rng_for("distillation", "probe", fingerprint, seed).permutation(len(train))
    most = 4 * bench.how.batch_real
    asked = [order[train.label[order] == y][:most] for y in range(len(train.classes))]
    real = train[np.concatenate(asked)]
    fresh, first = fresh_of(bench, made.start, seed), bench.how.iterations
    networks, device = range(first, first + PROBES), torch.device(bench.device)
    before, after = (
        loss_over(real, one, fresh, way.views, networks, device)
        for one in (made.start, made.signals)
    )
    return 1 - after / before

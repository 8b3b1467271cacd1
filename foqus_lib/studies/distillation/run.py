"""How trials run: train on a set, plainly and with random phases, and test."""

import math
import time
from collections.abc import Sequence

import numpy as np
import torch

from foqus_lib.companions.distillation.phases import random_phase
from foqus_lib.errors import Diverged
from foqus_lib.experiment.key import Trial
from foqus_lib.signals import Signals
from foqus_lib.studies.attempt import noted, publish
from foqus_lib.studies.coreset.bench import ALL_DATA, evaluate_name
from foqus_lib.studies.coreset.run import measure
from foqus_lib.studies.distillation.bench import Bench
from foqus_lib.studies.distillation.choice import settled
from foqus_lib.studies.distillation.networks import BUILDS
from foqus_lib.studies.distillation.sets import kept, set_of
from foqus_lib.studies.watch import device_watched
from foqus_lib.training import fit
from foqus_lib.training.predict import logits_of
from foqus_lib.training.single import diverged


def run_trials(bench: Bench, group: Sequence[Trial]) -> None:
    """Train on one set, plainly and with random phases, and test; publish each repeat.

    A repeat that diverges is noted, and the others of its stack are kept.
    """
    began, since = time.time(), time.perf_counter()
    signals, facts = _trained_on(bench, group[0])
    with device_watched(bench.device):
        plain, turned = (_trained(bench, signals, group, how) for how in (None, random_phase))
    seconds = (time.perf_counter() - since) / len(group)
    for one, *both in zip(group, plain, turned, strict=True):
        with noted(bench, [one]):
            metrics, others = map(_finite, both)
            more = {f"{name}_rotated": value for name, value in others.items() if name != "kept"}
            publish(bench, one, metrics | more | facts, seconds, fused=len(group), began=began)


def _finite(found: dict | Diverged) -> dict:
    if isinstance(found, Diverged):
        raise found
    return found


def _trained_on(bench: Bench, one: Trial) -> tuple[Signals, dict[str, float]]:
    """The set of a trial; of a synthetic one its weight and step, its move, and L's fall."""
    if one.method == ALL_DATA:
        return bench.task.train, {}
    found = (one.method, one.budget, one.seed)
    signals, way = set_of(bench, *found).signals, settled(bench, one.method)
    if not way.made:
        return signals, {}
    arrays = kept(bench, *found)
    facts = {"alpha": way.alpha, "step": way.step or None, "fall": arrays.get("fall")}
    facts |= {"move": arrays["move"][-1]}
    known = {name: float(value) for name, value in facts.items() if value is not None}
    return signals, {name: x for name, x in known.items() if math.isfinite(x)}  # L may overflow


def _trained(
    bench: Bench, signals: Signals, group: Sequence[Trial], transform: fit.Transform | None
) -> list[dict | Diverged]:
    """What each repeat's network says about test and val; Diverged where it did."""
    task, how, first = bench.task, bench.how, group[0]
    model = first["evaluation_model"]
    recipe = how.recipe_for(model, len(signals), how.steps_of(first.method))
    fitted = fit.fit(
        BUILDS[model],
        signals,
        [np.arange(len(signals))] * len(group),
        [evaluate_name(task.fingerprint, model, one.seed, one.repeat) for one in group],
        recipe,
        torch.device(bench.device),
        memory=bench.records.device_memory,
        transform=transform,
    )
    found = [measure(logits, task.test, len(signals)) for logits in _logits(fitted, task.test)]
    if task.val:
        for metrics, logits in zip(found, _logits(fitted, task.val), strict=True):
            metrics["accuracy_val"] = float((logits.argmax(1) == task.val.label).mean())
    for repeat, epoch in fitted.diverged.items():
        found[repeat] = diverged(epoch, recipe, mend="lower step or alpha")
    return found


def _logits(fitted: fit.Fitted, signals: Signals) -> list[np.ndarray]:
    """Of every network of a stack, repeat by repeat."""
    return [
        logits.float().cpu().numpy()
        for network in fitted.networks
        for logits in logits_of(network, signals)
    ]

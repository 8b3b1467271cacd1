"""Does a pruned network choose the coreset that the whole network would, for less?

FoQuS scores signals by how a network learns them. The record of the whole network is what the
training of the base network left. Two proxies have fewer blocks, those that layer pruning keeps:
one goes on from the kept weights for the epochs after the cut, one begins at random and is trained
as long as the whole network was. One network, the same for all, is then trained on each coreset.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy import ndarray

from foqus_lib import evidence
from foqus_lib.companions import layer_pruning as pruning
from foqus_lib.datasets.catalog import Task
from foqus_lib.evidence import Evidence
from foqus_lib.experiment import artifacts, store
from foqus_lib.experiment.key import Trial, basis_points
from foqus_lib.experiment.provenance import provenance
from foqus_lib.experiment.settings import Common
from foqus_lib.experiment.study import RATE, Job, Metric, Study
from foqus_lib.experiment.workers import one_thread
from foqus_lib.models import MODELS
from foqus_lib.models import VERSIONS as NETWORKS
from foqus_lib.selection.catalog import version_of
from foqus_lib.selection.foqus import foqus_score
from foqus_lib.studies import layer_pruning
from foqus_lib.studies.coreset.bench import evaluate_name
from foqus_lib.studies.coreset.draw import blind, draw
from foqus_lib.studies.coreset.run import measure
from foqus_lib.studies.coreset.watch import device_watched
from foqus_lib.studies.layer_pruning import FORWARD, OURS, Bench, Options
from foqus_lib.training import collect as collecting
from foqus_lib.training.fit import fit
from foqus_lib.training.predict import logits_of

UNIFORM, WHOLE = "Uniform", "FoQuS by the whole network"
TUNED, ANEW = "FoQuS by the pruned network, trained on", "FoQuS by the pruned network, from scratch"
METHODS = (UNIFORM, WHOLE, TUNED, ANEW)
SELECTOR = "FoQuS"


def trials(common: Common, options: Options, task: Task) -> list[Trial]:
    """Every method at every rate, seed and repeat, for the first network at its first keep."""
    return [
        Trial(
            STUDY.name,
            STUDY.version,
            task.name,
            task.fingerprint,
            method,
            basis_points(rate),
            seed,
            repeat,
            (
                ("base_recipe", str(options.base_recipe)),
                ("evaluation_model", options.model),
                ("evaluation_recipe", str(options.model_recipe)),
                ("keep", options.keep[0]),
                ("network", options.named),
                ("recipe", str(options.recipe)),
                ("similarity", options.similarity),
                ("versions", _versions(options)),
            ),
        )
        for method in METHODS
        for rate in options.rates
        for seed in range(common.seeds)
        for repeat in range(options.repeats)
    ]


def _versions(options: Options) -> str:
    others = f"{SELECTOR}={version_of(SELECTOR)} {options.model}={NETWORKS[options.model]}"
    return f"{layer_pruning.versions(options)} collect={collecting.VERSION} {others}"


def partner(seed: int) -> int:
    """The base network that another training of the whole network stands for."""
    return seed - 1 if seed else 1


# ---- the records that choose ---------------------------------------------------------------------


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """Three stages: base networks with their records, the proxies' records, the trials."""
    how = bench.options
    looking = [trial for trial in missing if trial.method != UNIFORM]
    seeds = {trial.seed for trial in looking}
    seeds |= {partner(trial.seed) for trial in looking if trial.method == WHOLE}
    proxies = sorted({(t.method, t.seed) for t in looking if t.method != WHOLE})
    return [
        layer_pruning.base_jobs(bench, [(how.named, seed) for seed in sorted(seeds)]),
        [_record_job(bench, *one) for one in proxies if not _stored(bench, *one)],
        [_job(bench, trial) for trial in sorted(missing, key=lambda t: (t.seed, t.method))],
    ]


def _record_job(bench: Bench, method: str, seed: int) -> Job:
    """Cost in visits of the pruned network, which are about the kept part of the whole one's."""
    how = bench.options
    share = how.keep[0] / sum(how.depths)
    return Job(
        train_proxy,
        (method, seed),
        makes=(record_key(bench, method, seed),),
        kind=(how.named, how.precision),
        cost=share * len(bench.task.train) * _epochs(how, method) * (1 + FORWARD),
        probe=layer_pruning.seconds_per_visit,
        memory=layer_pruning.memory(bench),
    )


def _epochs(how: Options, method: str) -> int:
    return (how.recipe if method == TUNED else how.base_recipe).epochs


def _stored(bench: Bench, method: str, seed: int) -> bool:
    return artifacts.find_arrays(bench.root, record_key(bench, method, seed)) is not None


def record_key(bench: Bench, method: str, seed: int) -> dict[str, str | int]:
    """Under which the record of a method's network is kept."""
    if method == WHOLE:
        return bench.record_key(seed)
    how = bench.options
    return bench.record_key(seed) | {
        "proxy": "on" if method == TUNED else "anew",
        "keep": how.keep[0],
        "proxy_recipe": str(how.recipe if method == TUNED else how.base_recipe),
        "similarity": how.similarity,
        "proxy_versions": layer_pruning.versions(how),
    }


def train_proxy(bench: Bench, method: str, seed: int) -> None:
    """Train the pruned network on all signals; keep what it says of them epoch by epoch."""
    how, key = bench.options, record_key(bench, method, seed)
    kept = layer_pruning.kept_blocks(bench, OURS, how.keep[0], seed)
    depths = pruning.kept_depths(how.depths, kept, how.cut.needed)
    name, start, recipe = bench.name("proxy", seed), None, how.base_recipe
    if method == TUNED:
        base, recipe = layer_pruning.base_weights(bench, seed), how.recipe
        start = pruning.reassembled(base, layer_pruning.fresh(bench, depths, name), kept)
    try:
        record, _, facts = layer_pruning.recorded(bench, depths, name, recipe, start)
    except ValueError as error:
        store.fail(bench.root, key, error)
        raise
    artifacts.save_arrays(bench.root, key, record, facts)


def record_of(bench: Bench, method: str, seed: int) -> tuple[Evidence, float]:
    """The record a method looks at and the seconds it took; ValueError if there is none."""
    key = record_key(bench, method, seed)
    path = artifacts.find_arrays(bench.root, key)
    if path is None:
        why = store.last_failure(bench.root, key) or "Run the sweep first"
        raise ValueError(f"no record of {method}, seed {seed}, in {bench.root}: {why}")
    return evidence.load(path), float(artifacts.provenance_of(path)["seconds"])


def scores(record: Evidence) -> Float[ndarray, " N"]:
    """Eq. 8 of every training signal."""
    return foqus_score(record.correct, record.loss)


def rank_correlation(one: Float[ndarray, " N"], two: Float[ndarray, " N"]) -> float:
    """Spearman's rho; NaN if either ranks nothing."""
    return pd.Series(one).corr(pd.Series(two), method="spearman")


@lru_cache(maxsize=8)
def coreset(bench: Bench, method: str, points: int, seed: int) -> ndarray:
    """Rows of the training signals. One draw's name for all: ties fall alike."""
    print_, train = bench.task.fingerprint, bench.task.train
    if method == UNIFORM:
        return draw(print_, blind(train), "-", UNIFORM, [points / 10_000], seed)[0]
    record, _ = record_of(bench, method, seed)
    return draw(print_, record, bench.options.named, SELECTOR, [points / 10_000], seed)[0]


# ---- a trial -------------------------------------------------------------------------------------


def _job(bench: Bench, trial: Trial) -> Job:
    how, task = bench.options, bench.task
    kept = trial.budget / 10_000 * len(task.train)
    return Job(
        run_one,
        (trial,),
        trials=(trial,),
        kind=(how.model, how.precision),
        cost=kept * how.model_epochs + FORWARD * len(task.test),
        probe=_seconds_per_visit,
        memory=task.train.iq.nbytes + task.test.iq.nbytes,
    )


def _seconds_per_visit(bench: Bench, job: Job) -> float:
    """Measured on one small batch, after another one that warms up."""
    how, train = bench.options, bench.task.train
    rows, device = np.arange(min(32, len(train))), torch.device(bench.device)
    short = replace(how.model_recipe, epochs=1, batch=len(rows))

    def once() -> float:
        began = time.perf_counter()
        fit(MODELS[how.model], train, [rows], ["probe"], short, device)
        return time.perf_counter() - began

    with one_thread():
        once()
        return once() / len(rows)


def run_one(bench: Bench, trial: Trial) -> None:
    """Choose, compare with what the whole network chose, train, test, publish.

    The whole network is compared with the base network of another seed: what is left of scores and
    coreset when nothing but the random numbers differ.
    """
    began, how, task = time.perf_counter(), bench.options, bench.task
    rows = coreset(bench, trial.method, trial.budget, trial.seed)
    name = evaluate_name(task.fingerprint, how.model, trial.seed, trial.repeat)
    with device_watched(bench.device):
        fitted = fit(
            MODELS[how.model], task.train, [rows], [name], how.model_recipe,
            torch.device(bench.device),
        )  # fmt: skip
    if fitted.diverged:
        raise ValueError(f"loss: not finite from epoch {fitted.diverged[0]}; use fp32")
    logits = logits_of(fitted.networks[0], task.test)[0].float().cpu().numpy()
    metrics = measure(logits, task.test, len(rows)) | agreement(bench, trial)
    seconds = time.perf_counter() - began
    facts = provenance(device=bench.device, seconds=seconds, about=task.about)
    store.publish(bench.root, trial, metrics, facts)


def agreement(bench: Bench, trial: Trial) -> dict[str, float]:
    """Rank correlation of the scores and share of the coreset in common with the whole network's;
    seconds of the training that was recorded."""
    method, seed = trial.method, trial.seed
    against = partner(seed) if method == WHOLE else seed
    mine, theirs = (
        coreset(bench, one, trial.budget, at) for one, at in ((method, seed), (WHOLE, against))
    )
    found = {"shared": float(np.isin(mine, theirs).mean()), "selection_seconds": 0.0}
    if method == UNIFORM:
        return found
    record, seconds = record_of(bench, method, seed)
    whole, _ = record_of(bench, WHOLE, against)
    rho = rank_correlation(scores(record), scores(whole))
    return found | {"rho": rho, "selection_seconds": seconds}


STUDY = Study(
    name="scoring proxy",
    version=1,
    axis=RATE,
    metrics=(
        Metric("accuracy", "accuracy", points=True),
        Metric("rho", "rank correlation of scores with the whole network's"),
        Metric("shared", "share of the coreset that the whole network also keeps"),
        Metric("selection_seconds", "seconds of selection training", higher_is_better=False),
        Metric("kept", "signals kept"),
    ),
    settings=(
        "base_recipe",
        "evaluation_model",
        "evaluation_recipe",
        "keep",
        "network",
        "recipe",
        "similarity",
        "versions",
    ),
    block=("network",),
    floor=UNIFORM,
    ceiling=None,
    jobs=jobs,
)

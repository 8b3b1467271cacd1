"""How the trials are run: base networks, the proxies' records, then what coresets teach."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.study import Job
from foqus_lib.models import MODELS
from foqus_lib.studies.attempt import run
from foqus_lib.studies.coreset.bench import evaluate_name
from foqus_lib.studies.coreset.run import measure
from foqus_lib.studies.layer_pruning.benches import Bench
from foqus_lib.studies.layer_pruning.run import (
    base_jobs,
    memory,
    of_record,
    seconds_per_visit,
)
from foqus_lib.studies.pace import FORWARD, seconds_a_visit
from foqus_lib.studies.scoring_proxy.partners import compared_with
from foqus_lib.studies.scoring_proxy.records import (
    UNIFORM,
    WHOLE,
    coreset,
    rank_correlation,
    recipe_of,
    record_key,
    record_of,
    scores,
    stored,
    train_proxy,
)
from foqus_lib.training.predict import said
from foqus_lib.training.single import fit_one


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """Three stages: base networks with their records, the proxies' records, the trials."""
    how = bench.options
    looking = [trial for trial in missing if trial.method != UNIFORM]
    seeds = {seed for trial in looking for seed in (trial.seed, compared_with(trial))}
    compared = 2 * of_record(bench)
    held = bench.task.train.iq.nbytes + bench.task.test.iq.nbytes + compared
    proxies = sorted({(t.method, t.seed) for t in looking if t.method != WHOLE})
    return [
        base_jobs(bench, [(how.named, seed) for seed in sorted(seeds)]),
        [_record_job(bench, *one) for one in proxies if not stored(bench, *one)],
        [_job(bench, trial, held) for trial in sorted(missing, key=lambda t: (t.seed, t.method))],
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
        cost=share * len(bench.task.train) * recipe_of(how, method).epochs * (1 + FORWARD),
        probe=seconds_per_visit,
        memory=memory(bench) + of_record(bench),
    )


def _job(bench: Bench, trial: Trial, held: int) -> Job:
    how, task = bench.options, bench.task
    kept = trial.budget / 10_000 * len(task.train)
    return Job(
        run_one,
        (trial,),
        trials=(trial,),
        kind=(how.model, how.precision),
        cost=kept * how.model_epochs + FORWARD * len(task.test),
        probe=_seconds_per_visit,
        memory=held,
    )


def _seconds_per_visit(bench: Bench, job: Job) -> float:
    """Of the network that is trained on coresets."""
    how, train = bench.options, bench.task.train
    rows = np.arange(min(how.model_recipe.batch, len(train)))

    def trained(epochs: int) -> None:
        recipe = replace(how.model_recipe, epochs=epochs)
        fit_one(MODELS[how.model], train, rows, "probe", recipe, torch.device(bench.device))

    return seconds_a_visit(trained, len(rows))


def run_one(bench: Bench, trial: Trial) -> None:
    """Choose, train, test, compare with the whole network's scores, publish.

    The whole network is compared with the base network of another seed: what is left of the scores
    when nothing but the random numbers differ. Coresets are not compared: FoQuS draws at random
    inside its tiers, so two of the same scores have little more in common than chance.
    """
    run(bench, trial, partial(_outcome, bench))


def _outcome(bench: Bench, trial: Trial) -> dict:
    how, task = bench.options, bench.task
    rows = coreset(bench, trial.method, trial.budget, trial.seed)
    name = evaluate_name(task.fingerprint, how.model, trial.seed, trial.repeat)
    device = torch.device(bench.device)
    network = fit_one(MODELS[how.model], task.train, rows, name, how.model_recipe, device)
    return measure(said(network, task.test), task.test, len(rows)) | agreement(bench, trial)


def agreement(bench: Bench, trial: Trial) -> dict[str, float]:
    """Rank correlation of the scores with the whole network's; seconds of the training recorded."""
    if trial.method == UNIFORM:
        return {"selection_seconds": 0.0}
    record, seconds = record_of(bench, trial.method, trial.seed)
    whole, _ = record_of(bench, WHOLE, compared_with(trial))
    rho = rank_correlation(scores(record), scores(whole))
    ranked = {} if np.isnan(rho) else {"rho": rho}  # a score that is the same everywhere ranks none
    return ranked | {"selection_seconds": seconds}

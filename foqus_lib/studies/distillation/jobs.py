"""In which order it all runs: records, sets, trials; then what had to be chosen on val."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch

from foqus_lib.companions import gradient_matching as dc
from foqus_lib.experiment import artifacts, store
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.study import Job
from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.coreset.borrowed import record_jobs
from foqus_lib.studies.coreset.room import bytes_in_memory
from foqus_lib.studies.distillation.bench import Bench
from foqus_lib.studies.distillation.choice import settled
from foqus_lib.studies.distillation.networks import BUILDS
from foqus_lib.studies.distillation.options import PSI
from foqus_lib.studies.distillation.run import run_trials
from foqus_lib.studies.distillation.sets import make_set, set_key
from foqus_lib.studies.distillation.trials import sweep_trials
from foqus_lib.studies.distillation.ways import Way, ways
from foqus_lib.studies.pace import FORWARD, seconds_a_visit
from foqus_lib.training import fit
from foqus_lib.training.recipe import Recipe

Set = tuple[str, int, int]  # method, signals per class, seed


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """Records; sets and trials, among them the sweep on val; the chosen sets, and their trials.

    What was tried on val runs also if it is not asked for, as in a part of the trials. Cost is
    counted in visits, as of coresets.
    """
    known = ways(bench.how)
    of_sets = [one for one in missing if one.method != ALL_DATA]
    tried = sweep_trials(bench.how, bench.task, list(dict.fromkeys(t.method for t in of_sets)))
    tried = [one for one in tried if one not in set(missing) and not store.has(bench.root, one)]
    sets = dict.fromkeys((one.method, one.budget, one.seed) for one in [*of_sets, *tried])
    looked_at = dict.fromkeys((PSI, seed) for method, _, seed in sets if known[method].looks)
    kept = bytes_in_memory(bench.records, (model for model, _ in looked_at))
    stages = [record_jobs(bench, looked_at)]
    for chosen in (False, True):
        made = [one for one in sets if known[one[0]].made and bool(known[one[0]].tried) == chosen]
        of_stage = [
            one
            for one in [*missing, *tried]
            if (one.method != ALL_DATA and bool(known[one.method].tried)) == chosen
        ]
        stages += [_set_jobs(bench, made, kept), _trial_jobs(bench, of_stage, kept)]
    return stages


def _set_jobs(bench: Bench, sets: Sequence[Set], records: int) -> list[Job]:
    """Of those that are not kept, the longest first. records: bytes of those a worker keeps.

    A set that is still to be chosen has no key yet: nobody knows whether it is kept.
    """
    known = {method: _settled(bench, method) for method in dict.fromkeys(one[0] for one in sets)}
    keys = {one: set_key(bench, way, *one[1:]) for one in sets if (way := known[one[0]])}
    found = [
        Job(
            make_set, one, makes=(keys[one],) if one in keys else (), kind=(PSI, "fp32", 1),
            cost=_visits_of_set(bench, *one[:2]), probe=_probe,
            memory=bench.task.train.iq.nbytes + records,
        )
        for one in sets
        if not (one in keys and artifacts.find_arrays(bench.root, keys[one]) is not None)
    ]  # fmt: skip
    return sorted(found, key=lambda job: -job.cost)


def _settled(bench: Bench, method: str) -> Way | None:
    """The way of a method; None as long as its weight or step cannot be chosen."""
    try:
        return settled(bench, method)
    except ValueError:
        return None


def _trial_jobs(bench: Bench, missing: Sequence[Trial], records: int) -> list[Job]:
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
            memory=bench.task.train.iq.nbytes + bench.task.test.iq.nbytes + records,
        )
        for group in groups.values()
    ]  # fmt: skip
    return sorted(found, key=lambda job: -job.cost)


def _visits_of_set(bench: Bench, method: str, budget: int) -> float:
    how, classes = bench.how, len(bench.task.train.classes)
    way = ways(how)[method]
    if not way.gradients:
        views = len([1 for weight, _ in way.views if weight]) or 2  # not chosen yet: at most two
        return how.iterations * views * classes * (how.batch_real * FORWARD + budget)
    outer, inner = dc.loops(budget)
    outer, inner = min(outer, how.dc_outer or outer), min(inner, how.dc_inner or inner)
    return how.dc_iterations * outer * classes * (how.batch_real + (3 + inner) * budget)


def _visits_of_trial(bench: Bench, one: Trial) -> float:
    how, task = bench.how, bench.task
    signals = min(len(task.train), one.budget * len(task.train.classes))
    seen = how.steps_of(one.method) * min(how.batch, signals)
    tested = len(task.test) + (len(task.val) if task.val else 0)
    return 2 * (seen + tested * FORWARD)


def _probe(bench: Bench, job: Job) -> float:
    """Seconds a visit of the job's network."""
    model, precision, _ = job.kind
    signals, device = bench.task.train, torch.device(bench.device)
    rows = np.arange(min(bench.how.batch, len(signals)))

    def train(epochs: int) -> None:
        recipe = Recipe(epochs, len(rows), precision=precision)
        fit.fit(BUILDS[model], signals, [rows], ["probe"], recipe, device)

    return seconds_a_visit(train, len(rows))

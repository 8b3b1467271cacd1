"""How the trials of the coreset grid are run: records first, then groups of trials.

Every function is told everything by its arguments, so a trial gives the same result in this
process, in another, alone or in a sweep. Cost is counted in visits: one signal forward and
backward through one network.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray
from torch import nn

from foqus_lib.durable import check_room
from foqus_lib.evidence import Evidence
from foqus_lib.experiment import store
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.provenance import provenance
from foqus_lib.experiment.study import Job
from foqus_lib.experiment.workers import one_thread
from foqus_lib.models import MODELS
from foqus_lib.selection.budget import budget_of
from foqus_lib.signals import Signals, shares_by_snr
from foqus_lib.studies.attempt import noted
from foqus_lib.studies.coreset.bench import NONE, Bench, evaluate_name
from foqus_lib.studies.coreset.draw import affordable, select
from foqus_lib.studies.coreset.records import collect_evidence, evidence_of, stored
from foqus_lib.studies.coreset.room import bytes_in_memory, bytes_on_disk
from foqus_lib.studies.pace import FORWARD, seconds_a_visit
from foqus_lib.training.fit import fit
from foqus_lib.training.predict import accuracies, logits_of
from foqus_lib.training.single import diverged

# of a trial: its test logits and its best test on the way, or why there are none
Outcome = tuple[Float32[ndarray, "M C"], float] | ValueError


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """Two stages: the selection trainings that the store lacks, and the missing trials."""
    looked_at = dict.fromkeys((trial["selection_model"], trial.seed) for trial in missing)
    return [evidence_jobs(bench, looked_at), trial_jobs(bench, missing)]


def evidence_jobs(bench: Bench, wanted: Iterable[tuple[str, int]]) -> list[Job]:
    """The selection trainings (model, seed) that are wanted and not in the store."""
    seeds = defaultdict(list)
    for model, seed in wanted:
        if model == NONE:
            continue
        if not stored(bench, model, seed):
            seeds[model].append(seed)
    return [
        evidence_job(bench, model, part)
        for model, all_seeds in seeds.items()
        for part in ([all_seeds] if bench.stacked else [[seed] for seed in all_seeds])
    ]


def evidence_job(bench: Bench, model: str, seeds: Sequence[int]) -> Job:
    """One selection training of these seeds."""
    how = bench.collection
    early = how.early_runs * how.early_epochs
    visits = len(bench.task.train) * (how.recipe.epochs * (1 + FORWARD) + early)
    return Job(
        collect_evidence,
        (model, seeds),
        makes=tuple(bench.evidence_key(model, seed) for seed in seeds),
        kind=(model, how.recipe.precision, len(seeds)),
        cost=visits * len(seeds),
        probe=seconds_per_visit,
        memory=_memory(bench, {model}),
        disk=bytes_on_disk(bench, model) * len(seeds),
    )


def recorded(bench: Bench, model: str, seed: int, progress: Callable[[str], None]) -> Evidence:
    """The evidence of one selection training, from the store or from a training now."""
    todo = evidence_jobs(bench, [(model, seed)])
    how = f"training on {len(bench.task.train):,} signals" if todo else "found, no training needed"
    progress(f"the record of {model}, seed {seed}: {how}")
    check_room(bench.root, sum(job.disk for job in todo), "--results")
    for job in todo:
        with one_thread():  # another number of threads gives other last bits, and other picks
            job.call(bench, *job.arguments)
    return evidence_of(bench, model, seed)


def trial_jobs(bench: Bench, trials: Iterable[Trial]) -> list[Job]:
    """Trials in groups that are worth running together, the longest first.

    On a GPU: all of one network and rate, which train as one stack. On a CPU: all rates and repeats
    of one method and seed, which share one run of the selector; of equally long groups those of one
    record follow one another, so that a worker reads it once.
    """
    groups = defaultdict(list)
    for trial in trials:
        stack = trial["evaluation_model"], trial["evaluation_recipe"], trial.budget
        source = trial["selection_model"], trial["evaluation_model"], trial.method, trial.seed
        groups[stack if bench.stacked else source].append(trial)
    found = [
        Job(
            train_trials,
            (group,),
            trials=tuple(group),
            kind=(
                group[0]["evaluation_model"],
                bench.recipes[group[0]["evaluation_recipe"]].precision,
                len(group) if bench.stacked else 1,
            ),
            cost=sum(_visits(bench, trial) for trial in group),
            probe=seconds_per_visit,
            memory=_memory(bench, {trial["selection_model"] for trial in group}),
        )
        for group in groups.values()
    ]
    return sorted(found, key=lambda job: (-job.cost, *_record(job.trials[0])))


def _record(trial: Trial) -> tuple[str, int]:
    """Whose selection training the trial's method looks at."""
    return trial["selection_model"], trial.seed


def _visits(bench: Bench, trial: Trial) -> float:
    """Of a trial's training and its tests."""
    recipe = bench.recipes[trial["evaluation_recipe"]]
    kept = budget_of(trial.budget / 10_000, len(bench.task.train))
    tests = 1 + (recipe.epochs // recipe.test_every if recipe.test_every else 0)
    return kept * recipe.epochs + tests * len(bench.task.test) * FORWARD


def seconds_per_visit(bench: Bench, job: Job) -> float:
    """Of a network of the job's kind."""
    model, precision, copies = job.kind
    signals = bench.task.train
    rows = np.arange(min(bench.evaluation.batch, len(signals)))
    names = [f"probe {copy}" for copy in range(copies)]
    device, memory = torch.device(bench.device), bench.device_memory

    def train(epochs: int) -> None:
        recipe = replace(bench.evaluation, epochs=epochs, precision=precision)
        fit(MODELS[model], signals, [rows] * copies, names, recipe, device, memory=memory)

    return seconds_a_visit(train, copies * len(rows))


def _memory(bench: Bench, models: set[str]) -> int:
    """Bytes of a worker: the signals, and the records of these selection models that it keeps."""
    train, test = bench.task.train, bench.task.test
    signals = train.iq.nbytes + (0 if test is train else test.iq.nbytes)  # `own` holds out none
    return signals + bytes_in_memory(bench, models)


def train_trials(bench: Bench, trials: Sequence[Trial]) -> None:
    """Select, train and test each trial; publish it as soon as its stack is done.

    On a GPU trials that share network, recipe and coreset size are one call of `fit`, of as many
    stacks as memory asks for; what raises in one fails the trials of the call that are left. What
    fails is kept under failures/ and does not stop the others; a store that cannot be written to
    does.
    """
    left = [trial for trial in trials if not store.has(bench.root, trial)]  # a worker died before
    groups = defaultdict(list)
    for trial, rows in _selected(bench, left):
        groups[trial["evaluation_model"], trial["evaluation_recipe"], len(rows)].append(
            (trial, rows)
        )
    for members in groups.values():
        for part in [members] if bench.stacked else [[member] for member in members]:
            _train_and_publish(bench, part)


def _train_and_publish(bench: Bench, members: Sequence[tuple[Trial, ndarray]]) -> None:
    """Members of one network, recipe and size; those of a stack are published as it ends."""
    left = [trial for trial, _ in members]
    began, since = time.time(), time.perf_counter()

    def publish(outcomes: Sequence[Outcome]) -> None:
        """Of the stack that has ended: its members are the first of those left."""
        nonlocal began, since
        facts = provenance(
            device=bench.device,
            seconds=(time.perf_counter() - since) / len(outcomes),
            about=bench.task.about,
            fused=len(outcomes),
            began=began,
        )
        for outcome in outcomes:
            _publish(bench, left[0], len(members[0][1]), outcome, facts)
            del left[0]
        began, since = time.time(), time.perf_counter()

    with noted(bench, left):
        _train(bench, members, publish)


def _publish(bench: Bench, trial: Trial, kept: int, outcome: Outcome, facts: Mapping) -> None:
    if isinstance(outcome, ValueError):
        store.fail(bench.root, trial.key, outcome)
        return
    logits, best = outcome
    metrics = measure(logits, bench.task.test, kept)
    if bench.evaluation.test_every:
        metrics["accuracy_best"] = max(best, metrics["accuracy"])
    store.publish(bench.root, trial, metrics, facts)


def _selected(bench: Bench, trials: Sequence[Trial]) -> Iterator[tuple[Trial, ndarray]]:
    """Each trial with its coreset; those whose method fails are noted and left out."""
    sources = defaultdict(list)
    for trial in trials:
        sources[trial["selection_model"], trial.method, trial.seed].append(trial)
    for group in sorted(sources.values(), key=lambda group: _record(group[0])):
        left = [trial for trial in group if _affordable(bench, trial)]
        coresets: list[ndarray] = []
        with noted(bench, left):
            coresets = select(bench, left)
        yield from zip(left, coresets, strict=False)  # none if it failed


def _affordable(bench: Bench, trial: Trial) -> bool:
    """Of a trial that `grid` did not make, and so did not refuse: its rate fails it alone."""
    try:
        train = bench.task.train
        affordable(train.label, trial.budget / 10_000, train.classes)
    except ValueError as error:
        store.fail(bench.root, trial.key, error)
        return False
    return True


def _train(
    bench: Bench,
    members: Sequence[tuple[Trial, ndarray]],
    publish: Callable[[Sequence[Outcome]], None],
) -> None:
    """One call of `fit`; `publish` gets the outcomes of each stack as it ends, in order."""
    task, first = bench.task, members[0][0]
    model, recipe = first["evaluation_model"], bench.recipes[first["evaluation_recipe"]]
    best = torch.zeros(len(members))

    def note_best(replicas: range, network: nn.Module, epoch: int) -> None:
        if (epoch + 1) % recipe.test_every == 0:
            of_stack = slice(replicas.start, replicas.stop)
            best[of_stack] = best[of_stack].maximum(accuracies(network, task.test).cpu())

    def test(replicas: range, network: nn.Module, bad: dict[int, int]) -> None:
        logits = logits_of(network, task.test).float().cpu().numpy()
        publish(
            [
                diverged(bad[r], recipe) if r in bad else (of_copy, float(best[r]))
                for r, of_copy in zip(replicas, logits, strict=True)
            ]
        )

    fit(
        MODELS[model],
        task.train,
        [rows for _, rows in members],
        [evaluate_name(task.fingerprint, model, one.seed, one.repeat) for one, _ in members],
        recipe,
        torch.device(bench.device),
        after_epoch=note_best if recipe.test_every else None,
        memory=bench.device_memory,
        after_stack=test,
    )


def measure(logits: ndarray, test: Signals, kept: int) -> dict:
    """Accuracy after the last epoch [A26], in all and by SNR (dB)."""
    right = logits.argmax(1) == test.label
    by_snr = shares_by_snr(right, test.snr)
    return {"accuracy": float(right.mean()), "accuracy_by_snr": by_snr, "kept": kept}

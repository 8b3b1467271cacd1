"""How the trials are run: base networks first, then cut, test, train, test again."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import repeat

import numpy as np
import torch
from torch import Tensor

from foqus_lib.companions import layer_baselines as baselines
from foqus_lib.companions import layer_pruning as pruning
from foqus_lib.experiment import artifacts
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.study import Job
from foqus_lib.models.copies import put
from foqus_lib.models.summary import flops, parameters
from foqus_lib.signals import Signals, shares_by_snr
from foqus_lib.studies.attempt import run
from foqus_lib.studies.coreset.room import bytes_of_record
from foqus_lib.studies.layer_pruning.base import base_weights, train_base, trained_on
from foqus_lib.studies.layer_pruning.benches import Bench, builder, fresh, wrapped
from foqus_lib.studies.layer_pruning.choice import equal_flops, kept_blocks, score_of
from foqus_lib.studies.layer_pruning.options import CHANNELS, FULL, SCRATCH
from foqus_lib.studies.pace import FORWARD, seconds_a_visit
from foqus_lib.training.collect import Collection
from foqus_lib.training.predict import logits_of
from foqus_lib.training.timing import milliseconds


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
            makes=one.base_keys(seed),
            kind=(named, one.options.precision),
            cost=len(bench.task.train) * one.options.base_epochs * (1 + FORWARD),
            probe=seconds_per_visit,
            memory=memory(one) + of_record(one),
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


def of_record(bench: Bench) -> int:
    """Bytes of what the training of a base network records."""
    how = bench.options
    whole = builder(bench, how.depths, None)
    return bytes_of_record(whole, bench.task.train, Collection(how.base_recipe, early_runs=0))


def seconds_per_visit(bench: Bench, job: Job) -> float:
    """Of a whole network of the job's kind."""
    bench = bench.of(job.kind[0])
    recipe, depths = bench.options.recipe, bench.options.depths
    rows = np.arange(min(recipe.batch, len(bench.task.train)))

    def train(epochs: int) -> None:
        trained_on(bench, depths, None, rows, "probe", replace(recipe, epochs=epochs), None)

    return seconds_a_visit(train, len(rows))


def run_one(bench: Bench, trial: Trial) -> None:
    """Cut the base network, test it, train what is left, test again, publish."""
    run(bench, trial, partial(_outcome, bench.of(trial["network"])))


def _outcome(bench: Bench, trial: Trial) -> dict:
    how, test = bench.options, bench.task.test
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
    before = builder(bench, depths, inner)(len(test.classes), test.length)
    put(before, [0], wrapped(start))
    metrics = {"accuracy_before": _accuracy(logits_of(before, test)[0], test)[0]}
    rows = np.arange(len(bench.task.train))
    network = trained_on(bench, depths, inner, rows, name, how.recipe, start)
    found, by_snr = _accuracy(logits_of(network, test)[0], test)
    metrics |= {"accuracy": found, "accuracy_by_snr": by_snr} | costs(network.network, test.length)
    if trial.method not in (CHANNELS, SCRATCH):
        metrics["score"] = score_of(bench, trial.seed, kept)
        metrics["kept_by_block"] = dict.fromkeys(map(str, kept), 1)
    return metrics


def _accuracy(logits: Tensor, test: Signals) -> tuple[float, dict[str, float]]:
    """Share of the test signals that are right, in all and by SNR (dB)."""
    right = logits.argmax(1).cpu().numpy() == test.label
    return float(right.mean()), shares_by_snr(right, test.snr)


def costs(network: torch.nn.Module, length: int) -> dict[str, float]:
    """Parameters, FLOPs of a signal, and milliseconds of a forward pass where the network is."""
    return {
        "parameters": parameters(network),
        "flops": flops(network, length),
        "latency_1": latency(network, length, 1, runs=11),
        "latency_128": latency(network, length, 128, runs=3),
    }


def latency(network: torch.nn.Module, length: int, batch: int, runs: int) -> float:
    """Median time (ms) of a forward pass of a batch of zeros."""
    x = torch.zeros(batch, 2, length, device=next(network.parameters()).device)
    return milliseconds(network, repeat(x, runs + 1))

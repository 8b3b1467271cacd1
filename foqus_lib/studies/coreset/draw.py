"""From evidence to the coreset of each trial."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch
from numpy import ndarray

from foqus_lib.evidence import Evidence
from foqus_lib.experiment.key import Trial
from foqus_lib.seeds import rng_for
from foqus_lib.selection.budget import budget_of
from foqus_lib.selection.catalog import looks_early, method_named, partition_named
from foqus_lib.selection.methods import coresets
from foqus_lib.signals import Signals
from foqus_lib.studies.coreset.bench import ALL_DATA, NONE, Bench, looked
from foqus_lib.studies.coreset.records import evidence_of


def select(bench: Bench, trials: Sequence[Trial]) -> list[ndarray]:
    """The coreset of each trial: rows of task.train.

    Of these trials one run of a method serves all its rates, repeats and evaluation networks.

    The draw's name leaves out rate and repeat: coresets of one method and seed are nested, and
    repeats evaluate the same one.
    """
    wanted = defaultdict(set)
    for trial in trials:
        wanted[_source(trial)].add(trial.budget)
    found: dict[tuple, dict[int, ndarray]] = {}
    for (model, method, seed), budgets in wanted.items():
        if method == ALL_DATA:
            found[model, method, seed] = {10_000: np.arange(len(bench.task.train))}
            continue
        record = evidence_of(bench, model, seed) if model != NONE else blind(bench.task.train)
        points = sorted(budgets)
        rates = [point / 10_000 for point in points]
        with torch.device(bench.device):  # where the selectors' products are computed
            rows = draw(bench.task.fingerprint, record, model, method, rates, seed)
        found[model, method, seed] = dict(zip(points, rows, strict=True))
    return [found[_source(trial)][trial.budget] for trial in trials]


def select_or_say(bench: Bench, trials: Sequence[Trial]) -> tuple[dict[str, ndarray], str]:
    """The coreset of each method that has one, and why others have none ("" if all have).

    Of a page: a record that failed costs its methods, not the page.
    """
    found, why = {}, {}
    for trial in trials:
        try:
            [found[trial.method]] = select(bench, [trial])
        except ValueError as error:
            why.setdefault(f"{error}", []).append(trial.method)
    return found, "\n".join(f"No coreset of {', '.join(m)}: {e}" for e, m in why.items())


def _source(trial: Trial) -> tuple[str, str, int]:
    return trial["selection_model"], trial.method, trial.seed


def draw(
    fingerprint: str, record: Evidence, model: str, method: str, rates: Sequence[float], seed: int
) -> list[ndarray]:
    """The coreset of each rate, drawn under the one name that all its uses share.

    `model` left the record; what looks at no network is drawn the same whatever stands there.

    ValueError for an empty coreset, and if a class cannot fill its equal share: a coreset that is
    not balanced would pass for one that is. (All of the data is all of the data.)
    """
    budgets = [affordable(record.label, rate) for rate in rates]
    rng = rng_for("draw", fingerprint, looked(method, model), method, seed)
    return coresets(method_named(method), record, budgets, rng, partition_named(method))


def affordable(label: ndarray, rate: float, classes: Sequence[str] = ()) -> int:
    """The budget of a rate; ValueError if it keeps nothing, or more of a class than there is.

    classes: their names, for the message; without them it has the number.
    """
    budget = budget_of(rate, len(label))
    if budget == 0:
        raise ValueError(
            f"rate: {rate:g} of {len(label)} signals keeps none. "
            f"Raise the rate to {rate_for(1, len(label)):g} or more"
        )
    if rate < 1:
        _refuse_starved_class(label, rate, budget, classes)
    return budget


def refuse_impossible(
    signals: Signals, rates: Sequence[float], methods: Sequence[str], early_runs: int
) -> None:
    """ValueError for what a trial could only say after the training that it waits for.

    A rate that keeps nothing or more of a class than there is, and a method whose record would
    lack the early trainings that it looks at.
    """
    for rate in rates:
        affordable(signals.label, rate, signals.classes)
    if early_runs == 0 and (early := [name for name in methods if looks_early(name)]):
        raise ValueError(
            f"early_runs: {', '.join(early)} looks at short trainings; expected 1 or more, got 0. "
            "Raise it, or leave that method out"
        )


def rate_for(least: int, n: int) -> float:
    """The smallest rate, of whole basis points, that keeps `least` or more of n signals."""
    rates = (points / 10_000 for points in range(1, 10_001))
    return next(rate for rate in rates if budget_of(rate, n) >= least)


def _refuse_starved_class(label: ndarray, rate: float, budget: int, classes: Sequence[str]) -> None:
    sizes = np.bincount(label)
    present = np.flatnonzero(sizes)
    share, small = budget // len(present), present[sizes[present].argmin()]
    if share > sizes[small]:
        most = sizes[small] * len(present) * 10_000 // len(label) / 10_000
        name = classes[small] if classes else small
        raise ValueError(
            f"rate: {rate:g} of {len(label)} signals is {share} for each of {len(present)} "
            f"classes, but class {name} has {sizes[small]}. "
            + (f"Lower the rate to {most:g} or add" if most else "Leave that class out or add")
            + " signals of that class"
        )


def blind(signals: Signals) -> Evidence:
    """Evidence without a training, for methods that look at no network: labels and nothing else."""
    n = len(signals)
    logits, nothing = np.zeros((n, len(signals.classes)), np.float32), np.zeros((n, 1), np.float32)
    return Evidence(
        label=signals.label,
        snr=signals.snr,
        correct=np.zeros((2, n), bool),
        loss=np.zeros((2, n), np.float32),
        logits=logits,
        embedding=nothing,
        logits_early=logits[None],
        embedding_norm_early=nothing.T,
    )

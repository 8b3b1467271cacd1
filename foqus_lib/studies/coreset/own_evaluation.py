"""Does such a choice help? The coreset study on somebody's own file, method against Uniform.

A part of the file is held out, class by class and SNR by SNR. For each seed a network looks at the
training part, the method and Uniform choose from it at each rate, a fresh network is trained on
each coreset, and one on all of the training part; all are tested on the part held out. What the
store holds is not run again: Uniform and All data of chapter 03_main_tables, and what looked at a
network that was asked for as here, without early trainings but for GraNd and EL2N (early_runs=0).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int64
from numpy import ndarray

from foqus_lib.datasets.catalog import prepare
from foqus_lib.experiment import store
from foqus_lib.experiment.key import Trial, basis_points
from foqus_lib.experiment.plan import OF_A_WORKER, Plan, in_words, plan, size_in_words
from foqus_lib.experiment.settings import Common
from foqus_lib.experiment.store import frame
from foqus_lib.experiment.sweep import sweep
from foqus_lib.studies.coreset import grid
from foqus_lib.studies.coreset.bench import Bench
from foqus_lib.studies.coreset.draw import affordable, rate_for
from foqus_lib.studies.coreset.grid import CORESET
from foqus_lib.studies.coreset.own import Request


@dataclass(frozen=True)
class Evaluation:
    """What is asked for."""

    request: Request
    seeds: int
    rates: tuple[float, ...] = ()  # besides the request's own; none: half of it and double
    split: str = "random"
    workers: int = 1

    def __post_init__(self) -> None:
        if self.request.method == CORESET.floor:
            raise ValueError(
                f"--evaluate: compares a method with {CORESET.floor}, got --method "
                f"{CORESET.floor}. Name another method"
            )
        if any(basis_points(rate) == 10_000 for rate in (self.request.rate, *self.rates)):
            raise ValueError("--evaluate: a rate of 1 keeps everything. Name rates below 1")


@dataclass(frozen=True, eq=False)
class Opened:
    """An evaluation whose signals are loaded and whose trials are known."""

    bench: Bench
    trials: list[Trial]
    workers: int

    def plan(self) -> Plan:
        """What the store lacks, with a measured time for a unit of cost whatever its size."""
        return plan(CORESET, self.bench, self.trials, self.workers, probed_from=0)

    def expected(self) -> str:
        """What is held out, and time and memory of `run`; of loading, if that needs more memory."""
        todo, task = self.plan(), self.bench.task
        loading = OF_A_WORKER + 2 * (task.train.iq.nbytes + task.test.iq.nbytes)
        memory = size_in_words(max(todo.memory, loading))
        time = f"about {in_words(max(todo.seconds_in_all, 1))} of training"
        return (
            f"{task.about}\n"
            f"expected for the evaluation: {time if todo.missing else 'no training'} on "
            f"{self.bench.device}, {memory} of memory at its peak; {todo.complete} of "
            f"{len(self.trials)} results are stored"
        )

    def run(self, progress: Callable[[str], None]) -> tuple[store.Scan, pd.DataFrame]:
        """Run what is missing; what is complete, and one row a finished trial."""
        found = sweep(CORESET, self.bench, self.trials, self.workers, progress, probed_from=0)
        return found, frame(self.bench.root, CORESET, self.trials)


def opened(asked: Evaluation, results: Path, device: str = "auto") -> Opened:
    """Load, hold out, and refuse what cannot end well.

    ValueError if a class has no test signal, or if a coreset would hold none of a class.
    """
    request, how = asked.request, asked.request.collection
    common = Common(
        profile="own", dataset=str(Path(request.data).absolute()), frames=0,
        snr_min=request.snr_min, split=asked.split, normalise=request.normalise, train_share=0.0,
        val_share=0.0, data_seed=0, seeds=asked.seeds, device=device, workers=asked.workers,
        memory_gb=0.0, scheduler="", results=str(Path(results).absolute()),
    )  # fmt: skip
    task = prepare(
        common.dataset, snr_min=common.snr_min, split=common.split, normalise=common.normalise,
        train_share=common.train_share, frames=common.frames, seed=common.data_seed,
    )  # fmt: skip
    options = grid.Options(
        models=(request.model,),
        methods=(CORESET.floor, request.method),
        ceilings=(request.model,),
        rates=_rates(task.train.label, request.rate, asked.rates),
        selection_epochs=how.recipe.epochs,
        epochs=how.recipe.epochs,
        batch=how.recipe.batch,
        early_runs=how.early_runs,
        early_epochs=how.early_epochs,
    )
    bench = grid.bench(common, options, task)
    return Opened(bench, grid.main_tables(common, options, task), asked.workers)


def _rates(label: Int64[ndarray, " N"], rate: float, others: Sequence[float]) -> tuple[float, ...]:
    """The rate with the others; or with half and double, as far as every class can fill them."""
    points = basis_points(rate)
    asked = [points, *map(basis_points, others)]
    for one in asked:
        _refuse_empty_class(label, one / 10_000)
    tried = asked if others else [points, points // 2, 2 * points]
    return tuple(one / 10_000 for one in sorted(set(tried)) if _can_be_filled(label, one))


def _can_be_filled(label: Int64[ndarray, " N"], points: int) -> bool:
    if not 0 < points < 10_000:
        return False
    try:
        _refuse_empty_class(label, points / 10_000)
    except ValueError:
        return False
    return True


def _refuse_empty_class(label: Int64[ndarray, " N"], rate: float) -> None:
    """ValueError if a coreset of this rate would hold no signal of a class, or cannot be drawn."""
    kept, classes = affordable(label, rate), len(np.unique(label))
    if kept < classes:
        raise ValueError(
            f"rate: {rate:g} of the {len(label)} training signals is {kept} for {classes} classes: "
            f"one would have none. Raise the rate to {rate_for(classes, len(label)):g} or more, or "
            "add signals"
        )

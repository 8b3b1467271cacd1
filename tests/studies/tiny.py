"""The coreset study on the tones, at a size that trains in seconds."""

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace

from foqus_lib.experiment import store, sweep
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.settings import Common
from foqus_lib.experiment.store import frame
from foqus_lib.studies.coreset import grid
from foqus_lib.studies.coreset.bench import Bench
from foqus_lib.studies.coreset.grid import CORESET, Options

OPTIONS = Options(
    methods=("Uniform", "FoQuS", "Margin"),
    ceilings=(),
    rates=(0.25, 0.5),
    selection_epochs=2,
    epochs=1,
    batch=16,
    early_runs=1,
    early_epochs=1,
)


def common(**change) -> Common:
    plain = Common(
        profile="smoke", dataset="tones", frames=0, snr_min=0.0, split="positional",
        normalise="native", train_share=0.0, val_share=0.0, data_seed=0, seeds=1,
        device="cpu", workers=1, memory_gb=0.0, scheduler="", results="nowhere",
    )  # fmt: skip
    return replace(plain, **change)


def bench(task, root, options: Options = OPTIONS, **change) -> Bench:
    return replace(Bench(task, options.collection, options.evaluation, root, "cpu"), **change)


def trials(task, options: Options = OPTIONS, seeds: int = 1, **change) -> list[Trial]:
    """Each model for itself: trials(task, methods=("FoQuS",), rates=(0.5,), seeds=2)."""
    return grid.main_tables(common(seeds=seeds), replace(options, **change), task)


def pairs(task, *names: str, **change) -> list[Trial]:
    """A selects for B: pairs(task, "CNN1D -> CNN2D", methods=("FoQuS",))."""
    return grid.cross_architecture(common(), replace(OPTIONS, pairs=names, **change), task)


def run(
    bench: Bench, wanted: Sequence[Trial], workers: int = 1, progress=lambda text: None
) -> store.Scan:
    return sweep.sweep(CORESET, bench, wanted, workers, progress)


def slow_clock() -> SimpleNamespace:
    """For a module's `time`: the hour is right, but each look at another clock is days later."""
    days = itertools.count(0.0, 1e6)
    return SimpleNamespace(
        time=time.time, perf_counter=lambda: next(days), process_time=lambda: next(days)
    )


def began(facts: Mapping) -> float:
    """When a result's making began, as time.time() has it, by its provenance."""
    assert facts["seconds"] >= 1e5
    return datetime.fromisoformat(facts["started"]).timestamp()


def accuracies(bench: Bench, wanted: Sequence[Trial]) -> list[float]:
    return frame(bench.root, CORESET, wanted).accuracy.tolist()

"""Trials that are run one after the other: what each took is published, what failed is noted.

A failure is the trial's own and stops no other. A device that is gone, or a disk that cannot be
written to, is everybody's and ends the sweep.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from foqus_lib.errors import DeviceLost
from foqus_lib.experiment import store
from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.plan import Bench
from foqus_lib.experiment.provenance import provenance
from foqus_lib.studies.watch import device_watched

Outcome = Callable[[Trial], Mapping]  # the metrics of a trial


def each(bench: Bench, trials: Iterable[Trial], outcome: Outcome, about: str = "") -> None:
    """Run, one by one, those that the store lacks. (A worker that died may have had some.)"""
    for trial in trials:
        if not store.has(bench.root, trial):
            with noted(bench, [trial]):
                run(bench, trial, outcome, about)


def run(bench: Bench, trial: Trial, outcome: Outcome, about: str = "") -> None:
    """Have the metrics of a trial and publish them; raises what `outcome` does."""
    began = time.perf_counter()
    with device_watched(bench.device):
        metrics = outcome(trial)
    publish(bench, trial, metrics, time.perf_counter() - began, about)


@contextmanager
def noted(bench: Bench, trials: Sequence[Trial]) -> Iterator[None]:
    """What fails inside is kept as a failure of those of the trials that are not stored by then."""
    try:
        with device_watched(bench.device):
            yield
    except (DeviceLost, OSError):
        raise
    except Exception as error:
        for trial in trials:
            if not store.has(bench.root, trial):
                store.fail(bench.root, trial.key, error)


def publish(
    bench: Bench, trial: Trial, metrics: Mapping, seconds: float, about: str = "", **more: float
) -> None:
    """Store a result with the seconds it took; about: of the signals, else of the bench's task.

    more: fused and began, as `provenance` takes them.
    """
    about = about or bench.task.about
    facts = provenance(device=bench.device, seconds=seconds, about=about, **more)
    store.publish(bench.root, trial, metrics, facts)

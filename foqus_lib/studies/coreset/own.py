"""A coreset of somebody's own signals: load, train, score, choose; `own_folder` writes it down.

    choose(request, store, device) -> Choice
    own_folder.write(folder, choice.rows, choice.table, page, choice.manifest)

`own_evaluation` measures whether such a choice helps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int64
from numpy import ndarray

from foqus_lib import signals
from foqus_lib.datasets import checks, door, files
from foqus_lib.datasets.catalog import Task
from foqus_lib.durable import check_writable
from foqus_lib.errors import unknown
from foqus_lib.evidence import Evidence
from foqus_lib.experiment import artifacts
from foqus_lib.experiment.key import basis_points
from foqus_lib.experiment.plan import OF_A_WORKER, in_words, seconds_per_unit, size_in_words
from foqus_lib.experiment.provenance import provenance
from foqus_lib.experiment.study import Job
from foqus_lib.models import known_model
from foqus_lib.models.shapes import check_length
from foqus_lib.selection import foqus, scores
from foqus_lib.selection.budget import apportion, budget_of
from foqus_lib.selection.catalog import looks_early, method_named, version_of
from foqus_lib.signals import Signals
from foqus_lib.studies.coreset.bench import NONE, Bench, looked
from foqus_lib.studies.coreset.draw import affordable, blind, draw, rate_for
from foqus_lib.studies.coreset.own_folder import SCHEMA, read, subset
from foqus_lib.studies.coreset.run import evidence_jobs, recorded
from foqus_lib.training.collect import Collection
from foqus_lib.training.device import pick_device
from foqus_lib.training.recipe import Recipe

__all__ = ["Choice", "Request", "choose", "expected", "kept", "read", "score_table", "subset"]

MOST_NAMED = 10  # classes in a sentence
Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What decides a coreset, and so what its manifest says."""

    data: str  # path of a file or folder that `datasets.files.load` reads
    model: str
    method: str
    rate: float
    seed: int
    snr_min: float  # dB
    normalise: str
    collection: Collection
    scores: bool = False  # wanted even where the method looks at no network

    def __post_init__(self) -> None:
        basis_points(self.rate)
        known_model(self.model)
        method_named(self.method)
        if looks_early(self.method) and self.collection.early_runs == 0:
            raise ValueError(
                f"early_runs: {self.method} looks at short trainings; expected 1 or more, got 0"
            )
        if self.normalise not in signals.NORMALISATIONS:
            raise unknown("normalisation", self.normalise, signals.NORMALISATIONS)

    @property
    def looks(self) -> bool:
        """Whether a network has to be trained: for the method, or for the scores."""
        return self.scores or self.looked != NONE

    @property
    def looked(self) -> str:
        """The network that the method looks at; NONE: whatever the network, it draws the same."""
        return looked(self.method, self.model)


@dataclass(frozen=True, eq=False)
class Choice:
    """A coreset before it is written."""

    rows: Int64[ndarray, " k"]  # of the data file, ascending
    table: pd.DataFrame  # a line a signal: row, class, snr_db, kept, and the scores if there are
    manifest: dict
    unkept: str  # which classes have no signal in it, and the rate that mends it; "" if all have


def choose(
    request: Request,
    results: Path,
    device: str = "auto",
    progress: Say = lambda text: None,
    exported: bool = False,
) -> Choice:
    """The coreset of all signals of the file.

    Evidence is kept in `results`: another rate of the same data costs no training, under whatever
    name the file lies, nor does another method. (GraNd and EL2N share a record of their own: it has
    early trainings, which the others' has not.) What cannot end well is refused before the
    training. The signals are in memory once, and only until the record is there.

    exported: will be a file, which every reader refuses if a class has no signal in it.
    """
    check_writable(results, "--results")
    bench, rows, about = _opened(request, results, device)
    progress(f"{Path(request.data).name}: {about}")
    if unkept := _unkept(bench.task.train, request, exported):
        progress(f"foqus: {unkept}")
    progress(_in_words(bench, _jobs(request, bench)))
    fingerprint, classes = bench.task.fingerprint, bench.task.train.classes
    if request.looks:
        record, facts = _evidence(request, bench, progress)
    else:
        record = blind(bench.task.train)
        facts = provenance(device=bench.device, seconds=0.0)
    del bench
    with pick_device(device):  # where the selector's products are computed
        [chosen] = draw(
            fingerprint, record, request.looked, request.method, [request.rate], request.seed
        )
    table = pd.DataFrame(
        {
            "row": rows,
            "class": np.array(classes)[record.label],
            "snr_db": record.snr,
            "kept": np.isin(np.arange(len(record)), chosen).astype(int),
        }
    )
    if request.looks:
        table = pd.concat([table, score_table(record)], axis=1)
    manifest = {
        "schema": SCHEMA,
        "data": {
            "file": Path(request.data).name,
            "about": about,
            "fingerprint": fingerprint,
            "signals": len(record),
            "snr_min": request.snr_min,
            "normalise": request.normalise,
        },
        "model": request.model,
        "method": request.method,
        "method_version": version_of(request.method),
        "rate": request.rate,
        "kept": len(chosen),
        "seed": request.seed,
        "recipe": str(request.collection) if request.looks else NONE,
        "provenance": facts,
    }
    return Choice(np.sort(rows[chosen]), table, manifest, unkept)


def expected(request: Request, results: Path, device: str = "auto", exported: bool = False) -> str:
    """What `choose` would take, in words: time by a measured step, memory by the arrays' sizes.

    Above it what was read and, where there are any, which classes would be left empty. What
    `choose` refuses is refused here.
    """
    bench, _, about = _opened(request, results, device)
    unkept = _unkept(bench.task.train, request, exported)
    said = [f"{Path(request.data).name}: {about}", unkept, _in_words(bench, _jobs(request, bench))]
    return "\n".join(filter(None, said))


def kept(request: Request, rows: Int64[ndarray, " k"]) -> Signals:
    """These rows of the data file, on the scale of the file."""
    loaded = files.load(Path(request.data), request.snr_min)
    return loaded.signals[np.flatnonzero(np.isin(loaded.rows, rows))]


def _opened(
    request: Request, results: Path, device: str
) -> tuple[Bench, Int64[ndarray, " N"], str]:
    """What the training is told, its signals from snr_min on and scaled; their rows in the file.

    And what was read, in words.
    """
    loaded = files.load(Path(request.data), request.snr_min)
    origin = loaded.origin
    rows = loaded.rows[loaded.signals.snr >= request.snr_min]
    try:
        cut = signals.at_least(loaded.signals, request.snr_min)
        affordable(cut.label, request.rate, cut.classes)
        check_length(request.model, cut.length)
    except ValueError as error:
        raise ValueError(f"{request.data}: {error}") from None
    del loaded
    checks.varied(request.data, cut)  # the reader saw what the cut may have dropped
    data = signals.IN_PLACE[request.normalise](cut)
    name, places = Path(request.data).stem, np.arange(len(data))
    task = Task(name, False, data, data, places, signals.fingerprint(data), name)
    where = str(pick_device(device))
    return Bench(task, request.collection, Recipe(), results, where), rows, _read(origin, data)


def _read(origin: str, data: Signals) -> str:
    """Where signals come from, how many of what kind; and copies and silence, if there are any."""
    heard = signals.frame_hashes(data.iq)
    silent = int((heard == 0).sum())
    copies = len(data) - silent - len(np.unique(heard[heard != 0]))
    odd = [f"{n:,} {what}" for n, what in ((copies, "copies of others"), (silent, "silent")) if n]
    said = (
        f"{origin}: {len(data):,} signals of {data.length} samples, "
        f"{len(np.unique(data.label))} classes, {data.snr.min():g} to {data.snr.max():g} dB"
    )
    return f"{said}; of them {', '.join(odd)}" if odd else said


def _unkept(data: Signals, request: Request, exported: bool) -> str:
    """Which classes the cut or the rate leaves empty; or "". ValueError if it is to be exported."""
    sizes = np.bincount(data.label, minlength=len(data.classes))
    cut = [data.classes[c] for c in np.flatnonzero(sizes == 0)]
    said = _starved(data, request.rate, sizes)
    if cut:
        lost = f"Classes without a signal at {request.snr_min:g} dB or more: {_named(cut)}"
        said = f"{lost}. {said}" if said else lost
    if said and exported:
        raise ValueError(
            f"--export: expected a signal of every class, or the file is refused where it is read. "
            f"{said}. Mend that, or leave --export out"
        )
    return said


def _starved(data: Signals, rate: float, sizes: Int64[ndarray, " C"]) -> str:
    """Which classes the rate is too low for, as every method does alike; or ""."""
    n, present = len(data), np.flatnonzero(sizes)
    quotas = apportion(budget_of(rate, n), [1] * len(present), sizes[present].tolist())
    empty = [data.classes[c] for c, quota in zip(present, quotas, strict=True) if not quota]
    if not empty:
        return ""
    return (
        f"Classes without a signal: {rate:g} of {n:,} signals is {sum(quotas)} for {len(present)} "
        f"classes, which leaves {_named(empty)} empty. The smallest rate that gives each class "
        f"one is {rate_for(len(present), n):g}"
    )


def _named(classes: Sequence[str]) -> str:
    more = f" and {len(classes) - MOST_NAMED} more" * (len(classes) > MOST_NAMED)
    return ", ".join(classes[:MOST_NAMED]) + more


def _jobs(request: Request, bench: Bench) -> list[Job]:
    """What there is to train; ValueError if the machine has not the memory for its record."""
    jobs = evidence_jobs(bench, [(request.model, request.seed)]) if request.looks else []
    held = bench.task.train.iq.nbytes  # already, as Python and torch are
    for job in jobs:
        what = f"{request.data}: the record of {request.collection.recipe.epochs} epochs"
        door.fits(what, job.memory - held, "Lower --epochs, or give fewer rows")
    return jobs


def _in_words(bench: Bench, jobs: Sequence[Job]) -> str:
    each = seconds_per_unit(bench, jobs)
    if any(job.kind not in each for job in jobs):
        time = "time not measured"
    else:
        seconds = sum(each[job.kind] * job.cost for job in jobs)
        time = f"about {in_words(max(seconds, 1))} of training" if jobs else "no training"
    needed = OF_A_WORKER + max((job.memory for job in jobs), default=bench.task.train.iq.nbytes)
    memory = size_in_words(needed)
    return f"expected for the choice: {time} on {bench.device}, {memory} of memory at its peak"


def _evidence(request: Request, bench: Bench, progress: Say) -> tuple[Evidence, dict]:
    """From the store, or from a training now, maybe of a file of another name; and from where."""
    record = recorded(bench, request.model, request.seed, progress)
    path = artifacts.find_arrays(bench.root, bench.evidence_key(request.model, request.seed))
    facts, name = artifacts.provenance_of(path), bench.task.about
    if facts["about"] != name:
        facts = facts | {"about": f"{name}; its record was made from {facts['about']}"}
    return record, facts


def score_table(record: Evidence) -> pd.DataFrame:
    """One line a signal: every score that is a number a signal, by the paper's names."""
    c, loss = record.correct, record.loss
    return pd.DataFrame(
        {
            "forgetting_eq4": foqus.forgetting_score(c),
            "persistent_error_eq5": foqus.persistent_error_score(c),
            "quality_eq7": foqus.quality_score(c, loss),
            "foqus_eq8": foqus.foqus_score(c, loss),
            "foqus_min_max": foqus.foqus_score_min_max(c, loss),
            "mean_loss_nats": loss.mean(axis=0, dtype=np.float64),
            "least_confidence": scores.least_confidence(record),
            "entropy_nats": scores.entropy(record),
            "margin": scores.margin(record),
        }
    )

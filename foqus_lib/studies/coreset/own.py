"""A coreset of somebody's own signals: train, score, select, and write down what was done.

folder/indices.npy     rows of the data file that are kept, ascending
folder/scores.csv      one line a signal: class, SNR, kept or not, every score (Uniform: if asked)
folder/manifest.json   data fingerprint, recipe, seed, versions: enough to rebuild or refuse
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int64
from numpy import ndarray

from foqus_lib import signals
from foqus_lib.datasets import files
from foqus_lib.datasets.catalog import Task
from foqus_lib.durable import check_writable
from foqus_lib.errors import unknown
from foqus_lib.evidence import Evidence
from foqus_lib.experiment import artifacts
from foqus_lib.experiment.key import basis_points
from foqus_lib.experiment.plan import GIB, OF_A_WORKER, PROBED_FROM, in_words
from foqus_lib.experiment.provenance import provenance
from foqus_lib.experiment.study import Job
from foqus_lib.selection import foqus, scores
from foqus_lib.selection.catalog import SNR_BALANCED, method_named, version_of
from foqus_lib.signals import Signals
from foqus_lib.studies.coreset.bench import NO_NETWORK, NONE, Bench
from foqus_lib.studies.coreset.draw import affordable, blind, draw
from foqus_lib.studies.coreset.grid import known_model
from foqus_lib.studies.coreset.run import evidence_jobs, long_enough, recorded
from foqus_lib.training.collect import Collection
from foqus_lib.training.device import pick_device
from foqus_lib.training.recipe import Recipe

SCHEMA = 2
FILES = ("indices.npy", "scores.csv", "manifest.json")


@dataclass(frozen=True)
class Request:
    """What decides a coreset, and so what its manifest says."""

    data: str  # path of an .npz with X, y, snr, classes
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
        if self.method.startswith("GraNd") and self.collection.early_runs == 0:
            raise ValueError(
                "early_runs: GraNd looks at short trainings; expected 1 or more, got 0"
            )
        if self.normalise not in signals.NORMALISATIONS:
            raise unknown("normalisation", self.normalise, signals.NORMALISATIONS)

    @property
    def looks(self) -> bool:
        """Whether a network has to be trained: for the method, or for the scores."""
        return self.scores or self.method.removesuffix(SNR_BALANCED) not in NO_NETWORK


def select(
    request: Request,
    results: Path,
    folder: Path,
    device: str = "auto",
    progress: Callable[[str], None] = lambda text: None,
) -> Int64[ndarray, " k"]:
    """Make the coreset and write its three files; returns the rows of the data file, ascending.

    Evidence is kept in `results`: another method or rate of the same data costs no training, under
    whatever name the file lies. What cannot end well is refused before the training. The signals
    are in memory once, and only until the record is there.
    """
    _check_new(folder)
    check_writable(results)
    data, rows = _loaded(request)
    affordable(data.label, request.rate)
    long_enough(request.model, data)
    fingerprint, classes = signals.fingerprint(data), data.classes
    if request.looks:
        record, facts = _evidence(request, data, fingerprint, results, device, progress)
    else:
        record, facts = blind(data), provenance(device=str(pick_device(device)), seconds=0.0)
    del data
    with pick_device(device):  # where the selector's products are computed
        [chosen] = draw(
            fingerprint, record, request.model, request.method, [request.rate], request.seed
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
    _write(folder, np.sort(rows[chosen]), table, manifest)
    return np.sort(rows[chosen])


def _loaded(request: Request) -> tuple[Signals, Int64[ndarray, " N"]]:
    """The signals of the file from snr_min on, scaled, and their rows there."""
    loaded = files.load(Path(request.data), request.snr_min)
    rows = loaded.rows[loaded.signals.snr >= request.snr_min]
    cut = signals.at_least(loaded.signals, request.snr_min)
    return signals.IN_PLACE[request.normalise](cut), rows


def kept(request: Request, rows: Int64[ndarray, " k"]) -> Signals:
    """These rows of the data file, on the scale of the file."""
    loaded = files.load(Path(request.data), request.snr_min)
    return loaded.signals[np.flatnonzero(np.isin(loaded.rows, rows))]


def _evidence(
    request: Request,
    data: Signals,
    fingerprint: str,
    results: Path,
    device: str,
    progress: Callable[[str], None],
) -> tuple[Evidence, dict]:
    """From the store, or from a training now; and where it comes from."""
    name, rows = Path(request.data).stem, np.arange(len(data))
    task = Task(name, False, data, data, rows, fingerprint, name)
    bench = Bench(task, request.collection, Recipe(), results, str(pick_device(device)))
    for job in evidence_jobs(bench, [(request.model, request.seed)]):
        progress(estimate(bench, job))
    record = recorded(bench, request.model, request.seed, progress)
    path = artifacts.find_arrays(results, bench.evidence_key(request.model, request.seed))
    return record, artifacts.provenance_of(path)


def estimate(bench: Bench, job: Job) -> str:
    """What the training will take, measured on one small batch before it begins."""
    seconds = job.cost * job.probe(bench, job) if job.cost > PROBED_FROM else 0.0
    time_left = f"about {in_words(seconds)}" if seconds else "under a minute or two"
    memory = (job.memory + OF_A_WORKER) / GIB
    return f"expected: {time_left} on {bench.device}, {memory:.1f} GiB of memory at its peak"


def _check_new(folder: Path) -> None:
    """ValueError for a folder that holds a coreset, or that cannot be made: before the training."""
    if any((folder / name).exists() for name in FILES):
        raise ValueError(f"{folder}: holds a coreset already. Name another folder or move it away")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ValueError(f"{folder}: expected a new or empty folder. Name another one")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder.parent):
            pass
    except OSError as error:
        raise ValueError(
            f"{folder}: cannot be made ({error.strerror}). Name a folder that can be written to"
        ) from error


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


def _write(folder: Path, rows: ndarray, table: pd.DataFrame, manifest: dict) -> None:
    """All three files or none: they appear together, by one rename."""
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        np.save(made / "indices.npy", rows, allow_pickle=False)
        table.to_csv(made / "scores.csv", index=False, lineterminator="\n")
        files = {name: sha256((made / name).read_bytes()).hexdigest() for name in FILES[:2]}
        text = json.dumps(manifest | {"sha256": files}, indent=2)
        (made / "manifest.json").write_text(text + "\n", encoding="utf-8")
        made.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()  # an empty folder may stand there; anything else is not ours to remove
        os.rename(made, folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def read(folder: Path) -> tuple[Int64[ndarray, " k"], dict]:
    """Rows of the data file and the manifest, checked against each other."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        content = (folder / "indices.npy").read_bytes()
        wanted = manifest["sha256"]["indices.npy"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder}: not a coreset folder ({error}). Run foqus select") from error
    if (got := sha256(content).hexdigest()) != wanted:
        raise ValueError(
            f"{folder / 'indices.npy'}: expected SHA-256 {wanted[:16]}, got {got[:16]}. "
            "It was changed after it was made; run foqus select again"
        )
    return np.load(folder / "indices.npy", allow_pickle=False), manifest


def subset(dataset: torch.utils.data.Dataset, folder: Path) -> torch.utils.data.Subset:
    """The coreset of a torch data set whose items stand in the order of the data file."""
    rows, manifest = read(folder)
    if len(rows) and rows.max() >= len(dataset):
        raise ValueError(
            f"{folder}: keeps row {rows.max()} but the data set has {len(dataset)} items. "
            f"It was made from {manifest['data']['file']}"
        )
    return torch.utils.data.Subset(dataset, rows.tolist())

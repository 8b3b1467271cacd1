"""Every data set by name, and the way from a name or a file to a task: load, cut, split, scale."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from foqus_lib import signals as sig
from foqus_lib.datasets import own, radio_synth, rml2016
from foqus_lib.errors import unknown
from foqus_lib.seeds import rng_for
from foqus_lib.signals import Signals
from foqus_lib.splits import SPLITS


@dataclass(frozen=True, eq=False)
class Task:
    """A data set ready for training and selection."""

    name: str
    simulated: bool
    train: Signals
    test: Signals
    train_rows: Int64[ndarray, " N"]  # row of each training signal in the file, or as generated
    fingerprint: str  # SHA-256 of train and test
    about: str  # one sentence for captions


def rml2016_10a_like(snr_min: float, frames: int, seed: int) -> Signals:
    """Simulated RML2016.10a at the labels -20..18 dB that reach snr_min; 0 frames means 1000."""
    snrs = [snr for snr in radio_synth.SNRS if snr >= snr_min]
    if not snrs:
        highest = max(radio_synth.SNRS)
        raise ValueError(
            f"snr_min: no SNR label at {snr_min:g} dB or more; they end at {highest} dB. Lower it"
        )
    return radio_synth.generate(snrs, frames or 1000, seed)


# Names that need no file: (snr_min in dB, frames for each class and SNR, seed) -> Signals.
DATASETS: dict[str, Callable[[float, int, int], Signals]] = {radio_synth.NAME: rml2016_10a_like}

PICKLES = (".pkl", ".dat")


def prepare(
    source: str,
    *,
    snr_min: float,
    split: str,
    normalise: str,
    train_share: float,
    frames: int,
    seed: int,
) -> Task:
    """Load, keep SNR >= snr_min (dB), split, then normalise.

    source: a name in DATASETS, or the path of a user's .npz or of an RML2016 .pkl or .dat.
    split: a name in SPLITS. normalise: a name in NORMALISATIONS. seed: of simulation and split.
    frames: signals to simulate for each class and SNR, 0 for the set's own size.
    """
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    if normalise not in sig.NORMALISATIONS:
        raise unknown("normalisation", normalise, sig.NORMALISATIONS)
    if frames < 0:
        raise ValueError(f"frames: expected 0 or more, got {frames}. 0 takes the set's own size")
    name, origin, everything, rows = _load(source, snr_min, frames, seed)
    rows = rows[everything.snr >= snr_min]
    kept = sig.at_least(everything, snr_min)
    del everything
    train_at, test_at = SPLITS[split](kept, train_share, rng_for("split", name, split, seed))
    train, test = kept[train_at], kept[test_at]
    if source not in DATASETS:
        _refuse_leak(source, split, train, test)
    for part, which in [(train, "train"), (test, "test")]:
        _refuse_empty_class(source, part, which)
    scale = sig.NORMALISATIONS[normalise]
    train, test = scale(train), scale(test)
    prints = sig.fingerprint(train) + sig.fingerprint(test)
    low, high = kept.snr.min(), kept.snr.max()
    about = (
        f"{name} ({origin}), {low:g} to {high:g} dB, {len(kept.classes)} classes, "
        f"split {split}: {len(train):,} train and {len(test):,} test signals of {kept.length} "
        f"samples, {normalise} scale."
    )
    return Task(
        name=name,
        simulated=source in DATASETS,
        train=train,
        test=test,
        train_rows=rows[train_at],
        fingerprint=hashlib.sha256(prints.encode()).hexdigest(),
        about=about,
    )


def _load(
    source: str, snr_min: float, frames: int, seed: int
) -> tuple[str, str, Signals, Int64[ndarray, " N"]]:
    """Name, origin for the caption, signals, and the row of each in the source."""
    if source in DATASETS:
        made = DATASETS[source](snr_min, frames, seed)
        return source, f"simulated, seed {seed}", made, np.arange(len(made))
    path = Path(source)
    if path.suffix not in (".npz", *PICKLES):
        if path.exists():
            raise ValueError(
                f"{source}: expected a file ending in .npz (your own arrays) or "
                f"{' or '.join(PICKLES)} (RML2016), got {path.suffix or 'no suffix'!r}. Rename it"
            )
        raise ValueError(f"{unknown('data set', source, DATASETS)}; and no file has this path")
    if frames:
        raise ValueError(f"frames: expected 0 for the file {source}, got {frames}; it has its own")
    if path.suffix == ".npz":
        loaded, rows = own.load(path)
        name = re.sub(r"[^A-Za-z0-9._+-]+", "-", path.stem)
    else:
        loaded, name = rml2016.load(path)
        rows = np.arange(len(loaded))
    return name, f"file with SHA-256 {rml2016.file_sha256(path)[:12]}", loaded, rows


MOST_SHARING = 0.05  # of the test; a positional split of half-overlapping frames shares 0.6 %


def _refuse_leak(source: str, split: str, train: Signals, test: Signals) -> None:
    """ValueError if test signals are also training signals, or share a half with one."""
    same = int(_among(test.iq, train.iq).sum())
    if same:
        raise ValueError(
            f"{source}: {same} of {len(test)} test signals are copies of training signals. "
            "Drop the copies: np.unique(X, axis=0, return_index=True)"
        )
    half = train.length // 2
    if half < 8:
        return
    starts_as_end = _among(test.iq[:, :, :half], train.iq[:, :, -half:])
    ends_as_start = _among(test.iq[:, :, -half:], train.iq[:, :, :half])
    sharing = int((starts_as_end | ends_as_start).sum())
    if sharing > MOST_SHARING * len(test):
        raise ValueError(
            f"{source}: {sharing} of {len(test)} test signals share half their samples with a "
            f"training signal under the split {split!r}: the frames overlap. Use the split 'blocks'"
        )


def _among(iq: ndarray, others: ndarray) -> ndarray:
    """Which pieces of signals stand among the others too; silence (all zeros) does not count."""
    hashes = sig.frame_hashes(iq)
    return np.isin(hashes, sig.frame_hashes(others)) & (hashes != 0)


def _refuse_empty_class(source: str, part: Signals, which: str) -> None:
    counts = np.bincount(part.label, minlength=len(part.classes))
    if not counts.all():
        empty = part.classes[int(counts.argmin())]
        raise ValueError(
            f"{source}: class {empty} has no {which} signal left after the SNR cut and the split. "
            "Lower snr_min, change train_share, or remove the class from the file"
        )

"""Every data set by name, and the way from a name or a file to a task: load, cut, split, scale."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64
from numpy import ndarray

from foqus_lib import signals as sig
from foqus_lib.datasets import checks, files, rml2018, sig2019
from foqus_lib.datasets.files import CACHE, Loaded
from foqus_lib.datasets.simulated import like_rml2016, like_rml2018, like_sig2019
from foqus_lib.errors import unknown
from foqus_lib.seeds import rng_for
from foqus_lib.signals import Signals
from foqus_lib.splits import SPLITS, first_of_pairs


@dataclass(frozen=True, eq=False)
class Task:
    """A data set ready for training and selection."""

    name: str
    simulated: bool
    train: Signals
    test: Signals
    train_rows: Int64[ndarray, " N"]  # row of each training signal in the file, or as generated
    fingerprint: str  # SHA-256 of train and test, and of val if there is one
    about: str  # one sentence for captions
    val: Signals | None = None  # cut from train, to choose settings by


Simulated = Callable[[float, int, int], Signals]


def simulated(
    generate: Callable[[Sequence[int], int, int], Signals], snrs: Sequence[int], own_size: int
) -> Simulated:
    """(snr_min in dB, frames, seed) -> the SNR labels of a set that reach snr_min.

    own_size: frames for each class and SNR of the real set, which 0 frames means.
    """

    def make(snr_min: float, frames: int, seed: int) -> Signals:
        kept = [snr for snr in snrs if snr >= snr_min]
        if not kept:
            raise ValueError(
                f"snr_min: no SNR label at {snr_min:g} dB or more; they end at {max(snrs)} dB. "
                "Lower it"
            )
        return generate(kept, frames or own_size, seed)

    return make


# Names that need no file.
DATASETS: dict[str, Simulated] = {
    like_rml2016.NAME: simulated(like_rml2016.generate, like_rml2016.SNRS, 1000),
    like_sig2019.NAME: simulated(like_sig2019.generate, like_sig2019.SNRS, 1500),
    like_rml2018.NAME: simulated(like_rml2018.generate, rml2018.SNRS, 4096),
}

# Share that trains, where it is not 4 of 5: 1000 of 1500, and 3200 of 4096 (the group leaves 96 of
# these out; here they are tested on).
OWN_SHARE = {
    like_sig2019.NAME: 2 / 3,
    sig2019.NAME: 2 / 3,
    like_rml2018.NAME: 3200 / 4096,
    rml2018.NAME: 3200 / 4096,
}


def prepare(
    source: str,
    *,
    snr_min: float,
    split: str,
    normalise: str,
    train_share: float,
    frames: int,
    seed: int,
    cached: Path | None = CACHE,
    val_share: float = 0.0,
) -> Task:
    """Load, keep SNR >= snr_min (dB), split, then normalise.

    source: a name in DATASETS, or the path of a file or folder that `files.load` reads.
    split: a name in SPLITS. normalise: a name in NORMALISATIONS. seed: of simulation and split.
    frames: signals to simulate for each class and SNR, 0 for the set's own size; of a file the
    first so many of each in recording order are taken, 0 for all.
    train_share: of each class and SNR, 0 for the set's own share.
    cached: where cuts of large files are kept.
    val_share: of train, cut from it by the same split; 0 for none, and all else as without it.
    """
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    if normalise not in sig.NORMALISATIONS:
        raise unknown("normalisation", normalise, sig.NORMALISATIONS)
    if frames < 0:
        raise ValueError(f"frames: expected 0 or more, got {frames}. 0 takes the set's own size")
    if not 0 <= val_share < 1:
        raise ValueError(f"val_share: expected 0 <= share < 1, got {val_share}. 0 cuts nothing")
    loaded = _load(source, snr_min, frames, seed, cached)
    name, kept, rows = loaded.name, loaded.signals, loaded.rows
    origin, classes = loaded.origin, loaded.signals.classes
    if not (at := kept.snr >= snr_min).all():  # a copy, so only if there is anything to drop
        kept, rows = sig.at_least(kept, snr_min), rows[at]
    if frames and source not in DATASETS:
        at = first_of_pairs(kept, frames)
        kept, rows = kept[at], rows[at]
        origin += f", the first {frames} of each class and SNR"
    del loaded
    train_share = train_share or OWN_SHARE.get(name, 0.8)
    at = _cut(kept, split, train_share, val_share, seed)
    low, high, length = kept.snr.min(), kept.snr.max(), kept.length
    parts = {which: kept[rows_of] for which, rows_of in at.items()}
    del kept  # up to 9 GB
    for which in ("test", "val")[: len(parts) - 1]:
        if source not in DATASETS:
            _refuse_leak(source, split, parts["train"], parts[which], which)
    for which in parts:
        _refuse_empty_class(source, parts[which], which)
    checks.varied(source, parts["train"])
    for which in parts:  # one after the other: each is let go when its scaled copy is there
        parts[which] = sig.NORMALISATIONS[normalise](parts[which])
    prints = "".join(sig.fingerprint(part) for part in parts.values())
    *first, last = (f"{len(parts[w]):,} {w}" for w in ("train", "val", "test") if w in parts)
    about = (
        f"{name} ({origin}), {low:g} to {high:g} dB, {len(classes)} classes, "
        f"split {split}: {', '.join(first)} and {last} signals of {length} samples, "
        f"{normalise} scale."
    )
    return Task(
        name=name,
        simulated=source in DATASETS,
        train=parts["train"],
        test=parts["test"],
        train_rows=rows[at["train"]],
        fingerprint=hashlib.sha256(prints.encode()).hexdigest(),
        about=about,
        val=parts.get("val"),
    )


def _cut(
    signals: Signals, split: str, train_share: float, val_share: float, seed: int
) -> dict[str, Int64[ndarray, " n"]]:
    """Rows of train and test, and of val if it has a share.

    Seeded by the data, never by a name: a renamed file is the same data. Val is cut from train as
    if that were the recording: neighbours in it were neighbours before, so no gap is lost.
    """
    data = sig.fingerprint(signals)
    train, test = SPLITS[split](signals, train_share, rng_for("split", data, split, seed))
    if not val_share:
        return {"train": train, "test": test}
    # No split looks at samples, and train may have gigabytes of them.
    unread = Signals(signals.iq[:, :, :0], signals.label, signals.snr, signals.classes)
    try:
        rng = rng_for("val", data, split, seed)
        left, val = SPLITS[split](unread[train], 1 - val_share, rng)
    except ValueError as error:
        raise ValueError(
            f"val_share: expected a share of {len(train)} train signals that the split {split!r} "
            f"can cut, got {val_share:g} ({error})"
        ) from None
    return {"train": train[left], "test": test, "val": train[val]}


def _load(source: str, snr_min: float, frames: int, seed: int, cached: Path | None) -> Loaded:
    """From the generator of that name, or from the file."""
    if source in DATASETS:
        made = DATASETS[source](snr_min, frames, seed)
        return Loaded(source, f"simulated, seed {seed}", made, np.arange(len(made)))
    if not files.is_path(source):
        raise ValueError(f"{unknown('data set', source, DATASETS)}; and no file has this path")
    return files.load(Path(source), snr_min, cached)


MOST_SHARING = 0.05  # of the test; a positional split of half-overlapping frames shares 0.6 %


def _refuse_leak(source: str, split: str, train: Signals, test: Signals, which: str) -> None:
    """ValueError if test (or val) signals are also training signals, or share a half with one."""
    same = int(_among(test.iq, train.iq).sum())
    if same:
        raise ValueError(
            f"{source}: {same} of {len(test)} {which} signals are copies of training signals. "
            "Drop the copies: keep = np.sort(np.unique(X, axis=0, return_index=True)[1]), then "
            "X[keep], y[keep], snr[keep]"
        )
    half = train.length // 2
    if half < 8:
        return
    starts_as_end = _among(test.iq[:, :, :half], train.iq[:, :, -half:])
    ends_as_start = _among(test.iq[:, :, -half:], train.iq[:, :, :half])
    sharing = int((starts_as_end | ends_as_start).sum())
    if sharing > MOST_SHARING * len(test):
        raise ValueError(
            f"{source}: {sharing} of {len(test)} {which} signals share half their samples with a "
            f"training signal under the split {split!r}: the frames overlap. Use the split 'blocks'"
        )


def _among(iq: ndarray, others: ndarray) -> Bool[ndarray, " N"]:
    """Which pieces of signals stand among the others too; silence (all zeros) does not count."""
    hashes = _hashes(iq)
    return np.isin(hashes, _hashes(others)) & (hashes != 0)


def _hashes(iq: ndarray) -> ndarray:
    """By blocks: half frames are copied to be hashed, and all at once would double the memory."""
    starts = range(0, len(iq), 4096)
    return np.concatenate([sig.frame_hashes(iq[start : start + 4096]) for start in starts])


def _refuse_empty_class(source: str, part: Signals, which: str) -> None:
    counts = np.bincount(part.label, minlength=len(part.classes))
    if not counts.all():
        empty = part.classes[int(counts.argmin())]
        raise ValueError(
            f"{source}: class {empty} has no {which} signal left after the SNR cut and the split. "
            "Add signals of that class or remove it from the file, lower snr_min, or in a notebook "
            "change train_share"
        )

"""Your own annotated recordings (SigMF): labelled frames are cut from them, as a .foqus.yaml says.

Every annotation with a label and an SNR gives frames of L samples, from its start, `hop` samples
apart, as many as fit; what is left over at its end is not used, frequency edges are ignored.
Annotations that cannot be used are counted by reason, and the reasons stand in every caption.
"""

import re
import warnings
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import sigmf
from jaxtyping import Complex64, Int64
from numpy import ndarray
from numpy.lib.stride_tricks import sliding_window_view

from foqus_lib.datasets import checks, door
from foqus_lib.datasets.own.sidecar import SigmfFolder
from foqus_lib.datasets.own.sigmf_meta import DATA, META, opened
from foqus_lib.signals import Signals

DECIBELS = re.compile(r"([-+]?\d{1,6}(?:\.\d{1,20})?) ?(?:dB)?")


@dataclass(frozen=True)
class Stretch:
    """A piece of a recording with one label and one SNR."""

    recording: Path  # its .sigmf-meta
    start: int  # sample
    stop: int  # sample, exclusive
    label: str
    snr: float  # dB


@dataclass(frozen=True, eq=False)
class Cut:
    """Signals, and for each the recording and the first sample it was cut from."""

    signals: Signals
    recording: tuple[str, ...]  # paths below the folder
    which: Int64[ndarray, " N"]  # index into recording
    start: Int64[ndarray, " N"]  # sample
    left_out: dict[str, int]  # reason -> annotations

    @property
    def report(self) -> str:
        """One line: how many recordings, and what was left out and why."""
        said = ", ".join(f"{n} {reason}" for reason, n in sorted(self.left_out.items()))
        n = len(self.recording)
        return f"{n} SigMF recording{'s' * (n != 1)}; annotations left out: {said or 'none'}"


def load(wanted: SigmfFolder) -> Cut:
    """All frames of a folder, by recording (sorted by name), then time.

    Raises ValueError naming recording and field if a recording cannot be trusted, or if nothing is
    left, with the reasons.
    """
    paths = _recordings(wanted)
    stretches: list[Stretch] = []
    left_out: Counter[str] = Counter()
    facts: dict[Path, dict] = {}
    for path in paths:
        file = opened(path)  # and closed: there may be more recordings than files that can be open
        stretches += _stretches(path, file, wanted, left_out)
        facts[path] = file.get_global_info()
    if not stretches:
        why = ", ".join(f"{n} {reason}" for reason, n in sorted(left_out.items()))
        raise ValueError(
            f"{wanted.folder}: no labelled frame of {wanted.length} samples in {len(paths)} "
            f"recording{'s' * (len(paths) != 1)}; annotations: {why or 'none'}. Annotate them, or "
            f"change length, label, snr or classes in {wanted.path.name}"
        )
    classes = wanted.classes or tuple(sorted({stretch.label for stretch in stretches}))
    checks.classes(wanted.path, classes)
    names = tuple(path.relative_to(wanted.folder).as_posix() for path in paths)
    counts = [(s.stop - s.start - wanted.length) // wanted.hop + 1 for s in stretches]
    size = (8 * wanted.length + 32) * sum(counts)  # the frame, its label, SNR and place
    door.fits(f"{wanted.folder}: frames", size, f"Raise hop in {wanted.path.name}")
    index = {name: c for c, name in enumerate(classes)}
    label = np.repeat([index[s.label] for s in stretches], counts)
    checks.labels(wanted.path, label, classes)
    iq = np.empty((sum(counts), 2, wanted.length), np.float32)
    done = 0
    for path, here in groupby(stretches, key=lambda stretch: stretch.recording):
        file = _samples(path, facts[path])
        for stretch in here:
            z = _frames(file, stretch, wanted)
            iq[done : done + len(z), 0], iq[done : done + len(z), 1] = z.real, z.imag
            done += len(z)
    snr = np.repeat(np.array([s.snr for s in stretches], np.float32), counts)
    firsts = [s.start + wanted.hop * np.arange(n) for s, n in zip(stretches, counts, strict=True)]
    which = {path: i for i, path in enumerate(paths)}
    return Cut(
        Signals(iq, label.astype(np.int64), snr, classes),
        names,
        np.repeat([which[s.recording] for s in stretches], counts).astype(np.int64),
        np.concatenate(firsts).astype(np.int64),
        dict(left_out),
    )


def _recordings(wanted: SigmfFolder) -> list[Path]:
    if not wanted.folder.is_dir():
        raise ValueError(f"{wanted.path}: folder: {wanted.folder} is no folder. Mend the path")
    paths = door.below(wanted.folder, META)
    if not paths:
        archives = door.below(wanted.folder, ".sigmf")
        mend = "Unpack the archives: tar -xf FILE.sigmf" if archives else "Mend the path"
        raise ValueError(f"{wanted.folder}: no {META} file in it or below. {mend}")
    return paths


def _samples(path: Path, facts: dict) -> sigmf.SigMFFile:
    """A recording for its samples alone; `opened` found it whole."""
    with warnings.catch_warnings(action="ignore"):
        file = sigmf.SigMFFile(metadata={"global": facts, "captures": [], "annotations": []})
        file.set_data_file(path.with_suffix(DATA), skip_checksum=True)
    return file


def _stretches(
    path: Path, file: sigmf.SigMFFile, wanted: SigmfFolder, left_out: Counter[str]
) -> list[Stretch]:
    """The annotations that can be used; the others are counted by reason."""
    facts, offset = file.get_global_info(), file.get_global_info().get("core:offset", 0)
    captures = [capture["core:sample_start"] - offset for capture in file.get_captures()]  # rising
    classes = set(wanted.classes)
    found: list[Stretch] = []
    for note in file.get_annotations():
        start = note["core:sample_start"] - offset
        # Without a count the standard says: to the end of the capture.
        following = bisect_right(captures, start)
        to_end = captures[following] if following < len(captures) else file.sample_count
        stop = start + note["core:sample_count"] if "core:sample_count" in note else to_end
        label = note.get(wanted.label)
        snr = _decibels(note, facts, wanted.snr)
        if not isinstance(label, str) or not label.strip():
            left_out[f"without {wanted.label}"] += 1
        elif classes and label.strip() not in classes:
            left_out["of other classes"] += 1
        elif snr is None:
            left_out[f"without dB in {wanted.snr}"] += 1
        elif start < 0 or stop > file.sample_count:
            left_out["beyond the end of the recording"] += 1
        else:
            found.append(Stretch(path, start, stop, label.strip(), snr))
    covering = [stretch for stretch in found if stretch.stop > stretch.start]  # others are markers
    left_out["that cover no sample"] += len(found) - len(covering)
    alone = _apart(covering)
    left_out["that overlap another one"] += len(covering) - len(alone)
    long = [stretch for stretch in alone if stretch.stop - stretch.start >= wanted.length]
    left_out[f"shorter than {wanted.length} samples"] += len(alone) - len(long)
    for reason in [reason for reason, n in left_out.items() if n == 0]:
        del left_out[reason]
    return long


def _apart(found: list[Stretch]) -> list[Stretch]:
    """Those that share no sample with another: where two do, neither label is the whole truth."""
    if not found:
        return found
    order = np.argsort([stretch.start for stretch in found], kind="stable")
    start = np.array([found[i].start for i in order])
    stop = np.array([found[i].stop for i in order])
    before = np.append(-1, np.maximum.accumulate(stop)[:-1])
    after = np.append(start[1:], np.iinfo(np.int64).max)
    return [found[i] for i, free in zip(order, (start >= before) & (stop <= after), strict=True)
            if free]  # fmt: skip


def _decibels(note: dict, facts: dict, snr: str | float) -> float | None:
    if isinstance(snr, float):
        return snr
    value = note.get(snr, facts.get(snr))
    if isinstance(value, str) and (text := DECIBELS.fullmatch(" ".join(value.split()))):
        value = float(text[1])
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) <= checks.MOST_DECIBELS else None


def _frames(
    file: sigmf.SigMFFile, stretch: Stretch, wanted: SigmfFolder
) -> Complex64[ndarray, "n L"]:
    """As many frames as fit into the stretch; integers are scaled to -1..1."""
    z = file.read_samples(stretch.start, stretch.stop - stretch.start)
    if not (finite := np.isfinite(z)).all():
        raise ValueError(
            f"{stretch.recording.with_suffix(DATA)}: expected finite samples, got NaN or infinity "
            f"at sample {stretch.start + int(finite.argmin())}. Cut it out or mend it"
        )
    return sliding_window_view(z, wanted.length)[:: wanted.hop]

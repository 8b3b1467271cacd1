"""Recordings without a header, as radios write them: a .foqus.yaml names them.

cu8       unsigned bytes, I and Q in turn (rtl_sdr); see ZERO
ci8       signed bytes (HackRF)
ci16_le   complex16: signed 16-bit numbers, low byte first; ci16_be: high byte first
cf32_le   32-bit floats (GNU Radio)
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from foqus_lib.datasets import checks, door
from foqus_lib.datasets.own.sidecar import RAW_FORMATS, RawRecordings
from foqus_lib.signals import Signals

# The middle of 0 to 255: an RTL-SDR's bytes lie level around it or a tenth below (gr-osmosdr takes
# 127.4). Another convention is 128, that of the `sigmf` package and so of our SigMF reader: half a
# step apart, a constant of a 255th of full scale.
ZERO = {"cu8": 127.5}
FULL_SCALE = {"cu8": 127.5, "ci8": 128.0, "ci16_le": 32768.0, "ci16_be": 32768.0}


def load(wanted: RawRecordings) -> Signals:
    """Frames of every recording from its first sample on, as listed; integers scaled to -1..1.

    What is left at the end and fills no frame is dropped. ValueError naming the recording.
    """
    paths = [wanted.path.parent / name for name in wanted.recordings]
    classes = wanted.classes or tuple(sorted(set(wanted.labels)))
    checks.classes(wanted.path, classes)
    for name in wanted.labels:
        if name not in classes:
            raise ValueError(f"{wanted.path}: labels: {name!r} is not among classes. Add it there")
    counts = [_frames_in(path, wanted) for path in paths]
    size = (8 * wanted.length + 16) * sum(counts)
    door.fits(f"{wanted.path}: frames", size, "Raise hop or name fewer recordings")
    iq = np.empty((sum(counts), 2, wanted.length), np.float32)
    done = 0
    for path, count in zip(paths, counts, strict=True):
        iq[done : done + count] = _frames(path, count, wanted)
        done += count
    label = np.repeat([classes.index(name) for name in wanted.labels], counts).astype(np.int64)
    checks.labels(wanted.path, label, classes)
    snr = np.repeat(np.array(wanted.snr, np.float32), counts)
    return Signals(iq, label, snr, classes)


def _frames_in(path: Path, wanted: RawRecordings) -> int:
    door.plain_file(path)
    each = 2 * RAW_FORMATS[wanted.format].itemsize
    size = path.stat().st_size
    if size % each:
        raise ValueError(
            f"{path}: expected whole samples of {each} bytes ({wanted.format}), got {size} bytes. "
            f"It is cut short, or of another format: mend `format` in {wanted.path.name}"
        )
    if size // each < wanted.length:
        raise ValueError(
            f"{path}: expected at least one frame of {wanted.length} samples, got {size // each}. "
            "Lower length or leave it out"
        )
    return (size // each - wanted.length) // wanted.hop + 1


def _frames(path: Path, count: int, wanted: RawRecordings) -> Float32[ndarray, "n 2 L"]:
    kind = RAW_FORMATS[wanted.format]
    samples = np.memmap(path, kind, "r").reshape(-1, 2)
    windows = np.lib.stride_tricks.sliding_window_view(samples, wanted.length, axis=0)
    found = windows[:: wanted.hop][:count].astype(np.float32)
    found -= np.float32(ZERO.get(wanted.format, 0.0))
    found /= np.float32(FULL_SCALE.get(wanted.format, 1.0))
    finite = np.isfinite(found).all(axis=(1, 2))
    if not finite.all():
        at = wanted.hop * int(finite.argmin())
        raise ValueError(
            f"{path}: expected finite samples, got NaN or infinity in the frame from sample {at} "
            "on. Cut it out or mend it"
        )
    return found

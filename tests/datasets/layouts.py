"""Every layout on disk that the library reads, small, written by the test itself."""

import warnings

import h5py
import numpy as np
import sigmf

from foqus_lib.datasets import rml2018
from foqus_lib.signals import Signals


def noise(n, length, seed=0):
    """Distinct signals (n, 2, length)."""
    return np.random.default_rng(seed).standard_normal((n, 2, length)).astype(np.float32)


def rml2018_signals(frames=2, snrs=rml2018.SNRS, seed=0):
    """The whole grid of RML2018.01a in its order; noise but for its two flat envelopes."""
    pairs = len(rml2018.CLASSES) * len(snrs)
    iq = noise(pairs * frames, rml2018.LENGTH, seed)
    label = np.repeat(np.arange(len(rml2018.CLASSES)), len(snrs) * frames)
    flat = np.isin(label, [rml2018.CLASSES.index("FM"), rml2018.CLASSES.index("GMSK")])
    iq[flat] /= np.sqrt(np.square(iq[flat]).sum(axis=1, keepdims=True))
    snr = np.tile(np.repeat(np.array(snrs, np.float32), frames), len(rml2018.CLASSES))
    return Signals(iq, label, snr, rml2018.CLASSES)


def save_rml2018(path, frames=2, snrs=rml2018.SNRS, **changes):
    """X, Y, Z as published but with some arrays replaced; None leaves one out."""
    signals = rml2018_signals(frames, snrs)
    arrays = {
        "X": signals.iq.swapaxes(1, 2),
        "Y": np.eye(24, dtype=np.int64)[signals.label],
        "Z": signals.snr[:, None].astype(np.int64),
    }
    with h5py.File(path, "w") as file:
        for name, array in (arrays | changes).items():
            if array is not None:
                file[name] = array
    return path


def save_text(folder, blocks, plus_minus=False):
    """The text mirror: two blanks between numbers, one line a frame."""
    folder.mkdir(exist_ok=True)
    for (modulation, snr), block in blocks.items():
        lines = []
        for frame in block:
            sign = "+" if plus_minus else ""
            words = [f"({i:.10g}{sign if q < 0 else '+'}{q:.10g}j)" for i, q in frame.T]
            lines.append(" " + "  ".join(words))
        (folder / f"{modulation} {snr}.txt").write_text("\n".join(lines) + "\n")
    return folder


def save_sigmf(folder, name, samples, annotations, datatype="cf32_le", facts=None, captures=None):
    """One recording; annotations are (start, count, fields)."""
    folder.mkdir(exist_ok=True, parents=True)
    data = folder / f"{name}.sigmf-data"
    if datatype == "ci16_le":
        pairs = np.stack([samples.real, samples.imag], axis=1)
        data.write_bytes((pairs * 2**15).astype("<i2").tobytes())
    else:
        data.write_bytes(samples.astype("<c8").tobytes())
    file = sigmf.SigMFFile(global_info={"core:datatype": datatype, **(facts or {})})
    for start in captures or [0]:
        file.add_capture(start)
    for start, count, fields in annotations:
        file.add_annotation(start, count, metadata=dict(fields))
    with warnings.catch_warnings(action="ignore"):  # about what some tests get wrong on purpose
        file.set_data_file(data)
        file.tofile(folder / f"{name}.sigmf-meta")
    return folder / f"{name}.sigmf-meta"

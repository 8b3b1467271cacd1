"""The same signals are the same data whatever file they stand in: bit for bit, and as a task."""

import h5py
import layouts
import numpy as np
import pytest

from foqus_lib import signals as sig
from foqus_lib.datasets import files
from foqus_lib.datasets.catalog import prepare

N, LENGTH = 80, 64
CLASSES = ("QPSK", "BPSK", "16QAM")  # not in the order of the alphabet
X = layouts.noise(N, LENGTH)
X[0, 0, 0] = -0.0
LABEL = np.random.default_rng(1).permutation(np.arange(N) % 3)
SNR = np.repeat([12.5, -3.0], N // 2).astype(np.float32)


def as_npz(folder):
    np.savez(folder / "mine.npz", X=X, y=LABEL, snr=SNR, classes=np.array(CLASSES))
    return folder / "mine.npz"


def as_packed_npz(folder):
    arrays = {"X": X.astype("f8"), "y": LABEL.astype("u1"), "snr": SNR.astype("f8")}
    np.savez_compressed(folder / "mine.npz", classes=np.array(CLASSES), **arrays)
    return folder / "mine.npz"


def as_hdf5(folder):
    with h5py.File(folder / "mine.h5", "w") as file:
        file["iq"], file["y"], file["snr"] = X, LABEL, SNR
    said = f"file: mine.h5\nX: /iq\ny: /y\nsnr: /snr\nclasses: [{', '.join(CLASSES)}]\n"
    (folder / "mine.foqus.yaml").write_text(said)
    return folder / "mine.foqus.yaml"


def as_other_hdf5(folder):
    path = as_hdf5(folder)
    with h5py.File(folder / "mine.h5", "w") as file:
        turned = X.swapaxes(1, 2).astype(">f4")
        file.create_dataset("iq", data=turned, chunks=(7, 33, 1), compression="gzip")
        file["y"], file["snr"] = np.eye(3)[LABEL], SNR[:, None]
    return path


def as_sigmf(folder, classes=CLASSES):
    """One recording: the signals one after the other, an annotation for each."""
    z = (X[:, 0] + 1j * X[:, 1]).ravel()
    z.imag, z.real = X[:, 1].ravel(), X[:, 0].ravel()  # 1j * would lose the sign of a zero
    notes = [(LENGTH * row, LENGTH, {"core:label": CLASSES[LABEL[row]], "x:snr": float(SNR[row])})
             for row in range(N)]  # fmt: skip
    layouts.save_sigmf(folder / "recordings", "all", z, notes)
    said = f"folder: recordings\nlength: {LENGTH}\nsnr: x:snr\n"
    said += f"classes: [{', '.join(classes)}]\n" if classes else ""
    (folder / "mine.foqus.yaml").write_text(said)
    return folder / "mine.foqus.yaml"


FORMATS = (as_npz, as_packed_npz, as_hdf5, as_other_hdf5, as_sigmf)


@pytest.mark.parametrize("layout", FORMATS, ids=lambda layout: layout.__name__)
def test_signals_and_tasks_are_equal(tmp_path, layout):
    wanted = sig.Signals(X, LABEL, SNR, CLASSES)
    (tmp_path / "one").mkdir(), (tmp_path / "two").mkdir()
    loaded = files.load(layout(tmp_path / "one"))
    assert sig.fingerprint(loaded.signals) == sig.fingerprint(wanted)
    np.testing.assert_array_equal(loaded.rows, np.arange(N))
    made = [
        prepare(str(path), snr_min=-10, split="random", normalise="rms", train_share=0.6, frames=0,
                seed=0, val_share=0.25)
        for path in (tmp_path / "one" / loaded_name(layout), as_npz(tmp_path / "two"))
    ]  # fmt: skip
    assert made[0].fingerprint == made[1].fingerprint
    np.testing.assert_array_equal(made[0].train_rows, made[1].train_rows)


def loaded_name(layout):
    return "mine.npz" if "npz" in layout.__name__ else "mine.foqus.yaml"


def test_recordings_without_a_list_of_classes_take_the_alphabet(tmp_path):
    signals = files.load(as_sigmf(tmp_path, classes=())).signals
    assert signals.classes == ("16QAM", "BPSK", "QPSK")
    names = [signals.classes[label] for label in signals.label]
    assert names == [CLASSES[label] for label in LABEL]
    np.testing.assert_array_equal(signals.iq, X)

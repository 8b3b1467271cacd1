"""A user's HDF5 file with datasets of any name: layouts of X and y, and what is refused."""

import h5py
import numpy as np
import pytest
from layouts import noise

from foqus_lib.datasets.own import hdf5
from foqus_lib.datasets.own.sidecar import Hdf5Arrays

N = 12
X = noise(N, 16)
LABEL = np.arange(N) % 3
SNR = np.repeat([10, 0], N // 2)


def save(tmp_path, changes=None, snr="/snr"):
    arrays = {"data/iq": X, "labels": LABEL, "snr": SNR} | (changes or {})
    with h5py.File(tmp_path / "mine.h5", "w") as file:
        for name, array in arrays.items():
            file[name] = array
    said = tmp_path / "mine.foqus.yaml"
    return Hdf5Arrays(said, tmp_path / "mine.h5", "/data/iq", "labels", snr, ("A", "B", "C"))


@pytest.mark.parametrize("x", [X, X.swapaxes(1, 2), X.astype("f8"), X.astype(">f4")],
                         ids=["N2L", "NL2", "doubles", "big-endian"])  # fmt: skip
@pytest.mark.parametrize("y", [LABEL, LABEL.astype("u1"), np.eye(3)[LABEL]],
                         ids=["index", "bytes", "one-hot"])  # fmt: skip
@pytest.mark.parametrize("snr", [SNR, SNR[:, None], SNR.astype("f8")],
                         ids=["flat", "column", "doubles"])  # fmt: skip
def test_layouts(tmp_path, x, y, snr):
    signals, rows = hdf5.load(save(tmp_path, {"data/iq": x, "labels": y, "snr": snr}), 5)
    np.testing.assert_array_equal(rows, np.arange(6))
    np.testing.assert_array_equal(signals.iq, X[:6])
    np.testing.assert_array_equal(signals.label, LABEL[:6])
    np.testing.assert_array_equal(signals.snr, 10)
    assert signals.classes == ("A", "B", "C")


def test_one_snr_for_all_and_scattered_rows(tmp_path):
    signals, rows = hdf5.load(save(tmp_path, snr=7.5))
    np.testing.assert_array_equal(signals.snr, 7.5)
    np.testing.assert_array_equal(rows, np.arange(N))
    scattered = np.where(np.arange(N) % 5, -3, 20)
    signals, rows = hdf5.load(save(tmp_path, {"s": scattered}, snr="/s"), 0)
    np.testing.assert_array_equal(rows, [0, 5, 10])
    np.testing.assert_array_equal(signals.iq, X[[0, 5, 10]])


LATE_NAN = np.where(np.arange(N)[:, None, None] == 7, np.nan, X)
REFUSED = {
    "complex": ({"data/iq": X[:, 0] + 1j * X[:, 1]}, "/data/iq: expected an array of plain num"),
    "integers": ({"data/iq": X.astype(int)}, "/data/iq: expected float32 or float64"),
    "flat": ({"data/iq": X[:, 0]}, r"/data/iq: expected .*got float32 of \(12, 16\)"),
    "one channel": ({"data/iq": X[:, :1]}, r"got float32 of \(12, 1, 16\)"),
    "NaN": ({"data/iq": LATE_NAN}, "/data/iq: expected finite samples.*in row 7"),
    "beyond float32": ({"data/iq": np.full((N, 2, 16), 1e300)}, "expected finite samples.*row 0"),
    "y of floats": ({"labels": LABEL / 1}, r"labels: expected integers of shape \(12,\)"),
    "y short": ({"labels": LABEL[1:]}, r"labels: expected .* got int64 of \(11,\)"),
    "y too large": ({"labels": LABEL + 1}, "labels: expected 0 to 2, got 3 in row 2"),
    "y beyond int64": ({"labels": LABEL.astype("u8") - np.uint64(1)}, "labels: expected 0 to 2"),
    "y negative": ({"labels": LABEL - 1}, "labels: expected 0 to 2, got -1 in row 0"),
    "y of two ones": ({"labels": np.ones((N, 3))}, "labels: expected one 1 among zeros"),
    "an empty class": ({"labels": LABEL % 2}, "classes: 'C' has no row in y"),
    "snr of the wrong shape": ({"snr": SNR[:3]}, r"/snr: expected dB of shape \(12,\)"),
    "snr that says unknown": (
        {"snr": np.where(np.arange(N) == 5, -9999, SNR)},
        "/snr: expected .*got -9999.0 in row 5",
    ),
    "snr not finite": ({"snr": np.full(N, np.nan)}, "/snr: expected finite dB .* got nan in row 0"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(tmp_path, what):
    changes, message = REFUSED[what]
    with pytest.raises(ValueError, match=message) as refusal:
        hdf5.load(save(tmp_path, changes))
    assert str(tmp_path) in str(refusal.value)


def test_names_that_are_not_there_and_a_high_cut(tmp_path):
    with pytest.raises(ValueError, match="/SNR: no such dataset. / holds data, labels, snr"):
        hdf5.load(save(tmp_path, snr="/SNR"))
    with pytest.raises(ValueError, match="/snr: no signal at 11 dB or more; labels end at 10 dB"):
        hdf5.load(save(tmp_path), 11)

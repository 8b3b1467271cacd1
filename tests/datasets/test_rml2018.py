"""RML2018.01a: the layout, the cut, the cache, and every way the file can be wrong."""

import h5py
import numpy as np
import pytest
from layouts import rml2018_signals, save_rml2018

from foqus_lib.datasets import cache, rml2018
from foqus_lib.datasets.rml2018 import CLASSES, SNRS


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """24 classes x 26 SNRs x 2 frames, written once."""
    return save_rml2018(tmp_path_factory.mktemp("rml2018") / "GOLD.hdf5")


def test_the_row_formula_of_the_published_file(published):
    signals, rows = rml2018.load(published, snr_min=28)
    wanted = [26 * 2 * c + 2 * s + i for c in range(24) for s in (24, 25) for i in range(2)]
    np.testing.assert_array_equal(rows, wanted)
    np.testing.assert_array_equal(signals.label, np.repeat(np.arange(24), 4))
    np.testing.assert_array_equal(signals.snr, np.tile([28, 28, 30, 30], 24))
    with h5py.File(published) as file:
        np.testing.assert_array_equal(signals.iq, file["X"][:][rows].swapaxes(1, 2))
    assert signals.classes == CLASSES and CLASSES[0] == "OOK" and CLASSES[21:23] == ("FM", "GMSK")


@pytest.mark.parametrize("snr_min", [-100, -20, -3, 9.5, 30])
def test_a_cut_is_what_reading_everything_and_masking_gives(published, tmp_path, snr_min):
    everything = rml2018_signals()
    keep = everything.snr >= snr_min
    for cached in (None, tmp_path, tmp_path):
        signals, rows = rml2018.load(published, snr_min, cached)
        np.testing.assert_array_equal(rows, np.flatnonzero(keep))
        np.testing.assert_array_equal(signals.iq, everything.iq[keep])
        np.testing.assert_array_equal(signals.label, everything.label[keep])
        np.testing.assert_array_equal(signals.snr, everything.snr[keep])


def test_a_file_that_is_written_is_read_back(tmp_path):
    signals = rml2018_signals(frames=1, snrs=(10, 12))
    rml2018.write(tmp_path / "small.hdf5", signals)
    back, rows = rml2018.load(tmp_path / "small.hdf5")
    np.testing.assert_array_equal(back.iq, signals.iq)
    np.testing.assert_array_equal(back.label, signals.label)
    np.testing.assert_array_equal(rows, np.arange(48))
    with h5py.File(tmp_path / "small.hdf5") as file:
        shapes = {name: (data.shape, data.dtype.name) for name, data in file.items()}
    assert shapes == {
        "X": ((48, 1024, 2), "float32"), "Y": ((48, 24), "int64"), "Z": ((48, 1), "int64")
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["small.hdf5"]


def test_the_writer_refuses_what_the_reader_would(tmp_path):
    signals = rml2018_signals(frames=1, snrs=(10, 12))
    with pytest.raises(ValueError, match="expected rows by class, then SNR rising"):
        rml2018.write(tmp_path / "small.hdf5", signals[np.arange(48)[::-1]])
    assert not any(tmp_path.iterdir())


def test_the_second_reading_comes_from_the_cache(published, tmp_path, monkeypatch):
    first, _ = rml2018.load(published, 20, tmp_path)
    monkeypatch.setattr(cache, "store", lambda *given: pytest.fail("written twice"))
    again, _ = rml2018.load(published, 19, tmp_path)  # the same labels reach 19 dB
    np.testing.assert_array_equal(first.iq, again.iq)
    assert isinstance(again.iq, np.memmap)


def test_another_file_under_the_same_name_is_not_taken_from_the_cache(tmp_path):
    path = save_rml2018(tmp_path / "a.hdf5", frames=1, snrs=(30,))
    rml2018.load(path, 30, tmp_path / "cache")
    other = rml2018_signals(frames=1, snrs=(30,), seed=1)
    rml2018.write(path, other)
    signals, _ = rml2018.load(path, 30, tmp_path / "cache")
    np.testing.assert_array_equal(signals.iq, other.iq)
    assert len(list((tmp_path / "cache").iterdir())) == 1


N = 24 * 2
HALF = np.eye(24)[np.repeat(np.arange(24), 2)] / 2
LATE_NAN = np.where(np.arange(N)[:, None, None] == 29, np.nan, np.ones((N, 1024, 2), "f4"))
X = np.ones((N, 1024, 2), np.float32)
Y = np.eye(24, dtype=np.int64)[np.repeat(np.arange(24), 2)]
Z = np.tile([[28], [30]], (24, 1))
TWO_ONES = Y.copy()
TWO_ONES[7, 9] = 1
REFUSED = {
    "no Z": ({"Z": None}, "Z: expected the datasets X, Y and Z.*got X, Y: no SNR in dB"),
    "no Y": ({"Y": None}, "Y: expected the datasets X, Y and Z.*no one-hot classes"),
    "float64": ({"X": X.astype("f8")}, r"X: expected float32 of shape \('N', 1024, 2\).*float64"),
    "integers": ({"X": X.astype("i2")}, "X: expected float32.*got int16"),
    "another length": ({"X": X[:, :512]}, r"X: expected .*got float32 of \(48, 512, 2\)"),
    "transposed": ({"X": X.swapaxes(1, 2)}, r"X: expected .*got float32 of \(48, 2, 1024\)"),
    "no rows": ({"X": X[:0]}, r"X: expected .*got float32 of \(0, 1024, 2\)"),
    "Y short": ({"Y": Y[:-1]}, r"Y: expected .*got int64 of \(47, 24\)"),
    "Y of 23 classes": ({"Y": Y[:, 1:]}, r"Y: expected .*got int64 of \(48, 23\)"),
    "Y zero": ({"Y": 0 * Y}, "Y: expected one 1 among zeros.*row 0"),
    "Y with two ones": ({"Y": TWO_ONES}, "Y: expected one 1 among zeros.*row 7"),
    "Y of halves": ({"Y": HALF}, "Y: expected one 1 among zeros"),
    "Z flat": ({"Z": Z[:, 0]}, r"Z: expected numbers of shape \('N', 1\).*\(48,\)"),
    "Z of no label": ({"Z": np.where(np.arange(N)[:, None] == 5, 11, Z)}, "got 11 in row 5"),
    "Z not finite": ({"Z": np.where(np.arange(N)[:, None] == 5, np.nan, Z)}, "got nan in row 5"),
    "NaN": ({"X": LATE_NAN.astype("f4")}, "X: expected finite samples, got NaN.*row 29"),
    "SNR first": ({"Z": np.repeat([[28], [30]], 24, axis=0), "Y": np.tile(np.eye(24), (2, 1))},
                  "rows by class, then SNR rising.*class 0 at 30 dB after class 23 at 28 dB"),
    "SNR falling": ({"Z": np.tile([[30], [28]], (24, 1))}, "class 0 at 28 dB after class 0 at 30"),
}  # fmt: skip


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("what", REFUSED)
def test_wrong_files_are_refused_and_nothing_is_left(tmp_path, what, cached):
    changes, message = REFUSED[what]
    path = save_rml2018(tmp_path / "set.hdf5", **({"X": X, "Y": Y, "Z": Z} | changes))
    with pytest.raises(ValueError, match=message) as refusal:
        rml2018.load(path, cached=tmp_path / "cache" if cached else None)
    assert str(path) in str(refusal.value)
    assert not (tmp_path / "cache").exists() or not any((tmp_path / "cache").iterdir())


def test_a_bad_row_below_the_cut_does_not_matter(tmp_path):
    x = X.copy()
    x[28] = np.nan  # 28 dB
    path = save_rml2018(tmp_path / "set.hdf5", X=x, Y=Y, Z=Z)
    assert len(rml2018.load(path, 30)[0]) == 24


def test_a_cut_above_every_label_is_refused(published):
    with pytest.raises(ValueError, match="no signal at 31 dB or more; labels end at 30 dB"):
        rml2018.load(published, 31)


SHIPPED = (
    "32PSK", "16APSK", "32QAM", "FM", "GMSK", "32APSK", "OQPSK", "8ASK", "BPSK", "8PSK",
    "AM-SSB-SC", "4ASK", "16PSK", "64APSK", "128QAM", "128APSK", "AM-DSB-SC", "AM-SSB-WC", "64QAM",
    "QPSK", "256QAM", "AM-DSB-WC", "OOK", "16QAM",
)  # fmt: skip


def test_columns_in_the_order_of_the_wrong_list_are_recognised(tmp_path):
    right = rml2018_signals(frames=2, snrs=(30,))
    assert sorted(SHIPPED) == sorted(CLASSES)
    order = np.concatenate([np.flatnonzero(right.label == CLASSES.index(c)) for c in SHIPPED])
    x = right.iq[order].swapaxes(1, 2)
    path = save_rml2018(tmp_path / "set.hdf5", snrs=(30,), X=x)
    with pytest.raises(ValueError, match="columns follow the wrong list that was shipped"):
        rml2018.load(path)


def test_snr_labels_are_those_of_the_set():
    assert (len(SNRS), SNRS[0], SNRS[-1], len(set(CLASSES))) == (26, -20, 30, 24)

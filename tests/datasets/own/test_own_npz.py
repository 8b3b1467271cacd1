"""A user's .npz: what is taken, and that every other file is refused by field before it is read."""

import io
import re
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from foqus_lib.datasets.own import npz


def arrays(n=12, length=16):
    rng = np.random.default_rng(0)
    return {
        "X": rng.standard_normal((n, 2, length)).astype(np.float32),
        "y": (np.arange(n) % 3).astype(np.int8),
        "snr": np.repeat([10, 0], n // 2),
        "classes": np.array(["BPSK", "QPSK", "8PSK"]),
    }


def save(tmp_path, writer=np.savez, **changes):
    path = tmp_path / "mine.npz"
    writer(path, **{k: v for k, v in (arrays() | changes).items() if v is not None})
    return path


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=True)
    return file.getvalue()


def pack(tmp_path, members):
    """An .npz of hand-made members, given as (name, bytes)."""
    path = tmp_path / "mine.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def plain():
    return [(f"{name}.npy", npy(array)) for name, array in arrays().items()]


def swapped(name, content):
    return [(n, content if n == f"{name}.npy" else c) for n, c in plain()]


@pytest.mark.parametrize("writer", [np.savez, np.savez_compressed])
def test_rows_keep_the_order_of_the_file(tmp_path, writer):
    wanted = arrays()
    signals, rows = npz.load(save(tmp_path, writer))
    np.testing.assert_array_equal(signals.iq, wanted["X"])
    np.testing.assert_array_equal(signals.label, wanted["y"])
    np.testing.assert_array_equal(signals.snr, wanted["snr"])
    assert signals.classes == ("BPSK", "QPSK", "8PSK")
    assert rows.dtype == np.int64
    np.testing.assert_array_equal(rows, np.arange(12))


@pytest.mark.parametrize("y", ["i1", "u1", "i2", "u4", "i8", ">i4"])
@pytest.mark.parametrize("snr", ["i1", "i8", "f4", "f8"])
@pytest.mark.parametrize("x", ["f4", "f8", ">f4"])
def test_number_formats(tmp_path, y, snr, x):
    given = arrays()
    path = save(tmp_path, y=given["y"].astype(y), snr=given["snr"].astype(snr),
                X=given["X"].astype(x))  # fmt: skip
    signals, _ = npz.load(path)
    assert (signals.iq.dtype, signals.label.dtype, signals.snr.dtype) == ("f4", "i8", "f4")
    np.testing.assert_array_equal(signals.iq, given["X"])
    np.testing.assert_array_equal(signals.label, given["y"])


def test_frame_index_sorts_and_rows_lead_back(tmp_path):
    index = np.random.default_rng(1).permutation(12)
    given = arrays()
    signals, rows = npz.load(save(tmp_path, frame_index=index))
    np.testing.assert_array_equal(signals.iq, given["X"][rows])
    np.testing.assert_array_equal(signals.label, given["y"][rows])
    key = list(zip(given["y"][rows], given["snr"][rows], index[rows], strict=True))
    assert key == sorted(key)


def test_equal_frame_indices_keep_the_order_of_the_file(tmp_path):
    changes = {"y": np.zeros(12, int), "snr": np.zeros(12), "classes": np.array(["A"])}
    _, rows = npz.load(save(tmp_path, frame_index=np.zeros(12, int), **changes))
    np.testing.assert_array_equal(rows, np.arange(12))


X = arrays()["X"]
LATE_NAN = np.where(np.arange(12)[:, None, None] == 7, np.nan, X)
REFUSED = {
    "X transposed": ({"X": X.transpose(0, 2, 1)}, r"X: .*\(N, 2, L\).*\(12, 16, 2\).*np.transpose"),
    "X of one channel": ({"X": X[:, 0]}, r"X: .*got float32 of shape \(12, 16\).*np.stack"),
    "X complex": ({"X": X[:, 0] + 1j * X[:, 1]}, r"X: .*got complex64.*np.stack\(\[X.real"),
    "X of integers": ({"X": X.astype(int)}, r"X: .*got int64.*astype\(np.float32\)"),
    "X empty": ({"X": X[:0]}, r"X: .*got float32 of shape \(0, 2, 16\)"),
    "NaN": ({"X": LATE_NAN}, r"X: expected finite samples, got NaN or infinity in row 7 \(1 such"),
    "beyond float32": ({"X": np.full((12, 2, 16), 1e300)}, "X: expected finite samples"),
    "y of floats": ({"y": np.zeros(12)}, "y: expected integers.*float64.*classes: y.astype"),
    "y of bools": ({"y": np.zeros(12, bool)}, "y: expected integers.*got bool"),
    "y one-hot": ({"y": np.eye(12, 3, dtype=int)}, r"y: .*of shape \(12, 3\).* y.argmax\(1\)"),
    "y of a column": ({"y": np.zeros((12, 1), int)}, r"y: .*\(12, 1\).*y.ravel\(\)"),
    "y of text": ({"y": np.full(12, "BPSK")}, r"y: .*got <U4.*classes, y = np.unique\(y.astype"),
    "labels from 1": (
        {"y": np.arange(12) % 3 + 1}, r"y: .* got 3 in row 2 .*these from 1. Save y - 1; to drop"
    ),
    "labels from 1, unsigned": (
        {"y": (np.arange(12) % 3 + 1).astype("u8")}, "Labels count from 0, these from 1. Save y - 1"
    ),
    "y short": ({"y": np.zeros(11, int)}, r"y: .*each of the 12 rows of X, got int64 .*\(11"),
    "label too large": ({"y": np.arange(12) % 4}, r"got 3 in row 3 \(3 .*add the missing class"),
    "label negative": ({"y": np.arange(12) % 3 - 1}, "y: expected 0 to 2, got -1 in row 0"),
    "class without rows": ({"y": np.arange(12) % 2}, "classes: '8PSK' has no row in y. Remove it"),
    "snr short": ({"snr": np.zeros(3)}, r"snr: .*got float64 of shape \(3,\)"),
    "snr of a column": ({"snr": np.zeros((12, 1))}, r"snr: .*\(12, 1\)\. snr.ravel\(\)"),
    "snr of one number": ({"snr": np.array(20)}, r"of shape \(\)\. .*np.full\(len\(X\), snr"),
    "snr not finite": ({"snr": np.full(12, np.inf)}, "snr: expected finite dB .* got inf in row 0"),
    "snr that says unknown": (
        {"snr": np.where(np.arange(12) == 5, -9999, 10)},
        "finite dB from -1000 to 1000, got -9999.0 in row 5 .*give all rows one value",
    ),
    "snr of text": ({"snr": np.full(12, "10")}, "snr: expected integers or floats, dB.*got <U2"),
    "index of floats": ({"frame_index": np.zeros(12)}, "frame_index: expected integers"),
    "classes as numbers": ({"classes": np.arange(3)}, r'as text, got int64.*classes.astype\("U"\)'),
    "classes as bytes": (
        {"classes": np.array([b"A", b"B", b"C"])}, r'as text, got \|S1 .*classes.astype\("U"\)'
    ),
    "classes twice": ({"classes": np.array(["A", "B", "A"])}, "distinct names.*got 'A' in row 2"),
    "a script as class": (
        {"classes": np.array(["A", "<script>", "B"])}, "classes: .*got '<script>' in row 1. Rename"
    ),
    "an endless class": ({"classes": np.array(["A", "B", "C" * 999])}, "names of at most 32"),
    "no snr": ({"snr": None}, r"snr: .*got nothing. Add it: .*snr=snr\); .*equal values will do"),
    "extra member": ({"Z": np.zeros(3)}, "'Z.npy': expected X, y, snr, classes.*an unknown one"),
    "pickled classes": (
        {"classes": np.array(["A", "B", "C"], object)}, r'classes: .*Python objects.*astype\("U"\)'
    ),
    "records": ({"y": np.zeros(12, [("a", int)])}, "y: expected an array of plain numbers"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_wrong_arrays_are_refused_by_field(tmp_path, what):
    changes, message = REFUSED[what]
    path = save(tmp_path, **changes)
    with pytest.raises(ValueError, match=message) as refusal:
        npz.load(path)
    assert str(path) in str(refusal.value)


def header(shape, descr="<f4", rest=b""):
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text + b"\n" + rest


def test_forged_members_are_refused_before_allocation(tmp_path):
    forged = {
        "40 TB": swapped("X", header((10**10, 2, 512))),
        "negative": swapped("X", header((-4, 2, 16))),
        "bytes behind": swapped("y", npy(arrays()["y"]) + b"more"),
        "bytes missing": swapped("y", npy(arrays()["y"])[:-1]),
        "no array": swapped("y", b"text"),
        "sub-arrays": swapped("y", header((12,), ("<i8", (10**6,)))),
        "a path": [*plain(), ("../../X.npy", b"")],
        "twice": [*plain(), ("y.npy", npy(arrays()["y"]))],
        "twice by suffix": [*plain(), ("y", npy(arrays()["y"]))],
    }
    for what, parts in forged.items():
        if what == "twice":
            with pytest.warns(UserWarning, match="Duplicate name"):
                path = pack(tmp_path, parts)
        else:
            path = pack(tmp_path, parts)
        tracemalloc.start()
        with pytest.raises(ValueError, match=re.escape(str(path))):
            npz.load(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 5e6, what


def test_a_deflate_bomb_is_refused_before_it_is_unpacked(tmp_path):
    n = 50_000
    bomb = {"X": np.zeros((n, 2, 512), np.float32), "y": np.arange(n) % 3, "snr": np.zeros(n)}
    path = save(tmp_path, np.savez_compressed, **bomb)
    del bomb
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"X: expected samples; \d+ bytes packed into \d+ are not"):
        npz.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6


def test_damaged_files_are_refused(tmp_path):
    path = save(tmp_path)
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[content.find(arrays()["X"][3].tobytes()) + 5] ^= 4
    damaged = {
        "cut short": content[: len(content) // 2],
        "one byte short": content[:-1],
        "trailing bytes": content + b"x",
        "flipped": bytes(flipped),
        "empty": b"",
        "HTML": b"<html>404</html>",
        "a pickle": b"cposix\nsystem\n(S'true'\ntR.",
        "an .npy": npy(arrays()["X"]),
    }
    for what, bad in damaged.items():
        path.write_bytes(bad)
        with pytest.raises(ValueError, match=re.escape(str(path))):
            npz.load(path)
            pytest.fail(what)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"absent\.npz: no such file"):
        npz.load(tmp_path / "absent.npz")

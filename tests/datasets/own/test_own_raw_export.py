"""Recordings without a header, as radios write them; and coresets written out and read back."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from foqus_lib import durable
from foqus_lib.datasets import files
from foqus_lib.datasets.own import export, sigmf
from foqus_lib.datasets.own import raw as raw_reader
from foqus_lib.datasets.own.sidecar import SigmfFolder

RNG = np.random.default_rng(3)


def described(where, **change):
    said = {
        "recordings": "[low.cu8, high.cu8]", "labels": "[QPSK, BPSK]", "snr": "20", "format": "cu8",
        "length": "8",
    } | change  # fmt: skip
    path = where / "mine.foqus.yaml"
    lines = [f"{name}: {value}\n" for name, value in said.items() if value]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def recorded(folder, kind="u1", samples=20):
    top = np.iinfo(kind)
    for name in ("low.cu8", "high.cu8"):
        RNG.integers(top.min, top.max, (samples, 2), kind, endpoint=True).tofile(folder / name)


def test_unsigned_bytes_are_frames_of_minus_one_to_one(tmp_path):
    recorded(tmp_path)
    loaded = files.load(described(tmp_path))
    signals = loaded.signals
    assert signals.iq.shape == (4, 2, 8) and signals.classes == ("BPSK", "QPSK")
    assert signals.label.tolist() == [1, 1, 0, 0] and set(signals.snr) == {20.0}
    raw = np.fromfile(tmp_path / "low.cu8", np.uint8).reshape(-1, 2)
    assert np.allclose(signals.iq[1], (raw[8:16].T - 127.5) / 127.5, atol=1e-6)
    assert "2 recordings in cu8" in loaded.origin


def test_which_byte_is_zero_is_told_where_the_two_readers_differ(tmp_path):
    """Bytes in a SigMF folder are centred elsewhere: the page says by how much."""
    recorded(tmp_path)
    raw = np.fromfile(tmp_path / "low.cu8", np.uint8)
    ours = files.load(described(tmp_path)).signals.iq[0]
    folder = tmp_path / "recordings"
    folder.mkdir()
    raw.tofile(folder / "low.sigmf-data")
    said = {
        "global": {"core:datatype": "cu8", "core:version": "1.2.0"},
        "captures": [{"core:sample_start": 0}],
        "annotations": [{"core:sample_start": 0, "core:sample_count": 8, "core:label": "QPSK"}],
    }
    (folder / "low.sigmf-meta").write_text(json.dumps(said))
    theirs = sigmf.load(SigmfFolder(tmp_path / "x", folder, 8, 8, "core:label", 20.0, ()))
    zero, other = raw_reader.ZERO["cu8"], 128
    scale = raw_reader.FULL_SCALE["cu8"]
    bytes_of = ours * scale + zero, theirs.signals.iq[0] * other + other
    assert np.allclose(*bytes_of, atol=1e-4)
    page = (Path(__file__).resolve().parents[3] / "book" / "own_data.md").read_text("utf-8")
    assert f"Here it is {zero:g}, the middle" in page and f"which takes {other}." in page


@pytest.mark.parametrize(
    "name, kind",
    [("ci16_le", "<i2"), ("ci16", "<i2"), ("complex16", "<i2"), ("ci16_be", ">i2"), ("ci8", "i1")],
)
def test_signed_integers_are_scaled_by_their_full_scale(tmp_path, name, kind):
    recorded(tmp_path, "i2" if "16" in name else "i1", samples=16)
    said = described(tmp_path, format=name, hop="4", snr="[10, 0]", classes="[QPSK, BPSK]")
    signals = files.load(said).signals
    raw = np.fromfile(tmp_path / "high.cu8", kind).reshape(-1, 2)
    scale = 32768 if "16" in name else 128
    assert signals.iq.shape == (6, 2, 8) and signals.snr.tolist() == [10] * 3 + [0] * 3
    assert np.allclose(signals.iq[4], raw[4:12].T / scale, atol=1e-6)
    assert signals.label.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    "change, says",
    [
        ({"format": "cu9"}, "unknown format 'cu9'"),
        ({"labels": "[QPSK]"}, "labels: expected one for each of 2 recordings, got 1"),
        ({"snr": "[1, 2, 3]"}, "snr: expected one for each of 2 recordings, got 3"),
        ({"snr": "core:snr"}, "snr: expected dB"),
        ({"recordings": "[low.cu8, low.cu8]"}, "recordings: expected each once, got 'low.cu8'"),
        ({"recordings": "[low.cu8, ./low.cu8]"}, "each once, got './low.cu8' again"),
        ({"recordings": "low.cu8"}, "recordings: expected a list"),
        ({"recordings": "[low.cu8, none.cu8]"}, "none.cu8: no such file"),
        ({"length": "21"}, "low.cu8: expected at least one frame of 21 samples, got 20"),
        ({"hop": "3"}, "hop: expected at least half of length"),
        ({"format": "cf32_le", "length": "2"}, "expected finite samples|low.cu8"),
        ({"classes": "[BPSK, 8PSK]"}, "labels: 'QPSK' is not among classes"),
        ({"snr": ""}, "snr: missing"),
        ({"folder": "here"}, "unknown key"),
    ],
)
def test_what_cannot_be_trusted_is_refused(tmp_path, change, says):
    recorded(tmp_path)
    if change.get("format") == "cf32_le":
        np.full(40, np.nan, "<f4").tofile(tmp_path / "low.cu8")
    with pytest.raises(ValueError, match=says):
        files.load(described(tmp_path, **change))


def test_half_a_sample_is_refused(tmp_path):
    recorded(tmp_path)
    (tmp_path / "low.cu8").write_bytes(b"123")
    with pytest.raises(ValueError, match=r"low.cu8: expected whole samples of 2 bytes \(cu8\)"):
        files.load(described(tmp_path))


@pytest.mark.parametrize("name", ["out.npz", "out.h5", "out"])
def test_an_export_is_read_back_bit_for_bit(tones, tmp_path, monkeypatch, name):
    monkeypatch.setattr(export, "FRAMES", 40)  # three recordings
    signals = tones[np.random.default_rng(1).permutation(96)]
    again = files.load(export.write(tmp_path / "made" / name, signals)).signals
    for field in ("iq", "label", "snr"):
        assert np.array_equal(getattr(again, field), getattr(signals, field))
    assert again.classes == signals.classes
    names = {path.name for path in (tmp_path / "made").iterdir()}
    assert names == {name} | ({"out.foqus.yaml"} if name != "out.npz" else set())
    with pytest.raises(ValueError, match="is there already"):
        export.write(tmp_path / "made" / name, signals)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["x.npz", "./sub/../x.npz"], "x.npz: would be written twice"),
        (["x", "x/y.npz"], "x: .*y.npz would lie in it. Name places beside each other"),
        (["n" * 252 + ".npz"], "expected names of up to 255 bytes, got 256. Shorten it"),
        (["n" * 245 + ".h5"], "expected names of up to 255 bytes, got 256"),  # of the sidecar
        (["ö" * 126 + ".npz"], "expected names of up to 255 bytes, got 256"),
        (["n" * 300 + "/x.npz"], "expected names of up to 255 bytes, got 300"),
    ],
)
def test_what_cannot_stand_side_by_side_is_refused(tmp_path, monkeypatch, names, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=said):
        export.check(*map(Path, names))


def test_a_name_may_be_as_long_as_the_disk_takes(tones, tmp_path):
    path = tmp_path / ("n" * 251 + ".npz")
    assert export.write(path, tones) == path and list(tmp_path.iterdir()) == [path]


def test_what_a_killed_run_left_is_swept_after_a_day(tones, tmp_path):
    for name, age in (("old", 2), ("new", 0)):
        left = tmp_path / f"{durable.UNFINISHED}{name}"
        left.mkdir()
        (left / "x.npz").touch()
        os.utime(left, (time.time() - age * durable.A_DAY,) * 2)
    export.write(tmp_path / "a.npz", tones)
    assert {path.name for path in tmp_path.iterdir()} == {"a.npz", f"{durable.UNFINISHED}new"}


@pytest.mark.parametrize("name", ["out.npz", "out.h5", "out"])
def test_an_export_is_removed_as_a_whole(tones, tmp_path, name):
    (tmp_path / "other.foqus.yaml").touch()
    export.write(tmp_path / name, tones)
    export.remove(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["other.foqus.yaml"]


def test_other_endings_are_refused(tones, tmp_path):
    with pytest.raises(ValueError, match="expected .npz, .h5, or a folder for SigMF"):
        export.check(tmp_path / "out.mat")

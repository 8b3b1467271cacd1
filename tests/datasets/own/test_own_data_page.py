"""The page about one's own data: every snippet about a format does what the page says."""

import re
from pathlib import Path

import h5py
import layouts
import numpy as np
import pytest

from foqus_lib.datasets import checks, files, hdf5, rml2016_text, rml2018
from foqus_lib.datasets.own import npz, sidecar, sigmf_meta

PAGE = (Path(__file__).resolve().parents[3] / "book" / "own_data.md").read_text(encoding="utf-8")
FORMATS = PAGE.partition("(own-formats)=")[2]
BLOCKS = {kind: re.findall(rf"```{kind}\n(.*?)```", FORMATS, re.DOTALL)
          for kind in ("yaml", "python")}  # fmt: skip


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_has_the_snippets_tested_here():
    assert [len(found) for found in BLOCKS.values()] == [3, 2]


def test_an_hdf5_file(here):
    x = layouts.noise(8, 64)
    with h5py.File("mine.h5", "w") as file:
        file["iq"], file["labels"], file["snr"] = x, np.arange(8) % 2, np.full(8, 12.0)
    Path("mine.foqus.yaml").write_text(BLOCKS["yaml"][0])
    loaded = files.load(Path("mine.foqus.yaml"))
    np.testing.assert_array_equal(loaded.signals.iq, x)
    assert loaded.signals.classes == ("BPSK", "QPSK")


def test_recordings(here, capsys):
    samples = np.arange(600).astype(np.complex64)
    notes = [(100, 300, {"core:label": "FM"}), (500, 99, {"core:label": "AM"})]
    layouts.save_sigmf(here / "recordings", "a", samples, notes)
    Path("mine.foqus.yaml").write_text(BLOCKS["yaml"][1])
    names = {}
    exec(BLOCKS["python"][0], names)
    assert capsys.readouterr().out == (
        "1 SigMF recording; annotations left out: 1 shorter than 128 samples\n"
    )
    cut = names["cut"]
    assert (cut.recording[cut.which[1]], cut.start[1]) == ("a.sigmf-meta", 228)
    np.testing.assert_array_equal(cut.signals.iq[1, 0], np.arange(228, 356))


@pytest.mark.parametrize("name", ["a.cu8", "a.ci16", "a.CI16_LE", "a.complex16", "a.cf32"])
def test_a_recording_given_directly_is_told_the_lines_that_describe_it(here, name):
    Path(name).write_bytes(bytes(4096))
    with pytest.raises(ValueError, match="write mine.foqus.yaml") as refusal:
        files.load(Path(name))
    lines = re.findall("`(.*?)`", str(refusal.value).replace(", ...]", "]"))
    Path("mine.foqus.yaml").write_text("\n".join(lines))
    assert sidecar.read(Path("mine.foqus.yaml")).recordings == (name,)


def test_a_small_file_of_rml2018(here):
    exec(BLOCKS["python"][1], {})
    loaded = files.load(Path("small.hdf5"), 15, here / "cache")
    assert loaded.name == "RML2018.01a" and len(loaded.signals) == 24 * 2 * 2
    assert loaded.signals.classes == rml2018.CLASSES


def test_every_ending_on_the_page_is_read():
    table = FORMATS.partition("{list-table}")[2].partition("```")[0]
    endings = set(re.findall(r"`\*?(\.[\w.]+)`", table)) | {".npy"}
    assert endings == {kind for kind in files.KINDS if kind.startswith(".")}


def test_the_limits_on_the_page_are_those_of_the_readers():
    said = FORMATS.partition("### Limits")[2]
    for text in (
        f"| {checks.MOST_CLASSES:,}, names of up to 32 ASCII letters and digits, spaces and",
        f"| {sidecar.LARGEST >> 10} KiB |",
        f"| {hdf5.MOST_PACKED} times their packed size",
        f"| {1 / npz.SMALLEST_RATIO:g} times their packed size",
        f"| {hdf5.LARGEST_LABELS >> 30} GiB unpacked",
        f"| {hdf5.LARGEST_CHUNK >> 20} MiB; ",
        f" {hdf5.LARGEST_BAND >> 20} MiB |",
        f"| {sigmf_meta.LARGEST_META >> 20} MiB, at most {sigmf_meta.MOST_NOTES:,} ",
        f"| {rml2016_text.LONGEST_LINE:,} characters |",
    ):
        assert text in said, text

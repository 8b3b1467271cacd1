"""SigMF recordings: which frames are cut, what is left out and why, and what is refused."""

import json
import os
import re
import resource
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import save_sigmf
from limits import in_little_memory

from foqus_lib.datasets import door, files
from foqus_lib.datasets.own import sigmf, sigmf_meta
from foqus_lib.datasets.own.sidecar import SigmfFolder
from foqus_lib.datasets.own.sigmf import Stretch, _apart

RAMP = (np.arange(400) + 1j * np.arange(400)[::-1]).astype(np.complex64) / 512
BPSK, QPSK = {"core:label": "BPSK"}, {"core:label": "QPSK"}


def wanted(tmp_path, length=50, hop=50, label="core:label", snr=20.0, classes=()):
    path = tmp_path / "mine.foqus.yaml"
    return SigmfFolder(path, tmp_path / "recordings", length, hop, label, snr, classes)


@pytest.fixture
def record(tmp_path):
    def save(annotations, name="a", samples=RAMP, below=".", **given):
        folder = tmp_path / "recordings" / below
        return save_sigmf(folder, name, samples, annotations, **given)

    return save


def test_frames_by_hand(tmp_path, record):
    record([(10, 120, BPSK), (200, 50, QPSK)], name="b")
    record([(0, 100, QPSK)], name="deep", below="a")
    cut = sigmf.load(wanted(tmp_path))
    assert cut.recording == ("a/deep.sigmf-meta", "b.sigmf-meta")
    np.testing.assert_array_equal(cut.which, [0, 0, 1, 1, 1])
    np.testing.assert_array_equal(cut.start, [0, 50, 10, 60, 200])
    np.testing.assert_array_equal(cut.signals.label, [1, 1, 0, 0, 1])
    np.testing.assert_array_equal(cut.signals.snr, 20)
    assert cut.signals.classes == ("BPSK", "QPSK") and cut.left_out == {}
    for frame, start in zip(cut.signals.iq, cut.start, strict=True):
        np.testing.assert_array_equal(frame[0] + 1j * frame[1], RAMP[start : start + 50])
    assert cut.report == "2 SigMF recordings; annotations left out: none"


def test_sixteen_bit_integers_are_scaled_to_one(tmp_path, record):
    record([(0, 100, BPSK)], datatype="ci16_le")
    iq = sigmf.load(wanted(tmp_path)).signals.iq
    np.testing.assert_allclose(iq[1, 0], RAMP.real[50:100], atol=2**-15)


def test_a_marker_without_samples_takes_nobodys_place(tmp_path, record):
    record([(0, 100, BPSK), (50, 0, BPSK), (100, 100, QPSK)])
    cut = sigmf.load(wanted(tmp_path))
    np.testing.assert_array_equal(cut.start, [0, 50, 100, 150])
    assert cut.left_out == {"that cover no sample": 1}


def test_overlapping_frames(tmp_path, record):
    record([(0, 125, BPSK)])
    cut = sigmf.load(wanted(tmp_path, hop=25))
    np.testing.assert_array_equal(cut.start, [0, 25, 50, 75])


def test_without_a_count_to_the_end_of_the_capture(tmp_path, record):
    record([(0, None, BPSK), (150, None, QPSK)], captures=[0, 100])
    np.testing.assert_array_equal(sigmf.load(wanted(tmp_path)).start, [0, 50, 150, 200, 250,
                                                                           300, 350])  # fmt: skip


def test_the_first_sample_may_have_a_number(tmp_path, record):
    record([(1000, 50, BPSK), (1100, 50, QPSK)], facts={"core:offset": 1000}, captures=[1000])
    np.testing.assert_array_equal(sigmf.load(wanted(tmp_path)).start, [0, 100])


def test_snr_of_each_annotation_else_of_the_recording(tmp_path, record):
    noted = [(0, 50, BPSK | {"my:snr": 3}), (50, 50, BPSK | {"my:snr": " -4.5 dB"}),
             (100, 50, BPSK), (150, 50, BPSK | {"my:snr": "loud"})]  # fmt: skip
    record(noted, facts={"my:snr": 12.5})
    cut = sigmf.load(wanted(tmp_path, snr="my:snr"))
    np.testing.assert_array_equal(cut.signals.snr, [3, -4.5, 12.5])
    assert cut.left_out == {"without dB in my:snr": 1}


def test_what_is_left_out_is_counted_by_reason(tmp_path, record):
    record([
        (0, 50, BPSK), (50, 49, BPSK), (100, 50, {}), (100, 50, {"core:label": " "}),
        (150, 60, BPSK), (200, 60, QPSK), (300, 50, {"core:label": "OFDM"}), (390, 11, BPSK),
    ])  # fmt: skip
    cut = sigmf.load(wanted(tmp_path, classes=("BPSK",)))
    assert cut.left_out == {
        "shorter than 50 samples": 1, "without core:label": 2, "of other classes": 2,
        "beyond the end of the recording": 1,
    }  # fmt: skip
    assert len(cut.signals) == 2  # 0 and 150: QPSK at 200 is of another class, so nobody's rival
    both = sigmf.load(wanted(tmp_path, classes=()))
    assert both.left_out["that overlap another one"] == 2
    assert "2 that overlap another one" in both.report and "2 without core:label" in both.report


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), max_size=9))
def test_apart_is_what_every_pair_compared_gives(spans):
    spans = [(start, start + n, str(i)) for i, (start, n) in enumerate(spans)]
    found = [Stretch(Path("a"), start, stop, name, 0.0) for start, stop, name in spans]
    wanted = {
        one.label for one in found
        if not any(one is not other and one.start < other.stop and other.start < one.stop
                   for other in found)
    }  # fmt: skip
    assert {stretch.label for stretch in _apart(found)} == wanted


def test_nothing_left_says_why(tmp_path, record):
    record([(0, 49, BPSK), (100, 50, {})])
    message = (
        r"no labelled frame of 50 samples in 1 recording; annotations: 1 shorter than 50 samples, "
        r"1 without core:label. Annotate them"
    )
    with pytest.raises(ValueError, match=message):
        sigmf.load(wanted(tmp_path))


def test_no_annotations_and_no_recordings(tmp_path, record):
    with pytest.raises(ValueError, match="folder: .*recordings is no folder"):
        sigmf.load(wanted(tmp_path))
    (tmp_path / "recordings").mkdir()
    with pytest.raises(ValueError, match="no .sigmf-meta file in it or below. Mend the path"):
        sigmf.load(wanted(tmp_path))
    (tmp_path / "recordings" / "a.sigmf").touch()
    with pytest.raises(ValueError, match="Unpack the archives"):
        sigmf.load(wanted(tmp_path))
    record([])
    with pytest.raises(ValueError, match="no labelled frame .*annotations: none. Annotate them"):
        sigmf.load(wanted(tmp_path))


@pytest.mark.parametrize("optional", [True, False])
def test_an_extension_that_a_reader_must_know_is_refused_by_name(tmp_path, record, optional):
    needed = [{"name": "swapped-iq", "version": "1.0.0", "optional": optional}]
    record([(0, 50, BPSK), (50, 50, QPSK)], facts={"core:extensions": needed})
    if optional:
        assert len(sigmf.load(wanted(tmp_path)).signals) == 2
        return
    with pytest.raises(ValueError, match="a.sigmf-meta: .*must know, got 'swapped-iq'"):
        sigmf.load(wanted(tmp_path))


def test_a_name_that_stands_twice_in_the_metadata_is_refused(tmp_path, record):
    meta = record([(0, 50, BPSK), (50, 50, QPSK)])
    label = '"core:label": "BPSK"'
    meta.write_text(meta.read_text().replace(label, f'{label}, "core:label": "QPSK"'))
    with pytest.raises(ValueError, match="a.sigmf-meta: .*core:label: expected each name once"):
        sigmf.load(wanted(tmp_path))


@pytest.mark.parametrize("what", ["0", "{}", "[]"])
@pytest.mark.parametrize("field", ["annotations", "captures"])
def test_a_flood_of_annotations_is_counted_before_each_is_looked_at(what, field, tmp_path, record):
    meta = record([(0, 50, BPSK)])
    said = json.loads(meta.read_text())
    said[field] = []
    text = json.dumps(said)
    n = (sigmf_meta.LARGEST_META - len(text) - 1) // (len(what) + 1)
    meta.write_text(text.replace(f'"{field}": []', f'"{field}": [{",".join([what] * n)}]'))
    refused = pytest.raises(ValueError, match="meta: .* captures: expected at most 100,000 toget")
    with in_little_memory(f"{n} {what}", most_seconds=15), refused:
        sigmf.load(wanted(tmp_path))


def test_of_many_bad_annotations_the_first_is_enough(tmp_path, record):
    meta = record([(0, 50, BPSK)])
    said = json.loads(meta.read_text()) | {"annotations": [{}] * 90_000}
    meta.write_text(json.dumps(said))
    refused = pytest.raises(ValueError, match="meta: annotations/0: not as SigMF wants it")
    with in_little_memory("90,000 of {}", most_seconds=10), refused:
        sigmf.load(wanted(tmp_path))


def test_a_disk_is_not_searched_to_its_end(tmp_path, record, monkeypatch):
    for name in "abc":
        record([(0, 50, BPSK)], name=name, below=name)
    monkeypatch.setattr(door, "MOST_ENTRIES", 8)
    with pytest.raises(ValueError, match="recordings: .*more than 8 files and folders below it"):
        sigmf.load(wanted(tmp_path))
    with pytest.raises(ValueError, match="more than 8 files and folders"):
        files.load(tmp_path / "recordings")


def test_the_folder_one_stands_in_is_named_in_the_lines_that_are_proposed(
    tmp_path, record, monkeypatch
):
    record([(0, 50, BPSK)])
    monkeypatch.chdir(tmp_path / "recordings")
    with pytest.raises(ValueError, match="with `folder: recordings`"):
        files.load(Path("."))


def test_a_class_named_but_not_found(tmp_path, record):
    record([(0, 50, BPSK)])
    with pytest.raises(ValueError, match="'QPSK' has no row in y"):
        sigmf.load(wanted(tmp_path, classes=("BPSK", "QPSK")))


def test_a_label_unfit_for_a_page(tmp_path, record):
    record([(0, 50, {"core:label": "<script>"})])
    with pytest.raises(ValueError, match="classes: .*got '<script>'"):
        sigmf.load(wanted(tmp_path))


def edited(**changes):
    def edit(meta):
        said = json.loads(meta.read_text())
        said["global"] |= changes
        meta.write_text(json.dumps(said))

    return edit


def annotated(**changes):
    def edit(meta):
        said = json.loads(meta.read_text())
        said["annotations"][0] |= changes
        meta.write_text(json.dumps(said))

    return edit


def data(meta):
    return meta.with_suffix(".sigmf-data")


DAMAGED = {
    "samples changed": (lambda m: data(m).write_bytes(bytes(3200)), "hash does not match"),
    "samples cut short": (lambda m: data(m).write_bytes(bytes(3199)), "cut short: 3199 bytes"),
    "no samples": (lambda m: data(m).unlink(), "no a.sigmf-data beside it"),
    "no JSON": (lambda m: m.write_text("{"), "not a SigMF recording that can be read"),
    "a list": (lambda m: m.write_text("[]"), "not a SigMF recording that can be read"),
    "nested": (lambda m: m.write_text("[" * 99_999), "not a SigMF recording that can be read"),
    "another file": (edited(**{"core:dataset": "../../secret"}), "in a file of another format"),
    "trailing bytes": (edited(**{"core:trailing_bytes": 8}), "in a file of another format"),
    "real samples": (edited(**{"core:datatype": "rf32_le"}), "expected one channel of complex"),
    "two channels": (edited(**{"core:num_channels": 2}), "expected one channel of complex"),
    "an unknown type": (edited(**{"core:datatype": "cf99_le"}), "core:datatype: not as SigMF"),
    "a start of text": (annotated(**{"core:sample_start": "0"}), "annotations/0/core:sample_start"),
    "a negative count": (annotated(**{"core:sample_count": -1}), "annotations/0/core:sample_count"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_recording_that_cannot_be_trusted_is_named(tmp_path, record, what):
    damage, message = DAMAGED[what]
    meta = record([(0, 50, BPSK)])
    damage(meta)
    with pytest.raises(ValueError, match=message) as refusal:
        sigmf.load(wanted(tmp_path))
    assert re.search(r"recordings/a\.sigmf-meta", str(refusal.value))


def test_samples_that_are_not_finite(tmp_path, record):
    samples = RAMP.copy()
    samples[77] = np.nan
    record([(50, 50, BPSK)], samples=samples)
    with pytest.raises(ValueError, match="a.sigmf-data: expected finite samples.*at sample 77"):
        sigmf.load(wanted(tmp_path))


def test_more_recordings_than_files_that_can_be_open(tmp_path, record):
    for name in range(80):
        record([(name, 50, (BPSK, QPSK)[name % 2])], name=f"{name:02}")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 40, limits[1]))
    try:
        cut = sigmf.load(wanted(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    np.testing.assert_array_equal(cut.which, np.arange(80))
    np.testing.assert_array_equal(cut.signals.iq[79, 0], RAMP.real[79:129])

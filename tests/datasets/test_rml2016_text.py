"""The text mirror of RML2016 gives what the pickle gives, bit for bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import noise, save_text

from foqus_lib.datasets import rml2016, rml2016_text
from foqus_lib.datasets.rml2016 import CLASSES, SNRS

KEYS = [(modulation, snr) for modulation in CLASSES for snr in SNRS]
BLOCKS = {key: noise(2, 128, seed=i) * 1e-3 for i, key in enumerate(KEYS)}


@pytest.mark.parametrize("plus_minus", [False, True])
def test_every_float_comes_back(tmp_path, plus_minus):
    signals, name = rml2016_text.load(save_text(tmp_path / "set", BLOCKS, plus_minus))
    wanted, same = rml2016.assembled(tmp_path, dict(BLOCKS))
    assert name == same == "RML2016.04C" and signals.classes == CLASSES
    for field in ("iq", "label", "snr"):
        np.testing.assert_array_equal(getattr(signals, field), getattr(wanted, field))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_ten_digits_are_enough(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("text") / "BPSK 0.txt"
    block = np.full((1, 2, 128), value, np.float32)
    save_text(path.parent, {("BPSK", 0): block})
    np.testing.assert_array_equal(rml2016_text.frames(path), block)


def test_names_are_normalised(tmp_path):
    folder = save_text(tmp_path / "set", BLOCKS)
    for path in folder.glob("QAM16 *"):
        path.rename(path.with_name(path.name.replace("QAM16", "qam16")))
    (folder / "README.md").write_text("not a block")
    assert rml2016_text.load(folder)[0].classes == CLASSES


DAMAGED = {
    "one file gone": (lambda f: (f / "BPSK 0.txt").unlink(), r"missing here: \('BPSK', 0\)"),
    "another name": (lambda f: (f / "notes.txt").touch(), "notes.txt: expected names such as"),
    "an unknown class": (
        lambda f: (f / "BPSK 0.txt").rename(f / "BPSX 0.txt"), "unknown modulation 'BPSX'"
    ),
    "an empty file": (lambda f: (f / "BPSK 0.txt").write_text("\n"), "BPSK 0.txt: an empty file"),
    "a line cut short": (
        lambda f: (f / "BPSK 0.txt").write_text((f / "BPSK 0.txt").read_text()[:-40]),
        "BPSK 0.txt: expected 128 complex numbers in every line; ",
    ),
    "words": (lambda f: (f / "BPSK 0.txt").write_text("<html>"), "BPSK 0.txt: expected 128"),
    "NaN": (
        lambda f: (f / "BPSK 0.txt").write_text("(nan+0j) " * 128), "expected finite numbers"
    ),
    "a frame twice": (
        lambda f: (f / "BPSK 0.txt").write_text((f / "BPSK 2.txt").read_text()),
        "expected distinct frames, got 2 repeated ones",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGED)
def test_damage_is_named(tmp_path, what):
    damage, message = DAMAGED[what]
    folder = save_text(tmp_path / "set", BLOCKS)
    damage(folder)
    with pytest.raises(ValueError, match=message):
        rml2016_text.load(folder)


def test_a_folder_without_blocks(tmp_path):
    with pytest.raises(ValueError, match="no file such as 'QAM64 -2.txt' in it"):
        rml2016_text.load(tmp_path)

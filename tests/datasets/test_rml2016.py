"""The published RML2016 pickles: order, names, completeness; and what is no pickle at all."""

import bz2
import gzip
import hashlib
import pickle

import numpy as np
import pytest
from pickle_files import python2

from foqus_lib.datasets import rml2016
from foqus_lib.datasets.rml2016 import CLASSES, SNRS

KEYS = [(modulation, snr) for modulation in CLASSES for snr in SNRS]


def frames_of(counts):
    """Distinct frames: each carries its number, and nothing else, so files are small to hash."""
    number, blocks = 0, {}
    for key, n in counts.items():
        block = np.zeros((n, 2, 128), np.float32)
        block[:, 0, 0] = number + 1 + np.arange(n)
        blocks[key], number = block, number + n
    return blocks


def save(tmp_path, blocks, protocol=2):
    path = tmp_path / "set.pkl"
    path.write_bytes(pickle.dumps(blocks, protocol))
    return path


SMALL_04C = frames_of({key: 2 + CLASSES.index(key[0]) for key in KEYS})


def test_04c_is_read_in_the_published_order_whatever_the_order_of_the_dict(tmp_path):
    backwards = dict(reversed(SMALL_04C.items()))
    signals, name = rml2016.load(save(tmp_path, backwards))
    assert name == "RML2016.04C" and signals.classes == CLASSES
    np.testing.assert_array_equal(signals.iq, np.concatenate(list(SMALL_04C.values())))
    counts = [len(block) for block in SMALL_04C.values()]
    np.testing.assert_array_equal(signals.label, np.repeat(np.repeat(np.arange(11), 20), counts))
    np.testing.assert_array_equal(signals.snr, np.repeat(np.tile(SNRS, 11), counts))


def test_10b_is_known_by_the_missing_class(tmp_path):
    blocks = {key: block for key, block in SMALL_04C.items() if key[0] != "AM-SSB"}
    signals, name = rml2016.load(save(tmp_path, blocks))
    assert name == "RML2016.10b"
    assert signals.classes == tuple(c for c in CLASSES if c != "AM-SSB")


def test_python_2_files_load_the_same(tmp_path):
    path = tmp_path / "py2.dat"
    path.write_bytes(python2(SMALL_04C, 0))
    np.testing.assert_array_equal(
        rml2016.load(path)[0].iq, rml2016.load(save(tmp_path, SMALL_04C))[0].iq
    )


def test_spellings_of_names_and_wider_numbers_are_taken(tmp_path):
    blocks = {
        (modulation.lower().replace("-", "_"), snr): block.astype(np.float64)
        for (modulation, snr), block in SMALL_04C.items()
    }
    signals, _ = rml2016.load(save(tmp_path, blocks))
    np.testing.assert_array_equal(signals.iq, np.concatenate(list(SMALL_04C.values())))


def test_10a_is_known_by_its_size_and_wants_1000_frames_a_key(tmp_path):
    block = np.broadcast_to(np.float32(1), (1000, 2, 128))
    layout = rml2016.layout_of(dict.fromkeys(KEYS, block) | {KEYS[7]: block[:999]})
    assert layout == rml2016.RML2016_10A
    wanted = r"key \('QAM16', 0\): expected .*\(1000, 2, 128\), got .*\(999, 2, 128\)"
    with pytest.raises(ValueError, match=wanted):
        rml2016._checked(tmp_path, ("QAM16", 0), block[:999], layout.frames)


@pytest.mark.slow
def test_10a_in_full(tmp_path):
    signals, name = rml2016.load(save(tmp_path, frames_of(dict.fromkeys(KEYS, 1000))))
    assert name == "RML2016.10a" and len(signals) == 220_000


CHANGES = {
    "a missing key": (
        lambda b: b.pop(("QPSK", -4)),
        r"220 keys .*; missing here: \('QPSK', -4\); not part of it: none",
    ),
    "an unknown SNR": (
        lambda b: b.update({("QPSK", 7): b["QPSK", 8]}), r"not part of it: \('QPSK', 7\)"
    ),
    "an unknown name": (
        lambda b: b.update({("QAM15", 0): b["QPSK", 8]}),
        "unknown modulation 'QAM15'; did you mean 'QAM16'",
    ),
    "a script as name": (
        lambda b: b.update({("<script>", 0): b["QPSK", 8]}), "unknown modulation"
    ),
    "a name in two spellings": (
        lambda b: b.update({("qpsk", 0): b["QPSK", 8]}), "stands twice, in two spellings"
    ),
    "channels last": (
        lambda b: b.update({("QPSK", 0): np.zeros((5, 128, 2), np.float32)}),
        r"key \('QPSK', 0\): expected float32 of shape \(n, 2, 128\), got .* \(5, 128, 2\)",
    ),
    "integers": (
        lambda b: b.update({("QPSK", 0): np.ones((5, 2, 128), np.int32)}), "got int32"
    ),
    "a NaN": (
        lambda b: b["PAM4", 2].__setitem__((3, 1, 5), np.nan),
        r"key \('PAM4', 2\): expected finite numbers, got 1 frames that are not, first in frame 3",
    ),
    "too large for float32": (
        lambda b: b.update({("PAM4", 2): np.full((5, 2, 128), 1e300)}), "expected finite numbers"
    ),
    "a frame under two keys": (
        lambda b: b["GFSK", 2].__setitem__(0, b["BPSK", 18][1]),
        r"got 1 repeated ones: keys \('GFSK', 2\) and \('BPSK', 18\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_wrong_content_is_refused_by_name(tmp_path, what):
    change, message = CHANGES[what]
    blocks = {key: block.copy() for key, block in SMALL_04C.items()}
    change(blocks)
    with pytest.raises(ValueError, match=message) as refusal:
        rml2016.load(save(tmp_path, blocks))
    assert str(tmp_path / "set.pkl") in str(refusal.value)


def test_a_flipped_bit_is_seen_by_the_checksum(tmp_path):
    path = save(tmp_path, SMALL_04C)
    content = bytearray(path.read_bytes())
    right = hashlib.sha256(content).hexdigest()
    rml2016.load(path, sha256=right.upper())
    content[content.find(np.float32(5).tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"expected SHA-256 {right}, got"):
        rml2016.load(path, sha256=right)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "got an empty file. Request RML2016.10a at"),
        (b"\n<!DOCTYPE html><html>404</html>", "got a web page .* Request RML2016.10a at"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs pointer.* `git lfs pull`"),
        (gzip.compress(b"x", mtime=0), "got a gzip archive. Unpack it"),
        (bz2.compress(b"x"), "got a bzip2 archive. Unpack it"),
        (b"PK\x03\x04rest", "got a zip archive"),
        (b"\x89HDF\r\n\x1a\n", "got an HDF5 file"),
        (b"name".ljust(257, b"\0") + b"ustar\0", "got a tar archive"),
        (b"\x80\x02}.", "no key|220|missing"),
        (b"plain text", "byte 0: "),
    ],
)
def test_other_files_are_named_with_what_to_do(tmp_path, content, words):
    path = tmp_path / "RML2016.10a_dict.pkl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words) as refusal:
        rml2016.load(path)
    assert str(path) in str(refusal.value)


def test_a_missing_file_says_where_it_comes_from(tmp_path):
    with pytest.raises(ValueError, match="no such file. Request RML2016.10a.*'RML2016.10a-like'"):
        rml2016.load(tmp_path / "absent.pkl")

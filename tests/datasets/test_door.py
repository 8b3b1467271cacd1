"""The door: nothing but a ValueError that names the file, whatever a reader or a library raises."""

import errno
import json
import os
import struct
import time
import zipfile
import zlib
from pathlib import Path

import h5py
import layouts
import numpy as np
import pytest
from limits import in_little_memory

from foqus_lib.datasets import door, files

X, LABEL, SNR = layouts.noise(60, 32), np.arange(60) % 2, np.full(60, 20)
YAML = "file: mine.h5\nX: /iq\ny: /y\nsnr: /snr\nclasses: [A, B]\n"
SIGMF = "folder: recordings\nlength: 32\nsnr: 20\n"


@pytest.mark.parametrize(
    "error",
    [zlib.error("bad"), KeyError("x"), RuntimeError("no"), TypeError("int"), MemoryError(),
     RecursionError("deep"), struct.error("4 bytes"), OSError("h5"), EOFError(), ValueError("x"),
     UnicodeDecodeError("utf-8", b"mine.npz", 0, 1, "mine.npz"), PermissionError(13, "denied")],
    ids=repr,
)  # fmt: skip
def test_whatever_is_raised_names_the_file(error):
    message = "mine.npz: expected a whole file"
    with pytest.raises(ValueError, match=message) as refusal, door.reading(Path("mine.npz")):
        raise error
    assert type(refusal.value) is ValueError and refusal.value.__cause__ is error
    assert "None" not in str(refusal.value)


@pytest.mark.parametrize(
    "error",
    [ValueError("mine.npz: X: known"), ValueError("beside.npy: y: known"), AssertionError("ours"),
     KeyboardInterrupt(), SystemExit(1), OSError(errno.ENOSPC, "disk full")],
    ids=repr,
)  # fmt: skip
def test_refusals_interrupts_and_our_own_slips_pass(error):
    with pytest.raises(type(error)) as passed, door.reading(Path("mine.npz"), Path("beside.npy")):
        raise error
    assert passed.value is error


def test_a_message_that_quotes_the_file_is_cut_and_keeps_its_ends():
    said = "mine.npz: header b'" + "x\n\x1b" * 9999 + "'. Write it again"
    with pytest.raises(ValueError) as refusal, door.reading(Path("mine.npz")):
        raise ValueError(said)
    text = str(refusal.value)
    assert text.startswith("mine.npz: header") and text.endswith("Write it again")
    assert len(text) < 1100 and text.isprintable()


def test_more_than_the_machine_has_is_refused_with_both_numbers():
    door.fits("mine.h5: X", 1000, "Give less")
    with pytest.raises(ValueError, match=r"mine.h5: X: .* at most [\d.]+ GB.*got 1e\+09 GB. Give"):
        door.fits("mine.h5: X", 10**18, "Give less")


# Real bytes that once filled, hung or crashed a reader.


def own_npz(folder, compression=zipfile.ZIP_STORED, **changes):
    members = {"X": X, "y": LABEL, "snr": SNR, "classes": np.array(["A", "B"])}
    with zipfile.ZipFile(folder / "mine.npz", "w", compression) as archive:
        for name, content in (members | changes).items():
            archive.writestr(f"{name}.npy", content if type(content) is bytes else npy(content))
    return folder / "mine.npz"


def npy(array):
    header = repr({"descr": array.dtype.str, "fortran_order": False, "shape": array.shape})
    return npy_of(header) + array.tobytes()


def npy_of(header):
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header.encode() + b"\n"


MINUSES = npy_of("{'descr':'<f4','fortran_order':False,'shape':(" + "-" * 8000 + "1,)}")


def changed(path, at, content):
    """The file with bytes replaced."""
    whole = bytearray(path.read_bytes())
    whole[at : at + len(content)] = content
    path.write_bytes(whole)
    return path


def damaged_deflate(folder):
    return changed(own_npz(folder, zipfile.ZIP_DEFLATED), 200, b"\xff" * 40)


def lzma(folder):
    return own_npz(folder, zipfile.ZIP_LZMA)


def encrypted(folder):
    path = own_npz(folder)
    at = path.read_bytes().find(b"PK\x01\x02") + 8
    return changed(changed(path, 6, b"\x01"), at, b"\x01")


def many_minus_signs(folder):
    return own_npz(folder, X=MINUSES)


def many_minus_signs_in_npy(folder):
    (folder / "TrainX.npy").write_bytes(MINUSES)
    return folder / "TrainX.npy"


def own_hdf5(folder, said=YAML, **changes):
    with h5py.File(folder / "mine.h5", "w") as file:
        for name, array in ({"iq": X, "y": LABEL, "snr": SNR} | changes).items():
            file[name] = array
    (folder / "mine.foqus.yaml").write_text(said)
    return folder / "mine.foqus.yaml"


def the_group_itself(folder):
    return own_hdf5(folder, YAML.replace("/iq", "."))


def a_name_with_an_end(folder):
    return own_hdf5(folder, YAML.replace("/iq", '"iq\\0x"'))


def merges(folder):
    bomb = "b0: &b0 {" + ", ".join(f"k{i}: {i}" for i in range(10)) + "}\n"
    for level in range(1, 10):
        bomb += f"b{level}: &b{level} {{<<: [{', '.join([f'*b{level - 1}'] * 10)}]}}\n"
    return own_hdf5(folder, bomb + YAML)


def an_alias(folder):
    return own_hdf5(folder, YAML.replace("/y", "&a /y").replace("/snr", "*a"))


def a_merge(folder):
    return own_hdf5(folder, "<<: {X: /iq}\n" + YAML)


def a_key_twice(folder):
    return own_hdf5(folder, YAML + "y: /snr\n")


def sixty_minutes(folder):
    return own_hdf5(folder, YAML.replace("/snr", "20:30"))


def octal(folder):
    return own_hdf5(folder, YAML.replace("/snr", "010"))


def four_hundred_digits(folder):
    return own_hdf5(folder, YAML.replace("/snr", "9" * 400))


def five_thousand_classes(folder):
    names = ", ".join(f"c{i}" for i in range(5000))
    return own_hdf5(folder, YAML.replace("A, B", names))


def one_hot_of_gigabytes(folder):
    path, n, classes = own_hdf5(folder), 1_000_000, 900
    with h5py.File(folder / "mine.h5", "w") as file:
        x = file.create_dataset("iq", (n, 2, 2), "f4", chunks=(100_000, 2, 2), compression="gzip")
        y = file.create_dataset("y", (n, classes), "i1", chunks=(n // 20, classes // 10),
                                compression="gzip")  # fmt: skip
        packed = zlib.compress(bytes(n // 20 * classes // 10))
        for chunk in y.iter_chunks():
            y.id.write_direct_chunk([part.start for part in chunk], packed)
        x[:] = np.random.default_rng(0).standard_normal((n, 2, 2), np.float32)
        file["snr"] = np.zeros(n, "i1")
    names = ", ".join(f"c{i}" for i in range(classes))
    path.write_text(YAML.replace("A, B", names))
    return path


def a_sample_a_signal(write):
    return lambda folder: write(folder, **{"iq" if write is own_hdf5 else "X": X[..., :1]})


def recordings(folder, said=SIGMF, samples=None, **changes):
    z = (X[:, 0] + 1j * X[:, 1]).ravel()
    notes = [(0, 960, {"core:label": "A"}), (960, 960, {"core:label": "B"})]
    layouts.save_sigmf(folder / "recordings", "a", z, notes)
    (folder / "mine.foqus.yaml").write_text(said)
    return folder / "mine.foqus.yaml", folder / "recordings" / "a.sigmf-meta"


def sixty_megabytes_of_metadata(folder):
    path, meta = recordings(folder)
    meta.write_text(meta.read_text().rstrip().removesuffix("}") + ', "x": "' + "x" * 60_000_000
                    + '"}')  # fmt: skip
    return path


def metadata_that_is(make):
    def case(folder):
        path, meta = recordings(folder)
        meta.unlink()
        make(meta)
        return path

    return case


def samples_that_are(make):
    def case(folder):
        path, meta = recordings(folder)
        meta.with_suffix(".sigmf-data").unlink()
        make(meta.with_suffix(".sigmf-data"))
        return path

    return case


def a_count_of_1e30(folder):
    path, meta = recordings(folder)
    meta.write_text(meta.read_text().replace('"core:sample_count": 960', f'"x:y": {10**400}, '
                                             '"core:sample_count": 1e30'))  # fmt: skip
    return path


def text_file_that_is(make):
    def case(folder):
        (folder / "set").mkdir()
        make(folder / "set" / "QAM64 -2.txt")
        return folder / "set"

    return case


def a_line_without_end(path):
    path.write_text("(0.0012-0.0034j) " * 3_500_000)


def named(ending, make):
    def case(folder):
        make(folder / f"mine{ending}")
        return folder / f"mine{ending}"

    return case


def dangling(path):
    path.symlink_to("nothing")


REFUSED = {
    "npz, damaged deflate": (damaged_deflate, "mine.npz: "),
    "npz, LZMA": (lzma, "X: .* got one packed in another way"),
    "npz, encrypted": (encrypted, "X: .* got an encrypted one"),
    "npz, minus signs": (many_minus_signs, "X: not a plain array"),
    "npy, minus signs": (many_minus_signs_in_npy, "TrainX.npy: expected a whole file"),
    "HDF5, X is .": (the_group_itself, r"mine.h5: \.: no such dataset"),
    "HDF5, a name with a zero": (a_name_with_an_end, "X: .*can be printed"),
    "npz, a sample a signal": (a_sample_a_signal(own_npz), "X: expected signals of 2 samples or m"),
    "HDF5, a sample a signal": (a_sample_a_signal(own_hdf5), "/iq: expected signals of 2 samples"),
    "HDF5, one-hot of 900 MB": (one_hot_of_gigabytes, "/y: expected one 1 among zeros"),
    "YAML, merges": (merges, "line 1: expected .*got an anchor or alias"),
    "YAML, an alias": (an_alias, "line 3: .*got an anchor or alias, 'a'"),
    "YAML, a merge": (a_merge, "line 1: <<: expected one value or a list, got a mapping"),
    "YAML, a key twice": (a_key_twice, "line 6: y: expected each name once"),
    "YAML, 20:30": (sixty_minutes, "line 4: snr: expected a plain decimal number, got '20:30'"),
    "YAML, 010": (octal, "line 4: snr: expected a plain decimal number, got '010'"),
    "YAML, 400 digits": (four_hundred_digits, "snr: expected a plain decimal number, got '9999"),
    "YAML, 5000 classes": (five_thousand_classes, "classes: .*got list of 5000"),
    "SigMF, 60 MB": (sixty_megabytes_of_metadata, "60000.* bytes of metadata, at most 8388608"),
    "SigMF, 1e30 samples": (a_count_of_1e30, "annotations/.*/core:sample_count: not as SigMF"),
    "SigMF, a pipe": (metadata_that_is(os.mkfifo), r"a.sigmf-meta.*got a pipe \(FIFO\)"),
    "SigMF, a folder": (metadata_that_is(Path.mkdir), "a.sigmf-meta.*got a folder"),
    "SigMF, a dangling link": (metadata_that_is(dangling), "a.sigmf-meta.*a link to nothing"),
    "SigMF, samples from a pipe": (samples_that_are(os.mkfifo), "a.sigmf-data.*got a pipe"),
    "SigMF, a folder of samples": (samples_that_are(Path.mkdir), "a.sigmf-data.*got a folder"),
    "text, a line without end": (text_file_that_is(a_line_without_end), "one has 16384 char"),
    "text, a pipe": (text_file_that_is(os.mkfifo), "QAM64 -2.txt: .*got a pipe"),
    "text, a folder": (text_file_that_is(Path.mkdir), "QAM64 -2.txt: .*got a folder"),
    "text, a dangling link": (text_file_that_is(dangling), "QAM64 -2.txt: a link to nothing"),
}  # fmt: skip
for ENDING in (".npz", ".foqus.yaml", ".pkl", ".h5", "X.npy", ".mat", ".csv"):
    REFUSED |= {
        f"a pipe {ENDING}": (named(ENDING, os.mkfifo), r"expected a file, got a pipe \(FIFO\)"),
        f"a folder {ENDING}": (named(ENDING, Path.mkdir), "got a folder|no file such as"),
        f"a dangling link {ENDING}": (named(ENDING, dangling), "a link to nothing"),
    }


@pytest.mark.parametrize("what", REFUSED)
def test_what_once_filled_hung_or_crashed_a_reader_is_refused(tmp_path, what):
    make, message = REFUSED[what]
    path = make(tmp_path)
    with in_little_memory(what), pytest.raises(ValueError, match=message) as refusal:
        files.load(path, cached=None)
    assert str(tmp_path) in str(refusal.value) and len(str(refusal.value)) < 1000


def test_a_device_is_refused():
    with pytest.raises(ValueError, match="/dev/zero: expected a file, got a device"):
        door.plain_file(Path("/dev/zero"))


def test_integers_with_a_point_are_integers_to_json(tmp_path):
    """core:sample_count: 960.0 is valid SigMF."""
    path, meta = recordings(tmp_path)
    before = files.load(path).signals.iq
    meta.write_text(meta.read_text().replace(": 960", ": 960.0"))
    np.testing.assert_array_equal(files.load(path).signals.iq, before)
    assert "960.0" in meta.read_text() and len(before) == 60


def test_snr_of_400_digits_in_an_annotation_is_none(tmp_path):
    path, meta = recordings(tmp_path, SIGMF.replace("20", "x:snr"))
    plain = meta.read_text()
    for digits in ("9" * 400, f'"{"9" * 400}"', f'"1{" " * 100_000}x"'):
        meta.write_text(plain.replace('"core:label"', f'"x:snr": {digits}, "core:label"'))
        with pytest.raises(ValueError, match="annotations: 2 without dB in x:snr"):
            files.load(path)


@pytest.mark.parametrize("layout", [own_npz, own_hdf5, lambda folder: recordings(folder)[0]],
                         ids=["npz", "HDF5", "SigMF"])  # fmt: skip
def test_the_sound_files_these_are_made_from_load(tmp_path, layout):
    assert len(files.load(layout(tmp_path)).signals) == 60


@pytest.mark.slow
def test_many_annotations_and_captures_take_linear_time(tmp_path):
    path, meta = recordings(tmp_path)
    said = json.loads(meta.read_text())
    del said["global"]["core:sha512"]

    def seconds(n):
        z = np.arange(48 * n).astype(np.complex64)
        meta.with_suffix(".sigmf-data").write_bytes(z.tobytes())
        said["captures"] = [{"core:sample_start": 48 * i} for i in range(n)]
        said["annotations"] = [{"core:sample_start": 48 * i, "core:label": "AB"[i % 2]}
                               for i in range(n)]  # fmt: skip
        meta.write_text(json.dumps(said))
        began = time.process_time()
        assert len(files.load(path).signals) == n
        return time.process_time() - began

    assert seconds(20_000) < 10 * seconds(5_000)  # 4 times; were every pair compared, 16


DULL = {
    "one class": ({"y": LABEL * 0, "classes": np.array(["A"])}, "classes: .*two classes.*'A' alon"),
    "zeros": ({"X": X * 0}, "X: expected signals that differ, got 60 that are all zero"),
    "copies": ({"X": np.repeat(X[:1], 60, axis=0)}, "X: .*got 60 that are all the same. Look at"),
}


@pytest.mark.parametrize("what", DULL)
def test_a_file_with_nothing_to_tell_apart_is_refused(tmp_path, what):
    changes, message = DULL[what]
    with pytest.raises(ValueError, match="mine.npz: " + message):
        files.load(own_npz(tmp_path, **changes))

"""The few lines of a .foqus.yaml: what is taken, and that everything else is refused by key."""

import pytest

from foqus_lib.datasets.own import sidecar

HDF5 = {"file": "a/mine.h5", "X": "/iq", "y": "/y", "snr": "/snr", "classes": "[BPSK, QPSK]"}
SIGMF = {"folder": "recordings", "length": "128", "snr": "20"}


def write(tmp_path, said):
    path = tmp_path / "mine.foqus.yaml"
    if isinstance(said, dict):
        said = "".join(f"{key}: {value}\n" for key, value in said.items() if value is not None)
    path.write_text(said)
    return path


def test_datasets_of_an_hdf5_file(tmp_path):
    path = write(tmp_path, HDF5)
    assert sidecar.read(path) == sidecar.Hdf5Arrays(
        path, tmp_path / "a/mine.h5", "/iq", "/y", "/snr", ("BPSK", "QPSK")
    )
    assert sidecar.read(write(tmp_path, HDF5 | {"snr": "-3"})).snr == -3.0


def test_a_folder_of_recordings_and_what_is_left_out(tmp_path):
    path = write(tmp_path, SIGMF)
    assert sidecar.read(path) == sidecar.SigmfFolder(
        path, tmp_path / "recordings", 128, 128, "core:label", 20.0, ()
    )
    more = {"hop": 64, "label": "my:class", "snr": "my:snr", "classes": "[FM]"}
    read = sidecar.read(write(tmp_path, SIGMF | more))
    assert (read.hop, read.label, read.snr, read.classes) == (64, "my:class", "my:snr", ("FM",))


REFUSED = {
    "both": (HDF5 | SIGMF, "expected either `file.*got both"),
    "neither": ({"length": 128}, "expected either `file.*got neither"),
    "a mistyped key": (SIGMF | {"lenght": 3}, "unknown key 'lenght'; did you mean 'length'"),
    "a key of the other kind": (HDF5 | {"hop": 3}, "unknown key 'hop'"),
    "no snr": (SIGMF | {"snr": None}, "snr: missing; expected folder, length, snr"),
    "no classes": (HDF5 | {"classes": None}, "classes: missing"),
    "classes as text": (HDF5 | {"classes": "BPSK"}, "classes: expected a list of names"),
    "classes YAML reads as truth": (HDF5 | {"classes": "[ON, OFF]"}, "got True. Put it in quotes"),
    "classes YAML reads as numbers": (HDF5 | {"classes": "[8]"}, "got 8. Put it in quotes"),
    "a dataset that is a number": (HDF5 | {"X": 3}, "X: expected text, got 3"),
    "an infinite snr": (SIGMF | {"snr": ".inf"}, "snr: expected finite dB up to 1000, got inf"),
    "a true snr": (SIGMF | {"snr": "yes"}, "snr: expected text, got True"),
    "length 0": (SIGMF | {"length": 0}, "length: expected a number of samples, 1 to"),
    "length of text": (SIGMF | {"length": "long"}, "length: expected .* got 'long'"),
    "a short hop": (SIGMF | {"hop": 63}, "hop: expected at least half of length, 64 samples"),
    "a list": ("- a\n- b\n", "expected lines of `name: value`, got list"),
    "nothing": ("", "expected lines of `name: value`, got NoneType"),
    "no YAML": ("a: [1, 2\nb: 3", "not YAML in line 2"),
    "code": ("a: !!python/object/apply:os.system [true]", "not YAML in line 1"),
    "nested deeply": ("a: " + "[" * 9000, "line 1: .* got lists in lists"),
    "a book": (
        "a: " + "x" * 70_000,
        "expected a few lines of text, at most 65536 bytes, got 70003",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(tmp_path, what):
    said, message = REFUSED[what]
    path = write(tmp_path, said)
    with pytest.raises(ValueError, match=message) as refusal:
        sidecar.read(path)
    assert str(path) in str(refusal.value) and len(str(refusal.value)) < 500


def test_the_docstring_holds_two_files_that_are_read(tmp_path):
    example = sidecar.__doc__.partition("\n\n")[2]
    first, second, _raw = example.split("\n\n")
    kinds = [type(sidecar.read(write(tmp_path, part.replace("\n    ", "\n").strip())))
             for part in (first, second)]  # fmt: skip
    assert kinds == [sidecar.Hdf5Arrays, sidecar.SigmfFolder]


def test_text_in_another_encoding_is_told_so(tmp_path):
    path = tmp_path / "mine.foqus.yaml"
    path.write_bytes("file: mine.h5\n".encode("utf-16"))
    with pytest.raises(ValueError, match="expected UTF-8 text"):
        sidecar.read(path)


@pytest.mark.parametrize("given", ["length:", "recordings:"])
def test_what_is_left_empty_is_said_with_how_to_write_it(given, tmp_path):
    lines = ["recordings: [a]", "labels: [A]", "snr: 20", "format: cu8", "length: 16"]
    said = [given if line.startswith(given) else line for line in lines]
    (tmp_path / "mine.foqus.yaml").write_text("\n".join(said))
    with pytest.raises(ValueError, match=rf"{given} expected .* got None. Write {given} "):
        sidecar.read(tmp_path / "mine.foqus.yaml")

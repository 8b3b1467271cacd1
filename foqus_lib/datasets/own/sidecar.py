"""A few lines that say what is in your files: mine.foqus.yaml, given in place of the data.

file: mine.h5               # HDF5; the path starts at the folder of this file
X: /iq                      # (N, 2, L) or (N, L, 2), float32 or float64
y: /labels                  # (N,) index into classes, or (N, C) one-hot
snr: /snr                   # (N,) or (N, 1) dB; or one number for all
classes: [BPSK, QPSK]       # in the order in which y counts them

folder: recordings          # SigMF: every .sigmf-meta in it and below
length: 128                 # L, samples a frame
hop: 128                    # from frame to frame; if left out: length
label: core:label           # annotation field with the class; if left out: core:label
snr: core:comment           # annotation or global field with the SNR in dB; or a number
classes: [BPSK, QPSK]       # if left out: the labels found, sorted
"""

import math
from dataclasses import dataclass
from pathlib import Path

import yaml

from foqus_lib.errors import unknown

ENDINGS = (".foqus.yaml", ".foqus.yml")
LARGEST = 65_536  # bytes


@dataclass(frozen=True)
class Hdf5Arrays:
    """Which datasets of an HDF5 file are what."""

    path: Path  # of the .foqus.yaml
    file: Path
    x: str
    y: str
    snr: str | float  # a dataset, or dB
    classes: tuple[str, ...]


@dataclass(frozen=True)
class SigmfFolder:
    """How frames are cut from annotated recordings."""

    path: Path  # of the .foqus.yaml
    folder: Path
    length: int  # samples
    hop: int  # samples
    label: str
    snr: str | float  # a field, or dB
    classes: tuple[str, ...]  # empty: the labels found


def read(path: Path) -> Hdf5Arrays | SigmfFolder:
    """What the file says. ValueError naming file, key, what came and what was wanted."""
    path = Path(path)
    said = _mapping(path)
    if ("file" in said) == ("folder" in said):
        raise ValueError(
            f"{path}: expected either `file: mine.h5` (HDF5) or `folder: recordings` (SigMF), got "
            f"{'both' if 'file' in said else 'neither'}. Write one of them"
        )
    if "file" in said:
        _check_keys(path, said, needed=("file", "X", "y", "snr", "classes"), optional=())
        return Hdf5Arrays(
            path,
            path.parent / _text(path, said, "file"),
            _text(path, said, "X"),
            _text(path, said, "y"),
            _snr(path, said),
            _classes(path, said),
        )
    optional = ("hop", "label", "classes")
    _check_keys(path, said, needed=("folder", "length", "snr"), optional=optional)
    said = {"hop": said["length"], "label": "core:label"} | said
    length, hop = _count(path, said, "length"), _count(path, said, "hop")
    if 2 * hop < length:
        raise ValueError(
            f"{path}: hop: expected at least half of length, {-(-length // 2)} samples, got {hop}: "
            "frames two apart would share samples, and no split could keep them apart"
        )
    return SigmfFolder(
        path,
        path.parent / _text(path, said, "folder"),
        length,
        hop,
        _text(path, said, "label"),
        _snr(path, said),
        _classes(path, said) if "classes" in said else (),
    )


def _mapping(path: Path) -> dict:
    if not path.is_file():
        raise ValueError(f"{path}: no such file. Check the path; it starts at {Path.cwd()}")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path}: expected a few lines of text, got {path.stat().st_size} bytes")
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        where = f" in line {mark.line + 1}" if (mark := getattr(error, "problem_mark", 0)) else ""
        raise ValueError(f"{path}: not YAML{where}. Write lines of `name: value`") from None
    if not isinstance(said, dict):
        raise ValueError(f"{path}: expected lines of `name: value`, got {type(said).__name__}")
    return said


def _check_keys(path: Path, said: dict, needed: tuple[str, ...], optional: tuple[str, ...]) -> None:
    for key in said:
        if key not in needed + optional:
            raise ValueError(f"{path}: {unknown('key', str(key)[:60], needed + optional)}")
    for key in needed:
        if key not in said:
            raise ValueError(f"{path}: {key}: missing; expected {', '.join(needed)}. Add it")


def _text(path: Path, said: dict, key: str) -> str:
    if not isinstance(said[key], str) or not said[key].strip():
        raise ValueError(f"{path}: {key}: expected text, got {_short(said[key])}. Put it in quotes")
    return said[key]


def _count(path: Path, said: dict, key: str) -> int:
    value = said[key]
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 2**24:
        raise ValueError(
            f"{path}: {key}: expected a number of samples, 1 to {2**24}, got {_short(value)}"
        )
    return value


def _snr(path: Path, said: dict) -> str | float:
    value = said["snr"]
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError(f"{path}: snr: expected finite dB, got {value}. Give a number")
        return float(value)
    return _text(path, said, "snr")


def _classes(path: Path, said: dict) -> tuple[str, ...]:
    names = said["classes"]
    if not isinstance(names, list) or not names:
        raise ValueError(
            f"{path}: classes: expected a list of names, got {_short(names)}. "
            "Write classes: [BPSK, QPSK]"
        )
    for name in names:
        if not isinstance(name, str):
            raise ValueError(
                f"{path}: classes: expected names, got {_short(name)}. Put it in quotes: "
                "YAML reads NO, ON and 8 as something else"
            )
    return tuple(names)


def _short(value: object) -> str:
    """A list that holds itself a million times is not printed."""
    return type(value).__name__ if isinstance(value, list | dict) else repr(value)[:60]

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

recordings: [a.cu8, b.cu8]  # without a header, each of one class
labels: [BPSK, QPSK]        # one a recording
snr: 20                     # dB, or a list: one a recording
format: cu8                 # or ci8, ci16_le (or complex16), ci16_be, cf32_le
length: 128                 # hop and classes as above
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from foqus_lib.datasets import checks, door
from foqus_lib.errors import unknown

ENDINGS = (".foqus.yaml", ".foqus.yml")
LARGEST = 65_536  # bytes
LONGEST_TEXT = 1000  # characters of a path or a name
RAW_FORMATS = {
    "cu8": np.dtype("u1"),
    "ci8": np.dtype("i1"),
    "ci16_le": np.dtype("<i2"),
    "ci16_be": np.dtype(">i2"),
    "cf32_le": np.dtype("<f4"),
}
ALSO = {"ci16": "ci16_le", "complex16": "ci16_le", "cf32": "cf32_le"}  # as radios' software says it
NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
# What YAML and people read alike: not 20:30 (1230 to YAML), 010 (8), 0x10, 1_000 or 400 digits.
NUMBER = re.compile(
    r"[-+]?(0|[1-9]\d{0,18})(\.\d{0,18})?([eE][-+]?\d{1,3})?|[-+]?\.(inf|Inf|INF|nan|NaN|NAN)"
)


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


@dataclass(frozen=True)
class RawRecordings:
    """Recordings without a header, one label each."""

    path: Path  # of the .foqus.yaml
    recordings: tuple[str, ...]  # paths from its folder
    labels: tuple[str, ...]  # one a recording
    snr: tuple[float, ...]  # dB, one a recording
    format: str  # a name in RAW_FORMATS
    length: int  # samples
    hop: int  # samples
    classes: tuple[str, ...]  # empty: the labels, by the alphabet


def read(path: Path) -> Hdf5Arrays | SigmfFolder | RawRecordings:
    """What the file says. ValueError naming file, key, what came and what was wanted."""
    path = Path(path)
    said = _mapping(path)
    if "recordings" in said and not {"file", "folder"} & set(said):
        return _raw(path, said)
    if ("file" in said) == ("folder" in said):
        raise ValueError(
            f"{path}: expected either `file: mine.h5` (HDF5) or `folder: recordings` (SigMF), got "
            f"{'both' if 'file' in said else 'neither'}. Write one of them, or "
            "`recordings: [a.cu8]` for recordings without a header"
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
    said = {"label": "core:label"} | said
    length, hop = _cut(path, said)
    return SigmfFolder(
        path,
        path.parent / _text(path, said, "folder"),
        length,
        hop,
        _text(path, said, "label"),
        _snr(path, said),
        _classes(path, said) if "classes" in said else (),
    )


def _raw(path: Path, said: dict) -> RawRecordings:
    needed = ("recordings", "labels", "snr", "format", "length")
    _check_keys(path, said, needed=needed, optional=("hop", "classes"))
    length, hop = _cut(path, said)
    recordings, labels = (_list(path, said, key) for key in ("recordings", "labels"))
    snr = said["snr"] if isinstance(said["snr"], list) else [said["snr"]] * len(recordings)
    for key, given in (("labels", labels), ("snr", snr)):
        if len(given) != len(recordings):
            raise ValueError(
                f"{path}: {key}: expected one for each of {len(recordings)} recordings, got "
                f"{len(given)}. Write them in the same order"
            )
    places = [os.path.normpath(path.parent.absolute() / name) for name in recordings]
    for row, name in enumerate(recordings):
        if places[row] in places[:row]:
            raise ValueError(
                f"{path}: recordings: expected each once, got {name[:60]!r} again. Remove it and "
                "its label"
            )
    decibels = [_snr(path, {"snr": one}) for one in snr]
    if not all(isinstance(one, float) for one in decibels):
        raise ValueError(f"{path}: snr: expected dB, got {_short(said['snr'])}. Write a number")
    kind = _text(path, said, "format")
    if (kind := ALSO.get(kind, kind)) not in RAW_FORMATS:
        raise ValueError(f"{path}: {unknown('format', kind, RAW_FORMATS)}")
    classes = _classes(path, said) if "classes" in said else ()
    return RawRecordings(path, recordings, labels, tuple(decibels), kind, length, hop, classes)


def _list(path: Path, said: dict, key: str) -> tuple[str, ...]:
    given = said[key]
    if not isinstance(given, list) or not given:
        raise ValueError(
            f"{path}: {key}: expected a list, got {_short(given)}. Write {key}: [a, b]"
        )
    return tuple(_text(path, {key: one}, key) for one in given)


def _cut(path: Path, said: dict) -> tuple[int, int]:
    """length and hop in samples; hop left out is length."""
    said = {"hop": said["length"]} | said
    length, hop = _count(path, said, "length"), _count(path, said, "hop")
    if 2 * hop < length:
        raise ValueError(
            f"{path}: hop: expected at least half of length, {-(-length // 2)} samples, got {hop}: "
            "frames two apart would share samples, and no split could keep them apart"
        )
    return length, hop


def _mapping(path: Path) -> dict:
    door.plain_file(path)
    if path.stat().st_size > LARGEST:
        raise ValueError(
            f"{path}: expected a few lines of text, at most {LARGEST} bytes, got "
            f"{path.stat().st_size}. Keep the lines it needs"
        )
    try:
        text = path.read_text(encoding="utf-8")
        _refuse_nesting(path, text)
        _refuse_unclear(path, text)
        said = yaml.safe_load(text)
    except UnicodeDecodeError:
        raise ValueError(f"{path}: expected UTF-8 text. Save it as such") from None
    except yaml.YAMLError as error:
        where = f" in line {mark.line + 1}" if (mark := getattr(error, "problem_mark", 0)) else ""
        raise ValueError(f"{path}: not YAML{where}. Write lines of `name: value`") from None
    if not isinstance(said, dict):
        raise ValueError(f"{path}: expected lines of `name: value`, got {type(said).__name__}")
    return said


def _refuse_nesting(path: Path, text: str) -> None:
    """ValueError for lists in lists, anchors and aliases: they make gigabytes of a few lines."""
    deep = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        deep += isinstance(event, yaml.CollectionStartEvent)
        deep -= isinstance(event, yaml.CollectionEndEvent)
        if deep > 2 or getattr(event, "anchor", None) is not None:
            what = "lists in lists" if deep > 2 else f"an anchor or alias, {event.anchor[:60]!r}"
            raise ValueError(
                f"{path}: line {event.start_mark.line + 1}: expected `name: value` or "
                f"`name: [a, b]`, got {what}. Write every value out"
            )


def _refuse_unclear(path: Path, text: str) -> None:
    """ValueError for a name that stands twice, and for numbers that YAML and people read apart."""
    root = yaml.compose(text, yaml.SafeLoader)
    seen: set[str] = set()
    for name, value in root.value if isinstance(root, yaml.MappingNode) else []:
        where = f"{path}: line {name.start_mark.line + 1}: {str(name.value)[:60]}"
        if isinstance(value, yaml.MappingNode) or not isinstance(name, yaml.ScalarNode):
            raise ValueError(f"{where}: expected one value or a list, got a mapping. Write it out")
        if name.value in seen:
            raise ValueError(f"{where}: expected each name once, got it again. Remove one")
        seen.add(name.value)
        for one in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if one.tag in NUMBERS and not NUMBER.fullmatch(one.value):
                raise ValueError(
                    f"{where}: expected a plain decimal number, got {one.value[:60]!r}, which YAML "
                    "reads as another number. Write it as 20 or -3.5; a name goes in quotes"
                )


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
    if not said[key].isprintable() or len(said[key]) > LONGEST_TEXT:
        raise ValueError(
            f"{path}: {key}: expected up to {LONGEST_TEXT} characters that can be printed, got "
            f"{len(said[key])}: {_short(said[key])}. Mend the name"
        )
    return said[key]


def _count(path: Path, said: dict, key: str) -> int:
    value = said[key]
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 2**24:
        raise ValueError(
            f"{path}: {key}: expected a number of samples, 1 to {2**24}, got {_short(value)}. "
            f"Write {key}: 128"
        )
    return value


def _snr(path: Path, said: dict) -> str | float:
    value = said["snr"]
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not abs(value) <= checks.MOST_DECIBELS:
            raise ValueError(
                f"{path}: snr: expected finite dB up to {checks.MOST_DECIBELS}, got {value}. Mend "
                "it"
            )
        return float(value)
    return _text(path, said, "snr")


def _classes(path: Path, said: dict) -> tuple[str, ...]:
    names = said["classes"]
    if not isinstance(names, list) or not 1 <= len(names) <= checks.MOST_CLASSES:
        many = f" of {len(names)}" if isinstance(names, list) else ""
        raise ValueError(
            f"{path}: classes: expected a list of names, 1 to {checks.MOST_CLASSES}, got "
            f"{_short(names)}{many}. Write classes: [BPSK, QPSK]"
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

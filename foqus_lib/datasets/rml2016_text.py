"""RML2016 as the community mirrors it in text: one file for each class and SNR, "QAM64 -2.txt".

A line is a frame: 128 complex numbers, `(0.0012-0.0034j)`, or `(0.0012+-0.0034j)` as older NumPy
wrote them. Ten digits, so every float32 comes back exactly. The licence is the data's own.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from foqus_lib.datasets import door, rml2016
from foqus_lib.datasets.pickles.grammar import Blocks
from foqus_lib.signals import Signals

MOST_FILES = len(rml2016.CLASSES) * len(rml2016.SNRS)
LONGEST_LINE = 16_384  # characters; 128 numbers of ten digits take 4,000
NAME = re.compile(r"([A-Za-z0-9_-]+) (-?\d{1,2})\.txt")


def load(folder: Path) -> tuple[Signals, str]:
    """Signals in the published order and the name of the set, from a folder of text files.

    Raises ValueError naming file, line, what was wanted and what came.
    """
    return rml2016.assembled(Path(folder), _blocks(Path(folder)))


def _blocks(folder: Path) -> Blocks:
    blocks: Blocks = {}
    paths = sorted(folder.glob("*.txt"))
    for path in paths:
        if not NAME.fullmatch(path.name):
            raise ValueError(
                f"{path}: expected names such as 'QAM64 -2.txt' (class, SNR in dB). Move it away"
            )
        door.plain_file(path)
    if len(paths) > MOST_FILES:
        raise ValueError(
            f"{folder}: expected at most {MOST_FILES} files, one for each class and SNR, got "
            f"{len(paths)}. Move the others away"
        )
    size = sum(path.stat().st_size for path in paths)
    door.fits(f"{folder}: text files", size, "Give one of the other formats of the set")
    for path in paths:
        modulation, snr = path.stem.split(" ")
        blocks[modulation, int(snr)] = frames(path)
    if not blocks:
        raise ValueError(
            f"{folder}: no file such as 'QAM64 -2.txt' in it. Give the folder that holds them"
        )
    return blocks


def _lines(file: TextIO) -> Iterator[str]:
    """One after the other: a line that never ends is not read to its end."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise ValueError(f"one has {LONGEST_LINE} characters or more")
        yield line


def frames(path: Path) -> Float32[ndarray, "n 2 128"]:
    """The frames of one file."""
    found = []
    try:
        with open(path, encoding="ascii") as file:
            for number, line in enumerate(_lines(file), start=1):
                words = line.replace("+-", "-").split()
                if words and len(words) != rml2016.LENGTH:
                    raise ValueError(f"line {number} has {len(words)}")
                if words:
                    found.append(np.array([complex(word) for word in words], np.complex64))
    except ValueError as error:
        raise ValueError(
            f"{path}: expected {rml2016.LENGTH} complex numbers in every line; {str(error)[:200]}. "
            "Download the file again"
        ) from None
    if not found:
        raise ValueError(f"{path}: an empty file. Download it again")
    z = np.stack(found)
    return np.stack([z.real, z.imag], axis=1)

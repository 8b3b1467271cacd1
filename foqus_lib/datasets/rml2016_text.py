"""RML2016 as the community mirrors it in text: one file for each class and SNR, "QAM64 -2.txt".

A line is a frame: 128 complex numbers, `(0.0012-0.0034j)`, or `(0.0012+-0.0034j)` as older NumPy
wrote them. Ten digits, so every float32 comes back exactly. The licence is the data's own.
"""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from foqus_lib.datasets import rml2016
from foqus_lib.datasets.pickles.grammar import Blocks
from foqus_lib.signals import Signals

NAME = re.compile(r"([A-Za-z0-9_-]+) (-?\d{1,2})\.txt")


def load(folder: Path) -> tuple[Signals, str]:
    """Signals in the published order and the name of the set, from a folder of text files.

    Raises ValueError naming file, line, what was wanted and what came.
    """
    return rml2016.assembled(Path(folder), _blocks(Path(folder)))


def _blocks(folder: Path) -> Blocks:
    blocks: Blocks = {}
    for path in sorted(folder.glob("*.txt")):
        if not (key := NAME.fullmatch(path.name)):
            raise ValueError(
                f"{path}: expected names such as 'QAM64 -2.txt' (class, SNR in dB). Move it away"
            )
        blocks[key[1], int(key[2])] = frames(path)
    if not blocks:
        raise ValueError(
            f"{folder}: no file such as 'QAM64 -2.txt' in it. Give the folder that holds them"
        )
    return blocks


def frames(path: Path) -> Float32[ndarray, "n 2 128"]:
    """The frames of one file."""
    found = []
    try:
        text = path.read_text(encoding="ascii").replace("+-", "-")
        lines = [line for line in text.split("\n") if line.strip()]
        for number, line in enumerate(lines, start=1):
            found.append(np.array([complex(word) for word in line.split()], np.complex64))
            if len(found[-1]) != rml2016.LENGTH:
                raise ValueError(f"line {number} has {len(found[-1])}")
    except ValueError as error:
        raise ValueError(
            f"{path}: expected {rml2016.LENGTH} complex numbers in every line; {error}. "
            "Download the file again"
        ) from None
    if not found:
        raise ValueError(f"{path}: an empty file. Download it again")
    z = np.stack(found)
    return np.stack([z.real, z.imag], axis=1)

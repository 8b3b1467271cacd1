"""The file of eight classes of RML2016.04C on which the book's real rows were made, out of text.

    python benchmarks/rml2016_04c.py FOLDER rml2016_04c_8cls.npz         two minutes

FOLDER holds one text file for each class and SNR, as the community mirrors the set:
github.com/dannis999/RML2016.04C, folder 2016.04C, commit 1e47baa. Frames stay in their order, as
consecutive ones overlap by half. The data are CC BY-NC-SA 4.0, after DeepSig Inc. (O'Shea and West
2016). Says in the end whether the signals are those of the committed rows: the fingerprint that
stands in each of them is of the parts that the split makes of this file, so it is compared by
what `catalog.prepare` makes, not by the bytes of an .npz.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from measure import ROOT

from foqus_lib.datasets import rml2016, rml2016_text
from foqus_lib.datasets.catalog import prepare

CLASSES = ("8PSK", "AM-DSB", "AM-SSB", "PAM4", "QAM16", "QAM64", "QPSK", "WBFM")
ROWS = ROOT / "book" / "results" / "rml2016_04c_8cls" / "main.csv"


def made(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of the .npz: by class, then by SNR, then in the order of the stream."""
    parts = {name: [] for name in ("X", "y", "snr", "frame_index")}
    for label, modulation in enumerate(CLASSES):
        for snr in rml2016.SNRS:
            frames = rml2016_text.frames(folder / f"{modulation} {snr}.txt")
            parts["X"].append(frames)
            parts["y"].append(np.full(len(frames), label, np.int8))
            parts["snr"].append(np.full(len(frames), snr, np.int8))
            parts["frame_index"].append(np.arange(len(frames), dtype=np.int16))
    arrays = {name: np.concatenate(values) for name, values in parts.items()}
    return arrays | {"classes": np.array(CLASSES)}


def fingerprint(path: Path) -> str:
    """Of the parts that the rows were trained and tested on."""
    how = {"snr_min": 10, "split": "blocks", "normalise": "rms", "train_share": 0, "frames": 0}
    return prepare(str(path), **how, seed=0).fingerprint


def main() -> None:
    """Make the file, and compare."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("folder", type=Path, help="of the text files")
    words.add_argument("npz", type=Path, help="to write")
    given = words.parse_args()
    np.savez(given.npz, **made(given.folder))
    [committed] = pd.read_csv(ROWS, usecols=["fingerprint"]).fingerprint.unique()
    same = fingerprint(given.npz) == committed
    print(f"{given.npz}: {'the' if same else 'NOT the'} signals of {ROWS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

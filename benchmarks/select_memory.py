"""How much memory `foqus select` takes beside its data: one copy of the signals, or several?

    python benchmarks/select_memory.py                      ten minutes of one core
    python benchmarks/select_memory.py --signals 50000      a quarter of that

The command runs in a process of its own on N signals of 128 samples, and on 2,000, which says what
Python, torch and the training of one batch take. The difference of the largest resident sizes is
compared with the N signals. The embedding of a CNN1D alone is half their size. Written to
book/results/benchmarks/select_memory.json.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from measure import child, stopwatch, write_numbers

FEW, LENGTH, CLASSES = 2_000, 128, 11
MB = 1e6


def one(folder: str, signals: int, epochs: int) -> dict:
    """In a child: the command on a file that is there; the process's largest size."""
    from foqus_lib import cli

    out = Path(folder) / f"coreset{signals}"
    words = ["select", "--data", f"{folder}/{signals}.npz", "--rate", "0.05", "--epochs", epochs,
             "--results", f"{folder}/store", "--device", "cpu", "--out", out]  # fmt: skip
    with stopwatch() as spent:
        assert cli.main(list(map(str, words))) == 0
    return spent


def main(signals: int, epochs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for n in (FEW, signals):
            iq = np.random.default_rng(0).standard_normal((n, 2, LENGTH), dtype=np.float32)
            label, names = np.arange(n) % CLASSES, np.array(list("abcdefghijk"))
            np.savez(f"{folder}/{n}.npz", X=iq, y=label, snr=np.zeros(n), classes=names)
        few, many = (child(__file__, folder, n, epochs) for n in (FEW, signals))
    data = signals * 2 * LENGTH * 4 / MB
    more = (many["process_mb"] - few["process_mb"]) * 2**20 / MB
    print(f"{signals:,} signals, {data:.0f} MB, T = {epochs}: {many['process_mb']:.0f} MiB in all, "
          f"{few['process_mb']:.0f} with {FEW:,} signals; {more:.0f} MB more, "
          f"{more / data:.2f} times the data ({many['cpu_s']:.0f} CPU s)")  # fmt: skip
    numbers = {"signals": signals, "data_mb": data, "more_mb": more, "times": more / data}
    write_numbers("select_memory", {"found": numbers})


if __name__ == "__main__":
    if len(sys.argv) == 4 and not sys.argv[1].startswith("-"):
        print(json.dumps(one(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
    else:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        parser.add_argument("--signals", type=int, default=200_000)
        parser.add_argument("--epochs", type=int, default=2, help="recorded: 5 bytes a signal each")
        asked = parser.parse_args()
        main(asked.signals, asked.epochs)

"""How RML2018.01a is read: all of it and then a mask, or only the SNR cut that is asked for.

    python benchmarks/reading.py               a few minutes, and 3 GB of disk for that time
    python benchmarks/reading.py --gb 0.2      a quick look

A file of the published layout (24 classes x 26 SNRs, noise) is written to a temporary folder and
deleted afterwards. Every variant makes the same Signals of 10 dB and more (42 % of the rows),
checked and transposed to (N, 2, L), in a process of its own, in turn; the file is in the page
cache. Peak memory is the largest resident size less that at the start, mapped pages included.
"""

import argparse
import json
import resource
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import measure

ALL, CUT, FIRST, CACHED = "read all, then mask", "hyperslabs", "first call, to the cache", "cache"
VARIANTS = (ALL, CUT, FIRST, CACHED)
SNR_MIN = 10  # dB


def make(path: Path, gigabytes: float) -> int:
    """A stand-in of the published file; returns its rows. Contiguous, one class at a time."""
    import h5py
    import numpy as np

    from foqus_lib.datasets.rml2018 import CLASSES, LENGTH, SNRS

    classes, rng = len(CLASSES), np.random.default_rng(0)
    frames = max(1, round(gigabytes * 1e9 / (8 * LENGTH * classes * len(SNRS))))
    rows = len(SNRS) * frames
    with h5py.File(path, "w") as file:
        x = file.create_dataset("X", (classes * rows, LENGTH, 2), "f4")
        y = file.create_dataset("Y", (classes * rows, classes), "i8")
        z = file.create_dataset("Z", (classes * rows, 1), "i8")
        for c in range(classes):
            here = slice(c * rows, (c + 1) * rows)
            x[here] = rng.standard_normal((rows, LENGTH, 2), np.float32)
            y[here] = np.eye(classes, dtype=int)[np.full(rows, c)]
            z[here] = np.repeat(SNRS, frames)[:, None]
    return classes * rows


def one(variant: str, path: Path, folder: Path) -> dict:
    """Seconds and memory of one reading, and the SHA-256 of what was read."""
    import h5py
    import numpy as np

    from foqus_lib.datasets import rml2018
    from foqus_lib.signals import Signals, fingerprint

    before = resident_mb()
    with measure.stopwatch() as spent:
        if variant == ALL:
            with h5py.File(path) as file:
                x, y, z = file["X"][:], file["Y"][:].argmax(axis=1), file["Z"][:, 0]
            keep = z >= SNR_MIN
            iq = np.ascontiguousarray(x[keep].transpose(0, 2, 1))
            signals = Signals(iq, y[keep], z[keep].astype(np.float32), rml2018.CLASSES)
        elif variant == CUT:
            signals, _ = rml2018.load(path, SNR_MIN)
        else:
            signals, _ = rml2018.load(path, SNR_MIN, folder / "cache")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10 - before
    result = signals.iq.nbytes / 2**20
    return spent | {"peak_mb": peak, "result_mb": result, "sha256": fingerprint(signals)}


def resident_mb() -> float:
    """What the process holds now; Linux only. The stopwatch starts from an earlier peak instead."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--gb", type=float, default=2.0, help="size of the file (default: 2)")
    asked.add_argument("--rounds", type=int, default=5)
    asked = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="foqus-reading-") as name:
        folder = Path(name)
        path = folder / "GOLD_XYZ_OSC.0001_1024.hdf5"
        rows = make(path, asked.gb)
        size = path.stat().st_size / 1e9

        def run(variant: str) -> dict:
            if variant == FIRST:
                shutil.rmtree(folder / "cache", ignore_errors=True)
            return measure.child(__file__, variant, path, folder)

        found = measure.in_turn(VARIANTS, run, asked.rounds)
    assert len({each["sha256"] for runs in found.values() for each in runs}) == 1
    base, table = [each["cpu_s"] for each in found[ALL]], []
    print(f"{size:.2f} GB, {rows:,} rows; {asked.rounds} rounds; {measure.machine()}")
    for variant, runs in found.items():
        cpu = [each["cpu_s"] for each in runs]
        wall = statistics.median(each["wall_s"] for each in runs)
        peak = statistics.median(each["peak_mb"] / each["result_mb"] for each in runs)
        row = {
            "variant": variant,
            "cpu_s": f"{statistics.median(cpu):.2f}",
            "cpu_s_least": f"{min(cpu):.2f}",
            "cpu_s_most": f"{max(cpu):.2f}",
            "wall_s": f"{wall:.2f}",
            "times_less_cpu": f"{measure.median_ratio(base, cpu):.1f}",
            "peak_over_result": f"{peak:.2f}",
            "result_mb": f"{runs[0]['result_mb']:.0f}",
            "file_gb": f"{size:.2f}",
            "rounds": asked.rounds,
            "machine": measure.machine(),
        }
        table.append(row)
        print("  ".join(f"{key} {value}" for key, value in row.items() if key != "machine"))
    measure.write("reading", table)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] in VARIANTS:
        print(json.dumps(one(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
    else:
        main()

"""What benchmarks/companions.py measured, in one table."""

from pathlib import Path

import pandas as pd

from foqus_lib.report.printed import write_plain

# a CSV: what it times, the column that holds the CPU time, and how many of its units a ms has
KERNELS = {
    "mdm_iteration": ("an iteration of distribution matching", "cpu_ms", 1),
    "dtw_mixing": ("the most similar pair of windows of two bursts", "cpu_ms_per_pair", 1),
    "layer_cka": ("CKA of all pairs of layers of ResNet56, 640 signals", "cpu_s", 1000),
    "segmentation": ("the exact partition of 110 layers", "cpu_ms", 1),
    "visibility_layer": ("a visibility layer, forward and backward, 64 signals", "cpu_ms", 1),
}


def companions(measured: Path, folder: Path) -> None:
    """A line a form; those of one kernel ran in turn, and the ratio is to the first of them."""
    lines = []
    for name, (what, column, scale) in KERNELS.items():
        if not (source := measured / f"{name}.csv").exists():
            continue
        rows = pd.read_csv(source)
        [ratio] = [one for one in rows.columns if one.startswith("times_")]
        lines += [
            {
                "Kernel": what,
                "Form": row["variant"],
                "CPU ms": _ms(scale * row[column]),
                "times the first": f"{row[ratio]:.2f}",
                "rounds": row["rounds"],
            }
            for row in rows.to_dict("records")
        ]
    if lines:
        write_plain(pd.DataFrame(lines), folder / "companions.csv")


def _ms(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"

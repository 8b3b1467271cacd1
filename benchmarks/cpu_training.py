"""What makes a training step cheap on a CPU: layout, kept memory, bf16. Ratios in one run.

    python benchmarks/cpu_training.py            about three minutes, one thread

Every variant runs `training.fit` in a process of its own, round after round in turn, so that a busy
machine slows all alike. Printed and written to book/results/benchmarks/cpu_training.csv: median
signals per CPU second over the rounds, and the median of the ratios to the first variant.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS, SIGNALS = 3, {"CNN1D": 2560, "CNN2D": 1280}
KEPT = "memory kept"  # the workers' MALLOC_* settings
VARIANTS = {
    "contiguous layout": [],
    "channels last": ["channels last"],
    "channels last, memory kept": ["channels last", KEPT],
    "channels last, memory kept, bf16": ["channels last", KEPT, "bf16"],
}


def one(network: str, options: list[str]) -> float:
    """Signals per CPU second of two epochs after a warm-up; in a process of its own."""
    import numpy as np
    import torch

    from foqus_lib.models import MODELS
    from foqus_lib.signals import Signals
    from foqus_lib.training.fit import fit
    from foqus_lib.training.recipe import Recipe

    torch.set_num_threads(1)
    if "channels last" not in options:
        torch.channels_last = torch.contiguous_format
    n, rng = SIGNALS[network], np.random.default_rng(0)
    iq = rng.standard_normal((n, 2, 128)).astype(np.float32)
    label = np.arange(n) % 11
    signals = Signals(iq, label, np.zeros(n, np.float32), tuple("abcdefghijk"))
    precision = "bf16" if "bf16" in options else "fp32"

    def seconds(rows: int, epochs: int) -> float:
        began = time.process_time()
        fit(MODELS[network], signals, [np.arange(rows)], ["a"], Recipe(epochs, precision=precision))
        return time.process_time() - began

    seconds(256, 1)
    return 2 * n / seconds(n, 2)


def measured(network: str, variant: str) -> float:
    from foqus_lib.experiment.workers import CHILD

    options = VARIANTS[variant]
    extra = CHILD if KEPT in options else {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, __file__, network, *options],
        env={**os.environ, "PYTHONPATH": str(ROOT), **extra},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout)


def main() -> None:
    lines = ["network,variant,signals_per_cpu_second,ratio,rounds"]
    for network in SIGNALS:
        rates = {variant: [] for variant in VARIANTS}
        for _ in range(ROUNDS):
            for variant in VARIANTS:
                rates[variant].append(measured(network, variant))
        first = rates[next(iter(VARIANTS))]
        for variant, found in rates.items():
            ratio = statistics.median(b / a for a, b in zip(first, found, strict=True))
            median = statistics.median(found)
            lines.append(f'{network},"{variant}",{median:.0f},{ratio:.2f},{ROUNDS}')
            print(f"{network:6} {variant:34} {median:6.0f} /s  x {ratio:.2f}", flush=True)
    target = ROOT / "book" / "results" / "benchmarks" / "cpu_training.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(target)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if len(sys.argv) > 1:
        print(one(sys.argv[1], sys.argv[2:]))
    else:
        main()

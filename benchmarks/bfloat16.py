"""bf16 on a CPU: torch's own kernels, and products in fp32 of rounded numbers, beside fp32.

    python benchmarks/bfloat16.py           a minute; some on a CPU without AVX-512
    python benchmarks/bfloat16.py --quick   one round

Each arithmetic trains in a process of one thread, in turn, round after round. How exact it is: the
share of results of one convolution, and of its gradients, that are the exact ones rounded once.
Written to book/results/benchmarks/bfloat16.csv, in which rows of other machines stay.
"""

import argparse
import json
from statistics import median

import measure
import numpy as np

FP32, TORCH, OURS = "fp32", "bf16, torch's kernels", "bf16, products in fp32, rounded"
NETWORKS = {"CNN1D": 512, "CNN2D": 128}  # signals of the timed epoch


def main() -> None:
    """Measure all of it, or be the process that one training runs in."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round instead of three")
    parser.add_argument("--child", nargs=2, metavar=("NETWORK", "HOW"), help=argparse.SUPPRESS)
    how = parser.parse_args()
    if how.child:
        print(json.dumps(training(*how.child)))
        return
    shares = {TORCH: exact_shares(native=True), OURS: exact_shares(native=False)}
    rows = []
    for network, signals in NETWORKS.items():
        found = measure.in_turn(
            [FP32, TORCH, OURS],
            lambda name, network=network: measure.child(__file__, "--child", network, name),
            1 if how.quick else 3,
        )
        seconds = {name: [one["cpu_s"] for one in runs] for name, runs in found.items()}
        rows += [
            {
                "Network": network,
                "Arithmetic": name,
                "CPU ms a signal": f"{1000 * median(spent) / signals:.2f}",
                "times fp32": f"{measure.median_ratio(spent, seconds[FP32]):.2f}",
                "Exact, rounded once: results": shares[name][0] if name in shares else "",
                "gradients to signals": shares[name][1] if name in shares else "",
                "to weights": shares[name][2] if name in shares else "",
                "Machine": measure.machine(),
            }
            for name, spent in seconds.items()
        ]
    measure.write("bfloat16", measure.of_others("bfloat16", "Machine") + rows)


def training(network: str, how: str) -> dict:
    """An epoch in batches of 128, after a short one that warms up."""
    import torch

    from foqus_lib.models import MODELS
    from foqus_lib.processes import keep_memory
    from foqus_lib.signals import Signals
    from foqus_lib.training import bfloat16
    from foqus_lib.training.fit import fit
    from foqus_lib.training.recipe import Recipe

    torch.set_num_threads(1)
    keep_memory()
    bfloat16.native = lambda: how == TORCH
    n = NETWORKS[network]
    iq = np.random.default_rng(0).standard_normal((n, 2, 128), dtype=np.float32)
    noise = Signals(iq, np.arange(n) % 11, np.zeros(n, np.float32), tuple("abcdefghijk"))
    recipe = Recipe(1, batch=128, precision="fp32" if how == FP32 else "bf16")
    fit(MODELS[network], noise, [np.arange(32)], ["warm"], recipe)
    with measure.stopwatch() as spent:
        fit(MODELS[network], noise, [np.arange(n)], ["timed"], recipe)
    return spent


def exact_shares(native: bool) -> list[str]:
    """Of a convolution's results and two gradients: how many are float64's, rounded once."""
    import torch
    from torch.nn import functional as F

    from foqus_lib.training import bfloat16

    bfloat16.native = lambda: native
    torch.manual_seed(0)
    shapes = (32, 64, 1, 128), (64, 64, 1, 3), (32, 64, 1, 128)
    x, weight, seed = (torch.randn(shape).bfloat16() for shape in shapes)

    def products(dtype: torch.dtype) -> list[torch.Tensor]:
        a, b = (t.to(dtype).requires_grad_() for t in (x, weight))
        with bfloat16.in_bfloat16(torch.device("cpu")):  # which leaves float64 as it is
            y = F.conv2d(a, b, padding=(0, 1))
        y.backward(seed.to(y.dtype))
        return [t.detach().bfloat16() for t in (y, a.grad, b.grad)]

    pairs = zip(products(torch.float32), products(torch.float64), strict=True)
    return [f"{100 * (mine == true).double().mean():.2f}%" for mine, true in pairs]


if __name__ == "__main__":
    main()

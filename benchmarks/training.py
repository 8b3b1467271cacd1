"""Signals a second in training: the plain loop against `training.fit`, and how the cost grows.

    python benchmarks/training.py               a quarter of an hour on a CPU, minutes on a GPU
    python benchmarks/training.py --quick       a minute: one network, one round
    python benchmarks/training.py --processes   one process against two; wants a machine of its own

On a CPU: one thread, signals per CPU second, and the steps from the plain loop to ours one by one
(layout, kept memory, bf16), each precision beside the plain loop in that precision; then the
arithmetic floor and growth. --processes sets two processes
beside two that only multiply matrices, which says what a second core of this machine is worth. On
a GPU: first the tests that a stack equals its members and a captured step an ordinary one, then R
networks at once.

Written to book/results/benchmarks/: training.csv, training_floor.csv, training_growth.csv,
training_processes.csv; on a GPU gpu_training.csv and gpu_training_growth.csv.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np
import torch
from measure import ROOT, child, in_turn, median_ratio, stopwatch, write, write_numbers
from torch import nn
from torch.nn import functional as F

PLAIN, PLAIN_BF16 = "plain loop, fp32", "plain loop, bf16"
ON_CPU = {  # variant: how `one` runs it
    PLAIN: {"loop": "plain"},
    PLAIN_BF16: {"loop": "plain", "precision": "bf16"},
    "ours, torch's layout": {"contiguous": True},
    "ours, channels last": {},
    "ours, fp32": {"kept": True},
    "ours, bf16": {"kept": True, "precision": "bf16"},
}
# all that is asked of small coresets and of the LSTM
ENDS = (PLAIN, PLAIN_BF16, "ours, fp32", "ours, bf16")
NETWORKS = {"CNN1D": 1280, "CNN2D": 640, "LSTM": 640}  # signals of two timed epochs
WHOLE, SMALL = "a whole set", "440 of 44,000"
REPLICAS, GPU_PRECISIONS = (1, 3, 11, 33), ("fp32", "tf32", "bf16")
WINDOW = 6.0  # seconds of wall time that two processes share


def noise(n: int):
    """n made-up signals of 128 samples in 11 classes: arithmetic does not see what is in them."""
    from foqus_lib.signals import Signals

    iq = np.random.default_rng(0).standard_normal((n, 2, 128), dtype=np.float32)
    return Signals(iq, np.arange(n) % 11, np.zeros(n, np.float32), tuple("abcdefghijk"))


def training(of: dict) -> Callable[[int], int]:
    """train(epochs) -> signals visited, of the loop, network, precision and sizes asked for."""
    import plain_loop

    from foqus_lib.models import MODELS
    from foqus_lib.processes import keep_memory
    from foqus_lib.training.fit import fit
    from foqus_lib.training.recipe import Recipe

    device = torch.device(of.get("device", "cpu"))
    torch.set_num_threads(1)
    if of.get("kept"):  # as in sweeps, notebooks and `foqus select`
        keep_memory()
    if of.get("contiguous"):
        torch.channels_last = torch.contiguous_format
    signals, replicas = noise(of["n"]), of.get("replicas", 1)
    coresets = [np.random.default_rng(r).permutation(of["n"])[: of["k"]] for r in range(replicas)]

    def train(epochs: int) -> int:
        recipe = Recipe(epochs, batch=128, precision=of.get("precision", "fp32"))
        if of.get("loop") == "plain":
            network = plain_loop.fresh(of["network"], 11, 128, "a")
            plain_loop.train(network, plain_loop.Recordings(signals, coresets[0]), recipe, device)
        else:
            seeds = [str(r) for r in range(replicas)]
            fit(MODELS[of["network"]], signals, coresets, seeds, recipe, device)
        if device.type == "cuda":
            torch.cuda.synchronize()
        return epochs * of["k"] * replicas

    return train


def multiplying(of: dict) -> Callable[[int], int]:
    """multiply(times) -> floating-point operations: arithmetic and nothing else."""
    torch.set_num_threads(1)
    dtype = torch.bfloat16 if of.get("precision") == "bf16" else torch.float32
    a = torch.randn(1024, 1024).to(dtype)

    def multiply(times: int) -> int:
        for _ in range(times):
            a @ a
        return 2 * 1024**3 * times

    return multiply


def one(of: dict) -> dict:
    """In a child: work done per second, of the CPU and by the clock, after a warm-up."""
    work = multiplying(of) if of["network"] == "GEMM" else training(of)
    work(1)
    if "start" in of:  # together with another process, for a stated time
        time.sleep(max(0.0, of["start"] - time.time()))
        done = 0
        with stopwatch() as spent:
            while time.time() < of["start"] + WINDOW:
                done += work(1)
    else:
        with stopwatch() as spent:
            done = work(of["epochs"])
    return {"per_cpu_s": done / spent["cpu_s"], "per_s": done / spent["wall_s"]} | spent


def run(of: dict) -> dict:
    return child(__file__, json.dumps(of))


def rates(network: str, rounds: int) -> list[dict]:
    """Plain loop and ours on one core: whole sets step by step, small coresets end to end."""
    whole = NETWORKS[network]
    sizes = {
        WHOLE: {"n": whole, "k": whole, "epochs": 2},
        SMALL: {"n": 44_000, "k": 440, "epochs": 3},
    }
    rows = []
    for name, size in sizes.items():
        variants = ENDS if name == SMALL or network == "LSTM" else tuple(ON_CPU)

        def measured(variant: str, size=size) -> dict:
            return run({"network": network} | size | ON_CPU[variant])

        rows += compared(network, name, in_turn(variants, measured, rounds), "per_cpu_s")
    return rows


def compared(network: str, trained_on: str, found: dict[str, list[dict]], per: str) -> list[dict]:
    """Each variant beside the plain loop in fp32, and beside that in its own precision."""
    rows = []
    for variant, results in found.items():
        got, own = [result[per] for result in results], PLAIN
        if "bf16" in variant and PLAIN_BF16 in found:
            own = PLAIN_BF16
        ratios = [median_ratio(got, [r[per] for r in found[plain]]) for plain in (PLAIN, own)]
        rows.append({
            "network": network, "trained on": trained_on, "loop": variant,
            "signals a second": f"{median(got):.0f}",
            "times the plain loop": f"{ratios[0]:.2f}",
            "times it in the same precision": f"{ratios[1]:.2f}",
            "rounds": len(got),
        })  # fmt: skip
        print(f"{network:6} {trained_on:14} {variant:22} {median(got):8.0f} /s "
              f"x {ratios[0]:.2f}, same precision x {ratios[1]:.2f}", flush=True)  # fmt: skip
    return rows


def two_processes(rounds: int) -> list[dict]:
    """One process, then two at once, for WINDOW seconds by the clock; matrices alone as control."""
    what = {
        "CNN1D, fp32": {"network": "CNN1D"},
        "CNN1D, bf16": {"network": "CNN1D", "precision": "bf16"},
        "matrix products, fp32": {"network": "GEMM"},
    }
    rows = []
    for name, of in what.items():
        of = of | {"n": 440, "k": 440, "kept": True}
        alone, both = [], []
        for _ in range(rounds):
            for processes, total in ((1, alone), (2, both)):
                begin = {"start": time.time() + 12}  # imports and warm-up are over by then
                with ThreadPoolExecutor(processes) as pool:
                    results = list(pool.map(run, [of | begin] * processes))
                total.append(sum(result["per_s"] for result in results))
        scale = 1e9 if of["network"] == "GEMM" else 1
        rows.append({
            "work": name, "unit": "GFLOP/s" if scale > 1 else "signals/s",
            "one process": f"{median(alone) / scale:.0f}",
            "two processes": f"{median(both) / scale:.0f}",
            "two / one": f"{median_ratio(both, alone):.2f}",
            "least": f"{min(b / a for a, b in zip(alone, both, strict=True)):.2f}",
            "most": f"{max(b / a for a, b in zip(alone, both, strict=True)):.2f}",
            "rounds": rounds,
        })  # fmt: skip
        print(rows[-1], flush=True)
    return rows


def floor(found: list[dict], rounds: int) -> list[dict]:
    """What the arithmetic alone allows: matrix products a second over the work of one visit."""
    rows = []
    for precision in ("fp32", "bf16"):
        of = {
            "network": "GEMM",
            "precision": precision,
            "epochs": 200 if precision == "bf16" else 80,
        }
        peak = median(run(of)["per_cpu_s"] for _ in range(rounds))
        for row in found:
            if row["loop"] == f"ours, {precision}" and row["trained on"] == WHOLE:
                work = 6 * multiply_adds(row["network"])
                rows.append({
                    "network": row["network"], "precision": precision,
                    "MFLOP a visit": f"{work / 1e6:.0f}", "GEMM, GFLOP/s": f"{peak / 1e9:.0f}",
                    "floor allows, signals/s": f"{peak / work:.0f}",
                    "reached, signals/s": row["signals a second"],
                    "share": f"{float(row['signals a second']) * work / peak:.0%}",
                })  # fmt: skip
    return rows


def multiply_adds(network: str) -> int:
    """Of one forward pass of the plain network, without those whose factor is padding."""
    import plain_loop

    counts = []

    def count(layer: nn.Module, inputs: tuple, output: object) -> None:
        x = inputs[0]
        if isinstance(layer, nn.Linear):
            counts.append(output.numel() * layer.in_features)
        elif isinstance(layer, nn.LSTM):
            width = layer.input_size + layer.hidden_size
            counts.append(4 * layer.hidden_size * width * x.shape[1])
        elif isinstance(layer, nn.Conv1d | nn.Conv2d):  # stride 1, one group
            taps = torch.ones(1, 1, *layer.kernel_size)
            slide = F.conv1d if isinstance(layer, nn.Conv1d) else F.conv2d
            met = slide(torch.ones_like(x[:, :1]), taps, padding=layer.padding)
            counts.append(int(met.sum()) * layer.in_channels * layer.out_channels)

    plain = plain_loop.PLAIN[network](11, 128).eval()
    for layer in plain.modules():
        layer.register_forward_hook(count)
    with torch.no_grad():
        plain(torch.randn(1, 2, 128))
    return sum(counts)


def growth(device: str, rounds: int) -> list[dict]:
    """Seconds of one call of fit as one size grows and the others stay: CNN1D, fp32; medians."""
    on_cpu = device == "cpu"
    usual = {"network": "CNN1D", "device": device, "n": 44_000, "k": 440, "replicas": 1}
    usual |= {"kept": True}
    usual["epochs"] = 4 if on_cpu else 50
    grown = {
        "n": ("N, signals resident", (4_400, 44_000, 176_000)),
        "k": ("k, size of a coreset", (110, 440, 1_760)),
        "epochs": ("T, epochs", (1, 4, 16) if on_cpu else (25, 50, 200)),
        "replicas": ("R, networks", (1, 3) if on_cpu else REPLICAS),
    }
    rows = []
    for field, (words, values) in grown.items():
        found = in_turn(values, lambda value, field=field: run(usual | {field: value}), rounds)
        for value, results in found.items():
            of = usual | {field: value}
            spent = median(result["cpu_s" if on_cpu else "wall_s"] for result in results)
            visits = of["k"] * of["epochs"] * of["replicas"]
            rows.append({
                "what grows": words, "value": value, "seconds": f"{spent:.2f}",
                "microseconds a visit": f"{1e6 * spent / visits:.0f}", "rounds": rounds,
                "device": device,
            })  # fmt: skip
            print(rows[-1], flush=True)
    return rows


def on_gpu(networks: list[str], rounds: int) -> None:
    """Correctness first; then R networks on small coresets and one on a whole set, by the clock."""
    tests = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", str(ROOT / "tests" / "training")]
    subprocess.run(tests, check=True, cwd=ROOT)
    rows = []
    for network in networks:
        for name, size, epochs, replicas in (
            (SMALL, {"n": 44_000, "k": 440}, 50, REPLICAS),
            (WHOLE, {"n": 44_000, "k": 44_000}, 2, (1,)),
        ):
            of = {"network": network, "device": "cuda"} | size
            variants = {PLAIN: of | {"loop": "plain", "epochs": min(epochs, 10)}} | {
                f"ours, {precision}, R = {r}": of
                | {"precision": precision, "replicas": r, "epochs": epochs}
                for precision in GPU_PRECISIONS
                for r in replicas
            }
            found = in_turn(tuple(variants), lambda v, variants=variants: run(variants[v]), rounds)
            rows += compared(network, name, found, "per_s")
    card = torch.cuda.get_device_name()
    write("gpu_training", [{"GPU": card} | row for row in rows])
    write("gpu_training_growth", growth("cuda", rounds))
    _numbers("gpu_training", rows)


def on_cpu(networks: list[str], rounds: int, kept: bool) -> None:
    found = [row for network in networks for row in rates(network, rounds)]
    floors = floor(found, rounds)
    for row in floors:
        print(row)
    if not kept:
        return
    write("training", found)
    write("training_floor", floors)
    _numbers("training", found)
    write("training_growth", growth("cpu", rounds))


def _numbers(name: str, rows: list[dict]) -> None:
    """{network: {trained on: {loop: ratio to the plain loop in the same precision}}}."""
    numbers: dict = {}
    for row in rows:
        by_loop = numbers.setdefault(row["network"], {}).setdefault(row["trained on"], {})
        by_loop[row["loop"]] = float(row["times it in the same precision"])
    write_numbers(name, numbers)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].startswith("{"):
        print(json.dumps(one(json.loads(sys.argv[1]))))
    else:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        parser.add_argument("--quick", action="store_true")
        parser.add_argument("--processes", action="store_true")
        parser.add_argument("--rounds", type=int, default=3)
        given = parser.parse_args()
        networks = ["CNN1D"] if given.quick else list(NETWORKS)
        if given.processes:
            write("training_processes", two_processes(given.rounds))
            write_numbers("training_processes", {})
        elif torch.cuda.is_available():
            on_gpu(networks, given.rounds)
        else:
            on_cpu(networks, 1 if given.quick else given.rounds, kept=not given.quick)

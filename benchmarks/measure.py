"""What all benchmarks share: processes of their own, rounds in turn, medians of ratios, one CSV.

A machine that others use slows everything by an unknown factor. So every variant runs in a process
of its own with a stated number of threads, the variants take turns round after round, seconds are
CPU seconds unless said otherwise, and what is compared are ratios within a round.
"""

import csv
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "book" / "results" / "benchmarks"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def child(script: str, *arguments: object, env: Mapping[str, str] = ONE_THREAD) -> dict:
    """Run `python script arguments...` in a new process; its last line of output is JSON."""
    done = subprocess.run(
        [sys.executable, script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'benchmarks'}", **env},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def in_turn(variants: Sequence[str], run: Callable[[str], dict], rounds: int) -> dict[str, list]:
    """Every variant once a round, for some rounds: {variant: [result of each round]}."""
    found: dict[str, list] = {variant: [] for variant in variants}
    for _ in range(rounds):
        for variant in variants:
            found[variant].append(run(variant))
    return found


def median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Median over the rounds of the ratio within a round."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


@contextmanager
def stopwatch():
    """with stopwatch() as spent: ...; then cpu_s, wall_s, peak_mb and process_mb are in spent.

    peak_mb is the growth of the process's largest resident size: 0 if an earlier peak hides it,
    so measure one thing a process. process_mb is that size itself: data, libraries and all.
    """
    spent: dict[str, float] = {}
    before, cpu, wall = _peak_mb(), time.process_time(), time.perf_counter()
    yield spent
    spent |= {
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - wall,
        "peak_mb": _peak_mb() - before,
        "process_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    """The largest resident size so far; Linux counts in KiB, macOS in bytes."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (2**20 if sys.platform == "darwin" else 2**10)


def machine() -> str:
    """Processor and versions, for the column that says where a number comes from."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
        name = models[0].split(":")[1].strip() if models else name
    import torch

    sets = {
        "AMX": torch.cpu._is_amx_tile_supported(),
        "AVX-512": torch.cpu._is_avx512_supported(),
        "AVX2": torch.cpu._is_avx2_supported(),
    }
    best = next((f" ({kind})" for kind, has in sets.items() if has), "")
    return f"{name}{best}, {os.cpu_count()} virtual cores, torch {torch.__version__}"


def write(name: str, rows: Sequence[Mapping[str, object]]) -> Path:
    """book/results/benchmarks/<name>.csv; every row has the same columns."""
    path = RESULTS / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    print(path)
    return path


def of_others(name: str, column: str = "machine") -> list[dict]:
    """The rows of that file that other machines wrote: a new run replaces its own machine's."""
    path = RESULTS / f"{name}.csv"
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row[column] != machine()]


def write_numbers(name: str, numbers: Mapping[str, object]) -> Path:
    """book/results/benchmarks/<name>.json, for {res} in the book's text."""
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"_about": {"machine": machine()}} | dict(numbers), indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    print(path)
    return path

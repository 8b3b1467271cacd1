"""What it costs to run a job elsewhere: two processes of this machine, or two workers of dask's.

    python benchmarks/executors.py                      three minutes
    python benchmarks/executors.py --mb 50 --rounds 1   a quick look

A sweep of jobs that do nothing, over a bench of one large array: seconds until the first is done,
milliseconds for each of the others, and the memory that a worker has for itself when it has read
the array. The pool of concurrent.futures, with the bench as its initializer's argument, is what
most programs use. Seconds are wall seconds: there is no work in them. Linux only.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import measure

PLAIN, LOCAL, DASK = "concurrent.futures", "processes", "dask, this machine"
VARIANTS = (PLAIN, LOCAL, DASK)
WORKERS = 2


@dataclass(frozen=True, eq=False)
class Bench:
    numbers: object  # an array
    device: str = "cpu"


@dataclass(frozen=True)
class Job:
    call: object
    arguments: tuple


def nothing(bench: Bench) -> None:
    """The smallest job."""


def read_all(bench: Bench, path: Path) -> None:
    """Read the data, then write down what memory this process has for itself, in MB."""
    bench.numbers.sum()
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    own = sum(int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))
    path.write_text(str(own / 2**10))
    time.sleep(1)  # so that the other worker gets the other job


def begin(bench: Bench) -> None:
    import torch  # noqa: F401, as every worker of ours does

    global _bench
    _bench = bench


def call(job: Job) -> None:
    job.call(_bench, *job.arguments)


def plainly(bench: Bench, jobs: list[Job]):
    """The usual pool."""
    pool = ProcessPoolExecutor(WORKERS, get_context("spawn"), begin, (bench,))
    with pool:
        for future in as_completed([pool.submit(call, job) for job in jobs]):
            yield future.result()


def cluster(folder: Path, stack: ExitStack) -> str:
    """The address of a scheduler with two workers, which end with the stack."""

    def start(*words: str) -> None:
        process = subprocess.Popen([sys.executable, "-m", "dask", *words], stderr=log, stdout=log)
        stack.callback(process.wait)
        stack.callback(process.kill)

    file = folder / "scheduler.json"
    log = stack.enter_context((folder / "log").open("w"))
    here = "--host", "127.0.0.1", "--no-dashboard"
    start("scheduler", *here, "--port", "0", "--scheduler-file", str(file))
    while not file.exists() or not file.read_text().rstrip().endswith("}"):
        time.sleep(0.05)
    address = json.loads(file.read_text())["address"]
    for _ in range(WORKERS):
        start("worker", address, *here, "--nthreads", "1", "--memory-limit", "0", "--no-nanny")
    return address


def one(variant: str, megabytes: float, count: int) -> dict:
    """Start, time of a job, and memory of a worker, of one variant."""
    import numpy as np

    from foqus_lib.experiment.workers import executed

    bench = Bench(np.ones(int(megabytes * 2**20) // 8))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="foqus-executors-")))
        scheduler = cluster(folder, stack) if variant == DASK else ""
        tiny = [Job(nothing, ()) for _ in range(count)]
        large = [Job(read_all, (folder / f"{name}.mb",)) for name in range(WORKERS)]

        def run(jobs: list[Job]):
            if variant == PLAIN:
                return plainly(bench, jobs)
            return executed(bench, jobs, WORKERS, scheduler)

        began, first, times = time.perf_counter(), None, 0
        for _ in run(tiny):
            first = first or time.perf_counter()
            times += 1
        last = time.perf_counter()
        assert times == count
        for _ in run(large):
            pass
        own = [float(path.read_text()) for path in folder.glob("*.mb")]
    each = 1000 * (last - first) / (count - 1)
    return {"start_s": first - began, "ms_per_job": each, "own_mb": statistics.mean(own)}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--mb", type=float, default=500.0, help="of the array (default: 500)")
    asked.add_argument("--jobs", type=int, default=400)
    asked.add_argument("--rounds", type=int, default=3)
    asked = asked.parse_args()

    def run(variant: str) -> dict:
        return measure.child(__file__, variant, asked.mb, asked.jobs)

    found, table = measure.in_turn(VARIANTS, run, asked.rounds), []
    for variant, rounds in found.items():
        each = [round_["ms_per_job"] for round_ in rounds]
        row = {
            "variant": variant,
            "ms_per_job": f"{statistics.median(each):.2f}",
            "ms_least": f"{min(each):.2f}",
            "ms_most": f"{max(each):.2f}",
            "start_s": f"{statistics.median(r['start_s'] for r in rounds):.1f}",
            "own_mb_of_a_worker": f"{statistics.median(r['own_mb'] for r in rounds):.0f}",
            "bench_mb": f"{asked.mb:g}",
            "jobs": asked.jobs,
            "workers": WORKERS,
            "rounds": asked.rounds,
            "machine": measure.machine(),
        }
        table.append(row)
        print("  ".join(f"{key} {value}" for key, value in row.items() if key != "machine"))
    measure.write("executors", table)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] in VARIANTS:
        print(json.dumps(one(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))))
    else:
        main()

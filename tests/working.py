"""Jobs for the tests of the executors, where a worker process can import them."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foqus_lib.errors import DeviceLost


@dataclass(frozen=True, eq=False)
class Bench:
    """A folder to leave marks in, and numbers to compute with."""

    root: Path
    numbers: np.ndarray
    device: str = "cpu"


@dataclass
class Job:  # compares by value and so cannot be hashed: executors must not need it
    call: object
    arguments: tuple


def bench_in(root, n=1000):
    return Bench(Path(root), np.random.default_rng(0).standard_normal(n))


def mark(bench, name, text=""):
    """One line a run: how often, and by which process."""
    with open(bench.root / f"{name}.runs", "a") as file:
        file.write(f"{os.getpid()} {text}\n")


def runs(root, name):
    path = Path(root) / f"{name}.runs"
    return path.read_text().splitlines() if path.exists() else []


def compute(bench, name, seconds=0.0):
    """A number of the bench and the name, written to the last bit."""
    mark(bench, name)
    time.sleep(seconds)
    import torch

    value = torch.from_numpy(bench.numbers).float().roll(name).cumsum(0).sin().sum()
    (bench.root / f"{name}.result").write_text(f"{value.item().hex()} {torch.get_num_threads()}")


def nothing(bench):
    pass


def fail(bench, name):
    raise RuntimeError(f"job {name} has a bug")


class Unpicklable(Exception):
    def __init__(self, one, two):
        super().__init__(one)


def fail_oddly(bench):
    raise Unpicklable("odd", lambda: None)


def lose_device(bench):
    raise DeviceLost("device: gone")


def lose_device_once(bench, name):
    mark(bench, name)
    if len(runs(bench.root, name)) == 1:
        raise DeviceLost("device: gone")


def fill_disk(bench):
    raise OSError(28, "no space left", "somewhere")


def die_until(bench, name, times, seconds=0.0):
    """Kill this very process, the first `times` times."""
    mark(bench, name)
    time.sleep(seconds)
    if len(runs(bench.root, name)) <= times:
        os.kill(os.getpid(), signal.SIGKILL)


def change_numbers(bench, name):
    bench.numbers[:] = 0
    mark(bench, name, f"{bench.numbers.sum()}")


class DiesWithOne:
    """What kills the first process that unpickles it, and that one only."""

    def __init__(self, root):
        self.root = Path(root)

    def __reduce__(self):
        return unpacked_or_dead, (self.root, os.getpid())


def unpacked_or_dead(root, packed_by):
    if os.getpid() != packed_by:
        try:
            (root / "dead").touch(exist_ok=False)
        except FileExistsError:
            return bench_in(root)
        os.kill(os.getpid(), signal.SIGKILL)
    return bench_in(root)


def results(root):
    return {path.name: path.read_text() for path in Path(root).glob("*.result")}

"""What a computing process is told."""

import ctypes
import subprocess
import sys

import pytest

from foqus_lib import processes

FAULTS = """
import resource, torch
from foqus_lib.processes import keep_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(16_000_000)  # 64 MB: above what glibc keeps by itself
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
given_back = faults()
assert keep_memory()
faults()
print(given_back, faults())
"""

glibc = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="only glibc keeps memory"
)


@glibc
def test_memory_that_is_kept_is_not_fetched_again():
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True
    )
    given_back, kept = map(int, done.stdout.split())
    assert given_back >= 10 * 32 > 10 * kept  # 32 pages of 2 MB, if they are as large as that


def test_elsewhere_nothing_is_done(monkeypatch):
    class Musl:
        def __init__(self, name):
            pass

    monkeypatch.setattr(ctypes, "CDLL", Musl)
    assert processes.keep_memory.__wrapped__() is False


@glibc
def test_an_old_glibc_is_given_the_largest_threshold_that_it_takes(monkeypatch):
    asked = []

    class Old:
        def __init__(self, name):
            pass

        def gnu_get_libc_version(self):
            pass

        def mallopt(self, what, size):
            asked.append((what, size))
            return int(what != processes.MMAP_THRESHOLD or size <= processes.LARGEST_OF_OLD)

    monkeypatch.setattr(ctypes, "CDLL", Old)
    assert processes.keep_memory.__wrapped__() is True
    assert (processes.MMAP_THRESHOLD, processes.LARGEST_OF_OLD) in asked

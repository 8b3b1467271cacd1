"""What a computing process is told."""

import ctypes
import os
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


HOLDS = """
import sys, time
from foqus_lib.processes import has_place
print(has_place("GPU-7"), has_place("GPU-7"), flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.name != "posix", reason="without locks nobody counts")
def test_a_gpu_has_as_many_places_as_processes_may_share_it(tmp_path, monkeypatch):
    """And a killed process leaves its place to the next."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    started = []

    def another(shared_by):
        environment = os.environ | {processes.SHARED: str(shared_by)}
        one = subprocess.Popen([sys.executable, "-c", HOLDS], env=environment, text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
        started.append(one)
        return one.stdout.readline().strip()

    try:
        assert [another(1), another(1)] == ["True True", "False False"]
        assert [another(2), another(2)] == ["True True", "False False"]
        started[0].kill()
        started[0].wait()
        assert another(2) == "True True"
    finally:
        for one in started:
            one.kill()
            one.communicate()


@pytest.mark.parametrize("said", ["0", "two", "-1", ""])
def test_a_number_of_sharers_that_is_none_is_refused(said, monkeypatch):
    monkeypatch.setenv(processes.SHARED, said)
    with pytest.raises(ValueError, match="FOQUS_GPU_SHARED_BY: expected 1 or more"):
        processes.sharers()

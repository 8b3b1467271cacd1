"""What a refusal may cost."""

import resource
import sys
import time
from contextlib import contextmanager

MEGABYTES = 2**20 if sys.platform == "darwin" else 2**10  # in the unit of ru_maxrss


@contextmanager
def in_little_memory(what, most_mb=300, most_seconds=10):
    """AssertionError if the process grew beyond it, in C libraries too, or took long."""
    before, began = peak(), time.process_time()
    yield
    spent = time.process_time() - began
    assert peak() - before < most_mb, f"{what}: {peak() - before:.0f} MB"
    assert spent < most_seconds, f"{what}: {spent:.1f} s"


def peak():
    """Largest resident size so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTES

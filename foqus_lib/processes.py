"""What a process that computes is told: sweep workers, notebook kernels, `foqus select`.

Before it starts, CHILD: one thread, which waits without spinning. On a busy machine two threads
are slower than one, and another number of threads gives other last bits. When its work begins,
`keep_memory`: what one training step frees stays for the next (benchmarks/training.py).

SHARED says how many processes may compute on one GPU at a time. Each plans for its part of the
memory, and `has_place` tells the one that would be too many.
"""

import ctypes
import os
import tempfile
from functools import cache
from pathlib import Path

CHILD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

SHARED = "FOQUS_GPU_SHARED_BY"
_places: dict[str, int] = {}  # GPU -> an open lock, until this process ends

# malloc.h: M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD, in bytes
MMAP_THRESHOLD, TRIM_THRESHOLD, TOP_PAD = -3, -1, -2
LARGEST_OF_OLD = 32 << 20  # the threshold that glibc before 2.35 accepts


@cache
def keep_memory() -> bool:
    """The C library no longer gives freed blocks back, which the next step would fetch zeroed.

    From here on, for this process; once is enough. Only glibc has these settings: elsewhere False,
    and nothing is done. Load large data before, if they are to be given back when they are freed.
    """
    if os.name != "posix":
        return False
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):  # musl, macOS
        return False
    libc.mallopt(MMAP_THRESHOLD, 1 << 30) or libc.mallopt(MMAP_THRESHOLD, LARGEST_OF_OLD)
    return bool(libc.mallopt(TRIM_THRESHOLD, (1 << 31) - 1) and libc.mallopt(TOP_PAD, 64 << 20))


def sharers() -> int:
    """How many processes may compute on one GPU: what SHARED says in the environment, else 1."""
    said = os.environ.get(SHARED, "1")
    if not (said.isdecimal() and int(said)):
        raise ValueError(f"{SHARED}: expected 1 or more processes on one GPU, got {said!r}")
    return int(said)


def has_place(gpu: str) -> bool:
    """Whether this process is one of the first `sharers` of this user and machine on that GPU.

    It keeps its place until it ends, however that comes: the kernel frees a lock. On Windows
    nobody counts.
    """
    if os.name != "posix":
        return True
    import fcntl

    for place in range(sharers() if gpu not in _places else 0):
        path = Path(tempfile.gettempdir()) / f"foqus-gpu-{os.getuid()}-{gpu}-{place}"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
        else:
            _places[gpu] = handle
            break
    return gpu in _places

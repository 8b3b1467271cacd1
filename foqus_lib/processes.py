"""What a process that computes is told: sweep workers, notebook kernels, `foqus select`.

Before it starts, CHILD: one thread, which waits without spinning. On a busy machine two threads
are slower than one, and another number of threads gives other last bits. When its work begins,
`keep_memory`: what one training step frees stays for the next (benchmarks/training.py).
"""

import ctypes
import os
from functools import cache

CHILD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

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

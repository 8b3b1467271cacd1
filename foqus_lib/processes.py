"""What a process that computes is told before it starts: sweep workers, notebook kernels.

One thread each, waiting without spinning: on a busy machine two threads are slower than one, and
another number of threads gives other last bits. And memory that one step frees stays for the next
(benchmarks/training.py).
"""

CHILD = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(4 << 30),
    "MALLOC_TOP_PAD_": str(64 << 20),
}

"""Mixing: DTW of all alignments of a pair, beside plain forms. Run by companions.py."""

import math
import statistics
from collections.abc import Callable
from pathlib import Path

import measure
import numpy as np

SCRIPT = Path(__file__).with_name("companions.py")


# ---- mixing signals: MSM's window pairs ----------------------------------------------------------

OURS, PLAIN, C_CODE = "ours", "plain loop", "dtaidistance"
SPAN, LENGTH, STRIDE = 128, 64, 8  # 81 alignments of 64 x 64 cells a pair of bursts
PAIRS = {OURS: 64, PLAIN: 2, C_CODE: 64}


def dtw_mixing(rounds: int) -> None:
    """Maximum-Similarity Mixing, the same bursts: batched by anti-diagonals, cell by cell, in C.

    dtaidistance is no dependency of ours; its row is there if `pip install dtaidistance` was done.
    """
    variants = [OURS, PLAIN, *([C_CODE] if _has_c_code() else [])]
    found = measure.in_turn(
        variants, lambda name: measure.child(SCRIPT, "--child", "dtw_mixing", name), rounds
    )
    for results in zip(*found.values(), strict=True):  # the same D, to rounding
        shortest = [result["distances"] for result in results]
        assert all(np.allclose(one[:2], shortest[0][:2], rtol=1e-4) for one in shortest)
    seconds = {name: [one["cpu_s_per_pair"] for one in found[name]] for name in variants}
    machine = measure.machine()
    measure.write(
        "dtw_mixing",
        [
            {
                "variant": name,
                "pairs": PAIRS[name],
                "rounds": rounds,
                "cpu_ms_per_pair": round(1e3 * statistics.median(seconds[name]), 3),
                "times_ours": round(measure.median_ratio(seconds[name], seconds[OURS]), 2),
                "machine": machine,
            }
            for name in variants
        ],
    )


def _has_c_code() -> bool:
    try:
        from dtaidistance import dtw_ndim
    except ImportError:
        return False
    return dtw_ndim is not None


def dtw_mixing_child(variant: str) -> dict:
    """One variant once, after a warm-up on one pair."""
    bursts = np.random.default_rng(0).standard_normal((2, 64, 2, SPAN), dtype=np.float32)
    search = {OURS: _ours, PLAIN: _plain, C_CODE: _c_code}[variant]
    search(*bursts[:, :1])
    a, b = bursts[:, : PAIRS[variant]]
    with measure.stopwatch() as spent:
        distances = search(a, b)
    return {
        "cpu_s_per_pair": spent["cpu_s"] / PAIRS[variant],
        "distances": [float(d) for d in distances],
    }


def _ours(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    from foqus_lib.companions.mixing.similarity import most_similar

    return most_similar(a, b, LENGTH, STRIDE)[2]


def _plain(a: np.ndarray, b: np.ndarray) -> list[float]:
    """What one writes first: four loops, on Python's own numbers, which are faster than numpy's."""
    starts = range(0, SPAN - LENGTH + 1, STRIDE)
    found = []
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        best = math.inf
        for i in starts:
            for j in starts:
                before = [0.0] + [math.inf] * LENGTH
                for u in range(i, i + LENGTH):
                    row = [math.inf]
                    for v in range(j, j + LENGTH):
                        cost = math.sqrt((x[0][u] - y[0][v]) ** 2 + (x[1][u] - y[1][v]) ** 2)
                        row.append(cost + min(before[v - j], before[v - j + 1], row[v - j]))
                    before = row
                best = min(best, before[LENGTH])
        found.append(best)
    return found


def _c_code(a: np.ndarray, b: np.ndarray) -> list[float]:
    """Its compiled matrix of all windows of one burst against all of the other."""
    from dtaidistance import dtw_ndim

    starts, found = range(0, SPAN - LENGTH + 1, STRIDE), []
    block = ((0, len(starts)), (len(starts), 2 * len(starts)))
    for pair in zip(a.astype(float), b.astype(float), strict=True):
        windows = [np.ascontiguousarray(x[:, i : i + LENGTH].T) for x in pair for i in starts]
        matrix = dtw_ndim.distance_matrix_fast(
            windows, 2, block=block, parallel=False, inner_dist="euclidean"
        )
        found.append(float(matrix[: len(starts), len(starts) :].min()))
    return found


BENCHES: dict[str, Callable[[int], None]] = {"dtw_mixing": dtw_mixing}
CHILDREN: dict[str, Callable[[str], dict]] = {"dtw_mixing": dtw_mixing_child}

"""Exact nearest neighbours by brute force: a GEMM per chunk of rows, O(chunk * N) memory."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from foqus_lib.selection.checks import finite, within

CHUNK = 2**23  # distances held at once: 64 MB


def nearest_others(x: Float[ndarray, "N D"], count: int) -> Int[ndarray, "N count"]:
    """The `count` rows nearest to each row (Euclidean), itself excluded by index; in any order.

    Columns are dealt into groups; the nearest `count` lie in the `count` groups whose nearest
    member is nearest, so a sort looks at a few hundred distances instead of N. Exact.
    """
    n = len(x)
    within(count, n - 1)
    x = finite("embedding", x).astype(np.float64)
    x -= x.mean(axis=0)  # far from the origin the expanded square loses digits
    group = max(1, min(32, n // (4 * count)))
    groups = -(-n // group)
    # |x_i - x_j|^2 / 2 without the term of i, as one product; the padding is infinitely far.
    left = np.hstack([-x, np.ones((n, 1))])
    right = np.zeros((groups * group, left.shape[1]))
    right[:n, :-1] = x
    right[:, -1] = np.inf
    right[:n, -1] = np.einsum("nd,nd->n", x, x) / 2
    found = np.empty((n, count), dtype=np.int64)
    step = max(16, CHUNK // len(right))
    for first in range(0, n, step):
        rows = np.arange(first, min(first + step, n))
        far = left[rows] @ right.T
        far[rows - first, rows] = np.inf
        nearest = far.reshape(len(rows), group, groups).min(axis=1)
        near = _lowest(nearest, count)
        columns = (near[:, None, :] + groups * np.arange(group)[:, None]).reshape(len(rows), -1)
        best = _lowest(np.take_along_axis(far, columns, axis=1), count)
        found[rows] = np.take_along_axis(columns, best, axis=1)
    return found


def _lowest(values: Float[ndarray, "n m"], count: int) -> Int[ndarray, "n count"]:
    """The columns of the `count` lowest values of each row."""
    return np.argpartition(values, count - 1, axis=1)[:, :count]

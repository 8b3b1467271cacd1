"""Herding: the mean of the picks follows the mean of the pool."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float64, Int
from numpy import ndarray
from torch import Tensor

from foqus_lib.selection.checks import finite, within
from foqus_lib.selection.herding_products import herding_by_products
from foqus_lib.selection.screening import cheap_bfloat16, rounding, screening_dtype

ROOM = 2**29  # bytes: all products of 11,585 rows in float32; a larger pool has some panels
TINY = 1e-200  # half a square; below it float64 itself loses digits


def herding(
    embedding: Float[ndarray, "N D"], pools: Sequence[ndarray], budgets: Sequence[int]
) -> list[ndarray]:
    """Each pick brings the mean of the picks closest to the mean of the pool (Welling 2009) [A18].

    Gives places in each pool (rows of `embedding`), without replacement; among equals the earlier
    wins. Pools know nothing of each other: a CPU takes one at a time, for its cache; a GPU all in
    step, since what a pick costs there is the launch. The picks are the same.
    """
    for pool, budget in zip(pools, budgets, strict=True):
        within(budget, len(pool))
    rows = [finite("embedding", embedding[pool]) for pool in pools]
    if torch.get_default_device().type != "cpu":
        return in_step(rows, budgets)
    dtype = torch.bfloat16 if cheap_bfloat16() else torch.float32
    size = min(ROOM // dtype.itemsize, max(map(len, rows), default=0) ** 2)
    room = torch.empty(size, dtype=dtype)
    return [alone(own, budget, room) for own, budget in zip(rows, budgets, strict=True)]


def alone(rows: Float[ndarray, "n D"], budget: int, room: Tensor) -> Int[ndarray, " budget"]:
    """Herding of one pool, products of pairs kept in room; of squares near 0 or inf, without."""
    x, half = _centred([rows])
    if TINY < half.max(initial=0) < 1 / TINY:
        return herding_by_products(x[0], half[0], budget, room)
    return in_step([rows], [budget])[0]


def in_step(pools: Sequence[Float[ndarray, "_ D"]], budgets: Sequence[int]) -> list[ndarray]:
    """Herding of G pools, one pick of each a step; shorter pools are padded.

    On centred rows the pick is argmin |x|^2 / 2 + x . (sum of picks). The device forms all the
    products in short numbers. Rows that only their rounding may have kept from being the lowest,
    most often one, are compared in float64.
    """
    x, half = _centred(pools)
    sizes, every = np.array([len(rows) for rows in pools]), np.arange(len(pools))
    dtype = screening_dtype(half[np.isfinite(half)].max(initial=0))
    rows = torch.as_tensor(x, dtype=dtype)
    error = rounding(x.shape[2], dtype)
    base = (half * (1 - error)).astype(np.float32 if dtype == torch.float32 else np.float64)
    least = np.finfo(base.dtype).tiny
    total = np.zeros((len(pools), x.shape[2]))  # the sum of the picks
    picks = np.zeros((len(pools), max(budgets, default=0)), dtype=np.int64)
    for step in range(picks.shape[1]):
        sums = torch.as_tensor(total.astype(base.dtype))[:, :, None]
        cost = torch.bmm(rows, sums).cpu().numpy()[:, :, 0]
        cost += base  # at most the cost, but for |total|^2 error / 4
        best = every, cost.argmin(axis=1)
        doubt = error * (2 * half[best] + np.einsum("gd,gd->g", total, total) / 2) + least
        limit = (cost[best] + doubt).astype(base.dtype)
        low = np.flatnonzero(cost < limit[:, None])  # of an empty pool: none
        group, row = np.divmod(low, half.shape[1])
        if len(low) > np.count_nonzero(sizes > step):
            value = half[group, row] + np.einsum("cd,cd->c", x[group, row], total[group])
            order = np.lexsort((value, group))  # stable: the earlier of equals
            first = order[np.unique(group[order], return_index=True)[1]]
            group, row = group[first], row[first]
        picks[group, step] = row
        total[group] += x[group, row]
        base[group, row] = np.inf
    return [places[:budget] for places, budget in zip(picks, budgets, strict=True)]


def _centred(
    pools: Sequence[Float[ndarray, "_ D"]],
) -> tuple[Float64[ndarray, "G n D"], Float64[ndarray, "G n"]]:
    """Each pool less its mean, and half the square of each row; padding is infinitely dear."""
    width = pools[0].shape[1] if pools else 0
    x = np.zeros((len(pools), max(map(len, pools), default=0), width))
    half = np.full(x.shape[:2], np.inf)
    for rows, own, square in zip(pools, x, half, strict=True):
        if n := len(rows):
            own[:n] = rows
            own[:n] -= own[:n].mean(axis=0)
            square[:n] = np.einsum("nd,nd->n", own[:n], own[:n]) / 2
    return x, half

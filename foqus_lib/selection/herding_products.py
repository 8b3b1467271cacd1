"""Herding of one pool on a CPU: a pick adds one row of the matrix of all products to all costs.

The rows of that matrix are formed in short numbers, `pair_products`. Where a pick has none, all
costs are formed afresh, one product of all rows with the sum of the picks.
"""

import math

import numpy as np
import torch
from jaxtyping import Float64, Int
from numpy import ndarray
from torch import Tensor

from foqus_lib.selection.pair_products import pair_products
from foqus_lib.selection.rank import OUTSIDE, few_columns

CROWD = 96  # rows in doubt that are worth fresh costs
MOST = 64  # rows added before fresh costs are due
TINY = 1e-27  # more than what underflows in float32 adds up to, where the largest norm is 1


def herding_by_products(
    x: Float64[ndarray, "n D"], half: Float64[ndarray, " n"], budget: int, room: Tensor
) -> Int[ndarray, " budget"]:
    """argmin half_i + x_i . t over the free rows: centred rows, half = |x|^2 / 2, t = sum of picks.

    float64 decides among the rows that may be lowest, the earlier of equals: `off` bounds what a
    cost in few columns and short numbers is off by. Rows are scaled, exactly, to norms N <= 1. The
    matrix is kept in room's dtype, in room.
    """
    scale = 2.0 ** -math.frexp(math.sqrt(2 * half.max(initial=0)))[1]
    norm = np.sqrt(2 * half) * scale
    z = few_columns(torch.from_numpy(x * scale)).numpy()
    rows, dear = z.astype(np.float32), (half * scale**2).astype(np.float32)
    lost, row_of = pair_products(rows, norm, budget, room)
    share = np.linalg.norm(lost, axis=1) / np.maximum(norm, TINY)
    share = 1.001 * float(share.max(initial=0))
    total, short_total = np.zeros(x.shape[1]), np.zeros(z.shape[1])
    cost, picks, added = np.empty_like(dear), np.empty(budget, dtype=np.int64), MOST
    for step in range(budget):
        while True:
            if added == MOST:
                np.dot(rows, short_total.astype(np.float32), out=cost)
                cost += dear
                since, since_lost = np.zeros_like(short_total), np.zeros_like(short_total)
                added, kept, reach = 0, TINY, math.sqrt(total @ total) * scale
            best = int(cost.argmin())
            doubt = off(share, since, since_lost, reach)
            limit = (half[best] + x[best] @ total) * scale**2 + kept  # the lowest is not above it
            low = (cost <= np.float32(limit + doubt)).nonzero()[0]
            if len(low) > 1:
                low = low[cost[low] - doubt * norm[low] <= limit]
            if len(low) <= CROWD or added == 0:
                break
            added = MOST
        if len(low) > 1:
            best = int(low[(half[low] + np.einsum("cd,d->c", x[low], total)).argmin()])
        picks[step] = best
        total += x[best]
        short_total += z[best]
        dear[best] = np.inf
        row, cut = row_of(best, step)
        if row is None:
            added = MOST
            continue
        cost += row
        cost[best] = np.inf
        since += z[best]
        since_lost += lost[best]
        added, kept, reach = added + 1, kept + cut, reach + norm[best]
    return picks


def off(
    share: float, since: Float64[ndarray, " r"], lost: Float64[ndarray, " r"], reach: float
) -> float:
    """r such that a row's cost is off by at most r N, N its norm, but for what rows cut away.

    Let z_i be row i in few columns, b_i in short numbers, |z_i - b_i| <= share N_i; T, L the sums
    of z and z - b over the picks since costs were fresh. What was added, sum b_i . b_p, misses
    z_i . T by (z_i - b_i) . T + b_i . L, at most N_i (share |T| + (1 + share) |L|). The rest is
    float32's: with u = eps / 2, r + 3 roundings of N_i N_p for each product added, as many of
    N_i |t| for the fresh ones, MOST + 2 of a sum of at most N_i (1 + reach), where half <= N_i / 2,
    and reach is |t| when fresh and the norms of the picks since. All are in
    (r + 8 + MOST) u N_i (1 + reach), which is taken twice. And few columns leave out
    OUTSIDE N_i |t|, `rank.few_columns`.
    """
    rounding = (len(since) + 8 + MOST) * float(np.finfo(np.float32).eps) * (1 + reach)
    rounding += OUTSIDE * reach
    return share * math.sqrt(since @ since) + (1 + share) * math.sqrt(lost @ lost) + rounding

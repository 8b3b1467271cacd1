"""Rows of the matrix of all products of a pool, formed when they are asked for often enough."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float32, Float64
from numpy import ndarray
from torch import Tensor

PANEL = 512  # rows of similar norm, formed together
WORTH = {torch.bfloat16: 0.05, torch.float32: 0.2}  # passes over the data that a row costs

RowOf = Callable[[int, int], tuple[Float32[ndarray, " n"] | None, float]]


def pair_products(
    rows: Float32[ndarray, "n D"], norm: Float64[ndarray, " n"], budget: int, room: Tensor
) -> tuple[Float32[ndarray, "n D"], RowOf]:
    """What rows lose in room's dtype, and row_of(pick, step): the products of a pick with all rows.

    row_of also says by how much an entry may be off for having been cut to that dtype. It gives
    None for a row that is not there. Herding picks some norms far more often than others, so rows
    of similar norm share a panel, formed when the picks to come are likely to be worth it, as long
    as room has room for it.
    """
    short = torch.from_numpy(rows).to(room.dtype)
    n = len(rows)
    panels = np.array_split(np.argsort(norm, kind="stable"), range(PANEL, n, PANEL))
    panel_of, place = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    for number, members in enumerate(panels):
        panel_of[members], place[members] = number, np.arange(len(members))
    asked, formed, used = [0] * len(panels), {}, 0

    def row_of(pick: int, step: int) -> tuple[Float32[ndarray, " n"] | None, float]:
        nonlocal used
        number = int(panel_of[pick])
        if number not in formed:
            asked[number] += 1
            members = torch.from_numpy(panels[number])
            to_come = (asked[number] - 1) * (budget - step - 1) / (step + 1)  # 1: luck
            size = len(members) * n
            if to_come < WORTH[room.dtype] * len(members) or used + size > len(room):
                return None, 0.0
            out = room[used : used + size].view(len(members), n)
            formed[number], used = torch.mm(short[members], short.T, out=out), used + size
        return widened(formed[number][place[pick]])

    return (torch.from_numpy(rows) - short).numpy(), row_of


def widened(row: Tensor) -> tuple[Float32[ndarray, " n"], float]:
    """The row in float32, and half a unit in the last place of its largest entry, if it was cut."""
    if row.dtype == torch.float32:
        return row.numpy(), 0.0
    wide = row.view(torch.int16).numpy().astype(np.uint32)
    wide <<= 16
    wide = wide.view(np.float32)
    return wide, float(max(wide.max(), -wide.min())) * torch.finfo(row.dtype).eps / 2

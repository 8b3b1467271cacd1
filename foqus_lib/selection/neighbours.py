"""Exact nearest neighbours by brute force: a GEMM and a top-k per chunk of rows."""

import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from foqus_lib.selection.checks import finite, within
from foqus_lib.selection.rank import OUTSIDE, few_columns
from foqus_lib.selection.screening import rounding, screening_dtype

CHUNK = 2**22  # distances held at once, at least those of ROWS rows
ROWS = 256
SPARE = 6  # candidates beyond those asked for
GROUP = 16  # columns of which a first pass keeps the lowest


def nearest_others(x: Float[ndarray, "N D"], count: int) -> Int[ndarray, "N count"]:
    """The `count` rows nearest to each row (Euclidean), itself excluded by index; in file order.

    Few columns in short numbers propose more rows than asked for, float64 decides among them.
    Where what was left out may be as near as what was kept, float64 looks at all rows. On torch's
    default device, in O(CHUNK + ROWS * N) memory.
    """
    n = len(x)
    within(count, n - 1)
    centred = torch.as_tensor(finite("embedding", x).astype("float64"))
    centred -= centred.mean(dim=0)  # far from the origin the expanded square loses digits
    half = (centred**2).sum(dim=1) / 2
    few = few_columns(centred)
    dtype = screening_dtype(float(half.max()) if n else 0.0)
    error = rounding(few.shape[1], dtype) + (few is not centred) * 2 * OUTSIDE**2
    short = _sides(few.to(dtype), (half * (1 - error)).to(dtype))
    wide = min(count + SPARE, n - 1)
    found = torch.empty((n, count), dtype=torch.int64)
    at_once = max(ROWS, CHUNK // max(1, n))
    room = torch.empty((min(at_once, n), n), dtype=dtype)  # fresh memory for each product is dear
    for rows in torch.arange(n).split(at_once):
        far, near = _lowest(_half_squares(*short, rows, room[: len(rows)]), wide)
        exact = half[near] - torch.einsum("rwd,rd->rw", centred[near], centred[rows])
        kept, order = _lowest(exact, count)
        found[rows] = near.gather(1, order)
        if wide < n - 1:  # all rows left out are at least this far
            outside = far.amax(dim=1) - error * half[rows] - torch.finfo(dtype).tiny
            doubt = rows[outside <= kept.amax(dim=1)]
            if len(doubt):
                far = _half_squares(*_sides(centred, half), doubt, None)
                found[doubt] = _lowest(far, count)[1]
    return found.sort(dim=1).values.cpu().numpy()


def _sides(
    x: Float[Tensor, "N D"], half: Float[Tensor, " N"]
) -> tuple[Float[Tensor, "N M"], Float[Tensor, "M N"]]:
    """Half the square is one term more of the product: to add it after costs a copy of it."""
    return torch.cat([-x, torch.ones_like(half)[:, None]], 1), torch.cat([x, half[:, None]], 1).T


def _half_squares(
    left: Float[Tensor, "N M"],
    right: Float[Tensor, "M N"],
    rows: Int[Tensor, " r"],
    room: Float[Tensor, "r N"] | None,
) -> Float[Tensor, "r N"]:
    """|x_i - x_j|^2 / 2 without the term of i, in room; infinite from a row to itself."""
    return torch.mm(left[rows], right, out=room).scatter_(1, rows[:, None], torch.inf)


def _lowest(
    values: Float[Tensor, "r N"], count: int
) -> tuple[Float[Tensor, "r count"], Int[Tensor, "r count"]]:
    """The `count` lowest values of each row and their columns, in any order.

    Columns are dealt into groups. The lowest `count` lie in the `count` groups whose lowest is
    lowest, so a top-k looks at a few hundred values after a pass that keeps one of GROUP.
    """
    n = values.shape[1]
    groups = n // GROUP
    columns = torch.arange(n).expand(len(values), n)
    if groups > 4 * count:
        dealt = values[:, : groups * GROUP].unflatten(1, (GROUP, groups)).amin(dim=1)
        near = dealt.topk(count, dim=1, largest=False, sorted=False).indices
        members = near[:, None, :] + groups * torch.arange(GROUP)[:, None]
        columns = torch.cat([members.flatten(1), columns[:, groups * GROUP :]], dim=1)
        values = values.gather(1, columns)
    lowest, places = values.topk(count, dim=1, largest=False, sorted=False)
    return lowest, columns.gather(1, places)

"""Fewer columns for rows that lie in a subspace: there their products and distances are the same.

The last layer but one of CNN1D is linear, for 128 samples from 64 numbers to 128: less its mean,
its embedding has rank 64.
"""

import torch
from jaxtyping import Float
from torch import Tensor

OUTSIDE = 1e-5  # at most this share of a row may lie outside
SMALL = 32  # columns that are too few to be worth it


def few_columns(x: Float[Tensor, "n D"]) -> Float[Tensor, "n r"]:
    """Coordinates z of the rows in an orthonormal basis of their span; the rows, if that is large.

    With r_i the part of x_i outside, x_i . x_j = z_i . z_j + r_i . r_j. Every |r_i| is measured,
    and is at most OUTSIDE |x_i|: a product is off by at most OUTSIDE^2 |x_i| |x_j|, and by
    OUTSIDE |x_i| |t| where t is a sum of rows. So z proposes, and x decides. The basis is that of
    a sample of 2 D to 4 D rows, which is enough to see that there is none.
    """
    n, width = x.shape
    if width <= SMALL or n <= 2 * width:
        return x
    sample = x[:: n // (2 * width)]
    squares, directions = torch.linalg.eigh(sample.T @ sample)  # from the smallest
    basis = directions[:, squares > 1e-12 * squares[-1]]
    if not 0 < basis.shape[1] <= 3 * width / 4:
        return x
    z = x @ basis
    outside = torch.linalg.vector_norm(torch.addmm(x, z, basis.T, alpha=-1), dim=1)
    inside = bool((outside <= OUTSIDE * torch.linalg.vector_norm(x, dim=1)).all())
    return z if inside else x

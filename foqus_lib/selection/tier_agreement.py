"""How far Eq. 8 as printed is the mean loss: what the identity of the method chapter is worth.

The remainder (c_1 - m)/T lies within 1/T, and beta times the spread of the mean loss does not
shrink with T: the tiers agree for long records only.
"""

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from foqus_lib.selection import foqus
from foqus_lib.selection.tiers import tier_of

LENGTHS = (4, 12, 25, 50, 100)  # epochs at which the book looks


def tier_agreement(
    c: Bool[ndarray, "T N"], loss: Float[ndarray, "T N"], label: Int[ndarray, " N"], epochs: int
) -> float:
    """Share of signals in the same tier if Eq. 8 of the first `epochs` is replaced by -mean loss.

    Two independent cuts into thirds agree on one third.
    """
    c, loss = c[:epochs], loss[:epochs]
    printed = tier_of(foqus.foqus_score(c, loss), label)
    by_loss = tier_of(-foqus.accumulated_loss(loss), label)
    return float(np.mean(printed == by_loss))

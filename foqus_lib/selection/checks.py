"""What every rule refuses, in the same words."""

import numpy as np
from numpy import ndarray


def finite(name: str, array: ndarray) -> ndarray:
    """The array itself; ValueError if it holds NaN or inf, which no order can place."""
    if not np.isfinite(array).all():
        bad = ~np.isfinite(array)
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{name}: expected finite numbers, got {int(bad.sum())} that are not, "
            f"first at {first}. Collect the evidence again with a lower lr"
        )
    return array


def within(budget: int, n: int) -> int:
    """The budget itself; ValueError unless 0 <= budget <= n."""
    if not 0 <= budget <= n:
        raise ValueError(
            f"cannot keep {budget} of {n} signals: ask for 0 to {n}, or for a rate of at most 1"
        )
    return budget

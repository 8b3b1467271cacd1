"""How many: from a rate to a budget, and from a budget to whole numbers per part.

Nothing else rounds but a split, in the same way. Rates and shares are taken as exact fractions (0.4
is 2/5), so no number hangs on a bit.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor, lcm

from foqus_lib.selection.checks import within
from foqus_lib.splits import exact, share_of


def budget_of(rate: float, n: int) -> int:
    """k = floor(r N + 1/2): the number of signals a rate stands for [A19]."""
    if not 0 < rate <= 1:
        raise ValueError(f"rate: expected 0 < rate <= 1, got {rate}. 1 % is 0.01")
    return share_of(rate, n)


def apportion(budget: int, shares: Sequence[float], ceilings: Sequence[int]) -> list[int]:
    """Whole numbers near budget * shares that sum to budget exactly: largest remainder [A19].

    A part never passes its ceiling; what it cannot hold is shared by the others in the same
    proportions (equally, if their shares are all 0). Equal remainders go to the lower index, not
    to chance: quotas are the same for every method and seed.
    """
    weights = _weights(shares, ceilings)
    rest = within(budget, sum(ceilings))
    quota, free = list(ceilings), list(range(len(ceilings)))  # a part is full until shown free
    while full := [j for j in free if _fair(rest, j, free, weights) >= ceilings[j]]:
        rest -= sum(ceilings[j] for j in full)
        free = [j for j in free if j not in full]
    fair = {j: _fair(rest, j, free, weights) for j in free}
    for j in free:
        quota[j] = floor(fair[j])
    short = rest - sum(quota[j] for j in free)
    for j in sorted(free, key=lambda j: quota[j] - fair[j])[:short]:
        quota[j] += 1
    return quota


def turns(budget: int, shares: Sequence[float], ceilings: Sequence[int]) -> list[int]:
    """Which part gets the 1st, 2nd, ... place: always the one furthest behind its share.

    The first b turns hold `apportion(b, ...)` places of each part, or one more or less: where
    largest remainder would take a place back as b grows (the Alabama paradox), turns keep it, and
    at some ceilings equal remainders fall otherwise. So coresets stay nested over rates.
    """
    weights = _weights(shares, ceilings)
    got, order = [0] * len(ceilings), []
    free = [j for j, ceiling in enumerate(ceilings) if ceiling > 0]
    placed = 0  # among the parts that are still free
    for _ in range(within(budget, sum(ceilings))):
        live = weights if any(weights[j] for j in free) else [1] * len(weights)
        total = sum(live[j] for j in free)
        part = max(free, key=lambda j: (placed + 1) * live[j] - got[j] * total)
        order.append(part)
        got[part] += 1
        placed += 1
        if got[part] == ceilings[part]:
            free.remove(part)
            placed -= got[part]
    return order


def _fair(rest: int, part: int, free: list[int], weights: list[int]) -> Fraction:
    """The part's exact share of rest among the free parts."""
    total = sum(weights[j] for j in free)
    return Fraction(rest * weights[part], total) if total else Fraction(rest, len(free))


def _weights(shares: Sequence[float], ceilings: Sequence[int]) -> list[int]:
    """The shares as whole numbers in the same proportions."""
    if len(shares) != len(ceilings) or any(s < 0 for s in shares) or sum(shares) <= 0:
        raise ValueError(
            f"shares: expected {len(ceilings)} numbers of 0 or more, not all 0; got {shares}"
        )
    fractions = [exact(share) for share in shares]
    scale = lcm(*(fraction.denominator for fraction in fractions))
    return [int(fraction * scale) for fraction in fractions]

"""What the parameters of a simulation may be."""

from math import isfinite


def check(name: str, given: tuple[float, float], lowest: float, highest: float) -> None:
    """ValueError unless `given` is (low, high) with lowest <= low <= high <= highest."""
    if (
        not isinstance(given, tuple)
        or len(given) != 2
        or not all(isfinite(value) for value in given)
        or not lowest <= given[0] <= given[1] <= highest
    ):
        raise ValueError(
            f"{name}: expected (low, high) with {lowest:g} <= low <= high <= {highest:g}, "
            f"got {given!r}"
        )


def check_span(name: str, span: int) -> None:
    """ValueError unless a pulse of `span` symbols is symmetric about one of them."""
    if span < 2 or span % 2:
        raise ValueError(f"{name}: expected an even number of symbols, 2 or more, got {span}")

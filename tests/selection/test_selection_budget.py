"""Quotas worked by hand, then what holds for all of them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from foqus_lib.selection.budget import apportion, budget_of, turns

A8 = [(0.4, 0.4, 0.2), (1 / 3, 1 / 3, 1 / 3), (0.6, 0.3, 0.1), (0.2, 0.4, 0.4)]
A8 += [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]


@pytest.mark.parametrize(
    ("rate", "n", "k"),
    [(0.01, 44_000, 440), (0.05, 30, 2), (0.5, 5, 3), (0.3, 5, 2), (0.001, 100, 0), (1, 7, 7)],
)
def test_halves_go_up(rate, n, k):
    assert budget_of(rate, n) == k


@given(st.integers(1, 10_000), st.integers(0, 3_000_000))
@example(2_900, 50)  # 14.5; the product of floats is 14.499999999999998
@example(5_700, 50)
def test_a_budget_is_that_of_whole_basis_points(points, n):
    assert budget_of(points / 10_000, n) == (2 * points * n + 10_000) // 20_000


@pytest.mark.parametrize("rate", [0, -0.1, 1.01, 30, float("nan")])
def test_a_rate_is_above_0_and_at_most_1(rate):
    with pytest.raises(ValueError, match="0 < rate <= 1"):
        budget_of(rate, 100)


@pytest.mark.parametrize(
    ("budget", "shares", "ceilings", "quotas"),
    [
        (10, (0.4, 0.4, 0.2), (10, 10, 10), [4, 4, 2]),
        (7, (0.4, 0.4, 0.2), (10, 10, 10), [3, 3, 1]),  # 2.8 2.8 1.4
        (4, (0.4, 0.4, 0.2), (10, 10, 10), [2, 1, 1]),  # 1.6 1.6 0.8: the tie to the lower index
        (8, (1, 1, 1), (10, 10, 10), [3, 3, 2]),
        (9, (1, 1, 1), (1, 10, 10), [1, 4, 4]),  # the small part is full, its rest goes round
        (27, (0.4, 0.4, 0.2), (10, 10, 10), [10, 10, 7]),
        (12, (1, 0, 0), (10, 10, 10), [10, 1, 1]),  # shares 0 and 0 left: equal
        (0, (1, 2), (3, 3), [0, 0]),
        (6, (1, 2), (3, 3), [3, 3]),
    ],
)
def test_quotas_by_hand(budget, shares, ceilings, quotas):
    assert apportion(budget, shares, ceilings) == quotas


@pytest.mark.parametrize("budget", [-1, 31])
def test_an_impossible_budget_names_both_numbers(budget):
    with pytest.raises(ValueError, match=f"cannot keep {budget} of 30"):
        apportion(budget, [1, 1, 1], [10, 10, 10])


@pytest.mark.parametrize("shares", [(0, 0), (-1, 2), (1, 1, 1)])
def test_bad_shares_are_shown(shares):
    with pytest.raises(ValueError, match="expected 2 numbers of 0 or more"):
        apportion(1, shares, [5, 5])


sizes = st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(sum)


@given(sizes, st.data())
def test_the_sum_is_exact_and_no_part_is_overfull(ceilings, data):
    share = st.floats(0.01, 1)
    shares = data.draw(st.lists(share, min_size=len(ceilings), max_size=len(ceilings)))
    budget = data.draw(st.integers(0, sum(ceilings)))
    quotas = apportion(budget, shares, ceilings)
    assert sum(quotas) == budget
    assert all(0 <= q <= ceiling for q, ceiling in zip(quotas, ceilings, strict=True))
    free = [j for j, q in enumerate(quotas) if q < ceilings[j]]
    if free == list(range(len(ceilings))):  # nothing overflowed: within one of the exact share
        fair = [budget * s / sum(shares) for s in shares]
        assert all(abs(q - f) < 1 + 1e-3 for q, f in zip(quotas, fair, strict=True))


@given(sizes, st.data())
def test_equal_shares_never_lose_a_place_to_a_larger_budget(ceilings, data):
    budget = data.draw(st.integers(0, sum(ceilings) - 1))
    less, more = (apportion(b, [1] * len(ceilings), ceilings) for b in (budget, budget + 1))
    assert all(a <= b for a, b in zip(less, more, strict=True))


@pytest.mark.parametrize("shares", A8)
@pytest.mark.parametrize(
    "ceilings", [(10, 10, 10), (11, 10, 10), (11, 11, 10), (1, 1, 1), (1, 0, 0)]
)
def test_turns_hold_the_quotas_of_every_budget(shares, ceilings):
    n = sum(ceilings)
    order = turns(n, shares, ceilings)
    for budget in range(n + 1):
        held = [order[:budget].count(part) for part in range(3)]
        assert held == apportion(budget, shares, ceilings)
        assert turns(budget, shares, ceilings) == order[:budget]


def test_where_largest_remainder_takes_a_place_back_turns_keep_it():
    """The Alabama paradox: states of 6, 6 and 2 people, 10 and 11 seats."""
    assert apportion(10, (6, 6, 2), (99, 99, 99)) == [4, 4, 2]
    assert apportion(11, (6, 6, 2), (99, 99, 99)) == [5, 5, 1]
    order = turns(11, (6, 6, 2), (99, 99, 99))
    assert [order[:10].count(part) for part in range(3)] == [4, 4, 2]
    assert [order.count(part) for part in range(3)] == [5, 4, 2]

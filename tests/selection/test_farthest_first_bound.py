"""k-center that looks at bounds in float32, and lets rows sleep, picks as float64 alone does."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foqus_lib.selection import farthest_first as ff
from foqus_lib.selection.divergence import squared_euclidean
from foqus_lib.selection.farthest_first import farthest_first


def rows_of(kind, draw, n):
    if kind == "gaussian":
        return draw.normal(size=(n, 5))
    if kind == "close":  # nearer than float32 can tell; at 1e-6 float64's last bits decide as well
        return draw.normal(size=(3, 4))[draw.integers(3, size=n)] + 1e-4 * draw.normal(size=(n, 4))
    if kind == "duplicates":
        return draw.normal(size=(4, 6))[draw.integers(4, size=n)]
    if kind == "some twice":
        return draw.normal(size=(n - n // 4, 3))[np.arange(n) % (n - n // 4)]
    if kind == "zeros":
        return draw.normal(size=(n, 3)) * (draw.random((n, 1)) < 0.3)
    if kind == "one line":
        return draw.normal(size=(n, 1)) * draw.normal(size=8)
    if kind == "few columns":
        return (draw.normal(size=(n, 5)) @ draw.normal(size=(5, 40))).astype(np.float32)
    return draw.normal(size=(n, 4)) * 10.0 ** draw.integers(-9, 9, size=(n, 1))  # sizes


KINDS = (
    "gaussian", "close", "duplicates", "some twice", "zeros", "one line", "few columns", "sizes",
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.integers(0, 10**6),
    st.sampled_from([2, 3, 30, 120]),
    st.sampled_from([1e-25, 1e-3, 1.0, 1e5, 1e25]),
    st.sampled_from([1, 5, 50, 256]),
    st.sampled_from([0, 1, 8]),
)
def test_a_bound_decides_nothing_and_no_row_oversleeps(kind, seed, n, scale, block, awake):
    x = rows_of(kind, np.random.default_rng(seed), n) * scale
    distance = squared_euclidean(x)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ff, "BLOCK", block)
        patch.setattr(ff, "AWAKE", awake)
        got = farthest_first(distance, n - 1, np.array([0]))
        want = farthest_first(replace(distance, bound=None), n - 1, np.array([0]))
    for picks in (got, want):
        assert_farthest(x, picks)


def assert_farthest(x, picks):
    """Each pick is as far from its nearest centre as any row, but for float64's rounding.

    Equal rows, and rows nearer than that, may change places: a product's last bits depend on where
    in a matrix it stands.
    """
    x = x.astype(np.float64)
    assert sorted([0, *picks.tolist()]) == list(range(len(x)))
    rounding = 1e-11 * np.square(x).sum(axis=1).max()
    near = np.square(x - x[0]).sum(axis=1)
    left = np.ones(len(x), dtype=bool)
    left[0] = False
    for pick in picks:
        assert near[pick] >= near[left].max() - rounding
        near = np.minimum(near, np.square(x - x[pick]).sum(axis=1))
        left[pick] = False


def test_a_centre_is_never_picked_again():
    """Fewer free rows than a block, and all of them duplicates: a centre is as near as they are."""
    x = rows_of("some twice", np.random.default_rng(0), 400)
    for budget in (330, 399):
        picks = farthest_first(squared_euclidean(x), budget, np.array([0]))
        assert len({0, *picks.tolist()}) == budget + 1


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 10**6), st.sampled_from([1e-3, 1.0, 1e5]))
def test_the_bound_is_one(kind, seed, scale):
    distance = squared_euclidean(rows_of(kind, np.random.default_rng(seed), 90) * scale)
    bound, exact = distance.bound, distance.left @ distance.right.T
    if bound is not None:
        short = bound.left @ bound.right.T + bound.more[:, None]
        assert (short >= exact).all()
        largest = distance.left[:, 0].max()
        assert (short - exact).max() <= 4e-5 * largest


def test_where_there_is_a_bound():
    x = np.random.default_rng(0).normal(size=(9, 3))
    assert squared_euclidean(x).bound.left.shape == (9, 5)
    for scale in (0.0, 1e-9, 1e16):  # squares that float32 has no digits for
        assert squared_euclidean(x * scale).bound is None


def test_a_bound_that_is_none_would_pick_others():
    """Those rows are a case in which looking up the distance matters."""
    x = rows_of("close", np.random.default_rng(1), 300)
    distance = squared_euclidean(x)
    wrong = replace(distance.bound, more=distance.bound.more - 1e-3)
    got = farthest_first(replace(distance, bound=wrong), 250, np.array([0]))
    assert got.tolist() != farthest_first(distance, 250, np.array([0])).tolist()


@pytest.mark.parametrize("bound", [True, False])
def test_most_rows_sleep_through_most_centres(monkeypatch, bound):
    distance = squared_euclidean(np.random.default_rng(2).normal(size=(3000, 16)))
    distance = distance if bound else replace(distance, bound=None)
    looked_at, minimum = [], torch.minimum
    monkeypatch.setattr(torch, "minimum", lambda a, b: looked_at.append(len(a)) or minimum(a, b))
    monkeypatch.setattr(ff, "BLOCK", 32)
    found = {}
    for awake in (8, 3000):
        looked_at.clear()
        monkeypatch.setattr(ff, "AWAKE", awake)
        found[awake] = farthest_first(distance, 300, np.array([0])).tolist(), sum(looked_at)
    (some, few), (same, all_of_them) = found.values()
    assert some == same
    assert few < 0.6 * all_of_them

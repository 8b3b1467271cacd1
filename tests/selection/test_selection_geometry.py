"""Greedy sets against programs that compute every distance anew at every pick."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foqus_lib.selection import farthest_first as ff
from foqus_lib.selection import geometry
from foqus_lib.selection.divergence import (
    Distance,
    log_softmax,
    squared_euclidean,
    symmetric_kl,
)
from foqus_lib.selection.farthest_first import farthest_first
from foqus_lib.selection.herding import herding, in_step


def all_squares(x):
    return ((x[:, None] - x[None]) ** 2).sum(axis=2)


def all_symmetric_kl(logits):
    log_p = log_softmax(logits)
    p = np.exp(log_p)
    difference = (p[:, None] - p[None]) * (log_p[:, None] - log_p[None])
    return difference.sum(axis=2) / 2


def farthest_first_twin(distances, budget, centres):
    picks, near = [], distances[:, centres].min(axis=1, initial=np.inf)
    near[centres] = -np.inf
    while len(picks) < budget:
        picks.append(int(near.argmax()))
        near = np.minimum(near, distances[picks[-1]])
        near[picks[-1]] = -np.inf
    return picks


def herding_twin(x, budget):
    picks, free = [], list(range(len(x)))
    for _ in range(budget):
        miss = [np.linalg.norm(x.mean(axis=0) - x[[*picks, i]].mean(axis=0)) for i in free]
        picks.append(free.pop(int(np.argmin(miss))))
    return picks


def alone(x, budget):
    """Herding of all rows as one pool."""
    return herding(x, [np.arange(len(x))], [budget])[0].tolist()


def test_k_center_by_hand():
    """On a line from 0: 10 is farthest, then 4 (4 away from 0), then 7 and 2 (3 and 2 away)."""
    x = np.array([[0.0], [2.0], [4.0], [7.0], [10.0]])
    got = farthest_first(squared_euclidean(x), 4, np.array([0]))
    assert got.tolist() == [4, 2, 3, 1]


def test_given_centres_are_not_part_of_the_budget():
    x = np.array([[0.0], [2.0], [4.0], [7.0], [10.0]])
    got = farthest_first(squared_euclidean(x), 2, np.array([0, 4]))
    assert got.tolist() == [2, 3]
    with pytest.raises(ValueError, match="cannot keep 4 of 3"):
        farthest_first(squared_euclidean(x), 4, np.array([0, 4]))


@pytest.mark.parametrize(
    ("distance", "twin"), [(squared_euclidean, all_squares), (symmetric_kl, all_symmetric_kl)]
)
@pytest.mark.parametrize("block", [1, 7, 256])
@pytest.mark.parametrize("centres", [[3], [5, 300, 17]])
def test_farthest_first_equals_its_twin(distance, twin, block, centres, monkeypatch):
    monkeypatch.setattr(ff, "BLOCK", block)
    monkeypatch.setattr(ff, "CHUNK", 100)
    x = np.random.default_rng(block).normal(size=(400, 5), scale=3)
    got = farthest_first(distance(x), 390, np.array(centres))
    assert got.tolist() == farthest_first_twin(twin(x), 390, centres)


@settings(max_examples=60)
@given(hnp.arrays(float, st.tuples(st.integers(2, 30), st.just(2)), elements=st.integers(0, 3)))
def test_rows_on_a_grid_cover_as_well_as_the_twins(x):
    """Ties in plenty: the picks may differ, the radius after each pick may not (for one start)."""
    budget = len(x) - 1
    got = farthest_first(squared_euclidean(x), budget, np.array([0]))
    assert len(set(got.tolist()) | {0}) == len(x)
    centres, squares = np.concatenate([[0], got]), all_squares(x)
    for i, pick in enumerate(got, start=1):  # each pick is a farthest one, given those before
        left = np.setdiff1d(np.arange(len(x)), centres[:i])
        reach = squares[:, centres[:i]].min(axis=1)
        np.testing.assert_allclose(reach[pick], reach[left].max(), atol=1e-9)


@settings(max_examples=100)
@given(
    hnp.arrays(float, st.tuples(st.integers(2, 40), st.just(2)), elements=st.integers(-2, 2)),
    st.sampled_from([1, 3, 8]),
)
def test_among_equals_the_lower_row_wins_whatever_the_block(x, block):
    """Whole numbers, not centred: every distance is exact, so ties are ties."""
    square, one = (x**2).sum(axis=1, keepdims=True), np.ones((len(x), 1))
    distance = Distance(np.hstack([square, one, -2 * x]), np.hstack([one, square, x]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ff, "BLOCK", block)
        got = farthest_first(distance, len(x) - 1, np.array([0]))
    assert got.tolist() == farthest_first_twin(all_squares(x), len(x) - 1, [0])


def test_k_center_far_from_the_origin_keeps_its_order():
    """|x|^2 + |y|^2 - 2 x.y of rows near 1e7 would lose all digits (D16 of the audit)."""
    x = np.random.default_rng(0).normal(size=(60, 3)) + 1e7
    got = farthest_first(squared_euclidean(x), 59, np.array([0]))
    assert got.tolist() == farthest_first_twin(all_squares(x), 59, [0])


def test_duplicates_tie_and_the_lower_row_wins():
    x = np.repeat(np.array([[300.1, 5.3], [300.2, -1.7]]), 300, axis=0)
    got = farthest_first(squared_euclidean(x), 599, np.array([0]))
    assert got.tolist() == [300, *range(1, 300), *range(301, 600)]


def test_saturated_predictions_are_far_away_not_nan():
    logits = np.random.default_rng(0).normal(size=(50, 4))
    logits[[7, 30]] *= 1000
    distances = all_symmetric_kl(logits)
    got = farthest_first(symmetric_kl(logits), 49, np.array([0]))
    assert np.isfinite(distances).all()
    assert got.tolist() == farthest_first_twin(distances, 49, [0])


def test_herding_by_hand():
    """The mean is 3. Means of the picks: 3, then 5/2, 5/3 (with 10: 5), 15/4, 3."""
    x = np.array([[0.0], [2.0], [3.0], [10.0], [0.0]])
    assert alone(x, 5) == herding_twin(x, 5) == [2, 1, 0, 3, 4]


@pytest.mark.parametrize("offset", [0, 300])
def test_herding_equals_its_twin(offset):
    x = np.random.default_rng(1).normal(size=(80, 4)) + offset
    assert alone(x, 80) == herding_twin(x, 80)


def running_sum_twin(x, budget):
    """Float64 throughout, and no means of near-equal sums: |x|^2 / 2 + x . (sum of picks)."""
    x = x - x.mean(axis=0)
    cost, picks = (x**2).sum(axis=1) / 2, []
    for _ in range(budget):
        picks.append(int(cost.argmin()))
        cost += x @ x[picks[-1]]
        cost[picks[-1]] = np.inf
    return picks


def clusters(seed, n, spread):
    """Three points, many rows within `spread` of each, one row far from all."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(3, 4))[draw.integers(3, size=n)] + spread * draw.normal(size=(n, 4))
    x[draw.integers(n)] *= 100
    return x


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 60), st.sampled_from([1e-7, 1e-4, 1.0]))
def test_screening_in_float32_decides_nothing(seed, n, spread):
    x = clusters(seed, n, spread)
    assert alone(x, n) == running_sum_twin(x, n)


def test_float32_alone_would_pick_others(monkeypatch):
    """Those clusters are a case in which the second look matters."""
    x = clusters(0, 60, 1e-7)
    assert in_step([x], [60])[0].tolist() == running_sum_twin(x, 60)
    monkeypatch.setattr("foqus_lib.selection.herding.rounding", lambda *_: 0.0)
    assert in_step([x], [60])[0].tolist() != running_sum_twin(x, 60)


@pytest.mark.parametrize("scale", [1e-100, 1e25])
def test_herding_beyond_the_range_of_float32(scale):
    x = np.random.default_rng(2).normal(size=(30, 4))
    assert alone(x * scale, 30) == herding_twin(x, 30)


def test_herding_of_equal_rows_takes_the_earlier():
    assert alone(np.ones((5, 2)), 5) == [0, 1, 2, 3, 4]
    assert alone(np.array([[1.0], [-1.0], [1.0], [-1.0]]), 4) == [0, 1, 2, 3]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 3, 8, 12]), max_size=5), st.data())
def test_pools_in_step_are_pools_one_by_one(sizes, data):
    """What a GPU does and what a CPU does, with ragged pools and budgets."""
    draw = np.random.default_rng(len(sizes))
    x = draw.normal(size=(sum(sizes), 3))
    pools = np.split(draw.permutation(len(x)), np.cumsum(sizes)[:-1]) if sizes else []
    budgets = [data.draw(st.integers(0, size)) for size in sizes]
    together = in_step([x[pool] for pool in pools], budgets)
    for pool, budget, places in zip(pools, budgets, together, strict=True):
        assert places.tolist() == herding_twin(x[pool], budget)


def test_pools_do_not_touch_each_other():
    x = np.random.default_rng(3).normal(size=(40, 3))
    pools = [np.arange(0, 40, 2), np.arange(1, 40, 2)]
    for pool, places in zip(pools, herding(x, pools, [7, 9]), strict=True):
        assert places.tolist() == herding_twin(x[pool], len(places))
    with pytest.raises(ValueError, match="cannot keep 21 of 20"):
        herding(x, pools, [7, 21])


def test_not_finite_is_refused_by_name():
    x = np.zeros((4, 2))
    x[2, 1] = np.inf
    for rule in (squared_euclidean, lambda x: alone(x, 1)):
        with pytest.raises(ValueError, match=r"embedding: .* first at \(2, 1\)"):
            rule(x)
    with pytest.raises(ValueError, match=r"logits: .* first at \(2, 1\)"):
        symmetric_kl(x)


def picked(method, evidence, k, seed=0):
    return method(evidence)([np.arange(len(evidence))], [k], np.random.default_rng(seed))[0]


def test_herding_meets_the_mean_far_better_than_uniform(make):
    e = make(np.zeros(200))

    def miss(method, seed):
        kept = e.embedding[picked(method, e, 20, seed)]
        return np.linalg.norm(kept.mean(axis=0) - e.embedding.mean(axis=0))

    chance = np.mean([miss(geometry.uniform, seed) for seed in range(20)])
    assert miss(geometry.mean_herding, 0) < 0.3 * chance


@pytest.mark.parametrize(
    ("method", "distances"),
    [
        (geometry.k_center_greedy, lambda e: all_squares(e.embedding)),
        (geometry.contextual_diversity, lambda e: all_symmetric_kl(e.logits)),
    ],
)
def test_farthest_first_covers_better_than_uniform(make, method, distances):
    e = make(np.zeros(200))
    d = distances(e)

    def radius(method, seed):
        return d[:, picked(method, e, 20, seed)].min(axis=1).max()

    assert max(radius(method, s) for s in range(5)) < min(
        radius(geometry.uniform, s) for s in range(5)
    )


@pytest.mark.parametrize("method", [geometry.k_center_greedy, geometry.contextual_diversity])
def test_the_start_is_drawn_uniformly(make, method):
    e = make(np.zeros(8))
    starts = [int(picked(method, e, 1, seed)[0]) for seed in range(400)]
    assert min(np.bincount(starts, minlength=8)) > 25  # 50 expected, sd 6.6

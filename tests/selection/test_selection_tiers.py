"""Algorithm 1, lines 10-12: which tier is on top, how large, and what is drawn from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foqus_lib.selection import foqus, tiers
from foqus_lib.selection.methods import class_balanced, one_pool
from foqus_lib.selection.tier_agreement import tier_agreement

SCORE = np.array([5.0, 9.0, 1.0, 7.0, 3.0, 8.0])  # tiers {1, 5}, {3, 0}, {4, 2}


def drawn(make, score, k, shares, seed=0):
    select = one_pool(tiers.tiers(lambda evidence: score, shares))
    return select(make(np.zeros(len(score))), k, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("shares", "rows"),
    [((1.0, 0.0, 0.0), [1, 5]), ((0.0, 1.0, 0.0), [0, 3]), ((0.0, 0.0, 1.0), [2, 4])],
)
def test_the_first_tier_holds_the_highest_scores(make, shares, rows):
    assert sorted(drawn(make, SCORE, 2, shares)) == rows


def test_default_shares_by_hand(make):
    """30 scores, k = 10: 4 of the top ten, 4 of the middle, 2 of the bottom."""
    kept = drawn(make, np.arange(30.0), 10, tiers.SHARES)
    assert np.bincount(kept // 10).tolist() == [2, 4, 4]


def test_the_tiers_are_cut_inside_each_class(make):
    """Class 1 scores far above class 0, yet each gives its own top third."""
    select = class_balanced(tiers.tiers(lambda e: np.arange(12.0), (1.0, 0.0, 0.0)))
    kept = select(make(np.repeat([0, 1], 6)), 4, np.random.default_rng(0))
    assert sorted(kept) == [4, 5, 10, 11]


def test_random_inside_a_tier(make):
    score, top = np.arange(300.0), (1.0, 0.0, 0.0)
    counts = np.zeros(300)
    for seed in range(200):
        counts[drawn(make, score, 10, top, seed)] += 1
    assert counts[:200].sum() == 0
    assert counts[200:].min() > 3 and counts[200:].max() < 40  # 20 expected, sd 4.2


@given(st.integers(1, 100))
def test_equal_counts_differ_by_one_at_most_longer_first(n):
    first, second = tiers.equal_counts(np.zeros(n))
    sizes = [first, second - first, n - second]
    assert sizes == [len(part) for part in np.array_split(np.arange(n), 3)]


@pytest.mark.parametrize("k", [0, 1, 5, 6])
def test_exactly_k_are_drawn(make, k):
    kept = drawn(make, np.array([0.0, 0, 0, 0, 0, 100]), k, tiers.SHARES)
    assert len(set(kept.tolist())) == len(kept) == k


def test_equal_shares_are_uniform_whatever_the_score(make):
    counts = np.zeros(30)
    for seed in range(200):
        counts[drawn(make, np.arange(30.0), 6, tiers.EQUAL_SHARES, seed)] += 1
    assert counts.min() > 18 and counts.max() < 65  # 40 expected, sd 5.7


def test_relabelling_the_signals_relabels_the_coreset(make):
    score = np.random.default_rng(0).normal(size=40)
    order = np.random.default_rng(1).permutation(40)
    before = drawn(make, score, 13, tiers.SHARES)
    after = drawn(make, score[order], 13, tiers.SHARES)
    assert order[after].tolist() == before.tolist()


def test_equal_scores_do_not_favour_the_file_order(make):
    counts = np.zeros(30)
    for seed in range(200):
        counts[drawn(make, np.zeros(30), 10, (1.0, 0.0, 0.0), seed)] += 1
    assert counts.min() > 40 and counts.max() < 95  # 67 expected, sd 6.7


def test_the_tier_of_each_signal_by_hand():
    """Class 0 scores 5 4 4 1, class 1 far above: 2, 1 and 1 signals a tier, equals by position."""
    label = np.array([0, 1, 0, 0, 1, 0, 1])
    score = np.array([4.0, 90, 1, 5, 70, 4, 80])
    assert tiers.tier_of(score, label).tolist() == [1, 1, 3, 1, 3, 2, 2]


def test_tiers_agree_as_far_as_the_record_is_looked_at():
    """For two epochs always right, S is 1 less the loss; then the three with high losses forget."""
    c, loss = np.ones((4, 6), bool), np.tile(np.arange(6) / 100, (4, 1))
    c[2:, 3:] = [[False], [True]]
    label = np.zeros(6, np.int64)
    assert tier_agreement(c, loss, label, 2) == 1
    printed = tiers.tier_of(foqus.foqus_score(c, loss), label)
    assert printed.tolist() == [2, 3, 3, 1, 1, 2]
    assert tier_agreement(c, loss, label, 4) == 0  # the loss alone: 1 1 2 2 3 3

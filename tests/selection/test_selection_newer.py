"""Newer methods: a case by hand and which way is up, one a method; then CCS's own loop."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foqus_lib.selection import newer
from foqus_lib.selection.catalog import NEWER
from foqus_lib.selection.message_passing import d2
from foqus_lib.selection.methods import class_balanced, one_pool, top_k


def of_p(make, *signals):
    """Evidence in which signal i has these probabilities of the true class, epoch after epoch."""
    p = np.array(signals, dtype=np.float64).T
    return make(np.zeros(p.shape[1]), loss=-np.log(p), correct=p > 0.5)


def first(name, evidence) -> int:
    return class_balanced(NEWER[name])(evidence, 1, np.random.default_rng(0))[0]


def test_el2n_by_hand(make):
    """p = 1/2, 1/2 is sqrt(1/2) from a corner; the mean of that and of nearly 0 is half of it."""
    logits = np.full((2, 2, 5), -100.0)
    logits[0, :, :2] = 0
    logits[1, :, 0] = 100
    e = make([0, 1], logits_early=logits, embedding_norm_early=np.zeros((2, 2)))
    np.testing.assert_allclose(newer.el2n(e), [np.sqrt(0.5) / 2, (np.sqrt(0.5) + np.sqrt(2)) / 2])


def test_el2n_prefers_what_is_wrong_early_whatever_the_embedding(make):
    logits = np.zeros((1, 3, 5))
    logits[0, :, 0] = [3, -3, 1]
    e = make([0, 0, 0], logits_early=logits, embedding_norm_early=[[100, 0, 100]])
    assert first("EL2N", e) == 1
    with pytest.raises(ValueError, match="EL2N wants at least one early training"):
        none = {"logits_early": np.empty((0, 1, 5)), "embedding_norm_early": np.empty((0, 1))}
        newer.el2n(make([0], **none))


def test_aum_by_hand_and_the_lowest_margin_first(make):
    margin = np.tile([[3.0, -1, 0], [1, -1, 1]], (6, 1))
    e = make([0, 0, 0], margin=margin)
    assert newer.aum(e).tolist() == [-2, 1, -0.5] and first("AUM", e) == 1
    with pytest.raises(ValueError, match=r"evidence.margin: .* Delete its file"):
        newer.aum(replace(e, margin=None))


def test_cartography_by_hand(make):
    """0.2 and 0.8 are 0.3 from their mean; what does not move has no deviation."""
    e = of_p(make, [0.2, 0.8], [0.9, 0.9], [0.1, 0.1])
    np.testing.assert_allclose(newer.cartography(e), [0.3, 0, 0], atol=1e-6)
    np.testing.assert_allclose(newer.confidence(e), [0.5, 0.9, 0.1], rtol=1e-6)


def test_cartography_prefers_the_ambiguous(make):
    assert first("Cartography", of_p(make, [0.9] * 3, [0.1] * 3, [0.2, 0.8, 0.3])) == 2


def test_dyn_unc_by_hand(make, monkeypatch):
    """0.1, 0.5, 0.9 in windows of two: 0.2 and 0.2. Over all three it would be 0.327."""
    monkeypatch.setattr(newer, "WINDOW", 2)
    e = of_p(make, [0.1, 0.5, 0.9], [0.3, 0.3, 0.7])
    np.testing.assert_allclose(newer.dyn_unc(e), [0.2, 0.1], rtol=1e-6)


def test_dyn_unc_prefers_unrest_where_cartography_prefers_one_long_climb(make):
    climb, unrest = np.linspace(0.05, 0.95, 40), np.tile([0.4, 0.8], 20)
    e = of_p(make, climb, unrest)
    assert first("Dyn-Unc", e) == 1 and first("Cartography", e) == 0


def test_dual_by_hand(make, monkeypatch):
    """0.1, 0.5, 0.9 in windows of two: deviations 0.2 and 0.2, times 1 - 0.3 and 1 - 0.7."""
    monkeypatch.setattr(newer, "WINDOW", 2)
    e = of_p(make, [0.1, 0.5, 0.9], [0.9, 0.9, 0.9])
    np.testing.assert_allclose(newer.dual(e), [(0.2 * 0.7 + 0.2 * 0.3) / 2, 0], atol=1e-6)


def test_dual_prefers_the_harder_of_two_that_are_as_unsteady(make):
    e = of_p(make, np.tile([0.6, 0.8], 10), np.tile([0.2, 0.4], 10), np.full(20, 0.1))
    assert first("DUAL", e) == 1


def test_dual_looks_at_early_epochs_only(make):
    early, late = np.full(20, 0.5), np.tile([0.1, 0.9], 10)
    e = of_p(make, np.r_[early, early], np.r_[early, late])
    np.testing.assert_allclose(newer.dual(e), 0, atol=1e-12)
    assert newer.dyn_unc(e)[1] > 0.1


def test_tdds_by_hand(make, monkeypatch):
    """Drifts 1, 3, 3 in windows of three epochs: (1, 3) is sqrt(2) from its mean, (3, 3) 0."""
    monkeypatch.setattr(newer, "WINDOW", 3)
    e = make([0, 0, 0], drift=np.array([[1, 3, 3], [3, 3, 1], [2, 2, 2]]).T, **epochs(4, 3))
    np.testing.assert_allclose(newer.tdds(e), [0.09 * np.sqrt(2), 0.9 * np.sqrt(2), 0])
    assert first("TDDS", e) == 1, "late unevenness counts ten times an earlier one"
    with pytest.raises(ValueError, match=r"evidence.drift: TDDS wants .* Delete its file"):
        newer.tdds(replace(e, drift=None))


def test_tdds_of_a_short_record_is_one_window(make):
    e = make([0, 0], drift=np.array([[0, 2, 4], [1, 1, 1]]).T, **epochs(4, 2))
    np.testing.assert_allclose(newer.tdds(e), [0.9 * np.sqrt(8), 0])


def epochs(count, n):
    return {"loss": np.ones((count, n)), "correct": np.ones((count, n))}


def test_a_record_shorter_than_a_window_is_one(make):
    e = of_p(make, [0.2, 0.8, 0.5, 0.1], [0.9, 0.9, 0.6, 0.9])
    np.testing.assert_allclose(newer.dyn_unc(e), newer.cartography(e))
    easy = newer.confidence(e)
    np.testing.assert_allclose(newer.dual(e), newer.cartography(e) * (1 - easy))


def test_moderate_by_hand(make):
    """On a line at 0, 1, 2, 4, 9 the prototype is 2 and the distances are 2, 1, 0, 2, 7.

    In order 0 1 2 2 7: row 2 is 2 ranks below the middle one, row 1 one; rows 0 and 3 share 0.5
    above it, row 4 is 2 above.
    """
    x = np.zeros((5, 6))
    x[:, 0] = [0, 1, 2, 4, 9]
    assert newer.moderate(make(np.zeros(5), embedding=x)).tolist() == [-0.5, -1, -2, -0.5, -2]


def test_moderate_keeps_neither_the_centre_nor_the_rim(make):
    """In each class by itself: the second lies far away and is ten times as wide."""
    x = np.zeros((42, 6))
    x[:21, 0], x[21:, 0] = np.arange(21), 1000 + 10 * np.arange(21)
    e = make(np.repeat([0, 1], 21), embedding=x)
    kept = class_balanced(NEWER["Moderate"])(e, 20, np.random.default_rng(0))
    from_centre = np.abs(kept % 21 - 10)  # distances 0, 1, 1, ..., 10, 10: the middle are 5 and 6
    assert from_centre.min() >= 3 and from_centre.max() <= 8
    assert set(from_centre[:2]) == set(from_centre[10:12]) == {5}


def ccs_of(make, score, k, **how):
    score = np.array(score, dtype=np.float64)
    method = newer.ccs(lambda e: score, **how)
    return one_pool(method)(make(np.zeros(len(score))), k, np.random.default_rng(0))


def test_ccs_by_hand(make):
    """Ten scores, the three lowest dropped; 3 to 9 in two strata: one above 6 and six below."""
    score = [9, 5, 4.5, 4, 3.5, 3.2, 3, 2, 1, 0]
    assert ccs_of(make, score, 1, strata=2)[0] in range(1, 7)  # of the larger stratum
    for k in (2, 4, 7):
        kept = ccs_of(make, score, k, strata=2)
        assert 0 in kept and kept.max() <= 6
    assert ccs_of(make, score, 10, strata=2)[7:].tolist() == [7, 8, 9]  # back, the easiest first


def test_ccs_drops_the_hardest_and_covers_the_rest(make):
    """Of 100 evenly spaced 30 go; 14 of 70 in seven strata are two of each ten."""
    kept = ccs_of(make, np.arange(100), 14, strata=7)
    assert kept.min() >= 30
    assert np.bincount((kept - 30) // 10, minlength=7).tolist() == [2] * 7


def test_ccs_of_the_catalog_drops_those_of_low_p(make):
    p = np.linspace(0.05, 0.95, 20)
    e = of_p(make, *np.stack([p, p], axis=1))
    for k in range(1, 15):
        assert class_balanced(NEWER["CCS"])(e, k, np.random.default_rng(k)).min() >= 6


def test_ccs_takes_equal_scores_for_one_stratum_and_draws(make):
    counts = np.zeros(10)
    for seed in range(300):
        method = newer.ccs(lambda e: np.ones(10))
        counts[one_pool(method)(make(np.zeros(10)), 2, np.random.default_rng(seed))] += 1
    assert counts.min() > 30 and counts.max() < 95  # 60 expected, sd 6.9


@pytest.mark.parametrize("method", [partial(newer.ccs, strata=2), d2], ids=["ccs", "d2"])
def test_nothing_or_a_whole_pool_may_be_dropped(make, method):
    """None of ten: the hardest are kept with the others. All of one, half of it rounded up."""
    p = np.linspace(0.05, 0.95, 10)
    e = of_p(make, *np.stack([p, p], axis=1))
    draw, rng = one_pool(method(newer.confidence, dropped=0)), np.random.default_rng(0)
    assert min(draw(e, 7, rng)) < 3, "at 0.3 the seven are 3 to 9"
    assert sorted(draw(e, 10, rng).tolist()) == list(range(10))
    alone = make([0], loss=np.ones((12, 1)))
    for k in (0, 1):
        found = one_pool(method(newer.confidence, dropped=0.5))(alone, k, rng)
        assert found.tolist() == [0] * k
    with pytest.raises(ValueError, match="got -0.1"):
        one_pool(method(newer.confidence, dropped=-0.1))(e, 5, rng)


@given(sizes=st.lists(st.integers(0, 12), min_size=1, max_size=8), data=st.data())
def test_in_turn_allots_as_the_authors_loop(sizes, data):
    budget = data.draw(st.integers(0, sum(sizes)))
    part = np.repeat(np.arange(len(sizes)), sizes)
    order = newer.in_turn([np.flatnonzero(part == j) for j in range(len(sizes))])
    assert sorted(order.tolist()) == list(range(sum(sizes)))
    found = np.bincount(part[order[:budget]], minlength=len(sizes))
    rest, want = budget, []
    for done, size in enumerate(sorted(sizes)):
        want.append(min(size, rest // (len(sizes) - done)))
        rest -= want[-1]
    assert sorted(found.tolist()) == sorted(want)
    assert all(found[i] <= found[j] for i in range(len(sizes)) for j in range(len(sizes))
               if sizes[i] < sizes[j])  # fmt: skip


def test_strata_have_equal_width(make):
    assert newer.equal_width(np.array([10, 9, 6, 4.9, 0.1, 0]), 2).tolist() == [0, 0, 0, 1, 1, 1]
    assert newer.equal_width(np.ones(3), 5).tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", ["Cartography", "Dyn-Unc", "DUAL", "Moderate"])
def test_the_name_keeps_the_highest_of_its_score(name, evidence):
    score = {"Dyn-Unc": newer.dyn_unc}.get(name) or getattr(newer, name.lower())
    for k in (7, 24):
        named, own = (class_balanced(m)(evidence, k, np.random.default_rng(1))
                      for m in (NEWER[name], top_k(score)))  # fmt: skip
        assert named.tolist() == own.tolist()

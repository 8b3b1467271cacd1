"""Eqs. 2-8: values worked by hand, then the laws they obey for all trajectories."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foqus_lib.selection import foqus
from foqus_lib.selection.catalog import TERMS

# T = 4 epochs, all losses 0: c, F, E, count/T, S (baselines.md 1.2)
BY_HAND = [
    ("1111", 0, 0, 1.0, 1.0),
    ("0000", 0, 3, 0.0, 1.0),
    ("0111", 0, 0, 0.75, 0.75),  # the lowest S there is
    ("1010", 2, 0, 0.5, 7 / 6),
    ("1000", 1, 2, 0.25, 1.25),  # the highest
]
READINGS = (foqus.foqus_score, foqus.foqus_score_min_max)


def trajectory(bits: str) -> np.ndarray:
    return np.array([[bit == "1"] for bit in bits])


@pytest.mark.parametrize(("bits", "f", "e", "share", "s"), BY_HAND)
def test_every_equation_by_hand(bits, f, e, share, s):
    c, loss = trajectory(bits), np.zeros((4, 1))
    assert foqus.forgetting_score(c).tolist() == [f]
    assert foqus.persistent_error_score(c).tolist() == [e]
    assert foqus.correctness_count(c).tolist() == [4 * share]
    assert foqus.quality_score(c, loss).tolist() == [share]
    np.testing.assert_allclose(foqus.foqus_score(c, loss), [s], rtol=1e-15)
    np.testing.assert_allclose(1 + foqus.foqus_identity_remainder(c), [s], rtol=1e-15)


def test_loss_lowers_quality_by_beta_times_its_mean():
    c, loss = trajectory("1100"), np.array([[1.0], [2.0], [3.0], [6.0]])
    assert foqus.accumulated_loss(loss).tolist() == [12.0]
    np.testing.assert_allclose(foqus.quality_score(c, loss), [0.5 - 0.1 * 3])
    np.testing.assert_allclose(foqus.quality_score(c, loss, beta=0.5), [0.5 - 0.5 * 3])


def test_min_max_by_hand():
    """F = 0 0 0 2 1, E = 0 3 0 0 2, Q = 1 0 .75 .5 .25, each over its range."""
    c = np.hstack([trajectory(bits) for bits, *_ in BY_HAND])
    loss = np.zeros((4, 5))
    want = {
        "F": [0, 0, 0, 1, 0.5], "E": [0, 1, 0, 0, 2 / 3], "Q": [1, 0, 0.75, 0.5, 0.25]
    }  # fmt: skip
    for terms in TERMS:
        total = np.sum([want[term] for term in terms.split("+")], axis=0)
        found = foqus.foqus_score_min_max(c, loss, terms.split("+"))
        np.testing.assert_allclose(found, total, rtol=1e-15)


def test_a_term_without_range_counts_nothing():
    c = np.tile(trajectory("0110"), 3)
    assert foqus.foqus_score_min_max(c, np.ones((4, 3))).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "equation",
    [foqus.forgetting_score, foqus.persistent_error_score, foqus.foqus_identity_remainder],
)
def test_one_epoch_is_too_few(equation):
    with pytest.raises(ValueError, match="got T = 1"):
        equation(trajectory("1"))


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("terms", TERMS)
def test_one_epoch_is_too_few_for_eq_8_whatever_its_terms(terms, reading):
    with pytest.raises(ValueError, match="got T = 1"):
        reading(trajectory("1"), np.ones((1, 1)), terms.split("+"))


@pytest.mark.parametrize("reading", READINGS)
def test_an_unknown_term_of_eq_8_is_refused(reading):
    with pytest.raises(ValueError, match=r"unknown term 'G'; known: F, E, Q"):
        reading(trajectory("0110"), np.ones((4, 1)), ["F", "G"])


def test_a_loss_that_is_not_finite_is_named():
    loss = np.zeros((4, 2))
    loss[2, 1] = np.nan
    with pytest.raises(ValueError, match=r"loss: .* got 1 .* \(2, 1\)"):
        foqus.foqus_score(np.ones((4, 2), bool), loss)


trajectories = hnp.arrays(bool, st.tuples(st.integers(2, 12), st.integers(1, 9)))


def losses(c: np.ndarray) -> np.ndarray:
    return np.random.default_rng(int(c.sum())).exponential(size=c.shape)


@given(trajectories)
def test_forgotten_and_persistent_are_all_errors_after_the_first_epoch(c):
    both = foqus.forgetting_score(c) + foqus.persistent_error_score(c)
    assert (both == (~c[1:]).sum(axis=0)).all()


@given(trajectories)
def test_eq_8_is_the_mean_loss_and_a_remainder(c):
    loss = losses(c)
    remainder = foqus.foqus_identity_remainder(c)
    np.testing.assert_allclose(
        foqus.foqus_score(c, loss), 1 + remainder - 0.1 * loss.mean(axis=0), atol=1e-12
    )
    assert (np.abs(remainder) <= 1 / len(c)).all()


@given(trajectories)
def test_each_score_stays_in_its_range(c):
    assert foqus.forgetting_score(c).max() <= len(c) // 2
    assert foqus.persistent_error_score(c).max() <= len(c) - 1
    terms = np.array([foqus.foqus_score_min_max(c, losses(c), [term]) for term in "FEQ"])
    assert terms.min() >= 0 and terms.max() <= 1


@given(trajectories, st.floats(0, 100))
def test_a_common_loss_lowers_all_scores_alike(c, common):
    loss = losses(c)
    difference = foqus.foqus_score(c, loss) - foqus.foqus_score(c, loss + common)
    np.testing.assert_allclose(difference, 0.1 * common, atol=1e-10)


@given(trajectories, st.randoms())
def test_scores_follow_their_signals(c, random):
    loss = losses(c)
    order = random.sample(range(c.shape[1]), c.shape[1])
    for reading in (foqus.foqus_score, foqus.foqus_score_min_max):
        np.testing.assert_allclose(
            reading(c, loss)[order], reading(c[:, order], loss[:, order]), atol=1e-12
        )


# --- Ties. Which of equal signals is kept is drawn, so equality has to be equality of bits.

fifty = hnp.arrays(bool, st.tuples(st.just(50), st.integers(2, 40)))


def exact(c, loss, terms, reading) -> list[Fraction]:
    """Eq. 8 in fractions: loss on a grid of 1/8 nats, whose sums are exact, beta as 1/10."""
    wrong = ~c
    f = [int(n) for n in (c[:-1] & wrong[1:]).sum(axis=0)]
    e = [int(n) for n in (wrong[:-1] & wrong[1:]).sum(axis=0)]
    t = len(c)
    assert (8 * loss % 1 == 0).all()
    sums = [Fraction(int(n), 8) for n in (8 * loss).sum(axis=0)]
    q = [Fraction(int(n), t) - s / 10 / t for n, s in zip(c.sum(axis=0), sums, strict=True)]
    parts = {"F": f, "E": e, "Q": q}
    if reading is foqus.foqus_score:
        scale = {"F": Fraction(1, t - 1), "E": Fraction(1, t - 1), "Q": Fraction(1)}
        return [sum(scale[k] * parts[k][n] for k in terms) for n in range(c.shape[1])]

    def scaled(x):
        low, high = min(x), max(x)
        return [Fraction(v - low) / (high - low) if high > low else Fraction(0) for v in x]

    mm = {k: scaled(parts[k]) for k in terms}
    return [sum(mm[k][n] for k in terms) for n in range(c.shape[1])]


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("terms", TERMS)
@given(c=fifty)
def test_equal_counts_and_losses_give_equal_floats(terms, reading, c):
    """Signals are equal to the last bit if and only if their exact scores are.

    Min-max with Q divides by a range of losses, no whole number: there equal counts are equal.
    """
    terms, loss = terms.split("+"), np.full(c.shape, 0.25)
    score, want = reading(c, loss, terms), exact(c, loss, terms, reading)
    np.testing.assert_allclose(score, [float(x) for x in want], rtol=1e-12, atol=1e-12)
    same = want
    if reading is foqus.foqus_score_min_max and "Q" in terms:
        counts = foqus.forgetting_score(c), foqus.persistent_error_score(c), c.sum(axis=0)
        same = list(zip(*(count.tolist() for count in counts), strict=True))
    score = score.tolist()
    assert len({*zip(same, score, strict=True)}) == len({*same}), "equal ones have one score"
    assert len({*zip(want, score, strict=True)}) == len({*score}), "one score, and not equal"


@pytest.mark.parametrize("reading", READINGS)
@given(c=fifty, data=st.data())
def test_order_is_that_of_exact_arithmetic(reading, c, data):
    """Losses on a grid of 1/8 nats; beta is a tenth, which no float is: hence the small gap."""
    steps = data.draw(hnp.arrays(np.int64, c.shape, elements=st.integers(0, 40)))
    score, want = reading(c, steps / 8), exact(c, steps / 8, "FEQ", reading)
    order = np.argsort(-score, kind="stable")
    for i, j in zip(order, order[1:], strict=False):
        assert want[i] >= want[j] - Fraction(1, 10**12)


def test_f_plus_e_has_as_many_levels_as_counts():
    """At T = 50, F + E runs from 0 to 49; summed as floats, 36 of these levels were split."""
    wrong = np.random.default_rng(0).integers(0, 50, 4000)
    c = np.random.default_rng(1).permuted(np.arange(49)[:, None] >= wrong, axis=0)
    c = np.concatenate([np.ones((1, 4000), bool), c])
    counts = foqus.forgetting_score(c) + foqus.persistent_error_score(c)
    assert len(np.unique(counts)) == 50
    assert len(np.unique(foqus.foqus_score(c, np.zeros(c.shape), ["F", "E"]))) == 50

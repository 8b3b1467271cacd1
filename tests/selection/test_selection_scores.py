"""Scored baselines: a case by hand and which way is up, one a score; then the twins."""

import numpy as np
import pytest

from foqus_lib.selection import scores
from foqus_lib.selection.neighbours import nearest_others

SURE, TORN, UNSURE = [9.0, 0, 0, 0, 0], [5.0, 5, 0, 0, 0], [0.1, 0, 0, 0, 0]


def test_forgetting_by_hand(make):
    """1 0 1 0 forgets twice, 1 1 1 0 once, 1 1 1 1 never; never learned tops all, at T."""
    c = np.array([[1, 0, 1, 0], [1, 1, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]]).T
    e = make([0, 1, 2, 3], correct=c, loss=np.ones((4, 4)))
    assert scores.forgetting(e).tolist() == [2, 1, 0, 4]


def test_forgetting_wants_two_epochs_as_it_compares_them(make):
    e = make([0, 1], correct=[[True, False]], loss=np.ones((1, 2)))
    with pytest.raises(ValueError, match="want T >= 2; got T = 1"):
        scores.forgetting(e)


@pytest.mark.parametrize("score", [scores.least_confidence, scores.entropy, scores.margin])
def test_uncertain_signals_come_first(make, score):
    e = make([0, 1, 2], logits=[SURE, UNSURE, [3.0, 0, 0, 0, 0]])
    assert np.argsort(-score(e)).tolist() == [1, 2, 0]


def test_margin_sees_two_rivals_where_least_confidence_sees_the_crowd(make):
    e = make([0, 1], logits=[TORN, [1.0, 0.4, 0.3, 0.2, 0.1]])
    assert scores.margin(e).argmax() == 0
    assert scores.least_confidence(e).argmax() == 1
    assert scores.entropy(e).argmax() == 1


def test_uncertainty_by_hand(make):
    """p = 0.7, 0.2, 0.1 and three classes that cannot be."""
    e = make([0], logits=[[np.log(0.7), np.log(0.2), np.log(0.1), -1e4, -1e4]])
    np.testing.assert_allclose(scores.least_confidence(e), [0.3], rtol=1e-6)
    np.testing.assert_allclose(scores.margin(e), [1 - 0.5], rtol=1e-6)
    entropy = -sum(p * np.log(p) for p in (0.7, 0.2, 0.1))
    np.testing.assert_allclose(scores.entropy(e), [entropy], rtol=1e-6)


@pytest.mark.parametrize("score", [scores.least_confidence, scores.entropy, scores.margin])
def test_saturated_signals_keep_their_order(make, score):
    """1 - max p rounds to 0 from a gap of 37 nats; RML at high SNR has many such rows."""
    e = make([0, 0, 0], logits=[[gap, 0, 0, 0, 0] for gap in (80.0, 60.0, 70.0)])
    assert np.argsort(-score(e)).tolist() == [1, 2, 0]
    assert len(set(score(e))) == 3


@pytest.mark.parametrize("score", [scores.least_confidence, scores.entropy, scores.margin])
def test_one_class_leaves_nothing_to_doubt(make, score):
    early = {"logits_early": np.zeros((1, 2, 1)), "embedding_norm_early": np.ones((1, 2))}
    assert score(make([0, 0], logits=[[3.0], [1.0]], **early)).tolist() == [0, 0]


def test_mean_loss_prefers_the_easy(make):
    loss = np.tile([3.0, 1.0, 2.0], (4, 1))
    e = make([0, 1, 2], loss=loss, correct=np.ones((4, 3)))
    assert scores.mean_loss(e).tolist() == [-3, -1, -2]


def test_grand_prefers_signals_the_early_network_gets_wrong(make):
    e = make([0, 1], logits_early=[[SURE, SURE]], embedding_norm_early=[[1.0, 1.0]])
    right, wrong = scores.grand(e)
    assert right < 0.01 and wrong > 1.9  # sqrt(2) for the error times sqrt(1 + 1) for h


def test_grand_is_the_norm_of_the_gradient_written_out():
    """The outer product (p - onehot(y)) [h, 1]^T, entry by entry."""
    rng = np.random.default_rng(0)
    logits, h, y = rng.normal(size=(2, 5, 4)), rng.normal(size=(2, 5, 3)), np.array([0, 3, 1, 1, 2])
    norms = scores.last_layer_gradient_norm(logits, np.linalg.norm(h, axis=2), y)
    for r in range(2):
        for i in range(5):
            p = np.exp(logits[r, i]) / np.exp(logits[r, i]).sum()
            gradient = np.outer(p - np.eye(4)[y[i]], np.append(h[r, i], 1))
            np.testing.assert_allclose(norms[r, i], np.linalg.norm(gradient), rtol=1e-12)


def test_grand_is_the_mean_over_early_runs(make, evidence):
    first, second = (
        scores.grand(make(evidence.label, logits_early=logits[None], embedding_norm_early=h[None]))
        for logits, h in zip(evidence.logits_early, evidence.embedding_norm_early, strict=True)
    )
    np.testing.assert_allclose(scores.grand(evidence), (first + second) / 2)


def test_grand_without_early_runs_says_so(make):
    e = make([0, 1], logits_early=np.zeros((0, 2, 5)), embedding_norm_early=np.zeros((0, 2)))
    with pytest.raises(ValueError, match="at least one early training"):
        scores.grand(e)


def test_cal_prefers_a_signal_that_disagrees_with_its_neighbours(make):
    logits = np.tile(SURE, (30, 1))
    logits[17] = logits[17][::-1]
    assert scores.cal(make(np.zeros(30), logits=logits)).argmax() == 17


def test_cal_by_hand(make):
    """Two signals, each the other's only neighbour: KL(other || own)."""
    p = np.array([[0.7, 0.1, 0.1, 0.05, 0.05], [0.2] * 5])
    kl = [(q * np.log(q / own)).sum() for own, q in ((p[0], p[1]), (p[1], p[0]))]
    np.testing.assert_allclose(scores.cal(make([0, 0], logits=np.log(p))), kl, rtol=1e-6)
    assert scores.cal(make([0])).tolist() == [0]


def test_cal_looks_for_neighbours_in_all_classes(make):
    """Class 1 sits inside class 0: only its rows can disagree with theirs."""
    label = np.repeat([0, 1], [20, 2])
    e = make(label, embedding=np.zeros((22, 6)), logits=np.array([SURE, SURE[::-1]])[label])
    assert (scores.cal(e)[20:] > 1).all()


def test_cal_in_class_asks_its_own_class_only(make):
    """The same two rows of class 1 amid class 0 agree with each other, so nothing stands out."""
    label = np.repeat([0, 1], [20, 2])
    logits = np.array([SURE, SURE[::-1]])[label]
    e = make(label, embedding=np.zeros((22, 6)), logits=logits)
    np.testing.assert_allclose(scores.cal_in_class(e), 0, atol=1e-12)


def test_cal_in_class_is_cal_of_each_class_alone(make, evidence):
    got = scores.cal_in_class(evidence)
    for y in range(4):
        rows = np.flatnonzero(evidence.label == y)
        own = make(
            np.zeros(len(rows)), embedding=evidence.embedding[rows], logits=evidence.logits[rows]
        )
        np.testing.assert_allclose(got[rows], scores.cal(own), rtol=1e-12)


@pytest.mark.parametrize(("n", "count"), [(2, 1), (11, 10), (12, 10), (300, 10), (1500, 10)])
def test_neighbours_equal_a_full_sort(n, count):
    x = np.random.default_rng(n).normal(size=(n, 3)) + 1e7  # far from the origin
    square = ((x[:, None] - x[None]) ** 2).sum(axis=2)
    np.fill_diagonal(square, np.inf)
    twin = np.argsort(square, axis=1)[:, :count]
    assert (np.sort(nearest_others(x, count), axis=1) == np.sort(twin, axis=1)).all()


def test_neighbours_of_duplicates_are_others():
    x = np.zeros((40, 2))
    near = nearest_others(x, 10)
    assert (near != np.arange(40)[:, None]).all()
    assert all(len(set(row)) == 10 for row in near.tolist())


def test_neighbours_do_not_depend_on_the_chunk(monkeypatch):
    x = np.random.default_rng(0).normal(size=(100, 4))
    whole = np.sort(nearest_others(x, 5), axis=1)
    monkeypatch.setattr("foqus_lib.selection.neighbours.CHUNK", 1)
    monkeypatch.setattr("foqus_lib.selection.neighbours.ROWS", 7)
    assert (np.sort(nearest_others(x, 5), axis=1) == whole).all()


@pytest.mark.parametrize("spread", [1.0, 1e-3, 1e-5])
def test_neighbours_closer_than_float32_can_tell(spread):
    """Tight clusters beside one far row: float32 proposes wrongly, float64 must look again."""
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(size=(4, 3)), 60, axis=0) + spread * rng.normal(size=(240, 3))
    x[17] *= 1e4
    square = ((x[:, None] - x[None]) ** 2).sum(axis=2)
    np.fill_diagonal(square, np.inf)
    near = nearest_others(x, 10)
    got = np.sort(np.take_along_axis(square, near, axis=1), axis=1)
    want = np.sort(square, axis=1)[:, :10]
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


def test_float32_proposals_alone_would_miss_neighbours(monkeypatch):
    """The case above is one in which the second look matters."""
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(size=(4, 3)), 60, axis=0) + 1e-6 * rng.normal(size=(240, 3))
    exact = np.sort(nearest_others(x, 10), axis=1)
    monkeypatch.setattr("foqus_lib.selection.neighbours.rounding", lambda *_: 0.0)
    assert (np.sort(nearest_others(x, 10), axis=1) != exact).any()


@pytest.mark.parametrize("scale", [1e-100, 1e25])
def test_neighbours_beyond_the_range_of_float32(scale):
    x = np.random.default_rng(1).normal(size=(60, 3))
    want = np.sort(nearest_others(x, 5), axis=1)
    assert (np.sort(nearest_others(x * scale, 5), axis=1) == want).all()

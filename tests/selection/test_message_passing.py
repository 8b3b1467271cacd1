"""D2: the graph and the passing by hand, a twin of the loop, and which way is up."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from foqus_lib.selection import newer
from foqus_lib.selection.catalog import NEWER
from foqus_lib.selection.message_passing import d2, passing, similarity
from foqus_lib.selection.methods import class_balanced, one_pool


def test_similarity_by_hand():
    """On a line at 0, 1 and 4 the nearest are at 1, 1 and 3, on the mean 5/3: two edges."""
    e = similarity(np.array([[0.0], [1], [4]]), 1).toarray()
    near, far = np.exp(-3 / 5), np.exp(-9 / 5)
    np.testing.assert_allclose(e, [[0, near, 0], [near, 0, far], [0, far, 0]])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_scale_of_the_embedding_does_not_matter(scale):
    x = np.random.default_rng(0).normal(size=(30, 4))
    same = similarity(x, 3).toarray()
    np.testing.assert_allclose(similarity(x * scale, 3).toarray(), same, rtol=1e-9)


def test_a_graph_takes_little_more_than_the_embedding_in_float64():
    """Not every neighbour of every row at once: five times as much, and twice."""
    x = np.random.default_rng(0).normal(size=(100, 4096)).astype(np.float32)
    similarity(x[:9], 5)  # what is loaded once
    tracemalloc.start()
    try:
        similarity(x, 5)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * x.astype(np.float64).nbytes


def test_one_row_or_equal_rows_have_a_graph():
    assert similarity(np.zeros((1, 4)), 5).nnz == 0
    assert similarity(np.zeros((3, 4)), 5).toarray().tolist() == (1 - np.eye(3)).tolist()


def test_passing_by_hand():
    """Rows 0 and 1 hold each other up, 1 + 0.5 x 1; then one is lowered by 0.5 x 1.5 to 0.75."""
    graph = csr_array(np.array([[0, 0.5, 0], [0.5, 0, 0], [0, 0, 0]]))
    difficulty = np.array([1.0, 1.0, 0.8])
    assert passing(difficulty, graph, 1.0, 3).tolist() == [0, 2, 1]
    assert passing(difficulty, graph, 1e9, 3).tolist() == [0, 1, 2]  # nothing is lowered


@given(st.integers(1, 25), st.integers(0, 2**32 - 1), st.floats(0.05, 2))
def test_passing_is_the_plain_loop(n, seed, gamma):
    rng = np.random.default_rng(seed)
    e = np.triu(rng.random((n, n)) * (rng.random((n, n)) < 0.3), 1)
    e += e.T
    difficulty = rng.random(n)
    score = {i: difficulty[i] + sum(e[i, j] * difficulty[j] for j in range(n)) for i in range(n)}
    picked = []
    while score:
        best = max(score, key=score.get)
        own = score.pop(best)
        picked.append(best)
        for j in score:
            if e[best, j] > 0:
                score[j] -= e[best, j] ** gamma * max(own, 0)
    assert passing(difficulty, csr_array(e), gamma, n).tolist() == picked


def two_clumps(make):
    """Ten hard rows in one spot, ten less hard in another, far off; nothing dropped."""
    x = np.zeros((20, 6))
    x[:, 1] = np.tile(np.arange(10), 2) * 1e-3
    x[10:, 0] = 100
    loss = np.tile(np.r_[np.full(10, 2.0), np.full(10, 1.0)], (12, 1))
    return make(np.zeros(20), embedding=x, loss=loss)


def test_it_prefers_the_hard_but_not_its_neighbours(make):
    e = two_clumps(make)
    kept = one_pool(d2(newer.confidence, dropped=1e-9))(e, 4, np.random.default_rng(0))
    assert kept[0] < 10, "the hardest first"
    assert (kept >= 10).any(), "a score alone would keep the hard spot only"


def test_the_hardest_share_is_called_last(make):
    p = np.linspace(0.05, 0.95, 20)
    e = make(np.zeros(20), loss=-np.log(np.tile(p, (12, 1))))
    for k in range(1, 15):
        assert class_balanced(NEWER["D2"])(e, k, np.random.default_rng(k)).min() >= 6
    kept = class_balanced(NEWER["D2"])(e, 20, np.random.default_rng(0))
    assert sorted(kept.tolist()) == list(range(20)) and kept[14:].tolist() == [5, 4, 3, 2, 1, 0]

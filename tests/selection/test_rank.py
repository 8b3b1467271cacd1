"""Few columns: the same products and distances, or the rows as they are."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foqus_lib.selection import herding_products, neighbours, rank
from foqus_lib.selection.herding import alone, in_step
from foqus_lib.selection.neighbours import nearest_others
from foqus_lib.selection.rank import OUTSIDE, few_columns

PLACES = [(herding_products, "few_columns"), (neighbours, "few_columns")]


def of_rank(r, n=300, width=40, seed=0, noise=0.0):
    """Centred rows of a linear layer from r numbers to `width`, in float32 as a network gives."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, r)) @ draw.normal(size=(r, width)) + noise * draw.normal(size=width)
    return x.astype(np.float32)


def centred(x):
    x = torch.from_numpy(x.astype(np.float64))
    return x - x.mean(dim=0)


@pytest.mark.parametrize("r", [1, 7, 20, 30])
def test_a_subspace_gives_its_rank_and_the_same_products(r):
    x = centred(of_rank(r, noise=1.0))
    z = few_columns(x)
    assert z.shape == (300, r)
    size = torch.linalg.vector_norm(x, dim=1)
    assert (abs(x @ x.T - z @ z.T) <= OUTSIDE**2 * torch.outer(size, size)).all()


@pytest.mark.parametrize("r", [31, 39, 40])
def test_too_little_to_gain_gives_the_rows(r):
    x = centred(of_rank(r))
    assert few_columns(x) is x


def test_few_rows_few_columns_and_no_rank_give_the_rows():
    for x in (of_rank(3, n=80), of_rank(3, width=32), of_rank(3, n=0), of_rank(3) * 0):
        x = torch.from_numpy(x.astype(np.float64))
        assert few_columns(x) is x


def test_one_row_outside_the_sample_s_span_is_noticed():
    x = of_rank(5)
    x[151] += np.random.default_rng(1).normal(size=40).astype(np.float32) * 1e-3
    x = torch.from_numpy(x.astype(np.float64))
    assert few_columns(x) is x


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from([1, 2, 9, 30]),
    st.sampled_from([1e-25, 1.0, 1e12]),
    st.sampled_from(["continuous", "duplicates", "zeros", "lattice"]),
)
def test_what_is_picked_does_not_depend_on_the_columns(seed, r, scale, kind):
    draw = np.random.default_rng(seed)
    hidden = draw.normal(size=(200, r))
    if kind == "duplicates":
        hidden = hidden[draw.integers(20, size=200)]
    if kind == "zeros":
        hidden *= draw.random((200, 1)) < 0.3
    if kind == "lattice":
        hidden = np.round(hidden)
    x = (hidden @ draw.normal(size=(r, 40)) * scale).astype(np.float32)
    room = torch.empty(200**2)
    assert alone(x, 200, room).tolist() == in_step([x], [200])[0].tolist()
    squares = ((x[:, None].astype(float) - x[None]) ** 2).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    near = nearest_others(x, 7)
    found, nearest = np.take_along_axis(squares, near, 1), np.sort(squares, axis=1)[:, :7]
    np.testing.assert_allclose(np.sort(found, 1), nearest, rtol=1e-12, atol=1e-13 * scale**2)
    assert (np.diff(near, axis=1) > 0).all()


def test_columns_are_fewer_where_they_are_used(monkeypatch):
    x, seen = of_rank(9), []

    def watched(rows):
        seen.append(rank.few_columns(rows).shape[1])
        return rank.few_columns(rows)

    for place, name in PLACES:
        monkeypatch.setattr(place, name, watched)
    alone(x, 20, torch.empty(300**2))
    whole = np.sort(nearest_others(x, 5), axis=1)
    assert seen == [9, 9]
    monkeypatch.setattr(neighbours, "few_columns", lambda rows: rows)
    assert (nearest_others(x, 5) == whole).all()

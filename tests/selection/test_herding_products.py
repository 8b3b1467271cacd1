"""Herding from products in short numbers against a program that forms every cost in float64."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foqus_lib.selection import herding as door
from foqus_lib.selection import herding_products as hp
from foqus_lib.selection import pair_products as pp
from foqus_lib.selection import screening
from foqus_lib.selection.herding import alone, herding, in_step

SHORT = (torch.bfloat16, torch.float32)


def twin(rows, budget):
    """Every pick the first of the lowest |x|^2 / 2 + x . (sum of picks), all of them in float64."""
    x = rows.astype(np.float64)
    x -= x.mean(axis=0)
    half, total, picks = np.einsum("nd,nd->n", x, x) / 2, np.zeros(x.shape[1]), []
    for _ in range(budget):
        cost = half + np.einsum("nd,nd->n", x, np.broadcast_to(total, x.shape))
        cost[picks] = np.inf
        picks.append(int(cost.argmin()))
        total += x[picks[-1]]
    return picks


def in_short(rows, budget, short, size=None):
    room = torch.empty(len(rows) ** 2 if size is None else size, dtype=short)
    return alone(rows, budget, room).tolist()


def gaussian(draw, n):
    return draw.normal(size=(n, 5))


def clusters(draw, n):
    """Three points, many rows near each, nearer than bfloat16 can tell, one row far from all."""
    x = draw.normal(size=(3, 4))[draw.integers(3, size=n)] + 1e-5 * draw.normal(size=(n, 4))
    x[draw.integers(n)] *= 100
    return x


def lattice(draw, n):
    """Whole numbers: duplicates, and costs that tie but for the rounding of the mean."""
    return draw.integers(-1, 2, size=(n, 2)).astype(float)


def duplicates(draw, n):
    return draw.normal(size=(3, 6))[draw.integers(3, size=n)]


def one_line(draw, n):
    """Rank 1."""
    return draw.normal(size=(n, 1)) * draw.normal(size=8)


def mostly_zero(draw, n):
    return draw.normal(size=(n, 3)) * (draw.random((n, 1)) < 0.2)


def equal(draw, n):
    return np.full((n, 3), draw.normal())


def norms_of_all_sizes(draw, n):
    return draw.normal(size=(n, 4)) * 10.0 ** draw.integers(-20, 20, size=(n, 1))


KINDS = (gaussian, clusters, lattice, duplicates, one_line, mostly_zero, equal, norms_of_all_sizes)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.integers(0, 10**6),
    st.sampled_from([1, 2, 3, 9, 40, 90]),
    st.sampled_from(SHORT),
    st.sampled_from([1e-120, 1e-30, 1.0, 1e15, 1e120]),
    st.sampled_from([1, 4, 256]),
    st.sampled_from([1, 3, 64]),
    st.sampled_from([0, 5, 96]),
    st.sampled_from([0.0, 0.5, 1.0]),
)
@example(equal, 0, 40, torch.bfloat16, 1.0, 4, 3, 0, 1.0)
def test_picks_are_those_of_float64_in_the_same_order(
    kind, seed, n, short, scale, panel, most, crowd, room
):
    x = kind(np.random.default_rng(seed), n) * scale
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pp, "PANEL", panel)
        patch.setattr(pp, "WORTH", dict.fromkeys(SHORT, -n))  # form a panel at once
        patch.setattr(hp, "MOST", most)
        patch.setattr(hp, "CROWD", crowd)
        got = in_short(x, n, short, int(room * n * n))
    assert got == twin(x, n) == in_step([x], [n])[0].tolist()


@pytest.mark.parametrize("short", SHORT)
@pytest.mark.parametrize("width", [3, 64, 131])
def test_a_pool_of_several_panels(short, width):
    """As it runs, panels formed when worth it: 1,500 rows, 700 picks."""
    x = np.random.default_rng(width).normal(size=(1500, width)).astype(np.float32) + 3
    assert in_short(x, 700, short) == in_step([x], [700])[0].tolist()


@pytest.mark.parametrize("short", SHORT)
def test_panels_are_formed_and_rows_are_what_they_say(short):
    draw = np.random.default_rng(4)
    rows = (draw.normal(size=(700, 6)) / 9).astype(np.float32)
    exact = rows.astype(float) @ rows.T
    norm = np.linalg.norm(rows.astype(float), axis=1)
    lost, row_of = pp.pair_products(rows, norm, 600, torch.empty(700**2, dtype=short))
    assert row_of(5, 0)[0] is None  # one may be luck
    row, cut = row_of(5, 1)
    size = np.linalg.norm(lost, axis=1) + 1e-6
    bound = size * norm[5] + (norm + size) * size[5] + cut
    assert (abs(row - exact[5]) <= bound).all()
    assert (cut > 0) == (short == torch.bfloat16) == bool(lost.any())
    same = int(np.argsort(norm)[np.argsort(np.argsort(norm))[5] // pp.PANEL * pp.PANEL])
    assert row_of(same, 2)[0] is not None  # the panel is there
    _, without_room = pp.pair_products(rows, norm, 600, torch.empty(0, dtype=short))
    assert all(without_room(5, step)[0] is None for step in range(9))


@pytest.mark.parametrize(("short", "spread"), [(torch.bfloat16, 1e-2), (torch.float32, 1e-7)])
def test_short_numbers_alone_would_pick_others(short, spread, monkeypatch):
    """Rows this close are a case in which the bound matters."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(3, 4))[draw.integers(3, size=300)] + spread * draw.normal(size=(300, 4))
    monkeypatch.setattr(pp, "WORTH", dict.fromkeys(SHORT, -300))
    assert in_short(x, 300, short) == twin(x, 300)
    with_cut = pp.widened
    monkeypatch.setattr(pp, "widened", lambda row: (with_cut(row)[0], 0.0))
    monkeypatch.setattr(hp, "off", lambda *_: 0.0)
    assert in_short(x, 300, short) != twin(x, 300)


@pytest.mark.parametrize("cheap", [True, False])
def test_the_door_takes_either_short_form_and_gives_the_same(cheap, monkeypatch):
    x = np.random.default_rng(5).normal(size=(900, 7)).astype(np.float32)
    pools, budgets = [np.arange(0, 900, 2), np.arange(5), np.arange(0)], [200, 5, 0]
    monkeypatch.setattr(door, "cheap_bfloat16", lambda: cheap)
    found = herding(x, pools, budgets)
    for pool, budget, places in zip(pools, budgets, found, strict=True):
        assert places.tolist() == twin(x[pool], budget) if budget else len(places) == 0


def test_short_numbers_are_taken_where_there_is_a_matrix_unit(monkeypatch):
    for has in (True, False):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda has=has: has)
        assert screening.cheap_bfloat16() is has

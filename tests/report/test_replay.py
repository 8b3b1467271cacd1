"""The replay shows what the library's selectors pick, in their order, at distances by hand."""

import json
from html import unescape

import numpy as np
import pytest

from foqus_lib.report import explorer, replay
from foqus_lib.seeds import rng_for
from foqus_lib.selection.catalog import METHODS
from foqus_lib.selection.methods import class_balanced
from tests.report.test_explorer import made


@pytest.fixture(scope="module")
def shown():
    """Three classes of 48 signals, embeddings of five numbers; what a page holds of them."""
    rng = np.random.default_rng(5)
    signals, record = made(rng, (48, 48, 48))
    embedding = rng.standard_normal((144, 5)).astype(np.float32)
    record = explorer.replace(record, embedding=embedding)
    html = replay.widget(signals, record, "made <up>").data
    head = html.partition("data-spec='")[2].partition("'")[0]
    return record, json.loads(unescape(head)), html


@pytest.mark.parametrize("method", replay.SHOWN)
@pytest.mark.parametrize("picks", [1, 5, replay.PICKS])
def test_the_order_is_the_librarys_at_every_length(shown, method, picks):
    """The first picks of the page are the coreset of that budget, class by class."""
    record, data, _ = shown
    budget = picks * 3
    rows = class_balanced(METHODS[method])(record, budget, rng_for("replay", method))
    for y in range(3):
        pool = np.flatnonzero(record.label == y)
        page = pool[data["methods"][method][y]["picks"][:picks]]
        assert page.tolist() == rows[record.label[rows] == y].tolist()


def test_the_numbers_that_follow_a_pick(shown):
    record, data, _ = shown
    one = data["methods"]["Herding"][1]
    x = record.embedding[record.label == 1].astype(float)
    spread = np.sqrt(((x - x.mean(0)) ** 2).sum(1).mean())
    for t in (1, 4, 12):
        kept = x[one["picks"][:t]]
        far = max(min(np.linalg.norm(a - b) for b in kept) for a in x)
        assert one["radius"][t - 1] == pytest.approx(far / spread, abs=1e-3)
        gap = np.linalg.norm(kept.mean(0) - x.mean(0))
        assert one["gap"][t - 1] == pytest.approx(gap / spread, abs=1e-3)


def test_each_method_is_best_at_what_it_wants(shown):
    _, data, _ = shown
    last = {
        name: [np.mean([one[what][-1] for one in of_class]) for what in ("radius", "gap")]
        for name, of_class in data["methods"].items()
    }
    assert min(last, key=lambda name: last[name][0]) == "k-Center Greedy"
    assert min(last, key=lambda name: last[name][1]) == "Herding"


def test_the_map_of_a_plane_is_that_plane():
    """Two directions hold all: distances survive, but for one scale."""
    rng = np.random.default_rng(0)
    flat = rng.standard_normal((12, 2)) @ np.linalg.qr(rng.standard_normal((7, 2)))[0].T
    at, held = replay.plane(flat)
    between = [np.linalg.norm(p[:, None] - p, axis=2) for p in (flat, at)]
    ratio = between[0][0, 1:] / between[1][0, 1:]
    assert held == pytest.approx(1) and np.ptp(ratio) < 1e-9 and np.abs(at).max() == 1
    assert np.allclose(replay.plane(-flat)[0], at)  # the sign of a direction is not chance


def test_a_small_class_keeps_three_quarters_unpicked():
    signals, record = made(np.random.default_rng(5), (8, 9, 40))
    data = replay.spec(signals, record, "")
    assert [len(one["picks"]) for one in data["methods"]["Uniform"]] == [2, 2, 2]


@pytest.mark.parametrize("shape", [(1, 3), (4, 1), (3, 0)])
def test_too_few_for_a_map_are_no_error(shape):
    at, held = replay.plane(np.ones(shape))
    assert at.shape == (shape[0], 2) and not at.any() and held == 1


def test_what_stands_there_without_script(shown):
    record, data, html = shown
    assert html.count('<div class="svgfig"') == 1 and "made &lt;up>" in html
    assert all(name in html.partition("svgfig")[2] for name in replay.SHOWN)
    table = replay.summary(made(np.random.default_rng(5), (48, 48, 48))[0], record)
    assert list(table.index) == list(replay.SHOWN) and (table["picks of a class"] == 12).all()
    assert len(html) < 150_000

"""Figures: what is drawn is in the data; on a page they are the same each time, and alone."""

import re

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot

from foqus_lib.report.figures import accuracy_by_rate, forest, iq_frames, score_map, snr_histogram
from foqus_lib.report.svg import inline_svg
from foqus_lib.report.verdicts import difference_to_uniform
from tests.report.made_up import by_method, rows

RNG = np.random.default_rng(0)
SNR = np.repeat(np.array([10, 18], dtype=np.float32), 10)
LABEL = np.tile(np.arange(2), 10)
MADE = {
    "rates": lambda: accuracy_by_rate(
        rows(by_method, pairs=(("CNN1D", "CNN1D"), ("CNN2D", "CNN1D")))
    ),
    "forest": lambda: forest(difference_to_uniform(rows(by_method)).numbers),
    "iq": lambda: iq_frames(np.ones((2, 2, 8), dtype=np.float32), ["a$b", "<script>"]),
    "scores": lambda: score_map(
        np.linspace(0, 2, 20), np.arange(20), ["top"] * 10 + ["middle <i>"] * 10, "Tiers"
    ),
    "snr": lambda: snr_histogram(SNR, LABEL, np.arange(20) < 5, ("AM<b>", "QPSK")),
}


@pytest.mark.parametrize("name", MADE)
def test_on_the_page(name):
    before = dict(matplotlib.rcParams)
    svg = inline_svg(MADE[name](), 'What "it" shows', name).data
    assert inline_svg(MADE[name](), 'What "it" shows', name).data == svg  # the same each time
    assert 'role="img" aria-label="What &quot;it&quot; shows"' in svg
    assert "#000000" not in svg and "currentColor" in svg
    assert "<script>" not in svg and "<i>" not in svg and "<b>" not in svg
    assert not re.search(r'(href|src)="(?!#|data:)', svg), "asks for something outside the page"
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', svg))
    assert used <= set(ids)
    other = inline_svg(MADE[name](), "x", "another place").data
    assert not set(ids) & set(re.findall(r'\bid="([^"]+)"', other))
    assert pyplot.get_fignums() == [] and dict(matplotlib.rcParams) == before


def test_style_sheet_of_a_figure_stays_in_it():
    svg = inline_svg(MADE["scores"](), "x", "mine").data
    sheet = re.search(r"<style[^>]*>(.*?)</style>", svg, re.DOTALL).group(1)
    assert re.fullmatch(r"\s*#fig-mine-\w+ \*\{[^}]*\}\s*", sheet)


def test_curves_are_the_means():
    axes = MADE["rates"]().axes
    assert [ax.get_title() for ax in axes] == ["CNN1D → CNN1D", "CNN2D → CNN1D"]
    lines = {c.get_label(): c.lines[0].get_ydata() for c in axes[0].containers}
    assert list(lines["Uniform"]) == pytest.approx([0.42, 0.46])
    assert [t.get_text() for t in axes[1].get_legend().get_texts()][-1] == "All data"


def test_forest_marks_what_is_shown():
    ax = MADE["forest"]().axes[0]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    filled = [dot.get_markerfacecolor() != "none" for dot in dots]
    assert filled == [False, True]  # Herding, FoQuS
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Herding", "FoQuS"]


def test_histogram_counts():
    texts = [text.get_text() for text in MADE["snr"]().axes[0].texts]
    assert texts == ["3", "0", "2", "0"]  # rows 0..4 kept: labels 0 1 0 1 0, all at 10 dB

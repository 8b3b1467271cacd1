"""Figures: what is drawn is in the data; on a page they are the same each time, and alone."""

import re

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot

from foqus_lib.report import signal_figures
from foqus_lib.report.curves import accuracy_by_snr, budget_curve
from foqus_lib.report.forests import forest
from foqus_lib.report.maps import score_map, snr_histogram, snr_shares
from foqus_lib.report.real import beside
from foqus_lib.report.signal_figures import iq_frames
from foqus_lib.report.svg import inline_svg
from foqus_lib.signals import Signals
from tests.report.made_up import STUDY, by_method, by_snr, rows

RNG = np.random.default_rng(0)
SNR = np.repeat(np.array([10, 18], dtype=np.float32), 10)
LABEL = np.tile(np.arange(2), 10)
IQ = RNG.standard_normal((20, 2, 64)).astype(np.float32)
SIGNALS = Signals(IQ, LABEL, SNR, ("BPSK", "QPSK"))
CROSS = (("CNN1D", "CNN1D"), ("CNN2D", "CNN1D"))
MADE = {
    "by snr": lambda: accuracy_by_snr(by_snr(by_method), STUDY),
    "shares": lambda: snr_shares({"FoQuS": SNR[:4], "A<b>": SNR}),
    "planes": lambda: signal_figures.constellations(SIGNALS),
    "spectra": lambda: signal_figures.spectra(SIGNALS),
    "ladder": lambda: signal_figures.snr_ladder(SIGNALS, 1, [10, 18]),
    "confusion": lambda: signal_figures.confusion(np.array([[8, 2], [0, 0]]), ("A<b>", "B$")),
    "statistics": lambda: signal_figures.statistics(beside(SIGNALS).drop(columns="frames")),
    "rates": lambda: budget_curve(rows(by_method, pairs=CROSS), STUDY),
    "few seeds": lambda: budget_curve(rows(by_method, seeds=(0, 1)), STUDY),
    "one budget": lambda: budget_curve(rows(by_method, budgets=(100,), pairs=CROSS), STUDY),
    "forest": lambda: forest(rows(by_method), STUDY),
    "dots": lambda: forest(rows(by_method, seeds=(0, 1)), STUDY),
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
    assert list(lines["Uniform"]) == pytest.approx([0.432, 0.472])
    assert [t.get_text() for t in axes[1].get_legend().get_texts()][-1] == "All data"


def test_forest_marks_what_is_shown():
    ax = MADE["forest"]().axes[0]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    filled = [dot.get_markerfacecolor() != "none" for dot in dots]
    assert filled == [False, True]  # Herding, FoQuS
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Herding", "FoQuS"]


def test_forest_of_few_seeds_is_their_dots():
    ax = MADE["dots"]().axes[0]
    dots = [line.get_xdata() for line in ax.lines if line.get_marker() == "."]
    assert dots == [pytest.approx([-0.8, 1.2]), pytest.approx([2.0, 2.1])]  # Herding, FoQuS
    assert not [line for line in ax.lines if line.get_marker() == "o"]


def test_forest_of_two_blocks_has_a_line_of_panels_for_each():
    axes = forest(rows(by_method, pairs=CROSS), STUDY).axes
    titles = [f"{pair}, {rate}" for pair in ("CNN1D → CNN1D", "CNN2D → CNN1D")
              for rate in ("1 %", "5 %")]  # fmt: skip
    assert [ax.get_title() for ax in axes] == titles
    for ax in axes:
        assert [t.get_text() for t in ax.get_yticklabels()] in (["Herding", "FoQuS"], [])
        assert len([line for line in ax.lines if line.get_marker() == "o"]) == 2


@pytest.mark.parametrize("there", [["Uniform"], ["All data"], ["FoQuS", "All data"]])
def test_a_figure_of_what_is_there_so_far(there):
    """A trial that failed is a gap, never a lost page."""
    part = rows(by_method)
    part = part[part.method.isin(there)]
    snr = by_snr(by_method)
    for figure in (budget_curve(part, STUDY), forest(part, STUDY, "Herding failed: loss is NaN"),
                   accuracy_by_snr(snr[snr.method.isin(there)], STUDY)):  # fmt: skip
        assert len(figure.axes) >= 1 and inline_svg(figure, "x", "x").data


def test_few_seeds_are_dots_without_bars():
    ax = MADE["few seeds"]().axes[0]
    dots = [line for line in ax.lines if line.get_marker() == "." and len(line.get_xdata())]
    assert [len(line.get_xdata()) for line in dots] == [4, 4, 4]  # two budgets, two seeds


def test_one_budget_is_no_curve():
    first, second = MADE["one budget"]().axes
    assert first.get_title() == "CNN1D → CNN1D, 1 %" and second.get_title().startswith("CNN2D")
    assert [t.get_text() for t in first.get_yticklabels()] == ["Uniform", "Herding", "FoQuS"]
    means = [bar.lines[0].get_xdata()[0] for bar in first.containers]
    assert means == pytest.approx([0.432, 0.432, 0.4522])
    few = budget_curve(rows(by_method, budgets=(100,), seeds=(0, 1)), STUDY).axes[0]
    dots = [line for line in few.lines if line.get_marker() == "."]
    assert [len(line.get_xdata()) for line in dots] == [2, 2, 2]


def test_marks_of_the_axis_are_the_budgets():
    ax = MADE["rates"]().axes[0]
    ticks = [ax.xaxis.get_major_formatter()(place) for place in ax.get_xticks()]
    assert ticks == ["1 %", "5 %"] and ax.get_xlabel() == "rate |S|/N"


def test_histogram_counts():
    texts = [text.get_text() for text in MADE["snr"]().axes[0].texts]
    assert texts == ["3", "0", "2", "0"]  # rows 0..4 kept: labels 0 1 0 1 0, all at 10 dB


def test_a_tone_is_a_line_in_the_spectrum_where_it_should_be():
    turn = 2 * np.pi * 8 / 64 * np.arange(64)
    tone = np.stack([np.cos(turn), np.sin(turn)])[None].astype(np.float32)
    frequency, decibel = signal_figures.power_spectrum(tone)
    assert frequency[decibel.argmax()] == 8 / 64 and decibel.max() == 0
    assert decibel[np.abs(frequency - 8 / 64) > 0.1].max() < -40


def test_shares_are_in_per_cent_of_a_coreset():
    texts = [text.get_text() for text in MADE["shares"]().axes[0].texts]
    assert texts == ["100", "0", "50", "50"]


def test_confusion_is_in_per_cent_of_what_was_sent():
    texts = [text.get_text() for text in MADE["confusion"]().axes[0].texts]
    assert texts == ["80", "20", "0", "0"]


def test_snr_curves_are_the_means_and_the_ceiling_is_dotted():
    ax = MADE["by snr"]().axes[0]
    lines = {c.get_label(): c.lines[0].get_ydata() for c in ax.containers}
    assert list(lines["Uniform"]) == pytest.approx([0.332, 0.532])
    assert [line.get_linestyle() for line in ax.lines if line.get_label() == "All data"] == [":"]

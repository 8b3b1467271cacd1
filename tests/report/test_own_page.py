"""The page of a coreset of one's own: whole HTML, counts as chosen, a verdict that rows allow."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from made_up import STUDY, by_method, rows

from foqus_lib.report import own_kept
from foqus_lib.report.html_parts import POLICY
from foqus_lib.report.own_gain import gain_parts
from foqus_lib.report.own_page import NOT_MEASURED, own_page
from foqus_lib.report.own_verdict import Evaluated, verdict

VOID = {"meta", "br"}
MANIFEST = {
    "data": {"file": "a<b>.npz", "about": "two: <i>", "fingerprint": "f" * 64, "signals": 60,
             "snr_min": -1000.0, "normalise": "rms"},
    "model": "CNN1D", "method": "FoQuS", "method_version": 1, "rate": 0.25, "kept": 15, "seed": 0,
    "recipe": "Adam", "provenance": {
        "foqus": "0.3.0", "git": "", "torch": "2", "numpy": "2", "python": "3", "device": "cpu",
        "platform": "Linux", "seconds": 1.0},
}  # fmt: skip


class Reader(HTMLParser):
    """Every tag closed in its turn; tables as lists of lines; what a page would fetch."""

    def __init__(self, page):
        super().__init__()
        self.open, self.ids, self.tables, self.asks, self.tags = [], [], [], [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append((tag, given))
        self.ids += [given["id"]] if "id" in given else []
        self.asks += [given[name] for name in ("src", "href", "xlink:href") if name in given]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"th", "td"} & set(self.open):
            self.tables[-1][-1][-1] += data


@pytest.fixture
def kept():
    """60 signals of three classes at two SNRs, 15 kept."""
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "row": range(60), "class": np.repeat(["low", "mid", "high"], [10, 20, 30]),
        "snr_db": np.tile([10.0, 18.0], 30), "kept": rng.permutation(60) < 15,
        "foqus_eq8": rng.normal(size=60), "mean_loss_nats": rng.exponential(size=60),
    }).astype({"kept": int})  # fmt: skip


def evaluated(accuracy=by_method, asked=100, unfinished="", **change):
    change = {"methods": ("FoQuS", "Uniform", "All data"), "repeats": (0,)} | change
    return Evaluated(rows(accuracy, **change), STUDY, "FoQuS", asked, unfinished)


def noisy(method, budget, seed, repeat):
    return 0.5 + 0.05 * ((seed * 7 + len(method) * 3) % 5)


@pytest.mark.parametrize("measured", [None, evaluated(), evaluated(seeds=range(2))])
def test_a_page_is_whole_fetches_nothing_and_can_be_read_aloud(kept, measured):
    page = own_page(kept, MANIFEST, "foqus select --data 'a<b>.npz'", measured)
    read = Reader(page)
    assert len(read.ids) == len(set(read.ids)) and all(ask.startswith("#") for ask in read.asks)
    assert POLICY in page and "<script" not in page and "<b>" not in page
    assert not re.findall(r"url\((?!#)", page)
    tags = [tag for tag, _ in read.tags]
    assert tags.count("h1") == 1 and tags.count("caption") == tags.count("table")
    assert tags.count("figcaption") == tags.count("figure") == 1 + 2 * (measured is not None)
    assert all(given["scope"] in ("row", "col") for tag, given in read.tags if tag == "th")
    assert all(given["aria-label"] for tag, given in read.tags if given.get("role") == "img")
    assert (NOT_MEASURED in page) == (measured is None)
    assert "--data &#x27;a&lt;b&gt;.npz&#x27;" in page and "f" * 64 in page


def test_an_snr_cut_is_named_where_there_is_one(kept):
    cut = MANIFEST | {"data": MANIFEST["data"] | {"snr_min": 10.0}}
    for manifest, said in ((MANIFEST, "none"), (cut, "10\xa0dB")):
        settings = Reader(own_page(kept, manifest, "")).tables[-2]
        assert ["Signals below this SNR left out", said] in settings


def test_the_counts_are_those_of_the_choice(kept):
    by_class, by_snr, *_ = Reader(own_page(kept, MANIFEST, "")).tables
    for lines, column, names in (
        (by_class, "class", ["high", "low", "mid"]),
        (by_snr, "snr_db", [10.0, 18.0]),
    ):
        for (head, there, taken, shares), name in zip(lines[1:], names, strict=True):
            here = kept[kept[column] == name]
            assert head.removesuffix("\xa0dB") == (f"{name:g}" if column == "snr_db" else name)
            assert (int(there), int(taken)) == (len(here), here.kept.sum())
            assert shares == f"{100 * len(here) / 60:.1f} %{100 * here.kept.sum() / 15:.1f} %"


def test_one_snr_is_a_sentence_and_without_scores_there_is_no_figure(kept):
    page = own_page(kept.assign(snr_db=7.5)[["class", "snr_db", "kept"]], MANIFEST, "")
    assert "Every signal has the SNR label 7.5 dB." in page and "<figure" not in page


@pytest.mark.parametrize("span", [3.0, 45.0, 7000.0])
def test_many_snrs_are_put_together_in_ranges_that_hold_them(span):
    snr = np.random.default_rng(1).uniform(-20, -20 + span, 500)
    groups = own_kept.snr_groups(snr)
    assert 2 <= len(groups.cat.categories) <= own_kept.MOST_LEVELS + 1
    for x, text in zip(snr, groups, strict=True):
        low, high = map(float, text.removesuffix(" dB").split(" to "))
        slack = 1e-3 * (high - low)  # words have six digits
        assert low - slack <= x <= high + slack
    lows = [float(name.split()[0]) for name in groups.cat.categories]
    assert lows == sorted(lows)


def test_a_gain_is_said_with_its_interval():
    said = verdict(evaluated())
    assert re.match(
        r"FoQuS is 2\.0 points better than Uniform on your data at 1 % "
        r"\[\+2\.0, \+2\.1\], n = 5\. Other rates: at 5 % better\.$", said
    )  # fmt: skip


def test_a_loss_is_no_gain():
    said = verdict(evaluated(lambda m, *where: by_method(m, *where) - 0.05 * (m == "FoQuS")))
    assert said.startswith(
        "FoQuS is 3.0 points worse than Uniform on your data at 1 % [-3.0, -2.9]"
    )
    assert "Keep Uniform's choice." in said


def test_the_tables_of_a_gain_by_hand(kept):
    """Five seeds at 1 %, three at 5 %: means as they are, an interval for the five alone."""
    data = rows(by_method, methods=("FoQuS", "Uniform", "All data"), repeats=(0,))
    some = Evaluated(data[(data.budget != 500) | (data.seed < 3)], STUDY, "FoQuS", 100)
    means, gains = Reader("".join(gain_parts(some))).tables
    assert means == [
        ["Rate", "Uniform", "FoQuS", "All data"],
        ["1\xa0%", "0.430", "0.450", "0.900"], ["5\xa0%", "0.460", "0.480", "0.900"],
    ]  # fmt: skip
    assert gains[1:] == [
        ["1\xa0%", "+2.0 [+2.0, +2.1]", "better", f"{100 * some.lines()[0].detectable:.1f}"],
        ["5\xa0%", "+2.0, +2.1, +2.0 (n = 3: no interval)", "n = 3: no verdict", "–"],
    ]
    page = "".join(gain_parts(some))
    assert page.count("over n = 3 to 5 seeds") == 2 and page.count("with its 95 % interval") == 1
    assert "over n = 3 to 5 seeds, with the 95 % interval" in page
    one = "".join(gain_parts(evaluated(seeds=(0,))))
    assert "over n = 1 seed." in one and "over n = 1 seed, seed by seed" in one
    two = "".join(gain_parts(Evaluated(data[data.seed <= (data.budget == 100)], STUDY, "FoQuS", 1)))
    assert "over n = 1 to 2 seeds." in two


def test_no_gain_shown_names_what_could_have_been():
    one = evaluated(noisy, budgets=(100,))
    [row] = one.lines()
    assert row.low < 0 < row.high
    could = f"{100 * row.detectable:.1f}"
    said = verdict(one)
    assert said.startswith("No gain shown on your data: at 1 % FoQuS less Uniform is ")
    assert f"could have shown is {could} points (in 80 of 100 cases)" in said and "n = 5" in said


def test_equal_differences_do_not_promise_that_any_difference_would_have_shown():
    said = verdict(evaluated(lambda *_: 0.5, budgets=(100,)))
    assert (
        said.endswith("what these runs could have shown is not known.")
        and "0.0 points (" not in said
    )


def test_below_five_seeds_there_is_no_verdict_and_no_interval(kept):
    few = evaluated(seeds=range(4))
    said = verdict(few)
    assert said.startswith("Too few seeds for a verdict: at 1 % there are n = 4, and 5 are needed")
    assert "+2.0, +2.1, +2.0, +2.0 points" in said and "[" not in said
    page = own_page(kept, MANIFEST, "", few)
    assert "n = 4: no interval" in page and "[+" not in page


@pytest.mark.parametrize("methods", [("Uniform", "All data"), ("FoQuS",)])
def test_what_was_not_measured_is_said_with_the_reason(kept, methods):
    gap = evaluated(methods=methods, unfinished="0 of 10 trials (1 failed); loss: not finite")
    assert verdict(gap).startswith("Not measured: FoQuS and Uniform have no result at 1 %. 0 of 10")
    assert "<figure>" not in own_page(kept[["class", "snr_db", "kept"]], MANIFEST, "", gap)


def test_a_method_without_a_score_of_its_own_says_so(kept):
    assert "Herding does not rank by it" in own_kept.score_part(kept, "Herding")
    assert "does not rank" not in own_kept.score_part(kept, "FoQuS | SNR-balanced")
    assert "does not rank" not in own_kept.score_part(kept, "Mean loss | tiers")

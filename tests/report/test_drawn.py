"""The figures of the findings pages say what their rows say."""

import re
from xml.etree import ElementTree

import pandas as pd
import pytest

from foqus_lib.report import drawn, svg
from foqus_lib.report.claim_rules import FAILS, HOLDS, UNTESTED, Finding
from foqus_lib.report.claims_file import Claim
from foqus_lib.report.differences import difference_to_floor
from tests.report.made_up import STUDY, rows


def accuracy(method, budget, seed, repeat):
    """FoQuS two points above Uniform, a little noise by seed."""
    return 0.5 + budget / 100_000 + 0.02 * (method == "FoQuS") + 0.001 * seed


@pytest.fixture
def table():
    return rows(accuracy)


def texts(path):
    return re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))


def test_a_layer_has_a_curve_and_a_forest(table, tmp_path):
    folder = tmp_path / "layer" / "derived"
    drawn.layer_figures("main", table, STUDY, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["main_curve.html", "main_forest.html"]
    assert {"FoQuS", "Herding"} <= set(texts(folder / "main_forest.html"))
    assert "points above Uniform" in texts(folder / "main_forest.html")


def test_one_budget_has_no_curve(table, tmp_path):
    one = table[(table.budget == table.budget.min()) | (table.method == "All data")]
    drawn.layer_figures("main", one, STUDY, tmp_path / "layer" / "derived")
    assert not list(tmp_path.rglob("*_curve.html"))


def test_the_papers_values_stand_at_their_place(table):
    figure = drawn.forest(table, STUDY)
    budgets = sorted(difference_to_floor(table, STUDY).numbers.budget.unique())
    theirs = pd.DataFrame(
        {"method": "FoQuS", "budget": budgets[:1], "table_I": 0.25, "table_III": 0.069}
    )
    drawn._mark(figure, theirs, STUDY)
    diamonds = [line for line in figure.axes[0].lines if line.get_marker() == "D"]
    assert [line.get_xdata()[0] for line in diamonds] == pytest.approx([25.0, 6.9])
    assert diamonds[0].get_markerfacecolor() != diamonds[1].get_markerfacecolor()


def comparisons(low, high, verdict):
    return pd.DataFrame(
        {"low": [low], "high": [high], "difference": [(low + high) / 2], "verdict": [verdict]}
    )


def test_a_claim_has_its_interval_its_verdict_and_the_papers_value(tmp_path):
    found = [
        (Claim("a", "Tiers help", "here", "above_floor"),
         Finding(HOLDS, comparisons=comparisons(0.08, 0.16, "better"))),
        (Claim("b", "It wins $5", "there", "above_floor"),
         Finding(FAILS, comparisons=comparisons(-0.02, -0.01, "worse"))),
        (Claim("c", "Nobody looked", "there", "not_tested"), Finding(UNTESTED)),
    ]  # fmt: skip
    figure = drawn.claim_figure(found, {"a": [0.25]})
    [ax] = figure.axes
    assert len(ax.get_yticklabels()) == 2  # what is not tested has no line
    [diamond] = [line for line in ax.lines if line.get_marker() == "D" and len(line.get_xdata())]
    assert list(diamond.get_xdata()) == [25.0]
    path = tmp_path / "claims" / "derived" / "claims.html"
    drawn.write_figure(figure, "claims", path)
    assert {"Tiers help", "It wins $5", HOLDS, FAILS} <= set(texts(path))


def test_a_claim_in_a_form_of_ours_is_drawn_as_one(tmp_path):
    comparisons = pd.DataFrame([{"low": -0.01, "high": 0.01, "difference": 0.0, "verdict": "-"}])
    found = [(Claim("a", "Tiers help", "x", "above_floor", whose=whose),
              Finding(HOLDS, comparisons=comparisons)) for whose in ("paper", "ours")]  # fmt: skip
    lines = [label.get_text() for label in drawn.claim_figure(found, {}).axes[0].get_yticklabels()]
    assert [" ".join(line.split()) for line in lines] == [
        "Tiers help", "Tiers help (ours)",
    ]  # fmt: skip


def test_without_a_tested_claim_the_figure_is_empty_not_an_error():
    assert drawn.claim_figure([(Claim("c", "x", "y", "not_tested"), Finding(UNTESTED))], {}).axes


def test_a_drawing_of_its_own_reads_in_light_and_dark(tmp_path):
    figure = drawn.claim_figure([], {}, "2 claims: 1 holds & 1 does not")
    path = tmp_path / "derived" / "claims.svg"
    svg.write_svg(figure, "claims", path)
    root = ElementTree.parse(path).getroot()  # well formed: an <img> shows no other
    assert root.tag.endswith("svg") and root.get("aria-label") == "claims"
    text = path.read_text(encoding="utf-8")
    assert "prefers-color-scheme:dark" in text and "#000000" not in text
    assert "2 claims: 1 holds &amp; 1 does not" in texts(path)

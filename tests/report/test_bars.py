"""Bars: worked by hand, and what is said where there are no rows."""

import pandas as pd
import pytest

from foqus_lib.experiment.bar import Bar
from foqus_lib.report import committed
from foqus_lib.report.bars import judge
from foqus_lib.studies.distillation import STUDY
from foqus_lib.studies.distillation.bars import BARS as DISTILLATION
from foqus_lib.studies.mixing.bars import BARS as MIXING


def rows(**by_method):
    """One accuracy a seed for each method; move and budget beside."""
    return pd.DataFrame([
        {"method": name, "seed": seed, "repeat": 0, "accuracy": value, "move": 0.2, "budget": 10}
        for name, values in by_method.items()
        for seed, value in enumerate(values)
    ])  # fmt: skip


FIVE = [0.50, 0.51, 0.52, 0.53, 0.54]


def less(least, errors=0, ours=("a",)):
    return Bar("1", "so much less", ours, "b", "accuracy", least=least, errors=errors)


def move(most):
    return Bar("1", "", ("a",), None, "move", 0.05, most)


@pytest.mark.parametrize(
    ("more", "bar", "measured", "verdict"),
    [
        (0.03, less(0.02), "+3.0 points (+3.0 to +3.0)", "met"),
        (0.01, less(0.02), "+1.0 points (+1.0 to +1.0)", "not met"),
        (0.00, move(0.35), "0.200 (0.200 to 0.200)", "met"),
        (0.00, move(0.1), "0.200 (0.200 to 0.200)", "not met"),
    ],
)
def test_means_decide(more, bar, measured, verdict):
    [line] = judge([bar], {"rows": rows(a=[x + more for x in FIVE], b=FIVE)}).to_dict("records")
    assert (line["measured"], line["n"], line["verdict"]) == (measured, "5", verdict)


def test_a_difference_within_its_error_is_not_met():
    """Differences 0.1, -0.1, 0.1, -0.1, 0.05: mean 0.01, standard error 0.045."""
    ours = [x + d for x, d in zip(FIVE, (0.1, -0.1, 0.1, -0.1, 0.05), strict=True)]
    table = judge([less(0.0), less(0.0, errors=1)], {"rows": rows(a=ours, b=FIVE)})
    assert list(table["verdict"]) == ["met", "not met"]


def test_the_better_of_two_is_named_and_few_seeds_show_nothing():
    given = {"rows": rows(a=FIVE, b=FIVE, c=[x + 0.1 for x in FIVE])}
    [line] = judge([less(0.02, ours=("a", "c"))], given).to_dict("records")
    assert line["says"] == "so much less (here c)" and line["verdict"] == "met"
    [few] = judge([less(-1)], {"rows": rows(a=FIVE[:3], b=FIVE[:3])})["verdict"]
    assert few == "not shown"


@pytest.mark.parametrize("bars", [DISTILLATION, MIXING], ids=["distillation", "mixing"])
def test_without_rows_nothing_is_shown(bars):
    table = judge(bars, {})
    assert set(table["verdict"]) == {"not shown"} and len(table) == len(bars)


def test_a_page_says_that_there_are_no_rows_yet(tmp_path):
    assert committed.committed(STUDY, "rows", results=tmp_path) == {}
    assert "No committed rows distillation/rows.csv yet" in committed.in_words(None, STUDY, "rows")

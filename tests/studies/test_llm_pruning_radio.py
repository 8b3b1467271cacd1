"""The rule on radio signals: both moments side by side, and what follows from their intervals."""

import re

import pandas as pd
import pytest

from foqus_lib.report.committed import committed
from foqus_lib.report.differences import difference_to_floor
from foqus_lib.studies import layer_pruning
from foqus_lib.studies.layer_pruning import FULL, LAST, RANDOM
from foqus_lib.studies.llm_pruning import radio

STUDY = layer_pruning.STUDY
BEFORE, AFTER = radio.MOMENTS


def found(before_full, before_random, after_full=(0.0, 0.01), after_random=(0.0, 0.01)):
    """Differences of Last blocks dropped by mean and half width of the interval."""
    ends = before_full, before_random, after_full, after_random
    keys = [(moment, floor) for moment in radio.MOMENTS for floor in radio.FLOORS]
    return {
        key: pd.DataFrame([
            {"method": LAST, "difference": mean, "low": mean - half, "high": mean + half, "n": 5}
        ])
        for key, (mean, half) in zip(keys, ends, strict=True)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("differences", "words"),
    [
        (
            [(-0.004, 0.006), (0.24, 0.1)],
            "are nearly idle, for as soon as they are gone 0.4 points",
        ),
        ([(-0.004, 0.006), (0.24, 0.1)], "at most 1.0 by the interval, without random ones 24.4"),
        ([(-0.004, 0.1), (0.24, 0.1)], "are not shown to be nearly idle"),
        ([(-0.1, 0.01), (0.1, 0.01)], "idle, for as soon as they are gone 10.0 points"),
        ([(0.0, 0.01), (0.2, 0.1)], "hides what the choice was worth"),
        (
            [(0.0, 0.01), (0.2, 0.1), (0.0, 0.01), (0.1, 0.05)],
            "better than dice before .* and after",
        ),
        ([(0.0, 0.01), (0.2, 0.3), (0.0, 0.01), (0.1, 0.05)], "only after the training on"),
        ([(0.0, 0.01), (0.2, 0.3)], "better than dice at neither moment"),
    ],
)
def test_the_conclusion_follows_from_the_intervals(differences, words):
    told = radio.in_words(found(*differences), STUDY)
    assert re.search(words, told) and "Read so, and no verdict: " in told  # n = 5 of ten


def test_without_intervals_nothing_is_concluded():
    nothing = found((0.0, float("nan")), (0.2, 0.1))
    words = radio.in_words(nothing, STUDY)
    assert f"{LAST} {BEFORE}, less {FULL}: +0.0 points, which has no interval." in words
    assert "Read so" not in words and "n = 5 base networks, not adjusted; a verdict takes" in words


def test_of_the_committed_rows_both_moments_are_set_against_both_floors():
    """Seed by seed; the whole network stands at the number of blocks of the others."""
    rows = committed(STUDY, "radio", folder="llm_pruning")["radio"]
    numbers = {
        key: difference_to_floor(radio.under(rows), way).numbers
        for key, way in radio.set_against(STUDY).items()
    }
    shown = radio.side_by_side(numbers)
    assert list(shown.columns)[::2] == [f"{moment}, less {FULL}" for moment in radio.MOMENTS]
    assert shown[f"{BEFORE}, less {FULL}"][FULL] == "" and set(shown.index) == set(rows.method)
    means = rows.groupby(["method", "seed"]).accuracy_before.mean().unstack("method")
    [line] = numbers[BEFORE, RANDOM].query("method == @LAST").itertuples()
    assert line.difference == pytest.approx((means[LAST] - means[RANDOM]).mean())
    assert line.n == len(means)


def test_epochs_are_those_of_the_recipes():
    rows = pd.DataFrame({"base_recipe": ["Adam epochs=4 fp32"], "recipe": ["Adam epochs=2 fp32"]})
    assert (
        "for the 2 epochs after the cut alone, all others for 4 + 2 = 6"
        in radio.epochs_in_words(rows)
    )

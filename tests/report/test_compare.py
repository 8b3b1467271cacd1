"""Comparisons: scipy's own tests as twins, Holm and power by hand, directions, few seeds."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from foqus_lib.experiment.study import Metric
from foqus_lib.report import compare
from foqus_lib.report.differences import difference_text, difference_to_floor
from tests.report.made_up import STUDY, by_method, rows

RNG = np.random.default_rng(0)
ACCURACY = Metric("accuracy", "accuracy", points=True)


def trials(values):
    """Values by (seed, repeat), one line a seed."""
    values = np.asarray(values, float)
    values = values.reshape(len(values), -1)
    index = pd.MultiIndex.from_product([range(len(values)), range(values.shape[1])],
                                       names=["seed", "repeat"])  # fmt: skip
    return pd.Series(values.ravel(), index)


def test_paired_equals_scipy_on_the_means_of_the_seeds():
    ours, theirs = RNG.normal(size=(2, 7, 3))
    found = compare.compare(trials(ours), trials(theirs))
    twin = stats.ttest_rel(ours.mean(1), theirs.mean(1))
    assert found["p"] == pytest.approx(twin.pvalue)
    assert (found["low"], found["high"]) == pytest.approx(tuple(twin.confidence_interval(0.95)))
    assert found["n"] == 7 and found["each"] == pytest.approx(tuple((ours - theirs).mean(1)))


def test_welch_equals_scipy_on_the_means_of_the_seeds(monkeypatch):
    monkeypatch.setattr(compare, "PAIRED", False)
    ours, theirs = RNG.normal(size=(9, 3)), 3 * RNG.normal(size=(6, 2))
    found = compare.compare(trials(ours), trials(theirs))
    twin = stats.ttest_ind(ours.mean(1), theirs.mean(1), equal_var=False)
    assert found["p"] == pytest.approx(twin.pvalue)
    assert (found["low"], found["high"]) == pytest.approx(tuple(twin.confidence_interval(0.95)))
    assert found["n"] == 6
    squares = [side.mean(1).var(ddof=1) for side in (ours, theirs)]
    assert found["sd"] == pytest.approx(math.sqrt(sum(squares)))
    one = compare.compare(trials(ours[:1]), trials(theirs))
    assert one["n"] == 1 and one["difference"] == pytest.approx(ours[0].mean() - theirs.mean())
    assert math.isnan(one["sd"]) and math.isnan(one["low"])
    none = compare.compare(trials(ours[:1])[:0], trials(theirs))
    assert none["n"] == 0 and math.isnan(none["difference"]) and math.isnan(none["p"])


def test_repeats_are_no_seeds():
    """One seed with 50 repeats has n = 1; a seed that the floor lacks is left out."""
    one = trials(RNG.normal(size=(1, 50)))
    assert compare.compare(one, one - 1)["n"] == 1
    five = trials(np.arange(10.0).reshape(5, 2))
    lacking = (five - 1).drop([(4, 0), (4, 1)])
    assert compare.compare(five, lacking)["n"] == 4
    assert compare.compare(five, lacking)["difference"] == pytest.approx(1)


def test_all_repeats_of_a_row_count_where_the_other_has_fewer():
    """All data is trained once a seed, a coreset three times: all three count."""
    ours, once = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 1))
    found, back = (compare.compare(*map(trials, pair)) for pair in ((ours, once), (once, ours)))
    assert found["difference"] == pytest.approx(ours.mean() - once.mean())
    assert found["p"] == pytest.approx(stats.ttest_rel(ours.mean(1), once[:, 0]).pvalue)
    assert back["difference"] == pytest.approx(-found["difference"]) and back["n"] == 6


@pytest.mark.parametrize(("n", "interval"), [(1, False), (4, False), (5, True)])
def test_no_interval_below_five_seeds(n, interval):
    found = compare.compare(trials(RNG.normal(size=(n, 2))), trials(RNG.normal(size=(n, 2))))
    assert (found["low"] == found["low"]) == interval == (found["p"] == found["p"])


def test_a_study_may_ask_for_more_seeds_before_it_gives_a_verdict():
    """Five seeds without spread, 2 points apart: an interval, and a verdict only from ten on."""
    asks = replace(STUDY, verdict_from=10)
    here = {"methods": ("FoQuS", "Uniform"), "budgets": (100,)}
    five, ten = (
        difference_to_floor(rows(by_method, seeds=range(n), **here), asks) for n in (5, 10)
    )
    assert list(five.numbers.verdict) == ["n = 5: no verdict"]
    assert five.numbers.p.isna().all() and five.numbers.low.notna().all()
    assert "a verdict from n = 10 on; below, the interval" in five.note
    assert "the seeds' own differences" not in five.note and "Holm" not in five.note
    assert list(ten.numbers.verdict) == ["better"] and "a verdict from" not in ten.note
    assert list(five.text.iloc[0]) == ["+2.0 [+2.0, +2.1]"]


def test_holm_by_hand():
    """Sorted .01 .02 .03 .04: times 4, 3, 2, 1 is .04 .06 .06 .04, then never falling."""
    assert compare.holm(np.array([0.04, 0.01, 0.03, 0.02])) == pytest.approx(
        [0.06, 0.04, 0.06, 0.06]
    )
    assert list(compare.holm(np.array([0.9, 0.8]))) == [1, 1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_p_and_bonferroni(p):
    adjusted = compare.holm(np.array(p))
    assert (adjusted >= p).all() and (adjusted <= np.minimum(1, len(p) * np.array(p)) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= -1e-12).all()


def test_a_detectable_difference_is_detected_in_four_of_five_cases():
    """By simulation: n = 10, sd 1, a family of 5."""
    ours = trials(RNG.normal(size=(10, 1)))
    found = pd.DataFrame([compare.compare(ours, 0 * ours)] * 5).assign(family=0)
    size = compare.judged(found, ["family"], ACCURACY).detectable[0] / ours.std()
    drawn = stats.ttest_1samp(RNG.normal(size, size=(20_000, 10)), 0, axis=1)
    assert ((drawn.pvalue < 0.05 / 5) & (drawn.statistic > 0)).mean() == pytest.approx(
        0.8, abs=0.01
    )


@pytest.mark.parametrize(("size", "comparisons"), [(1.0, 1), (2.0, 5), (0.5, 40)])
def test_so_many_seeds_show_a_difference_and_one_less_does_not(size, comparisons):
    """By simulation; at sd 1, size 1 and one comparison tables of power say ten."""
    wanted = compare.seeds_that_show(size, 1.0, comparisons)
    assert wanted == 10 or (size, comparisons) != (1.0, 1)
    shares = {}
    for n in (wanted - 1, wanted):
        drawn = stats.ttest_1samp(RNG.normal(size, size=(20_000, n)), 0, axis=1)
        shown = (drawn.pvalue < compare.LEVEL / comparisons) & (drawn.statistic > 0)
        shares[n] = shown.mean()
    assert shares[wanted - 1] < 0.81 and shares[wanted] > 0.79


def test_a_verdict_needs_the_adjusted_p_and_knows_the_direction():
    p = pd.DataFrame({"p": [0.03, 0.04], "difference": [1.0, -1.0], "n": 5, "error": 1.0,
                      "freedom": 4, "family": [0, 0]})  # fmt: skip
    assert set(compare.judged(p, ["family"], ACCURACY).verdict) == {compare.UNSHOWN}
    at_level = compare.judged(p.assign(p=compare.LEVEL, family=[0, 1]), ["family"], ACCURACY)
    assert set(at_level.verdict) == {compare.UNSHOWN}
    apart = compare.judged(p.assign(family=[0, 1]), ["family"], ACCURACY)
    assert list(apart.verdict) == ["better", "worse"]
    lower = Metric("loss", "loss", higher_is_better=False)
    assert list(compare.judged(p.assign(family=[0, 1]), ["family"], lower).verdict) == [
        "worse", "better",
    ]  # fmt: skip
    few = compare.judged(p.assign(p=np.nan, n=2), ["family"], ACCURACY)
    assert set(few.verdict) == {"n = 2: no verdict"} and few.detectable.isna().all()


def test_no_spread_at_all():
    flat = trials(np.ones((5, 2)))
    assert compare.compare(flat, flat)["p"] == 1 and compare.compare(flat + 1, flat)["p"] == 0


def test_bold_is_every_row_not_shown_to_be_worse():
    """FoQuS leads by 2 points without spread; B is within noise of it; C has four seeds."""
    base = {"FoQuS": 0.02, "B": 0.019, "Uniform": 0.0, "C": 0.5}
    noise = RNG.normal(scale=0.002, size=5)
    data = rows(lambda m, b, s, r: 0.5 + base[m] + noise[s] * (m == "B"), methods=base)
    data = data[(data.budget == 100) & ~((data.method == "C") & (data.seed == 4))]
    assert sorted(compare.not_worse_than_best(data, STUDY)) == ["B", "FoQuS"]
    lower = replace(STUDY, metrics=(Metric("accuracy", "loss", higher_is_better=False),))
    assert compare.not_worse_than_best(data, lower) == ["Uniform"]
    assert compare.not_worse_than_best(data[data.seed < 4], STUDY) == []


def test_bold_is_taken_from_nobody_before_adjustment():
    """One of ten that are level is below 0.05 by chance: p is 0.03 alone, 0.3 among ten."""
    steps = np.array([-1.0, 0, 1, 2, 3])  # of mean 1, sd 1.58: t = 1.414
    near = {f"M{i}": -0.001 - 0.01 * steps for i in range(9)}
    near["far"] = -0.02 - 0.0105 * steps
    data = rows(lambda m, b, s, r: 0.5 + near.get(m, np.zeros(5))[s], methods=["best", *near],
                budgets=[100], repeats=[0])  # fmt: skip
    series = {m: compare.by_trial(g, ACCURACY) for m, g in data.groupby("method")}
    assert 0.005 < compare.compare(series["far"], series["best"])["p"] < compare.LEVEL
    assert "far" in compare.not_worse_than_best(data, STUDY)
    alone = data[data.method.isin(["best", "far"])]
    assert compare.not_worse_than_best(alone, STUDY) == ["best"]


def test_a_row_that_is_above_the_best_at_every_seed_of_both_keeps_its_bold():
    """B has the five high seeds alone, so its mean is the highest; A leads by a point at each."""
    noise = RNG.normal(scale=1e-4, size=10)
    data = rows(lambda m, b, s, r: 0.05 * (s < 5) + (0.01 + noise[s]) * (m == "A"),
                methods=["A", "B"], budgets=[100], seeds=range(10), repeats=[0])  # fmt: skip
    data = data[(data.method == "A") | (data.seed < 5)]
    assert sorted(compare.not_worse_than_best(data, STUDY)) == ["A", "B"]


def test_the_best_is_that_of_the_seeds_though_one_seed_has_more_repeats():
    """B leads at seven seeds of eight; A's forty trials at the eighth lift the mean of trials."""
    data = rows(lambda m, b, s, r: 0.5 + (m == "A") * (0.02 if s == 7 else -0.1),
                methods=["A", "B"], budgets=[100], seeds=range(8), repeats=range(40))  # fmt: skip
    data = data[(data.repeat == 0) | ((data.method == "A") & (data.seed == 7))]
    of_trials = data.groupby("method").accuracy.mean()
    assert of_trials["A"] > of_trials["B"]
    assert compare.not_worse_than_best(data, STUDY) == ["B"]


def test_pairing_by_hand():
    """A method that follows the floor: correlation 1, no paired spread. Welch's would be sqrt 2."""
    walk = RNG.normal(size=(6, 2))
    data = rows(lambda m, b, s, r: walk[s, r], methods=["FoQuS", "Uniform"],
                budgets=[100], seeds=range(6))  # fmt: skip
    [row] = compare.pairing(data, STUDY).to_dict("records")
    assert (row["budget"], row["methods"], row["seeds"], row["trials"]) == (100, 1, 6, 12)
    assert row["correlation_seeds"] == pytest.approx(1) == row["correlation_repeats"]
    assert row["paired_sd"] == pytest.approx(0)
    assert row["unpaired_sd"] == pytest.approx(np.sqrt(2) * walk.mean(1).std(ddof=1))
    lacking = data[(data.method == "FoQuS") | (data.repeat == 0)]  # its seeds keep their means
    [row] = compare.pairing(lacking, STUDY).to_dict("records")
    assert (row["trials"], row["correlation_repeats"]) == (6, pytest.approx(1))
    assert row["paired_sd"] == pytest.approx((walk.mean(1) - walk[:, 0]).std(ddof=1))


def test_pairing_of_several_methods_by_hand():
    """Twice the floor, minus the floor, and one that has but five of its six seeds."""
    floor = np.array([0.0, 1, 3, 2, 6, 4])
    of = {"Uniform": floor, "A": 2 * floor, "B": -floor, "C": np.array([2.0, 0, 1, 1, 9, 0])}
    data = rows(lambda m, b, s, r: of.get(m, 9 * floor)[s], methods=[*of, "All data"],
                budgets=[10_000], seeds=range(6), repeats=[0])  # fmt: skip
    [row] = compare.pairing(data[(data.method != "C") | (data.seed < 5)], STUDY).to_dict("records")
    third = np.corrcoef(of["C"][:5], floor[:5])[0, 1]
    assert (row["methods"], row["seeds"], row["trials"]) == (3, 5, 5)  # the ceiling is none
    assert (row["lowest"], row["highest"]) == pytest.approx((-1, 1))
    assert row["correlation_seeds"] == row["correlation_repeats"] == pytest.approx(third / 3)
    var = floor.var(ddof=1)
    paired = [var, 4 * var, (of["C"] - floor)[:5].var(ddof=1)]
    unpaired = [5 * var, 2 * var, of["C"][:5].var(ddof=1) + floor[:5].var(ddof=1)]
    assert row["paired_sd"] == pytest.approx(np.sqrt(np.mean(paired)))
    assert row["unpaired_sd"] == pytest.approx(np.sqrt(np.mean(unpaired)))
    assert row["ratio"] == pytest.approx(row["paired_sd"] / row["unpaired_sd"])


@pytest.mark.parametrize(
    ("floor", "known"), [([1, 2], False), ([1, 2, 4], True), ([0.1] * 3, False)]
)
def test_a_correlation_wants_three_seeds_that_differ(floor, known):
    data = rows(lambda m, b, s, r: (floor if m == "Uniform" else [1, 3, 2])[s], budgets=[100],
                methods=["Uniform", "A"], seeds=range(len(floor)), repeats=[0])  # fmt: skip
    [row] = compare.pairing(data, STUDY).to_dict("records")
    assert math.isfinite(row["correlation_seeds"]) == known


def test_where_pairs_break_even_by_hand():
    """t of 18 and of 9 degrees of freedom at 95 %, from any table: 2.101 and 2.262."""
    assert compare.break_even(10) == pytest.approx(2.101 / 2.262, abs=1e-3)
    assert compare.break_even(5) < compare.break_even(10) < 1 and math.isnan(compare.break_even(1))
    assert compare.break_even(10, 0.01) == pytest.approx(2.878 / 3.250, abs=1e-3)  # at 99 %


def test_the_strictest_level_is_that_of_all_methods_and_budgets_of_a_block():
    table = compare.pairing(rows(by_method), STUDY)
    family = table.methods.sum()
    assert family == 4
    assert list(table.strictest) == [compare.break_even(5, compare.LEVEL / family)] * 2


def test_how_often_shuffled_seeds_correlate_as_much_by_hand():
    """The floor itself: only one order of five in 120 is as high; and against a mirror image."""
    floor = np.array([0.0, 1, 3, 2, 7])
    of = {"Uniform": floor, "A": 3 * floor}
    data = rows(lambda m, b, s, r: of[m][s], methods=of, budgets=[100], repeats=[0])
    [row] = compare.pairing(data, STUDY).to_dict("records")
    assert row["shuffled"] == pytest.approx(1 / 120)
    of["A"] = -floor
    data = rows(lambda m, b, s, r: of[m][s], methods=of, budgets=[100], repeats=[0])
    [row] = compare.pairing(data, STUDY).to_dict("records")
    assert row["shuffled"] == pytest.approx(1)
    [row] = compare.pairing(data[data.seed < 4], STUDY).to_dict("records")
    assert math.isnan(row["shuffled"])  # as an interval, it wants five


def test_where_nothing_varies_pairing_has_no_ratio():
    [row] = compare.pairing(rows(lambda *_: 0.5, budgets=[100]), STUDY).to_dict("records")
    assert row["unpaired_sd"] == 0 and math.isnan(row["ratio"])


def test_pairing_of_strangers_is_low():
    draws = {m: RNG.normal(size=(400, 1)) for m in ("FoQuS", "Uniform")}
    data = rows(lambda m, b, s, r: draws[m][s, r], methods=draws, budgets=[100], seeds=range(400),
                repeats=[0])  # fmt: skip
    [row] = compare.pairing(data, STUDY).to_dict("records")
    assert abs(row["correlation_seeds"]) < 0.15 and row["ratio"] == pytest.approx(1, abs=0.1)


def test_pairing_without_a_floor_or_seeds_is_empty_or_nan():
    data = rows(by_method)
    assert compare.pairing(data[data.method != "Uniform"], STUDY).empty
    few = compare.pairing(rows(by_method, seeds=(0,), repeats=(0,)), STUDY)
    assert few[["correlation_seeds", "paired_sd", "unpaired_sd", "ratio"]].isna().all(axis=None)


# ---- the table of differences --------------------------------------------------------------------


def test_verdicts_by_hand():
    table = difference_to_floor(rows(by_method), STUDY)
    verdicts = table.numbers.set_index(["method", "budget"]).verdict
    assert verdicts["FoQuS", 100] == "better" and verdicts["Herding", 100] == compare.UNSHOWN
    flipped = rows(lambda *key: 1 - by_method(*key))
    numbers = difference_to_floor(flipped, STUDY).numbers.set_index("method")
    assert set(numbers.verdict["FoQuS"]) == {"worse"}
    assert difference_to_floor(flipped, STUDY).text.loc["FoQuS", "1 %"].endswith("-2.0] worse")
    assert table.text.loc["FoQuS", "1 %"] == "+2.0 [+2.0, +2.1] better"
    assert table.bold.loc["FoQuS"].all() and not table.bold.loc["Herding"].any()
    assert "All data" not in set(table.numbers.method)
    assert "adjustment over the 4 comparisons (all methods and budgets)" in table.note
    low, high = 100 * table.numbers.detectable.min(), 100 * table.numbers.detectable.max()
    assert f"with 80 % power is at most {low:.1f} to {high:.1f} points, depending" in table.note


def test_the_seeds_that_would_show_two_points_are_said_for_each_budget():
    """Twice the spread wants more of them; each by `seeds_that_show` from its own median."""
    noise = np.random.default_rng(1).normal(scale=0.02, size=(3, 6))
    methods = ["Uniform", "CD", "FoQuS"]

    def spread(method, budget, seed, repeat):
        return 0.5 + noise[methods.index(method), seed] * (1 if budget == 100 else 2)

    table = difference_to_floor(rows(spread, methods=methods, seeds=range(6)), STUDY)
    sds = table.numbers.groupby("budget").sd.median()
    few, many = (compare.seeds_that_show(0.02, sd, 4) for sd in sds)
    assert few < many
    told = f"show 2.0 points, at the median spread over seeds: {few} at 1 %, {many} at 5 %."
    assert told in table.note


def test_two_seeds_show_themselves_and_no_verdict():
    table = difference_to_floor(rows(by_method, seeds=(0, 1)), STUDY)
    assert set(table.numbers.verdict) == {"n = 2: no verdict"}
    assert table.text.loc["FoQuS", "1 %"] == "+2.0, +2.1 (n = 2: no interval)"
    assert not table.bold.any(axis=None) and "Below n = 5" in table.note


def test_a_study_may_withhold_verdicts_from_methods():
    """Their intervals stay; the others are adjusted among themselves."""
    study = replace(STUDY, unjudged=("Herding", "no row"))
    data = rows(by_method, methods=("FoQuS", "Herding", "Uniform", "A"))
    table, before = difference_to_floor(data, study), difference_to_floor(data, STUDY)
    line = table.numbers[table.numbers.method == "Herding"]
    assert set(line.verdict) == {"n = 5: no verdict"} and line.low.notna().all()
    assert table.text.loc["Herding", "1 %"] == before.text.loc["Herding", "1 %"]
    assert "over the 4 comparisons" in table.note and "over the 6 comparisons" in before.note
    assert "No verdict on Herding: a seed hardly moves them" in table.note
    assert "gives a verdict from" not in table.note and "No verdict" not in before.note
    assert table.text.loc["FoQuS", "1 %"].endswith("better")


def test_each_block_is_a_family():
    pairs = (("CNN1D", "CNN1D"), ("CNN2D", "CNN1D"))
    table = difference_to_floor(rows(by_method, pairs=pairs), STUDY)
    assert "over the 4 comparisons of a block" in table.note and len(table.numbers) == 8


def noisy(method, budget, seed, repeat):
    if method == "All data":
        return 0.9
    return 0.5 + np.random.default_rng([len(method), budget, seed, repeat]).normal(scale=0.01)


def test_a_family_is_all_methods_and_budgets_of_a_block():
    """Three methods at two budgets: six, whatever the other block has."""
    pairs, methods = (("CNN1D", "CNN1D"), ("CNN2D", "CNN1D")), ("Uniform", "A", "BB", "CCC")
    data = rows(noisy, pairs=pairs, methods=methods)
    lone = (data.method.isin(["BB", "CCC"]) | (data.budget == 500)) & (data.method != "Uniform")
    data = data[(data.selection_model != "CNN2D") | ~lone]
    table = difference_to_floor(data, STUDY)
    for block, size in (("CNN1D", 6), ("CNN2D", 1)):
        here = table.numbers[table.numbers.selection_model == block]
        assert len(here) == size and list(here.p_holm) == list(compare.holm(here.p.to_numpy()))
        found = pd.DataFrame([compare.compare(trials([0, 1, 2, 3, 4]), trials([0] * 5))] * size)
        least = compare.judged(found.assign(of=0), ["of"], ACCURACY).detectable[0]
        error = here.sd.to_numpy() / math.sqrt(5)
        assert here.detectable.to_numpy() / error == pytest.approx(least / math.sqrt(0.5))
    assert "adjustment over the 1 to 6 comparisons of a block" in table.note
    low, high = 100 * table.numbers.detectable.min(), 100 * table.numbers.detectable.max()
    assert f"with 80 % power is at most {low:.1f} to {high:.1f} points, depending" in table.note


def test_the_note_of_one_comparison():
    table = difference_to_floor(rows(noisy, methods=("Uniform", "A"), budgets=(100,)), STUDY)
    assert "over the 1 comparison (all methods" in table.note
    assert f"80 % power is at most {100 * table.numbers.detectable[0]:.1f} points." in table.note


def test_n_is_told_once_where_it_differs():
    data = rows(by_method, seeds=range(6), methods=("Uniform", "A", "BB", "CCC"), budgets=(100,))
    lacking = data[data.seed <= data.method.map({"BB": 4, "CCC": 1}).fillna(5)]
    text = difference_to_floor(lacking, STUDY).text["1 %"]
    assert text["A"].endswith("(n = 6)") and text["BB"].endswith("(n = 5)")
    assert text["CCC"] == "+0.0, +0.0 (n = 2: no interval)"


def test_a_seed_without_a_floor_is_counted_not_used():
    data = rows(by_method, seeds=range(6))
    lacking = data[~((data.method == "Uniform") & (data.seed == 5) & (data.budget == 100))]
    table = difference_to_floor(lacking, STUDY)
    assert set(table.numbers.n[table.numbers.budget == 100]) == {5}
    assert "4 rows have no Uniform of their seed: left out." in table.note
    assert table.text.loc["FoQuS", "1 %"].endswith("(n = 5) better")


def test_without_a_floor():
    data = rows(by_method)
    without = data[data.method != "Uniform"]
    with pytest.raises(ValueError, match="no row of Uniform; add it to the methods"):
        difference_to_floor(without, STUDY)
    table = difference_to_floor(without, STUDY, "Uniform failed: loss is NaN")
    assert set(table.text.to_numpy().ravel()) == {"–"}
    assert "not finished: Uniform failed: loss is NaN." in table.note
    part = data[~((data.method == "Uniform") & (data.budget == 500))]
    table = difference_to_floor(part, STUDY)
    assert list(table.text.loc["FoQuS"]) == ["+2.0 [+2.0, +2.1] better", "–"]


def test_the_difference_of_another_study_is_no_number_of_points():
    from dataclasses import replace

    layers = replace(STUDY, metrics=(Metric("kept", "layers kept"),), block=(), settings=())
    data = rows(by_method).drop_duplicates(["method", "budget", "seed", "repeat"])
    data = data.assign(kept=data.seed + (data.method == "FoQuS"))
    table = difference_to_floor(data, layers)
    assert table.text.loc["FoQuS", "1 %"] == "+1 [+1, +1] better"
    assert "of layers kept" in table.note
    assert difference_text(0.12345, layers.metrics[0]) == "+0.123"

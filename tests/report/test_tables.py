"""Tables: numbers worked by hand, nothing missing in silence, nothing mixed, nothing unescaped."""

import csv
import math
from dataclasses import replace

import pandas as pd
import pytest

from foqus_lib.experiment.study import Axis, Metric
from foqus_lib.report import compare, means, paper
from foqus_lib.report.curves import accuracy_by_snr, budget_curve
from foqus_lib.report.differences import difference_to_floor
from foqus_lib.report.forests import forest
from foqus_lib.report.means import budget_table
from foqus_lib.report.printed import frame, show, write_csv
from tests.report.made_up import STUDY, by_method, rows

BESIDE = paper.beside("RML2016.10a-like")
CROSS = (("CNN1D", "CNN1D"), ("CNN2D", "CNN1D"))


def test_mean_sd_n_and_the_papers_number_by_hand():
    table = budget_table(rows(by_method), STUDY, BESIDE)
    numbers = table.numbers[table.numbers.column != "Avg"].set_index(["method", "budget"])
    uniform = numbers.loc[("Uniform", 100)]
    assert uniform["mean"] == pytest.approx(0.41 + 0.02 + 0.002)  # seeds 0..4, repeats 0 and 1
    assert uniform.sd == pytest.approx(0.01 * math.sqrt(2.5))  # of the seeds' means
    assert (uniform.n, uniform.repeats) == (5, 2)
    assert uniform.paper == 0.2907  # Table I, RML2016.10a, CNN1D
    average = table.numbers.set_index(["method", "column"]).loc[("Uniform", "Avg")]
    assert average["mean"] == pytest.approx(0.452) and pd.isna(average.budget)
    assert average.paper == pytest.approx((0.2907 + 0.4587) / 2)  # over our two budgets
    assert table.text.loc["Uniform (floor)", "1 %"] == "0.432 ± 0.016"
    assert table.text.loc["Uniform (floor)", "paper 1 %"] == "0.2907"
    assert "(n = 5 seeds x 2 repeats)" in table.note and "Simulated" in table.note
    assert "not our data (RML2016.10a-like)" in table.note


def test_order_floor_ceiling_and_best():
    table = budget_table(rows(by_method), STUDY, BESIDE)
    assert list(table.text.index) == ["Uniform (floor)", "Herding", "FoQuS", "All data (ceiling)"]
    columns = ["1 %", "paper 1 %", "5 %", "paper 5 %", "Avg of 1, 5 %", "paper Avg of 1, 5 %"]
    assert list(table.text.columns) == columns
    assert list(table.text.loc["All data (ceiling)"]) == ["0.900 ± 0.000", ""] * 3
    assert list(table.bold.loc["FoQuS"]) == [True, False] * 3
    assert not table.bold.drop(index="FoQuS").any(axis=None)


def test_a_ceiling_that_rows_may_pass_is_headed_otherwise():
    study = replace(STUDY, reference="All data, same recipe")
    table = budget_table(rows(by_method), study)
    assert table.text.index[-1] == "All data, same recipe"
    assert not table.bold.loc["All data, same recipe"].any()


def test_bold_is_not_the_best_alone():
    data = rows(lambda m, b, s, r: by_method(m, b, s, r) - (0.02 if m == "FoQuS" else 0))
    table = budget_table(data, STUDY)
    assert table.bold["1 %"].to_dict() == {
        "Uniform (floor)": True, "Herding": True, "FoQuS": True, "All data (ceiling)": False,
    }  # fmt: skip
    few = budget_table(rows(by_method, seeds=range(4)), STUDY)
    assert not few.bold.any(axis=None) and "n = 5 or more" in few.note


def test_the_floor_is_shared_by_all_blocks():
    reported = paper.beside("RML2016.10a-like")
    table = budget_table(rows(by_method, pairs=CROSS), STUDY, reported)
    uniform = table.numbers[(table.numbers.method == "Uniform") & (table.numbers.column == "1 %")]
    assert set(uniform.selection_model) == {"CNN1D", "CNN2D"}
    assert uniform["mean"].nunique() == 1
    assert list(uniform.paper) == [0.2907, 0.4723]  # Tables I and III
    assert table.text.index.names == ["Selection model → evaluation model", "Method"]
    methods = ["Uniform (floor)", "Herding", "FoQuS", "All data (ceiling)"]
    blocks = [f"{model} → CNN1D" for model in ("CNN1D", "CNN2D")]
    assert list(table.text.index) == [(block, method) for block in blocks for method in methods]
    assert list(table.numbers.column) == ["1 %", "5 %", "Avg"] * 8


def test_one_seed_has_no_spread_and_says_so():
    table = budget_table(rows(by_method, seeds=(0,), repeats=(0,)), STUDY)
    assert table.text.loc["FoQuS", "1 %"] == "0.430 ± –"
    assert "n = 1 seed x 1 repeat" in table.note and table.numbers.sd.isna().all()


def test_repeats_are_the_most_that_a_seed_has():
    data = rows(by_method, methods=("Uniform",), budgets=(100,))
    lacking = data[(data.seed > 0) | (data.repeat == 0)]
    [found] = means.spread(lacking, ["method"], STUDY.metrics[0]).to_dict("records")
    assert (found["n"], found["repeats"]) == (5, 2)


def test_a_ceiling_alone_is_a_table():
    table = budget_table(rows(by_method, methods=("All data",)), STUDY)
    assert table.text.to_numpy().tolist() == [["0.900 ± 0.000"]]
    assert list(table.text.columns) == ["100 %"]


def test_the_papers_average_is_over_our_budgets_or_none():
    table = budget_table(rows(by_method, budgets=(100, 200)), STUDY, BESIDE)
    assert table.text.loc["Uniform (floor)", "paper 1 %"] == "0.2907"
    average = table.text.loc["Uniform (floor)", "paper Avg of 1, 2 %"]
    assert average == ""  # it prints nothing at 2 %


def test_the_papers_own_data_are_not_called_others():
    own = budget_table(rows(by_method, dataset="RML2016.10a"), STUDY, paper.beside("RML2016.10a"))
    assert "of RML2016.10a." in own.note and "not our data" not in own.note


def test_budgets_are_in_order_though_the_first_row_lacks_one():
    data = rows(by_method)
    table = budget_table(data[(data.method != "Uniform") | (data.budget != 100)], STUDY)
    assert list(table.text.columns) == ["1 %", "5 %", "Avg of 1, 5 %"]


def test_a_strangers_data_have_no_paper_beside():
    for name in ("my own", "rml2016_04c_8cls"):
        table = budget_table(rows(by_method, dataset=name), STUDY, paper.beside(name))
        assert list(table.text.columns) == ["1 %", "5 %", "Avg of 1, 5 %"]
        assert "paper" not in table.note.lower()


def test_b03_missing_trials_are_named():
    full = rows(by_method, seeds=range(6))
    lacking = full[~((full.method == "FoQuS") & (full.budget == 500) & (full.seed == 5))]
    table = budget_table(lacking, STUDY)
    lost = "FoQuS at 5 % (10 of 12: no seed 5 repeat 0, ...)."
    assert f"Fewer trials than others in its column: {lost}" in table.note
    assert (
        "(1 %, All data: n = 6 seeds x 2 repeats; 5 %: n = 5 to 6 seeds x 2 repeats)" in table.note
    )
    assert table.text.loc["FoQuS", "5 %"].endswith("(n = 5)")
    average = table.numbers[(table.numbers.method == "FoQuS") & (table.numbers.column == "Avg")]
    assert list(average.n) == [5]  # only seeds that have every budget
    unfinished = budget_table(full, STUDY, None, "3 of 4 done; Herding failed: loss is NaN").note
    assert "not finished: 3 of 4 done; Herding failed: loss is NaN." in unfinished


def test_a_method_that_lacks_a_budget_has_no_average():
    full = rows(by_method)
    table = budget_table(full[~((full.method == "FoQuS") & (full.budget == 500))], STUDY)
    assert list(table.text.loc["FoQuS"]) == ["0.452 ± 0.016", "", ""]
    assert "No trials: FoQuS at 5 %. " in table.note and "Fewer" not in table.note


def test_what_differs_within_a_table_is_named():
    data = rows(by_method)
    data.loc[data.method == "FoQuS", ["torch", "git", "evaluation_recipe"]] = [
        "2.12.0", "b" * 40 + "+dirty", "SGD",
    ]  # fmt: skip
    note = budget_table(data, STUDY).note
    assert "Torch differs: 2.13.0 (50 rows), 2.12.0 (20 rows: FoQuS)." in note
    assert "Git differs: aaaaaaaaa (50 rows), bbbbbbbbb+dirty (20 rows: FoQuS)." in note
    assert "Evaluation recipe differs: Adam (50 rows), SGD (20 rows: FoQuS)." in note
    assert "Device" not in note and "Selection recipe: Adam." in note


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("fingerprint", "other", "rows mix 2 values of fingerprint for RML2016.10a-like"),
        ("versions", "other", "rows mix 2 values of versions"),
        ("version", 2, "expected version 1, got 1, 2"),
        ("study", "mixing", "expected study coreset, got coreset, mixing"),
    ],
)
def test_rows_that_must_not_be_mixed(field, value, words):
    full = rows(by_method)
    mixed = pd.concat([full, full.assign(seed=full.seed + 5, **{field: value})])
    with pytest.raises(ValueError, match=words):
        budget_table(mixed, STUDY)


def test_two_methods_must_share_the_code_that_both_ran():
    """The floor of an older training loop is no floor of a newer one; a selector is its own."""
    full = rows(by_method)
    same = full.assign(versions="fit=2 " + full.method.str.replace(" ", "-") + "=1")
    assert len(budget_table(same, STUDY).numbers)
    older = same.assign(versions=same.versions.where(same.method != "Uniform", "fit=1 Uniform=1"))
    words = r"rows mix versions of fit: fit=2 \(FoQuS\), fit=1 \(Uniform\)"
    with pytest.raises(ValueError, match=words):
        budget_table(older, STUDY)


def test_a_trial_without_the_number_does_not_count():
    """n is of seeds that have one, and a method that has none is never the best."""
    full = rows(by_method, methods=("FoQuS", "Herding", "Uniform"))
    lacking = full.copy()
    lacking.loc[(lacking.method == "FoQuS") & (lacking.seed > 1), "accuracy"] = float("nan")
    numbers = budget_table(lacking, STUDY).numbers.set_index(["method", "column"])
    assert numbers.n["FoQuS", "1 %"] == 2 and numbers.n["Uniform", "1 %"] == 5
    for method in ("FoQuS", "Herding"):
        none = full.copy()
        none.loc[none.method == method, "accuracy"] = float("nan")
        best = budget_table(none, STUDY).numbers.set_index(["method", "column"]).best
        assert not best[method, "1 %"]
        there = budget_table(full[full.method != method], STUDY).numbers
        there = there.set_index(["method", "column"]).best
        assert best[there.index].equals(there)


def test_an_average_of_fewer_seeds_says_so():
    full = rows(by_method)
    assert "Avg: over" not in budget_table(full, STUDY).note
    fewer = full[(full.budget != 500) | (full.seed < 3)]
    assert "Avg: over the seeds that a row has in every column" in budget_table(fewer, STUDY).note


def test_repeated_and_absent_rows_are_refused():
    full = rows(by_method)
    with pytest.raises(ValueError, match="rows give a trial twice"):
        budget_table(pd.concat([full, full]), STUDY)
    with pytest.raises(ValueError, match="no result rows"):
        budget_table(full[:0], STUDY)
    with pytest.raises(ValueError, match="missing columns repeat, versions"):
        budget_table(full.drop(columns=["repeat", "versions"]), STUDY)


def test_a_study_of_another_kind():
    """No block, another axis, no ceiling: a chapter that counts layers."""
    study = replace(
        STUDY, axis=Axis("layers kept", lambda n: f"{n} layers"), settings=(), block=(),
        ceiling=None, floor="Herding",
    )  # fmt: skip
    data = rows(by_method, budgets=(2, 4), methods=("FoQuS", "Uniform", "Herding"))
    table = budget_table(data, study)
    assert list(table.text.columns) == ["2 layers", "4 layers", "Avg of 2, 4 layers"]
    assert list(table.text.index) == ["Herding (floor)", "Uniform", "FoQuS"]
    assert "ceiling" not in table.note


def test_a_ceiling_with_a_budget_is_compared_with_nothing():
    data = rows(by_method)
    study = replace(STUDY, uncompared=("Herding",))
    less = difference_to_floor(data, study).numbers
    assert set(less.method) == {"FoQuS"} and "Herding" in set(data.method)
    both = difference_to_floor(data, STUDY).numbers.set_index(["method", "budget"])
    for row in less.itertuples():  # of the family as well, so that no p is raised for it
        assert row.p == both.p[row.method, row.budget]
        assert row.p_holm == pytest.approx(compare.holm(less.p.to_numpy())[row.Index])
    table = budget_table(data[data.method != "FoQuS"], study)
    assert table.bold.loc["Uniform (floor)"].all() and not table.bold.loc["Herding"].any()


def test_an_arrow_stands_between_the_two_models_alone():
    """It means: selects → is trained. "ResNet20 → cut to 4 blocks" would be no sentence."""
    other = replace(STUDY, block=("network", "form"), settings=("form", "network"))
    data = rows(by_method, pairs=CROSS)
    table = budget_table(data.assign(network="ResNet20", form=data.selection_model), other)
    assert table.text.index.names == ["Network, form", "Method"]
    assert table.text.index.get_level_values(0)[0].startswith("ResNet20, ")


def test_b04_names_from_data_are_escaped():
    data = rows(by_method, dataset="<script>alert(1)</script>", pairs=CROSS)
    data = pd.concat([data, rows(by_method, dataset="b")])
    page = show(budget_table(data, STUDY), "Table <b>").data
    assert "<script>" not in page and "<b>" not in page
    assert page == show(budget_table(data, STUDY), "Table <b>").data
    assert 'class="dataframe"' in page and "font-weight: bold" in page and "n = 5" in page


def test_a_plain_frame_is_escaped_and_an_index_that_counts_is_left_out():
    found = pd.DataFrame({"method": ["<b>"], "rho": [0.12345], "n": [5], "lost": [float("nan")]})
    page = frame(found, "rho", {"rho": "{:+.2f}"}).data
    assert 'id="T_rho" class="dataframe"' in page and "row_heading" not in page
    assert "&lt;b&gt;" in page and ">+0.12<" in page and ">5<" in page and ">–<" in page
    named = frame(found.set_index("method"), "rho").data
    assert "row_heading" in named and "<b>" not in named and ">0.123<" in named
    assert frame(None, "rho") is None


def test_csv_for_pages(tmp_path):
    table = budget_table(rows(by_method), STUDY, BESIDE)
    write_csv(table, tmp_path / "a" / "table.csv")
    with open(tmp_path / "a" / "table.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0][:3] == ["Method", "1 %", "paper 1 %"]
    assert lines[3][:3] == ["FoQuS", "**0.452 ± 0.016**", "0.5410"]
    assert [len(line) for line in lines] == [7] * 5


def test_numbers_are_plain_and_tidy():
    numbers = budget_table(rows(by_method), STUDY, BESIDE).numbers
    assert not numbers.duplicated(["selection_model", "evaluation_model", "method", "column"]).any()
    assert numbers[["mean", "sd", "paper"]].dtypes.map(str).tolist() == ["float64"] * 3


def test_many_commits_are_counted_not_listed():
    data = rows(by_method)
    data["git"] = [f"{place % 7:040d}" for place in range(len(data))]
    assert "and 3 more." in budget_table(data, STUDY).note


def test_a_spread_has_the_decimals_of_its_mean():
    numbers = pd.DataFrame({"mean": [2.896, 6.25, 0.5], "sd": [0.0056991, 0.807, 0.02], "n": 3})
    assert means.mean_texts(numbers, Metric("loss", "nats")) == [
        "2.896 ± 0.006", "6.250 ± 0.807", "0.5000 ± 0.0200"
    ]  # fmt: skip
    below = numbers.assign(mean=-numbers["mean"])
    assert means.mean_texts(below, Metric("margin", "nats"))[0] == "-2.896 ± 0.006"
    assert (
        means.mean_texts(numbers, Metric("accuracy", "accuracy", points=True))[2] == "0.500 ± 0.020"
    )


@pytest.mark.parametrize("table", [budget_table, difference_to_floor])
def test_of_a_grid_without_a_row_there_is_the_note_alone(table):
    """A page shows the gap and its reason; without a reason no rows are a mistake."""
    none = rows(by_method)[:0]
    found = table(none, STUDY, unfinished="0 of 9 trials (9 failed; mud).")
    assert found.numbers.empty and found.text.empty
    assert "No result rows. The grid is not finished: 0 of 9 trials (9 failed; mud)." in found.note
    assert "mud" in show(found, "none").data
    with pytest.raises(ValueError, match="no result rows: run the sweep first"):
        table(none, STUDY)


def test_figures_of_a_grid_without_a_row_are_empty_panels():
    none = rows(by_method)[:0]
    figures = budget_curve(none, STUDY), accuracy_by_snr(none.assign(snr=0.0), STUDY)
    assert [len(figure.axes) for figure in (*figures, forest(none, STUDY, "mud"))] == [1, 1, 1]

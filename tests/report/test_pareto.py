"""What the capstone's table says of a row, by hand; the front itself in test_frontier."""

from dataclasses import replace

import pandas as pd
import pytest

from foqus_lib.experiment.study import Metric
from foqus_lib.report import pareto
from tests.report.made_up import STUDY, rows

PRICED = replace(
    STUDY, metrics=(STUDY.metrics[0], Metric("floats", "stored floats"), Metric("s", "seconds"))
)


def priced(budgets=(100,), **change):
    """All data 0.9 for 100 floats, FoQuS 0.6 and Uniform 0.5 for 10; seeds 0.01 apart."""
    level = {"All data": 0.9, "FoQuS": 0.6}
    data = rows(lambda m, b, s, r: level.get(m, 0.5) + 0.01 * s + 0.1 * r, methods=[
        "Uniform", "FoQuS", "All data"], budgets=budgets, **change)  # fmt: skip
    floats = data.method.map({"All data": 1e2}).fillna(10.0)
    seconds = (data.seed + data.repeat) / 2
    return data.assign(selection_model="CNN1D", floats=floats, s=seconds)


def test_means_are_over_seeds_each_the_mean_of_its_repeats():
    data = priced(seeds=range(3))
    found = pareto.means(data[(data.repeat == 0) | (data.seed == 0)], PRICED).set_index("method")
    assert found["mean"]["FoQuS"] == pytest.approx((0.65 + 0.61 + 0.62) / 3)
    assert found.sd["FoQuS"] == pytest.approx(pd.Series([0.65, 0.61, 0.62]).std())
    assert found.n["FoQuS"] == 3 and found.s["FoQuS"] == pytest.approx((0.25 + 0.5 + 1) / 3)


def test_the_table_by_hand():
    table = pareto.frontier_table(priced(repeats=[0]), PRICED, ["floats", "s"])
    text = table.text.reset_index()
    assert list(text.columns) == [
        "Method", "Rate |S|/N", "Accuracy", "n", "Stored floats", "Seconds"
    ]  # fmt: skip
    assert text.to_numpy().tolist() == [
        ["Uniform", "1 %", "0.520 ± 0.016", "5", "10", "1"],
        ["FoQuS", "1 %", "0.620 ± 0.016", "5", "● 10", "1"],
        ["All data", "all", "0.920 ± 0.016", "5", "● 100", "● 1"],
    ]
    assert table.numbers.floats_front.tolist() == [False, True, True]
    assert not table.bold.to_numpy().any() and table.bold.shape == table.text.shape


def test_below_the_table_stand_data_recipe_and_what_is_missing():
    note = pareto.frontier_table(priced(repeats=[0]), PRICED, ["s"], "2 trials failed").note
    recipe = priced().evaluation_recipe.iloc[0]
    assert f"Evaluation recipe: {recipe}." in note and "n = 5 seeds x 1 repeat" in note
    assert "The grid is not finished: 2 trials failed." in note
    assert note.endswith(
        "●: no row with a higher mean costs as little of that price; with few seeds that may be "
        "luck."
    )


def test_rows_stand_by_budget_then_method_whatever_their_order():
    table = pareto.frontier_table(priced((100, 500))[::-1], PRICED, ["floats"])
    assert [(rate, method) for method, rate in table.text.index] == [
        ("1 %", "Uniform"), ("1 %", "FoQuS"), ("5 %", "Uniform"), ("5 %", "FoQuS"),
        ("all", "All data"),
    ]  # fmt: skip


def test_blocks_are_named_where_there_are_several_and_stand_together():
    data = priced(repeats=[0], pairs=(("CNN1D", "CNN1D"), ("CNN1D", "CNN2D")))
    text = pareto.frontier_table(data, PRICED, ["floats"]).text.reset_index()
    named = list(zip(text["Evaluation model"], text.Method, strict=True))
    methods = ["Uniform", "FoQuS", "All data"]
    assert named == [(block, method) for block in ("CNN1D", "CNN2D") for method in methods]


def test_where_less_is_better_the_front_is_the_lowest():
    table = pd.DataFrame({"mean": [2.0, 1.0, 3.0], "floats": [1, 2, 3]})
    lower = Metric("loss", "loss", higher_is_better=False)
    assert list(pareto.on_front(table, ["floats"], lower).floats) == [True, True, False]


@pytest.mark.parametrize(("value", "text"), [
    (0, "0"), (0.0123, "0.012"), (9.96, "10"), (10, "10"), (12345.6, "12,346")
])  # fmt: skip
def test_a_price_in_words(value, text):
    assert pareto._price(value) == text

"""Tables: numbers worked by hand, nothing missing in silence, nothing mixed, nothing unescaped."""

import csv
import math

import pandas as pd
import pytest

from foqus_lib.experiment import cell
from foqus_lib.report import blocks, paper
from foqus_lib.report.printed import show, write_csv
from foqus_lib.report.tables import ablation_table, cross_table, rate_table, snr_table
from tests.report.made_up import by_method, by_snr, rows

REPORTED = paper.tables()
CROSS = (("CNN1D", "CNN1D"), ("CNN2D", "CNN1D"))


def test_the_words_are_those_of_the_grid():
    assert blocks.NONE == cell.NONE
    assert (blocks.FLOOR, blocks.ALL_DATA) == cell.NO_NETWORK


def test_mean_sd_n_and_the_papers_number_by_hand():
    table = rate_table(rows(by_method), REPORTED)
    numbers = table.numbers.set_index(["method", "rate"])
    uniform = numbers.loc[("Uniform", 0.01)]
    assert uniform["mean"] == pytest.approx((0.41 + 0.42 + 0.43) / 3)
    assert uniform.sd == pytest.approx(0.01) and uniform.n == 3
    assert uniform.paper == 0.2907  # Table I, RML2016.10a, CNN1D
    average = table.numbers[(table.numbers.method == "Uniform") & table.numbers.rate.isna()].iloc[0]
    assert average["mean"] == pytest.approx((0.42 + 0.46) / 2)
    assert average.paper == pytest.approx((0.2907 + 0.4587) / 2)  # over our two rates
    assert table.text.loc["Uniform (floor)", "1 %"] == "0.420 ± 0.010"
    assert table.text.loc["Uniform (floor)", "paper 1 %"] == "0.2907"
    assert "n = 3" in table.note and "Simulated" in table.note
    assert "not our data (RML2016.10a-like)" in table.note


def test_order_floor_ceiling_and_best():
    table = rate_table(rows(by_method), REPORTED)
    assert list(table.text.index) == ["Uniform (floor)", "Herding", "FoQuS", "All data (ceiling)"]
    assert list(table.text.columns) == ["1 %", "paper 1 %", "5 %", "paper 5 %", "Avg", "paper Avg"]
    assert list(table.text.loc["All data (ceiling)"]) == ["0.900 ± 0.000", ""] * 3
    assert table.bold.sum().to_dict() == {c: int("paper" not in c) for c in table.text.columns}
    assert table.bold.loc["FoQuS", "1 %"]


def test_uniform_is_shared_by_all_blocks():
    table = rate_table(rows(by_method, pairs=CROSS), REPORTED)
    uniform = table.numbers[table.numbers.method == "Uniform"]
    assert set(uniform.selection_model) == {"CNN1D", "CNN2D"}
    assert uniform[uniform.rate == 0.01]["mean"].nunique() == 1
    assert list(uniform[uniform.rate == 0.01].paper) == [0.2907, 0.4723]  # Tables I and III
    assert table.text.index.names == ["Selection → evaluation", "Method"]
    crossed = cross_table(rows(by_method, pairs=CROSS), REPORTED)
    assert set(crossed.numbers.selection_model) == {"CNN2D"}
    assert "Table III of RML2016.10a" in crossed.note


def test_one_run_has_no_spread_and_says_so():
    table = rate_table(rows(by_method, seeds=(0,)), None)
    assert table.text.loc["FoQuS", "1 %"] == "0.430 ± –"
    assert "n = 1" in table.note and table.numbers.sd.isna().all()


def test_without_a_block_in_the_paper():
    table = rate_table(rows(by_method, dataset="my own"), REPORTED)
    assert list(table.text.columns) == ["1 %", "5 %", "Avg"]
    assert "The paper prints no such table" in table.note
    beside = paper.beside(REPORTED, "RML2016.10a", "my own")
    table = rate_table(rows(by_method, dataset="my own"), beside)
    assert table.text.loc["Uniform (floor)", "paper 1 %"] == "0.2907"
    assert "Table I of RML2016.10a, not our data (my own)" in table.note


def test_b03_missing_cells_are_named():
    full = rows(by_method)
    lacking = full[~((full.method == "FoQuS") & (full.rate == 0.05) & (full.seed == 2))]
    table = rate_table(lacking, None)
    assert "Only 20 of 21 cells; missing: CNN1D→CNN1D FoQuS 5 % seed 2." in table.note
    assert "n = 2 to 3" in table.note
    assert table.text.loc["FoQuS", "5 %"].endswith("(n = 2)")
    average = table.numbers[(table.numbers.method == "FoQuS") & table.numbers.rate.isna()]
    assert list(average.n) == [2]  # only seeds that have every rate
    assert "not finished: 3 of 4 cells" in rate_table(full, None, "3 of 4 cells").note


@pytest.mark.parametrize("field", ["fingerprint", "evaluation_recipe", "selection_recipe"])
def test_rows_that_must_not_be_mixed(field):
    full = rows(by_method)
    mixed = pd.concat([full, full.assign(**{field: "other"})])
    with pytest.raises(ValueError, match=f"rows mix .* values of {field}"):
        rate_table(mixed)


def test_repeated_and_absent_rows_are_refused():
    full = rows(by_method)
    with pytest.raises(ValueError, match="rows give a cell twice"):
        rate_table(pd.concat([full, full]))
    with pytest.raises(ValueError, match="no result rows"):
        rate_table(full[:0])


WAYS = [
    f"{combination} | {reading} | {rule}"
    for combination in paper.ablation().combination
    for reading in paper.READINGS
    for rule in paper.RULES
]
CONTROLS = ["Uniform", "All data", "Mean loss | tiers", "FoQuS | equal shares"]


def ablation_accuracy(_selection, _evaluation, method, _rate, seed):
    return 0.1 + 0.01 * [*WAYS, *CONTROLS].index(method) + 0.001 * seed


def test_ablation_has_every_combination_reading_and_rule():
    data = rows(ablation_accuracy, methods=[*WAYS, *CONTROLS], rates=(0.01,))
    table = ablation_table(data, paper.ablation())
    assert list(table.text.index[:7]) == list(paper.ablation().combination)
    assert list(table.text.columns[:4]) == [
        f"{reading}, {rule}" for reading in paper.READINGS for rule in paper.RULES
    ]
    for n, way in enumerate(WAYS):
        row, reading, rule = way.split(" | ")
        assert table.text.loc[row, f"{reading}, {rule}"] == f"{0.101 + 0.01 * n:.3f} ± 0.001"
    assert table.text.loc["E", "paper"] == "0.5390"
    assert table.text.loc["E", "the paper's row"] == "inferred"
    assert table.text.loc["Mean loss | tiers", "as printed, top-k"] == ""
    assert table.bold.sum().sum() == 4 and table.bold.loc["F+E+Q", "min-max, top-k"]


def test_ablation_refuses_what_it_cannot_print():
    with pytest.raises(ValueError, match="no row is a combination"):
        ablation_table(rows(by_method, rates=(0.01,)))
    with pytest.raises(ValueError, match="one block and one rate"):
        ablation_table(rows(ablation_accuracy, methods=WAYS))


def test_b04_names_from_data_are_escaped():
    data = rows(by_method, dataset="<script>alert(1)</script>", pairs=CROSS)
    data = pd.concat([data, rows(by_method, dataset="b")])
    page = show(rate_table(data), "Table <b>").data
    assert "<script>" not in page and "<b>" not in page
    assert page == show(rate_table(data), "Table <b>").data
    assert 'class="dataframe"' in page and "font-weight: bold" in page and "n = 3" in page


def test_csv_for_pages(tmp_path):
    table = rate_table(rows(by_method), REPORTED)
    write_csv(table, tmp_path / "a" / "table.csv")
    with open(tmp_path / "a" / "table.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0][:3] == ["Method", "1 %", "paper 1 %"]
    assert lines[3][:3] == ["FoQuS", "**0.440 ± 0.010**", "0.5410"]
    assert [len(line) for line in lines] == [7] * 5


def test_numbers_are_plain_and_tidy():
    numbers = rate_table(rows(by_method, rates=(0.01,)), REPORTED).numbers
    assert list(numbers.columns) == [*blocks.BLOCK, "method", "rate", "mean", "sd", "n", "paper"]
    assert not numbers.rate.isna().any()  # one rate: no average
    assert math.isnan(numbers.set_index("method").paper["All data"])


def test_a_simulated_set_gets_the_columns_of_the_one_it_imitates():
    reported = paper.beside(paper.tables(), "RML2016.10a", "RML2016.10a-like")
    table = rate_table(rows(by_method), reported)
    assert table.text.loc["FoQuS", "paper 1 %"] == "0.5410"
    assert "not our data (RML2016.10a-like)" in table.note


def test_bands_of_snr_by_hand():
    """Uniform at 1 %: seeds 0.41, 0.42, 0.43, and 0.1 less or more; All data 0.8 and 1.0."""
    frame = by_snr(by_method, rates=(0.01,))
    table = snr_table(frame, "About.", "4 of 9 cells", bands=2)
    assert list(table.text.columns) == ["0 dB", "10 dB"]
    assert list(table.text.loc["Uniform (floor)"]) == ["0.320 ± 0.010", "0.520 ± 0.010"]
    assert list(table.text.loc["All data (ceiling)"]) == ["0.800 ± 0.000", "1.000 ± 0.000"]
    assert table.bold.loc["FoQuS"].all() and not table.bold.loc["Uniform (floor)"].any()
    assert not table.bold.loc["All data (ceiling)"].any()
    assert table.note.startswith(
        "About. Rate 1 %. Mean ± sample standard deviation over seeds, n = 3."
    )
    assert "not finished: 4 of 9 cells" in table.note
    one_band = snr_table(frame, "", bands=1)
    assert list(one_band.text.columns) == ["0 to 10 dB"]
    assert list(snr_table(frame, "").text.columns) == ["0 dB", "10 dB"]  # no empty band
    assert list(one_band.text.loc["Uniform (floor)"]) == ["0.420 ± 0.010"]


def test_a_table_of_bands_wants_one_rate():
    with pytest.raises(ValueError, match="snr_table: expected one rate"):
        snr_table(by_snr(by_method), "")

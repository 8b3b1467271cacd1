"""Tables of coresets alone: other networks, the ablation, bands of SNR, scales."""

from dataclasses import replace

import pandas as pd
import pytest

from foqus_lib.report import paper
from foqus_lib.report.coreset_tables import ablation_table, crossed, scale_table, snr_table, table_v
from foqus_lib.report.means import budget_table
from foqus_lib.selection.catalog import ABLATION_METHODS
from tests.report.made_up import STUDY, by_method, by_snr, rows

OF_TEN = replace(STUDY, verdict_from=10)  # rows have five seeds
CROSS = (("CNN1D", "CNN1D"), ("CNN2D", "CNN1D"))
PLACES = [(terms, f"{reading}, {rule}", name) for terms, reading, rule, name in table_v()]
WAYS = list(dict.fromkeys(name for _, _, name in PLACES))
CONTROLS = [
    "Uniform", "All data", "Mean loss | tiers", "FoQuS | equal shares",
    "FoQuS | shares turned round", "Uniform | SNR-balanced",
]  # fmt: skip


def test_other_networks_keep_their_floor():
    table = budget_table(crossed(rows(by_method, pairs=CROSS)), STUDY, paper.beside("RML2016.10a"))
    assert set(table.numbers.selection_model) == {"CNN2D"}
    assert {"Uniform", "All data"} <= set(table.numbers.method)


def ablation_accuracy(method, budget, seed, repeat):
    return 0.1 + 0.01 * [*WAYS, *CONTROLS].index(method) + 0.001 * seed + 0.01 * repeat


def test_ablation_has_every_combination_reading_and_rule():
    data = rows(ablation_accuracy, methods=[*WAYS, *CONTROLS], budgets=(100,))
    table = ablation_table(data, STUDY, paper.ablation())
    assert list(table.text.index[:7]) == list(paper.ablation().combination)
    ways = list(dict.fromkeys(column for _, column, _ in PLACES))
    assert len(PLACES) == 28 and len(WAYS) == 22 and set(WAYS) == set(ABLATION_METHODS)
    assert list(table.text.columns) == [*ways, "control", "paper", "the paper's row"]
    for row, column, name in PLACES:
        mean = 0.107 + 0.01 * WAYS.index(name)
        assert table.text.loc[row, column] == f"{mean:.3f} ± 0.002"
    assert table.text.loc["E", "paper"] == "0.5390"
    assert table.text.loc["E", "the paper's row"] == "inferred"
    assert table.text.loc["Mean loss | tiers", ways].eq("").all()
    assert table.text.loc[CONTROLS[3:], "control"].ne("").all()
    assert table.text.loc["F", "control"] == ""
    assert table.text.index[7] == "Uniform (floor)" and table.text.index[-1] == "All data (ceiling)"
    assert table.bold.sum().sum() == 4 and table.bold.loc["F+E+Q", "min-max, top-k"]
    assert len(table.numbers) == 28 + len(CONTROLS)
    of_ten = ablation_table(data, OF_TEN)
    assert not of_ten.bold.any(axis=None) and "only rows of n = 10 or more" in of_ten.note


def test_ablation_refuses_what_it_cannot_print():
    with pytest.raises(ValueError, match="no row is a combination"):
        ablation_table(rows(by_method, budgets=(100,), methods=("Uniform", "Herding")), STUDY)
    left = rows(ablation_accuracy, methods=("Uniform", "All data"), budgets=(100,))
    table = ablation_table(left, STUDY, paper.ablation(), "22 of 24 trials failed")
    assert list(table.text.index) == ["Uniform (floor)", "All data (ceiling)"]
    assert "not finished: none" in ablation_table(left[:0], STUDY, unfinished="none").note


@pytest.mark.parametrize("pairs", [CROSS[:1], CROSS])
def test_rates_stand_in_order_also_where_the_first_rows_lack_one(pairs):
    data = rows(ablation_accuracy, methods=[*WAYS, *CONTROLS], pairs=pairs, budgets=(500, 100))
    first = (data.method == WAYS[0]) & (data.budget == 100)
    table = ablation_table(data[~first], STUDY)
    heads = list(dict.fromkeys(key[:-1] for key in table.text.index))
    assert [key[-1] for key in heads] == ["1 %", "5 %"] * len(pairs)


@pytest.mark.parametrize("pairs", [CROSS[:1], CROSS])
def test_an_ablation_at_two_rates_of_two_networks_is_one_under_the_other(pairs):
    """Each part is the table of its rows alone, bold as there; the paper's beside its own rate."""
    data = rows(ablation_accuracy, methods=[*WAYS, *CONTROLS], pairs=pairs, budgets=(100, 500))
    table = ablation_table(data, STUDY, paper.ablation())
    several = len(pairs) > 1
    assert table.text.index.names == ["Selection model → evaluation model"] * several + [
        "Rate |S|/N", "Metrics",
    ]  # fmt: skip
    for one, other in pairs:
        own = data[data.selection_model.isin([one, "-"]) & (data.evaluation_model == other)]
        for budget, at in ((100, "1 %"), (500, "5 %")):
            alone = own[own.budget.isin([budget, 10_000])]
            alone = ablation_table(alone, STUDY, paper.ablation())
            here = (f"{one} → {other}",) * several + (at,)
            ours = [name for name in table.text if "paper" not in name]
            assert table.text.loc[here][ours].equals(alone.text[ours])
            assert table.bold.loc[here].equals(alone.bold)
            assert table.text.loc[(*here, "E"), "paper"] == ("0.5390" if budget == 100 else "")


def test_bands_of_snr_by_hand():
    """Uniform at 1 % has mean 0.432, and 0.1 less or more; All data 0.8 and 1.0."""
    frame = by_snr(by_method, budgets=(100,))
    table = snr_table(frame, STUDY, "About.", "4 of 9 trials", bands=2)
    assert list(table.text.columns) == ["0 dB", "10 dB"]
    assert list(table.text.loc["Uniform (floor)"]) == ["0.332 ± 0.016", "0.532 ± 0.016"]
    assert list(table.text.loc["All data (ceiling)"]) == ["0.800 ± 0.000", "1.000 ± 0.000"]
    assert table.bold.loc["FoQuS"].all() and not table.bold.loc["Uniform (floor)"].any()
    assert not table.bold.loc["All data (ceiling)"].any()
    assert not snr_table(frame, OF_TEN, "", bands=2).bold.any(axis=None)
    assert table.note.startswith(
        "About. Rate |S|/N 1 %. Mean ± sample standard deviation over selection seeds, n = 5."
    )
    assert "not finished: 4 of 9 trials." in table.note
    one_band = snr_table(frame, STUDY, "", bands=1)
    assert list(one_band.text.columns) == ["0 to 10 dB"]
    assert list(snr_table(frame, STUDY, "").text.columns) == ["0 dB", "10 dB"]  # no empty band
    assert list(one_band.text.loc["Uniform (floor)"]) == ["0.432 ± 0.016"]


def test_a_table_of_bands_wants_one_budget():
    with pytest.raises(ValueError, match="snr_table: expected one budget"):
        snr_table(by_snr(by_method), STUDY, "")


def test_scales_stand_side_by_side():
    flat = rows(by_method, methods=("Uniform",), budgets=(100,)).assign(optimiser="Adam")
    data = [flat.assign(normalise=n, accuracy=flat.accuracy + d, about=f"Simulated, {n} scale.")
            for n, d in (("native", -0.1), ("rms", 0))]  # fmt: skip
    table = scale_table(pd.concat(data), STUDY)
    assert list(table.text.loc["Adam" if table.text.index.nlevels == 1 else ("CNN1D", "Adam")]) == [
        "0.332 ± 0.016", "0.432 ± 0.016",
    ]  # fmt: skip
    assert list(table.bold.iloc[0]) == [False, True]
    assert not scale_table(pd.concat(data), OF_TEN).bold.any(axis=None)
    assert table.note.startswith("Simulated. Uniform coresets, rate |S|/N 1 %. Mean")

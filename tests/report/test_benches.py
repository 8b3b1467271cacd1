"""Measured rows -> page tables: nothing lost, nothing from another line."""

import json

import pandas as pd

from foqus_lib.datasets.simulated import channel
from foqus_lib.report import benches, paper
from foqus_lib.selection.tier_agreement import LENGTHS


def test_ours_stands_beside_its_own_plain_form(tmp_path):
    rows = pd.DataFrame(
        [
            ["Herding", "balanced", 9, "0.1", "ours", 1.0, 10, 3, 6.0, 0.5, "m"],
            ["Herding", "balanced", 9, "0.1", "plain", 6.0, 90, 3, 1.0, None, "m"],
            ["CD", "one pool", 9, "0.01+0.3", "plain", 8.0, 70, 1, 1.0, None, "m"],
            ["CD", "one pool", 9, "0.01+0.3", "ours", 2.0, 20, 1, 4.0, 1.0, "m"],
        ],
        columns=[
            "selector",
            "pools",
            "signals",
            "rates",
            "formulation",
            "cpu_s",
            "peak_mb",
            "rounds",
            "ratio",
            "same_picks",
            "machine",
        ],
    )
    benches.selectors(rows, tmp_path)
    table = pd.read_csv(tmp_path / "selectors.csv").set_index("Selector")
    assert list(table.loc["CD"]) == ["one pool", 9, "1 %, 30 %", 2, 8, 4, 20, 70, "100.0 %", 1]
    assert table.loc["Herding", "plain form, CPU s"] == 6
    numbers = json.loads((tmp_path / "selectors.json").read_text())
    assert numbers["at"]["Herding balanced 9 10 %"] == {"ratio": 6.0, "cpu_s": 1.0, "peak_mb": 10}


def test_a_bar_is_met_from_its_number_on(tmp_path):
    row = {"signals": 9, "same_picks": 1.0, "rounds": 3, "rates": "0.1", "rank": 64}
    row |= {"machine": "Intel(R) Xeon (AMX), 2 virtual cores, torch 2"}
    ours = row | {"formulation": "ours", "cpu_s": 1.0}
    plain = row | {"formulation": "plain", "cpu_s": 12.0, "ratio": 1.0, "bar": None}
    rows = [
        one | {"selector": name} | more
        for name, ratio, bar in (("Herding", 12.0, 12), ("CD", 11.9, 12), ("Cal", 9.0, None))
        for one, more in ((ours, {"ratio": ratio, "bar": bar}), (plain, {}))
    ]
    benches.selector_bars(pd.DataFrame(rows), tmp_path)
    found = json.loads((tmp_path / "selector_bars.json").read_text())["found"]
    assert found == {"met": "1 of 2 on Intel Xeon (AMX)", "signals": 9}
    table = pd.read_csv(tmp_path / "selector_bars.csv").set_index("Selector")
    assert list(table.bar) == ["12", "12", "none"] and list(table.Rate) == ["10 %"] * 3
    other = [one | {"machine": "AMD (AVX2), 4", "ratio": 13.0} for one in rows]
    benches.selector_bars(pd.DataFrame(rows + other), tmp_path)
    found = json.loads((tmp_path / "selector_bars.json").read_text())["found"]
    assert found["met"] == "1 of 2 on Intel Xeon (AMX); 2 of 2 on AMD (AVX2)"
    table = pd.read_csv(tmp_path / "selector_bars.csv")
    assert table.Processor.tolist() == ["Intel Xeon (AMX)"] * 3 + ["AMD (AVX2)"] * 3


def test_what_a_trial_costs_beside_its_steps(tmp_path):
    names = ["a tiny trial", "its steps alone", "around it", "a row of a table"]
    rows = pd.DataFrame({"what": names, "cpu_ms": [50.0, 42.0, 8.0, 0.04]})
    rows = rows.assign(count=100, least=1.0, most=2.0, rounds=3, machine="m")
    benches.bookkeeping(rows, tmp_path)
    found = json.loads((tmp_path / "bookkeeping.json").read_text())["cpu"]
    assert found == {"around": 8.0, "table": 4.0}  # ms a trial; seconds of 100,000 rows


def test_kernels_stand_in_one_table_in_milliseconds(tmp_path):
    pd.DataFrame(
        {"variant": ["ours", "plain"], "cpu_s": [0.5, 5.0], "times_ours": [1.0, 10.0], "rounds": 3}
    ).to_csv(tmp_path / "layer_cka.csv", index=False)
    benches.companions(tmp_path, tmp_path)
    table = pd.read_csv(tmp_path / "companions.csv")
    assert list(table["CPU ms"]) == ["500", "5,000"]
    assert list(table["times the first"]) == [1, 10] and list(table.Form) == ["ours", "plain"]


def measured():
    """Two seeds of the chosen fading, one of another, one trained on recordings."""
    chosen = " ".join(map(str, channel.DRAWS))
    rows = pd.DataFrame(
        [
            [chosen, "sim", "sim", 0, 12000, 400, 0.7],
            [chosen, "sim", "real", 0, 12000, 900, 0.6],
            [chosen, "sim", "sim", 1, 12000, 400, 0.9],
            [chosen, "sim", "real", 1, 12000, 900, 0.6],
            ["0 0 0", "sim", "sim", 0, 12000, 400, 0.7],
            ["0 0 0", "sim", "real", 0, 12000, 900, 0.4],
            ["recorded", "real", "real", 0, 8647, 200, 0.7],
            ["recorded", "real", "real", 1, 8672, 200, 0.6],
        ],
        columns=["fading", "trained_on", "tested_on", "seed", "n_train", "n", "accuracy"],
    )
    return rows.assign(network="CNN1D", epochs=10)


def test_sizes_and_names_of_training_sets(tmp_path):
    benches.sim_to_real(measured(), tmp_path)
    table = pd.read_csv(tmp_path / "sim_to_real.csv")
    assert list(table["Trained on"].unique()) == [
        "simulated, the chosen fading", "simulated, another fading (a)", "recordings",
    ]  # fmt: skip
    assert list(table["Training signals"]) == ["12,000"] * 4 + ["about 8,660"]
    assert list(table["Test signals"]) == [400, 900, 400, 900, 200]
    assert list(table["Mean recall"][:3]) == ["0.800 ± 0.141", "0.600 ± 0.000", "0.700"]


def test_the_gap_is_real_less_simulated_seed_by_seed(tmp_path):
    benches.sim_to_real(measured(), tmp_path)
    numbers = json.loads((tmp_path / "sim_to_real.json").read_text())
    assert round(numbers["chosen"]["gap"], 9) == -0.2 and numbers["chosen"]["n"] == 2
    assert round(numbers["other"]["gap"], 9) == -0.3 and numbers["recordings"]["gap"] is None
    better = (
        "fading (2) are 20.0 points better than those that learned another (1, of 1 other fading)"
    )
    assert better in numbers["sentence"]
    assert "5.0 points worse than those that learned about 8,660 recorded" in numbers["sentence"]
    assert "they move by -20.0 and -30.0 points" in numbers["sentence"]
    assert numbers["sentence"].endswith("Below 5 seeds of a fading no interval is given.")


def test_what_follows_needs_all_three(tmp_path):
    rows = measured()
    benches.sim_to_real(rows[rows.fading != "recorded"], tmp_path)
    assert json.loads((tmp_path / "sim_to_real.json").read_text())["sentence"] is None


def test_growth_keeps_its_order(tmp_path):
    rows = pd.DataFrame(
        {
            "axis": ["N", "N", "k"], "selector": ["CD", "CD", "CD"], "signals": [1100, 22000, 9],
            "rates": ["0.1", "0.1", "0.05"], "width": 128, "epochs": 2, "cpu_s": [0.5, 2.0, 0.1],
        }
    )  # fmt: skip
    benches.selector_growth(rows, tmp_path)
    table = pd.read_csv(tmp_path / "selector_growth.csv")
    assert list(table["values"]) == ["1 100, 22 000", "5 %"]
    assert list(table["CPU s"]) == ["0.50, 2.00", "0.10"]


def test_what_an_interval_leaves_open_is_quoted_as_it_was_measured(tmp_path):
    columns = ["dataset", "variant", "95 % interval", "seeds", "epochs"]
    rows = [["a", "plain loop", None, 9, 3], ["a", "ours", "-1.00 to +2.00", 9, 3]]
    benches.accuracy(pd.DataFrame(rows, columns=columns), tmp_path)
    found = json.loads((tmp_path / "accuracy.json").read_text())
    assert found["less_plain"] == {"a": {"ours": {"interval": "-1.00 to +2.00", "n": 9}}}


def test_the_committed_agreement_of_tiers_reaches_every_length_that_is_asked():
    """The identity of Eq. 8 with the mean loss bites only where T is long."""
    rows = pd.read_csv(paper.REPORTED.parent / "benchmarks" / "tiers_by_epochs.csv")
    seeds = rows.groupby("epochs").seed.nunique()
    assert tuple(seeds.index) == LENGTHS and seeds.nunique() == 1

"""Measured rows -> page tables: nothing lost, nothing from another line."""

import json

import pandas as pd

from foqus_lib.report import benches


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


def test_the_gap_is_real_less_simulated_seed_by_seed(tmp_path):
    rows = pd.DataFrame(
        [
            ["CNN1D", "one", "sim", "sim", 0, 0.7],
            ["CNN1D", "one", "sim", "real", 0, 0.6],
            ["CNN1D", "one", "sim", "sim", 1, 0.9],
            ["CNN1D", "one", "sim", "real", 1, 0.6],
            ["CNN1D", "-", "real", "real", 0, 0.8],
        ],
        columns=["network", "fading", "trained_on", "tested_on", "seed", "accuracy"],
    ).assign(epochs=10)
    benches.sim_to_real(rows, tmp_path)
    numbers = json.loads((tmp_path / "sim_to_real.json").read_text())
    assert round(numbers["gap"]["one"]["mean"], 9) == -0.2 and numbers["gap"]["one"]["n"] == 2
    table = pd.read_csv(tmp_path / "sim_to_real.csv")
    assert list(table.accuracy) == ["0.800 ± 0.141", "0.600 ± 0.000", "0.800"]


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

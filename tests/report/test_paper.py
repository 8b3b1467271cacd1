"""The audit of the paper's tables: every number the book says about them (baselines.md 6.2)."""

from pathlib import Path

import pandas as pd
import pytest

from foqus_lib.report import paper

REPORTED = paper.tables()
SHARED = Path(__file__).resolve().parents[3] / "shared" / "paper"


@pytest.mark.parametrize("name", ["reported_tables.csv", "reported_ablation.csv"])
def test_the_copy_is_the_handed_over_file(name):
    if not SHARED.exists():
        pytest.skip("the source folder is not beside this checkout")
    assert (paper.REPORTED / name).read_bytes() == (SHARED / name).read_bytes()


def test_all_printed_cells_are_there():
    assert len(REPORTED) == 158 * 5 and len(paper.averages()) == 158
    assert set(REPORTED.rate) == {0.01, 0.05, 0.1, 0.2, 0.3}
    assert len(paper.methods()) == 11 and paper.methods()[0] == "Uniform"
    assert paper.methods()[-1] == "FoQuS"
    assert len(REPORTED.groupby([*paper.ROW, "rate"])) == len(REPORTED)


def test_item_6_one_average_of_158_is_wrong():
    checked = paper.check_averages(REPORTED)
    wrong = checked[~checked.agrees]
    assert len(checked) == 158 and len(wrong) == 1
    row = wrong.iloc[0]
    assert (row.table, row.dataset, row.method) == ("III", "Sig2019-12", "FoQuS")
    assert (row.selection_model, row.evaluation_model) == ("CNN2D", "LSTM")
    assert row.printed == 0.5690 and round(row["mean"], 4) == 0.5636


def test_item_1_uniform_contradicts_itself():
    pairs = paper.uniform_pairs(REPORTED)
    assert len(pairs) == 6 * 5
    block = (pairs.dataset == "RML2016.10a") & (pairs.evaluation_model == "CNN1D")
    assert list(pairs[block].one) == [0.2907, 0.4587, 0.5257, 0.5572, 0.5793]
    assert list(pairs[block].two) == [0.4723, 0.6243, 0.7784, 0.8192, 0.8324]
    assert round(pairs[block].difference.max(), 2) == 0.26


def test_item_1_the_headline_gain_shrinks():
    gains = paper.gain_over_uniform(REPORTED).set_index("rate")
    assert round(gains.against_table_I[0.01], 3) == 0.250
    assert round(gains.against_table_III[0.01], 3) == 0.069
    assert round(gains.against_table_I["avg"], 3) == 0.263
    assert round(gains.against_table_III["avg"], 3) == 0.040


def test_item_2_the_other_pairs_give_a_noise_estimate():
    pairs = paper.uniform_pairs(REPORTED)
    others = pairs[~((pairs.dataset == "RML2016.10a") & (pairs.evaluation_model == "CNN1D"))]
    large = others[others.difference.abs() > 0.041]
    assert len(others) == 25 and len(large) == 1
    row = large.iloc[0]
    assert (row.dataset, row.evaluation_model, row.rate) == ("Sig2019-12", "LSTM", 0.3)
    assert {row.one, row.two} == {0.8582, 0.7774}


def test_the_gain_is_largest_at_one_percent_in_no_block_over_uniform_and_in_one_over_the_best():
    """Section IV-B says "the most significant improvement at extremely low sampling rates"."""
    most = paper.largest_gain(REPORTED).set_index(["dataset", "evaluation_model"])
    assert dict(most.over_uniform) == {
        ("RML2016.10a", "CNN1D"): 0.1,
        ("RML2016.10a", "CNN2D"): 0.05,
        ("Sig2019-12", "CNN1D"): 0.05,
        ("Sig2019-12", "CNN2D"): 0.1,
    }
    relative = most.relative[most.relative == 0.01]
    assert ("Sig2019-12", "CNN2D") not in relative.index and len(relative) == 3
    at_once = most.over_best[most.over_best == 0.01]
    assert list(at_once.index) == [("RML2016.10a", "CNN1D")] and len(most) == 4


def test_item_3_foqus_is_best_in_65_of_70():
    best = paper.winners(REPORTED)
    assert len(best) == 70
    assert best.best.value_counts().to_dict() == {
        "FoQuS": 65,
        "k-Center Greedy": 2,
        "Margin": 1,
        "CD": 1,
        "Uniform": 1,
    }
    assert (best[best.best == "FoQuS"].lead.round(4) < 0.01).sum() == 38
    assert round(best.lead.median(), 3) == 0.008


def test_item_4_profile_of_differences_to_uniform():
    found = paper.profile(REPORTED)
    assert set(found.cells) == {65}
    points = dict(zip(found.method, (100 * found.difference).round(1), strict=True))
    assert points == {
        "FoQuS": 3.9,
        "Herding": 0.4,
        "k-Center Greedy": -0.6,
        "CD": -2.5,
        "Forgetting": -3.5,
        "Margin": -3.6,
        "GraNd": -4.2,
        "Entropy": -4.6,
        "Cal": -4.8,
        "Least Confidence": -5.2,  # -5.2495; the working notes rounded it to -5.3
    }
    assert found.method[0] == "FoQuS"


def test_item_5_ten_rows_are_not_monotone():
    falls = paper.not_monotone(REPORTED)
    assert len(falls.drop_duplicates(paper.ROW)) == 10
    foqus = falls[(falls.method == "FoQuS") & (falls.table == "I")].iloc[0]
    assert (foqus.before, foqus.accuracy) == (0.8014, 0.7720)
    margin = falls[falls.method == "Margin"].iloc[0]
    assert (margin.before, margin.accuracy) == (0.9115, 0.7836)
    assert list(falls.fall) == sorted(falls.fall, reverse=True)


def test_items_7_and_8_table_v():
    rows = paper.check_ablation(REPORTED).set_index("combination")
    assert list(rows.index) == ["F", "E", "Q", "F+E", "F+Q", "E+Q", "F+E+Q"]
    assert rows.same_as["F"] == "Forgetting" and rows.same_as["F+E+Q"] == "FoQuS"
    assert set(rows.same_as[1:6]) == {""}
    assert round(rows.to_full["E"], 4) == -0.002
    assert round(rows.accuracy["F+E"] - rows.accuracy["E"], 3) == -0.069
    assert rows.marks["F"].startswith("certain") and rows.marks["E"].startswith("inferred")


def test_only_the_papers_own_sets_have_the_paper_beside_them():
    rows = paper.beside("RML2016.10a-like")
    assert set(rows.dataset) == {"RML2016.10a-like"}
    assert set(rows.source.str.contains("RML2016.10a")) == {True}
    assert len(paper.beside("RML2018.01a")) == (REPORTED.dataset == "RML2018.01a").sum()
    for name in ("rml2016_04c_8cls", "RML2016.04C", "my own", "RML2016.10a of mine"):
        assert paper.beside(name) is None


def test_differences_are_compared_with_one_older_release_too():
    assert paper.set_of("Sig2019-12-like") == "Sig2019-12"
    assert paper.set_of("rml2016_04c_8cls") == "RML2016.10a" == paper.set_of("RML2016.04C")
    for name in ("my own", "captured_at_04c", "RML2016.04C (own file)", "rml2016_04c of mine"):
        assert paper.set_of(name) is None


def test_cells_hold_all_five_tables():
    cells = paper.cells()
    assert len(cells) == 158 * 5 + 7 and cells.notna().all(axis=None)
    [full] = cells[(cells.table == "V") & (cells.method == "F+E+Q")].to_dict("records")
    assert (full["accuracy"], full["budget"]) == (0.5410, 100)
    assert set(cells.budget) == {100, 500, 1000, 2000, 3000}


def test_missing_or_foreign_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(paper, "REPORTED", tmp_path)
    with pytest.raises(ValueError, match="not found"):
        paper.tables()
    pd.DataFrame({"a": [1]}).to_csv(tmp_path / "reported_tables.csv", index=False)
    with pytest.raises(ValueError, match="expected columns"):
        paper.tables()

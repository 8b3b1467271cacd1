"""What the book prints is derived from committed rows, now as when it was written."""

import csv
import json
import re
import shutil
from dataclasses import fields, replace
from pathlib import Path

import pandas as pd
import pytest

from foqus_lib import committed_rows
from foqus_lib.experiment.rows import load_rows
from foqus_lib.report import audit, beside_paper, compare, derive, paper
from foqus_lib.selection.catalog import ABLATION_METHODS
from foqus_lib.studies import catalog
from foqus_lib.studies.coreset.grid import CORESET
from tests.report.made_up import STUDY, by_method, rows

RESULTS = Path(__file__).resolve().parents[2] / "book" / "results"
COMMITTED = sorted(path.relative_to(RESULTS) for path in RESULTS.glob("*/derived/*"))


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    folder = tmp_path_factory.mktemp("derived")
    made = derive.derive(committed_rows.committed(), RESULTS, folder)
    return folder, sorted(path.relative_to(folder) for path in made)


@pytest.mark.slow  # everything is derived again
def test_every_derived_file_is_committed_and_no_other(again):
    assert again[1] == COMMITTED, "run: foqus derive"


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMITTED, ids=str)
def test_a_derived_file_follows_from_the_rows(name, again):
    assert (again[0] / name).read_bytes() == (RESULTS / name).read_bytes(), "run: foqus derive"


def test_the_rows_of_a_chapter_that_no_list_names_are_derived(tmp_path, monkeypatch):
    study = replace(STUDY, name="nearest mean", block=())
    toy = replace(catalog.CHAPTERS["01_setup"], study=study)
    monkeypatch.setitem(catalog.CHAPTERS, "99_nearest_mean", toy)
    (tmp_path / "nearest_mean").mkdir()
    made = rows(by_method, methods=("Uniform", "FoQuS"))
    made.assign(study=study.name).to_csv(tmp_path / "nearest_mean" / "rows.csv", index=False)
    derived = derive.derive(committed_rows.committed(), tmp_path)
    assert tmp_path / "nearest_mean" / "derived" / "rows.csv" in derived


PRINTED = {
    RESULTS.parent / name
    for page in RESULTS.parent.glob("*.md")
    for name in re.findall(r"^:file: (.+\.csv)$", page.read_text("utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("path", sorted(PRINTED), ids=lambda path: str(path.relative_to(RESULTS)))
def test_every_column_of_a_page_has_a_head_in_words(path):
    """A screen reader says the head with each cell; a reader knows no name of our frames."""
    with path.open(encoding="utf-8", newline="") as file:
        heads = next(csv.reader(file))
    assert all(heads) and not any("_" in head for head in heads)


def test_an_audit_names_networks_and_rates_as_the_paper_does():
    frame = pd.DataFrame({"selection_model": ["CNN2D", "LSTM"], "evaluation_model": ["LSTM"] * 2,
                          "rate": [0.05, "avg"], "unsaid": [1, 2]})  # fmt: skip
    shown = audit.in_words(frame, {"rate": "Rate", "models": "Selection → evaluation"})
    assert list(shown["Rate"]) == ["5 %", "average"]
    assert [text.split() for text in shown["Selection → evaluation"]] == [
        ["CNN2D", "→", "LSTM"], ["LSTM", "→", "LSTM"],
    ]  # fmt: skip
    assert " " not in shown["Selection → evaluation"][0], "it would break there"


# ---- made-up layers ------------------------------------------------------------------------------

METHODS = ("Uniform", "CD", "FoQuS", "All data")
GAIN = {"FoQuS": 0.02, "CD": -0.1}


def accuracy(method, budget, seed, repeat):
    """FoQuS 0.02 above Uniform, by seed a little more or less; CD 0.1 below."""
    if method == "All data":
        return 0.9
    base = 0.4 + budget / 10_000 + 0.01 * ((7 * seed) % 5) + 0.002 * repeat
    gain = GAIN.get(method, 0.03 if method.endswith("tiers") or "FoQuS" in method else 0)
    return base + gain + 0.01 * (seed % 3 - 1) * (method != "Uniform")


WAYS = list(ABLATION_METHODS)


def committed(folder, *, main=True, ablation=True, **change):
    """A folder of results with one layer; says where."""
    layer = folder / "rml2016_04c_8cls"
    layer.mkdir(parents=True)
    change = {"dataset": layer.name, "seeds": range(6)} | change
    if main:
        frame = rows(accuracy, methods=METHODS, budgets=(100, 500), **change)
        frame.to_csv(layer / "main.csv", index=False)
    if ablation:
        parts = rows(accuracy, methods=("Uniform", *WAYS, "All data"), budgets=(100,), **change)
        parts.to_csv(layer / "ablation.csv", index=False)
    return folder


STUDIES = {"main": STUDY, "ablation": STUDY}


def test_the_made_up_study_is_the_coreset_study():
    for one in fields(CORESET):
        if one.name not in ("jobs", "axis"):
            assert getattr(CORESET, one.name) == getattr(STUDY, one.name), one.name


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    results = committed(tmp_path_factory.mktemp("results"))
    derive.derive(STUDIES, results)
    return results / "rml2016_04c_8cls" / "derived"


@pytest.fixture(scope="module")
def summary(made):
    return json.loads((made / "summary.json").read_text(encoding="utf-8"))


def test_what_nothing_derives_any_more_goes_and_a_failure_replaces_nothing(made, tmp_path):
    results = committed(tmp_path)
    folder = results / "rml2016_04c_8cls" / "derived"
    shutil.copytree(made, folder)
    (folder / "of_last_year.csv").write_text("x", encoding="utf-8")
    whole = sorted(path.name for path in folder.iterdir())
    (results / "rml2016_04c_8cls" / "main.csv").rename(tmp_path / "away.csv")
    with pytest.raises(ValueError, match="has ablation.csv but no main.csv"):
        derive.derive(STUDIES, results)
    assert sorted(path.name for path in folder.iterdir()) == whole
    (tmp_path / "away.csv").rename(results / "rml2016_04c_8cls" / "main.csv")
    derive.derive(STUDIES, results)
    assert sorted(path.name for path in folder.iterdir()) == sorted({*whole} - {"of_last_year.csv"})


def test_a_layer_has_all_its_files(made):
    assert sorted(path.name for path in made.iterdir()) == [
        "ablation.csv", "ablation_differences.csv", "ablation_forest.html",
        "against_paper.csv", "differences.csv", "main.csv", "main_curve.html", "main_forest.html",
        "pairing.csv", "summary.json",
    ]  # fmt: skip


def test_what_pages_quote_by_hand(summary):
    assert summary["difference"]["FoQuS"]["1 %"]["difference"] == pytest.approx(0.02)
    assert summary["difference"]["FoQuS"]["1 %"]["n"] == 6
    assert summary["difference"]["FoQuS"]["1 %"]["text"].startswith("+2.0 [")
    assert summary["accuracy"]["All data"]["1 %"]["mean"] == pytest.approx(0.9)
    assert summary["verdicts"]["1 %"] == {"better": 1, "worse": 1, "no difference shown": 0}
    assert summary["counts"].startswith("1 %: 1 better, 1 worse, 0 not told apart; 5 %: 1 better")
    assert summary["runs"] == {"cells": 84, "hours": pytest.approx(0.084)}
    assert summary["budgets"] == "1 %, 5 %"
    assert summary["_about"]["recipe"] == "Adam"
    by_rule = summary["ablation"]["by_rule"]
    assert by_rule["tiers"] == "1 %: 0 of 11 worse, 11 better"
    assert by_rule["top-k"].startswith("1 %: ") and by_rule["top-k"].endswith(" worse, 0 better")
    assert summary["ablation"]["parts"] == "0 of 6 at 1 %"


def test_the_papers_difference_is_given_against_both_of_its_uniforms(made):
    """By hand from Tables I and III: FoQuS 0.5410, Uniform 0.2907 and 0.4723."""
    table = pd.read_csv(made / "against_paper.csv", dtype=str)
    row = table[(table.Method == "FoQuS") & (table.Rate == "1 %")].iloc[0]
    assert row["ours"].startswith("+2.0 [") and row["n"] == "6"
    assert row["paper, Uniform of Table I"] == "+25.0"
    assert row["paper, Uniform of Table III"] == "+6.9"


def test_which_of_the_papers_gains_are_excluded(summary):
    """Ours at 1 % is +2.0 [+1.1, +2.9]: half the width is t(0.975, 5) sd / sqrt 6 = 0.94 points."""
    at = summary["excluded"]["at"]["1 %"]
    assert at["high"] - at["ours"] == pytest.approx(
        2.5706 * 0.01 * (4 / 5) ** 0.5 / 6**0.5, rel=1e-4
    )
    assert at["excluded"] == {"table_I": True, "table_III": True}
    assert (
        "does not contain +25.0 (Table I) and does not contain +6.9 (Table III)"
        in summary["excluded"]["sentence"]
    )


def test_a_gain_inside_the_interval_is_not_excluded():
    row = {"method": "FoQuS", "column": "1 %", "difference": 0.05, "low": 0.01, "high": 0.09,
           "n": 7, "each": (), "table_I": 0.25, "table_III": 0.0687}  # fmt: skip
    found = beside_paper.excluded(pd.DataFrame([row]), STUDY)
    assert found["at"]["1 %"]["excluded"] == {"table_I": True, "table_III": False}
    assert "does not contain +25.0 (Table I) and contains +6.9 (Table III)" in found["sentence"]
    few = pd.DataFrame([row | {"low": float("nan"), "high": float("nan"), "n": 2}])
    assert beside_paper.excluded(few, STUDY) == {"sentence": None}


def test_the_size_of_a_group_is_quoted_by_its_ends_over_seeds():
    frame = pd.DataFrame({"method": ["A", "A", "B"], "share": [0.5, 0.25, 0.001]})
    assert derive._ends_of(frame, "share") == {
        "A": {"least": 25.0, "most": 50.0}, "B": {"least": 0.1, "most": 0.1},
    }  # fmt: skip


def test_pairing_is_printed_for_every_file(made):
    table = pd.read_csv(made / "pairing.csv")
    assert list(table.Rows) == ["main.csv", "main.csv", "ablation.csv"]
    assert (table["Correlation over seeds"] > 0.5).all() and (table.Ratio < 1).all()
    strictest = table.Ratio / table["Break-even, strictest"]
    said = json.loads((made / "summary.json").read_text())["pairing"]
    assert said == {
        "of": 3, "below": int((table.Ratio < table["Break-even"]).sum()),
        "strictest": int((strictest < 1).sum()), "clear": 3,
        "wider": pytest.approx(100 * max(strictest.max() - 1, 0), abs=0.1),
    }  # fmt: skip


def test_a_strangers_layer_has_no_paper_beside(tmp_path):
    results = committed(tmp_path, dataset="my own", ablation=False)
    derive.derive(STUDIES, results)
    folder = results / "rml2016_04c_8cls" / "derived"
    assert not (folder / "against_paper.csv").exists()
    assert "paper" not in (folder / "main.csv").read_text(encoding="utf-8")
    assert "excluded" not in json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def test_a_layer_of_another_study_needs_no_main_rows(tmp_path):
    (tmp_path / "mixing").mkdir()
    frame = rows(accuracy, methods=METHODS, seeds=range(6), dataset="x").assign(study="mixing")
    frame.to_csv(tmp_path / "mixing" / "mixing.csv", index=False)
    derive.derive(STUDIES | {"mixing": replace(STUDY, name="mixing")}, tmp_path)
    made = {path.name for path in (tmp_path / "mixing" / "derived").iterdir()}
    assert made == {
        "mixing.csv", "mixing_differences.csv", "mixing_curve.html", "mixing_forest.html",
        "pairing.csv", "summary.json",
    }  # fmt: skip


def test_a_study_may_have_files_of_one_layer_alone(tmp_path):
    """ "mixing/rows" is book/results/mixing/rows.csv, and rows.csv of another layer is not its."""
    for name in ("mixing", "distillation"):
        (tmp_path / name).mkdir()
        frame = rows(accuracy, methods=METHODS, seeds=range(6), dataset="x").assign(study=name)
        frame.to_csv(tmp_path / name / "rows.csv", index=False)
    names = {f"{name}/rows": replace(STUDY, name=name) for name in ("mixing", "distillation")}
    derive.derive(STUDIES | names, tmp_path)
    for name in ("mixing", "distillation"):
        found = json.loads((tmp_path / name / "derived" / "summary.json").read_text("utf-8"))
        assert found["rows"]["runs"]["cells"] == len(frame)


def test_no_layer_at_all_leaves_the_claims_untested(tmp_path):
    derive.derive(STUDIES, tmp_path)
    table = pd.read_csv(tmp_path / "claims" / "derived" / "claims.csv")
    assert set(table.Verdict) == {"not tested"}


def test_a_file_of_two_data_sets_is_refused(tmp_path):
    from foqus_lib.report.derive import _part

    both = pd.concat([rows(by_method), rows(by_method, dataset="another")])
    with pytest.raises(ValueError, match=r"snr.csv: dataset: expected one, got .*, another. A fi"):
        _part("snr", both, STUDY, tmp_path)


def test_rows_that_are_not_there_or_old_are_refused(tmp_path):
    with pytest.raises(ValueError, match="has ablation.csv but no main.csv, which the pages quote"):
        derive.derive(STUDIES, committed(tmp_path / "a", main=False))
    results = committed(tmp_path / "b", ablation=False)
    path = results / "rml2016_04c_8cls" / "main.csv"
    path.write_text(path.read_text("utf-8").replace("budget", "rate_bp", 1), encoding="utf-8")
    with pytest.raises(ValueError, match="main.csv: expected columns"):
        derive.derive(STUDIES, results)


# ---- the committed layer -------------------------------------------------------------------------


def test_real_recordings_are_there_as_the_book_says():
    """All eleven methods with at least LEAST selection seeds, each row with its provenance."""
    frame = load_rows(RESULTS / "rml2016_04c_8cls" / "main.csv", STUDY)
    seeds = frame[frame.method != "All data"].groupby(["method", "budget"]).seed.nunique().unstack()
    assert set(paper.methods()) <= set(seeds.index)
    assert (seeds >= compare.LEAST).all(axis=None)
    assert frame.git.str.fullmatch("[0-9a-f]{40}").all() and (frame.seconds > 0).all()
    assert not frame.about.str.contains("simulated").any()

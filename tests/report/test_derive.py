"""What the book prints is derived from committed rows, now as when it was written."""

import csv
import re
from pathlib import Path

import pandas as pd
import pytest

from foqus_lib.report import derive, paper

RESULTS = Path(__file__).resolve().parents[2] / "book" / "results"
COMMITTED = sorted(path.relative_to(RESULTS) for path in RESULTS.glob("*/derived/*"))


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    folder = tmp_path_factory.mktemp("derived")
    made = derive.derive(RESULTS, folder)
    return folder, sorted(path.relative_to(folder) for path in made)


def test_every_derived_file_is_committed_and_no_other(again):
    assert again[1] == COMMITTED, "run: foqus derive"


@pytest.mark.parametrize("name", COMMITTED, ids=str)
def test_a_derived_file_follows_from_the_rows(name, again):
    assert (again[0] / name).read_bytes() == (RESULTS / name).read_bytes(), "run: foqus derive"


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
    shown = derive._in_words(frame, {"rate": "Rate", "models": "Selection → evaluation"})
    assert list(shown["Rate"]) == ["5 %", "average"]
    assert [text.split() for text in shown["Selection → evaluation"]] == [
        ["CNN2D", "→", "LSTM"], ["LSTM", "→", "LSTM"],
    ]  # fmt: skip
    assert " " not in shown["Selection → evaluation"][0], "it would break there"


def test_the_papers_difference_is_given_against_both_of_its_uniforms():
    """By hand from Tables I and III: FoQuS 0.5410, Uniform 0.2907 and 0.4723."""
    ours = pd.DataFrame({
        "selection_model": ["CNN1D"], "evaluation_model": ["CNN1D"], "method": ["FoQuS"],
        "rate": [0.01], "difference": [0.02], "low": [-0.01], "high": [0.05], "n": [7],
    })  # fmt: skip
    reported = paper.beside(paper.tables(), "RML2016.10a", "mine")
    [row] = derive.against_paper(ours, reported).to_dict("records")
    assert row["ours"] == "+2.0 [-1.0, +5.0]" and row["n"] == 7
    assert row["paper, Uniform of Table I"] == "+25.0"
    assert row["paper, Uniform of Table III"] == "+6.9"


def test_real_recordings_are_there_as_the_book_says():
    """Ten seeds at 1 and 5 %, five at 10 %, all eleven methods, each row with its provenance."""
    from foqus_lib.experiment.rows import load_rows

    rows = load_rows(RESULTS / "rml2016_04c_8cls" / "main.csv")
    seeds = rows[rows.method != "All data"].groupby(["method", "rate"]).seed.nunique().unstack()
    assert set(paper.methods()) <= set(seeds.index)
    assert (seeds[[0.01, 0.05]] >= 10).all(axis=None) and (seeds[0.1] >= 5).all()
    assert rows.git.str.fullmatch("[0-9a-f]{40}").all() and (rows.seconds > 0).all()
    assert not rows.about.str.contains("simulated").any()

"""Committed rows first: what they are, and a clear line where there are none."""

import pytest

from foqus_lib.report.committed import committed, curve, first, in_words, show
from foqus_lib.report.differences import difference_to_floor
from foqus_lib.studies.coreset.grid import CORESET
from tests.report.made_up import STUDY, rows


def test_rows_come_with_where_they_are_from(tmp_path):
    (tmp_path / "made_up").mkdir()
    made = rows(lambda method, budget, seed, repeat: 0.5)
    made.to_csv(tmp_path / "made_up" / "rows.csv", index=False)
    kept = committed(STUDY, "rows", "real", results=tmp_path, folder="made_up")
    assert set(kept) == {"rows"} and len(kept["rows"]) == len(made)
    words = in_words(kept["rows"], STUDY, "rows")
    for part in ("n = 5 seeds", f"{len(made)} trials", "commit ", "cpu"):
        assert part in words
    (tmp_path / "made_up" / "rows.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="expected columns study, version"):
        committed(STUDY, "rows", results=tmp_path, folder="made_up")


def test_no_file_is_a_clear_line_and_no_error(tmp_path):
    assert committed(STUDY, "rows", results=tmp_path) == {}
    assert "No committed rows coreset/rows.csv yet" in in_words(None, STUDY, "rows")


def test_the_head_of_a_chapter_shows_its_rows_or_says_that_there_are_none(capsys):
    assert first(CORESET, "nothing") is None
    assert "No committed rows coreset/nothing.csv yet" in capsys.readouterr().out
    folder = "rml2016_04c_8cls"
    only = first(CORESET, "main", folder, pick=lambda rows: rows[rows.budget == 100])
    assert f"Committed rows {folder}/main.csv" in capsys.readouterr().out
    assert "FoQuS" in only.data and "5 %" not in only.data


def test_rows_that_there_are_not_show_nothing():
    assert show(None, STUDY, "book") is None and curve(None, STUDY, "book", "") is None


def test_rows_show_a_table_of_those_that_are_picked():
    made = rows(lambda method, budget, seed, repeat: 0.5)
    shown = show(made, STUDY, "book", pick=lambda rows: rows[rows.budget == 100])
    assert "Uniform" in shown.data and "5 %" not in shown.data
    assert show(made, STUDY, "book less", difference_to_floor).data.count("[") > 0
    assert "<svg" in curve(made, STUDY, "book curve", "a curve").data

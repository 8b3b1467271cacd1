"""Committed rows first: what they are, and a clear line where there are none."""

import pytest

from foqus_lib.report.committed import committed, in_words
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

"""Committed rows first: what they are, and a clear line where there are none."""

import pytest

from foqus_lib.report import committed
from foqus_lib.report.tables import budget_table
from tests.report.made_up import STUDY, rows


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "made_up"
    folder.mkdir()
    made = rows(lambda method, budget, seed, repeat: 0.5)
    made.to_csv(folder / "rows.csv", index=False)
    return tmp_path


def test_rows_come_with_where_they_are_from(results):
    found = committed.read("made_up", STUDY, results=results)
    assert found and len(found.rows) == len(rows(lambda *given: 0.5))
    assert found.about.startswith("book/results/made_up/rows.csv: ")
    for part in ("n = 5 seeds", f"{len(found.rows)} trials", "commit ", "torch ", "cpu"):
        assert part in found.about
    page = committed.shown(found, budget_table, "made up").data
    assert "Committed rows, not computed by this page." in page and "0.500" in page


def test_no_file_is_a_clear_line_and_no_error(tmp_path):
    found = committed.read("nothing", STUDY, results=tmp_path)
    assert not found and found.rows is None
    page = committed.shown(found, budget_table, "nothing").data
    assert "No committed rows yet: book/results/nothing/rows.csv does not exist" in page


def test_a_file_without_rows_or_of_another_shape_is_refused(results):
    path = results / "made_up" / "rows.csv"
    head = path.read_text().splitlines()[0]
    path.write_text(f"{head}\n")
    with pytest.raises(ValueError, match="expected result rows, got none"):
        committed.read("made_up", STUDY, results=results)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="expected columns study, version"):
        committed.read("made_up", STUDY, results=results)

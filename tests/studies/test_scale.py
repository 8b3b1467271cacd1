import numpy as np
import pytest

from foqus_lib.report.coreset_tables import scale_table
from foqus_lib.studies.catalog import opened
from foqus_lib.studies.coreset import scale
from foqus_lib.studies.coreset.records import confusion


@pytest.fixture
def chapter(tmp_path):
    given = {"profile": "smoke", "results": str(tmp_path), "frames": 5, "epochs": 1}
    return opened("01_setup", given)


def test_every_scale_and_optimiser_is_run_once_and_stored(chapter):
    rows = scale.run(chapter, lambda text: None)
    assert len(rows) == 4 and rows.accuracy.between(0, 1).all()
    assert set(zip(rows.normalise, rows.optimiser, strict=True)) == {
        ("native", "Adam"), ("native", "SGD"), ("rms", "Adam"), ("rms", "SGD")
    }  # fmt: skip
    assert rows.fingerprint.nunique() == 2  # other numbers, other data
    said = []
    again = scale.run(chapter, said.append)
    assert said == ["the one trial is stored"] * 4 and again.accuracy.equals(rows.accuracy)


def test_the_table_crosses_them(chapter):
    rows = scale.run(chapter, lambda text: None)
    table = scale_table(rows.assign(accuracy=[0.1, 0.2, 0.3, 0.4]), chapter.study)
    assert list(table.text.columns) == ["native", "rms"]
    assert list(table.text.loc["Adam"]) == ["0.100 ± –", "0.300 ± –"]
    assert (
        "scale" not in table.note and "simulated" in table.note and "rate |S|/N 10 %" in table.note
    )


def test_a_confusion_counts_the_test_signals_of_a_chapter(tmp_path):
    chapter = opened(
        "03_main_tables",
        {"profile": "smoke", "results": str(tmp_path), "frames": 5, "epochs": 1, "rates": [0.5],
         "methods": ["FoQuS"]},
    )  # fmt: skip
    chapter.run(lambda text: None)
    counts = confusion(chapter.bench, "CNN1D", 0)
    assert (counts.sum(axis=1) == np.bincount(chapter.task.test.label)).all()

from dataclasses import replace

import numpy as np
import pytest

from foqus_lib.experiment import artifacts, confusion, profiles, scale_study, studies
from foqus_lib.report.tables import scale_table


@pytest.fixture
def settings(tmp_path):
    smoke = profiles.settings("03_main_tables", {"profile": "smoke"})
    return replace(smoke, results=str(tmp_path), frames=5, epochs=1)


def test_every_scale_and_optimiser_is_run_once_and_stored(settings):
    rows = scale_study.run(settings, lambda text: None)
    assert len(rows) == 4 and rows.accuracy.between(0, 1).all()
    assert set(zip(rows.normalise, rows.optimiser, strict=True)) == {
        ("native", "Adam"), ("native", "SGD"), ("rms", "Adam"), ("rms", "SGD")
    }  # fmt: skip
    assert rows.fingerprint.nunique() == 2  # other numbers, other data
    said = []
    again = scale_study.run(settings, said.append)
    assert all("nothing to do" in text for text in said) and again.accuracy.equals(rows.accuracy)


def test_the_table_crosses_them(settings):
    rows = scale_study.run(settings, lambda text: None)
    table = scale_table(rows.assign(accuracy=[0.1, 0.2, 0.3, 0.4]))
    assert list(table.text.columns) == ["native", "rms"]
    assert list(table.text.loc["Adam"]) == ["0.100 ± –", "0.300 ± –"]
    assert list(table.bold.loc["SGD"]) == [False, True]
    assert "scale" not in table.note and "simulated" in table.note and "rate 10 %" in table.note


def test_confusions_add_up_and_are_counted_once(settings, monkeypatch):
    study = studies.main_tables(settings)
    bench = studies.bench_of(settings, study.task)
    counts = confusion.confusion(bench, "CNN1D", 0)
    assert (counts.sum(axis=1) == np.bincount(study.task.test.label)).all()
    monkeypatch.setattr(confusion, "fit", None)
    assert (confusion.confusion(bench, "CNN1D", 0) == counts).all()
    assert artifacts.find_arrays(settings.store, bench.evidence_key("CNN1D", 0)) is None


def test_the_confusion_matrix_has_the_ceilings_accuracy(settings):
    """All data is trained the same way: the diagonal is its number of right answers."""
    study = studies.main_tables(replace(settings, methods=("Uniform",), rates=(0.5,)))
    study.run(lambda text: None)
    bench = studies.bench_of(settings, study.task)
    counts = confusion.confusion(bench, "CNN1D", 0)
    rows = study.rows()
    [ceiling] = rows[rows.method == "All data"].accuracy
    assert np.trace(counts) / counts.sum() == pytest.approx(ceiling)

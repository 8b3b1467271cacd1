"""Committed rows: what was written is read back, to the last bit; what was edited is refused."""

import pandas as pd
import pytest

from foqus_lib.experiment import store
from foqus_lib.experiment.cell import grid
from foqus_lib.experiment.provenance import provenance
from foqus_lib.experiment.rows import export, load_rows

CELLS = grid(
    dataset='a "set", of sorts',
    fingerprint="0123",
    pairs=[("CNN1D", "CNN1D")],
    methods=["Uniform", "FoQuS", "All data"],
    rates=[0.01, 0.3],
    seeds=[1, 0],
    selection_recipe="r",
    evaluation_recipe="r",
)


@pytest.fixture
def full(tmp_path):
    for n, cell in enumerate(CELLS):
        metrics = {"accuracy": 1 / (n + 3), "kept": n + 1} | ({"accuracy_best": 0.1} if n else {})
        facts = provenance(device="cpu", threads=1, seconds=n / 7, about="one, two\nNA")
        store.publish(tmp_path / "store", cell, metrics, facts)
    return tmp_path


def test_round_trip(full):
    path = full / "rows.csv"
    rows = export(full / "store", CELLS, path)
    pd.testing.assert_frame_equal(load_rows(path), rows)
    first = path.read_bytes()
    export(full / "store", CELLS[::-1], path)
    assert path.read_bytes() == first


def test_an_incomplete_grid_is_not_exported(full):
    next((full / "store" / "cells").rglob("*.json")).unlink()
    with pytest.raises(ValueError, match=r"9 of 10 cells .* first missing: Cell"):
        export(full / "store", CELLS, full / "rows.csv")
    assert not (full / "rows.csv").exists()


EDITS = {
    "column gone": (lambda f: f.drop(columns="git"), "expected columns"),
    "accuracy in percent": (lambda f: f.assign(accuracy=50), "line 2: expected accuracy 0 to 1"),
    "accuracy a word": (lambda f: f.assign(accuracy="good"), "a number was expected"),
    "rate": (lambda f: f.assign(rate=0.02), "expected rate .* for rate_bp"),
    "seed": (lambda f: f.assign(seed=-1), "line 2: cell.seed"),
    "repeated": (lambda f: pd.concat([f, f]), "line 12: repeats the cell of line 2"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_edited_rows_are_refused_with_the_line(full, edit):
    path = full / "rows.csv"
    spoil, message = EDITS[edit]
    spoil(export(full / "store", CELLS, path)).to_csv(path, index=False)
    with pytest.raises(ValueError, match=message) as caught:
        load_rows(path)
    assert str(path) in str(caught.value)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "rows.csv").touch()
    with pytest.raises(ValueError, match="empty file"):
        load_rows(tmp_path / "rows.csv")

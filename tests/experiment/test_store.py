"""Published means whole, once, for ever; damage is set aside; missing is said (S03-S05, S08)."""

import json
import logging
from hashlib import sha256

import pytest

from foqus_lib.experiment import store
from foqus_lib.experiment.cell import canonical, grid
from foqus_lib.experiment.provenance import commit, provenance

CELLS = grid(
    dataset="d",
    fingerprint="f",
    pairs=[("CNN1D", "CNN1D")],
    methods=["Uniform", "FoQuS"],
    rates=[0.01, 0.05],
    seeds=[0, 1],
    selection_recipe="r",
    evaluation_recipe="r",
)
METRICS = {"accuracy": 0.3, "accuracy_by_snr": {"10": 0.25, "18": 0.35}, "kept": 8}
FACTS = provenance(device="cpu", threads=1, seconds=1.5, about="simulated")


def file_of(root, cell):
    return root / "cells" / cell.name[:2] / f"{cell.name}.json"


def test_what_was_published_is_read_back(tmp_path):
    cell = CELLS[0]
    assert not store.has(tmp_path, cell)
    assert store.publish(tmp_path, cell, METRICS, FACTS) is True
    assert store.has(tmp_path, cell)
    body = store.read(tmp_path, cell)
    assert body == {"schema": 1, "key": cell.key, "metrics": METRICS, "provenance": FACTS}
    with pytest.raises(ValueError, match="not run yet"):
        store.read(tmp_path, CELLS[1])


def test_the_first_publication_stays(tmp_path, caplog):
    store.publish(tmp_path, CELLS[0], METRICS, FACTS)
    with caplog.at_level(logging.WARNING):
        assert store.publish(tmp_path, CELLS[0], METRICS, FACTS | {"seconds": 9.0}) is False
        assert caplog.text == ""  # the same numbers, merely another run
        assert store.publish(tmp_path, CELLS[0], METRICS | {"accuracy": 0.9}, FACTS) is False
    assert "published before with other metrics" in caplog.text
    assert store.read(tmp_path, CELLS[0])["metrics"]["accuracy"] == 0.3


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ({"kept": 8}, "metrics: missing accuracy; got kept"),
        (METRICS | {"accuracy": float("nan")}, "metrics.accuracy: expected a finite number"),
        (METRICS | {"accuracy": 31.5}, "expected a fraction 0 to 1, got 31.5"),
        (METRICS | {"accuracy_by_snr": {"10": float("inf")}}, r"accuracy_by_snr\[10\]"),
    ],
)
def test_numbers_that_are_none_are_refused(tmp_path, metrics, message):
    with pytest.raises(ValueError, match=message):
        store.publish(tmp_path, CELLS[0], metrics, FACTS)
    assert list(tmp_path.iterdir()) == []


def test_a_row_without_provenance_is_refused(tmp_path):
    with pytest.raises(ValueError, match="provenance: missing .*device"):
        store.publish(tmp_path, CELLS[0], METRICS, {"git": ""})


DAMAGES = {
    "empty": (lambda raw: b"", "Expecting value"),
    "truncated": (lambda raw: raw[:-20], "Unterminated|Expecting|Invalid"),
    "edited": (lambda raw: raw.replace(b"0.3,", b"0.9,"), "expected sha256 .*, got"),
    "other json": (lambda raw: b"[1]", "expected a JSON object"),
    "deep json": (lambda raw: b"[" * 10**6, "recursion"),
    "not text": (lambda raw: b"\xff\xfe" + raw, "decode"),
    "body a number": (lambda raw: b'{"sha256":"", "body":1}', "attribute"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_s05_damage_is_set_aside_and_the_cell_is_missing(tmp_path, damage):
    for cell in CELLS[:2]:
        store.publish(tmp_path, cell, METRICS, FACTS)
    path = file_of(tmp_path, CELLS[0])
    spoil, words = DAMAGES[damage]
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=words) as caught:
        store.read(tmp_path, CELLS[0])
    assert str(path) in str(caught.value) and "run the sweep again" in str(caught.value)
    assert len(list((tmp_path / "quarantine").iterdir())) == 1
    found = store.scan(tmp_path, CELLS[:2])
    assert (found.complete, found.missing) == ([CELLS[1]], [CELLS[0]])
    assert list(found.quarantined) == [CELLS[0]]
    assert store.publish(tmp_path, CELLS[0], METRICS, FACTS) is True
    assert store.scan(tmp_path, CELLS[:2]).quarantined == {}


def test_s05_a_file_under_another_cells_name(tmp_path):
    store.publish(tmp_path, CELLS[0], METRICS, FACTS)
    wrong = file_of(tmp_path, CELLS[1])
    wrong.parent.mkdir(exist_ok=True)
    wrong.write_bytes(file_of(tmp_path, CELLS[0]).read_bytes())
    with pytest.raises(ValueError, match="holds another cell"):
        store.read(tmp_path, CELLS[1])


def test_publishing_over_a_damaged_file_mends_it(tmp_path):
    store.publish(tmp_path, CELLS[0], METRICS, FACTS)
    file_of(tmp_path, CELLS[0]).write_bytes(b"{")
    assert store.publish(tmp_path, CELLS[0], METRICS, FACTS) is True
    assert store.has(tmp_path, CELLS[0])


def test_s08_a_newer_schema_is_refused_and_left_alone(tmp_path):
    store.publish(tmp_path, CELLS[0], METRICS, FACTS)
    path = file_of(tmp_path, CELLS[0])
    text = canonical({"schema": 2, "key": {"new": [1.5]}, "provenance": {"foqus": "9.0"}})
    path.write_text(json.dumps({"sha256": sha256(text.encode()).hexdigest(), "body": text}))
    before = path.read_bytes()
    for look in (store.has, store.read):
        with pytest.raises(ValueError, match=r"schema 2 was written by foqus 9\.0"):
            look(tmp_path, CELLS[0])
    assert path.read_bytes() == before


def test_scan_says_what_resuming_has_to_run(tmp_path):
    for cell in CELLS[::2]:
        store.publish(tmp_path, cell, METRICS, FACTS)
    try:
        raise RuntimeError("loss is NaN in epoch 3")
    except RuntimeError as error:
        path = store.fail(tmp_path, CELLS[1], error, {"attempt": 1})
    found = store.scan(tmp_path, CELLS)
    assert found.complete == CELLS[::2] and found.missing == CELLS[1::2]
    assert list(found.failed) == [CELLS[1]]
    assert "RuntimeError: loss is NaN in epoch 3" in found.failed[CELLS[1]]
    assert "test_store.py" in store.unsealed(path.read_bytes())["traceback"]
    assert found.note == f"{len(CELLS) // 2} of {len(CELLS)} cells (1 failed, 0 quarantined)"
    for cell in found.missing:
        store.publish(tmp_path, cell, METRICS, FACTS)
    assert store.scan(tmp_path, CELLS).note == ""
    assert store.scan(tmp_path, CELLS).failed == {}


def test_frame_has_one_typed_row_a_cell(tmp_path):
    assert dict(store.frame(tmp_path).dtypes.astype(str)) == store.COLUMNS
    for cell in CELLS:
        store.publish(tmp_path, cell, METRICS, FACTS)
    rows = store.frame(tmp_path, CELLS)
    assert dict(rows.dtypes.astype(str)) == store.COLUMNS
    assert list(rows.method) == [cell.method for cell in CELLS]
    assert list(rows.rate) == [cell.rate for cell in CELLS]
    assert set(rows.accuracy) == {0.3} and rows.accuracy_best.isna().all()
    assert len(store.frame(tmp_path)) == len(CELLS)
    by_snr = store.frame_by_snr(tmp_path, CELLS[:1])
    assert list(by_snr.snr) == [10.0, 18.0] and list(by_snr.accuracy) == [0.25, 0.35]


def test_rows_of_an_older_algorithm_are_not_mixed_in(tmp_path, monkeypatch):
    store.publish(tmp_path, CELLS[0], METRICS, FACTS)
    monkeypatch.setattr(store, "ALGORITHM", 2)
    assert len(store.frame(tmp_path)) == 0


def test_s03_results_folder_that_is_a_file(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(OSError, match="a file stands where a folder is wanted"):
        store.publish(tmp_path / "results", CELLS[0], METRICS, FACTS)
    assert store.scan(tmp_path / "results", CELLS).missing == CELLS


def test_provenance_names_the_versions():
    assert set(FACTS) == set(store.PROVENANCE)
    assert FACTS["torch"] and FACTS["numpy"] and FACTS["seconds"] == 1.5
    assert commit() == FACTS["git"] and len(commit()) in (0, 40, 46)

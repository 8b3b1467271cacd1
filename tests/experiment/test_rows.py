"""Tables of what is stored, and committed rows.

What was written is read back, to the last bit; what was edited is refused.
"""

from dataclasses import replace

import pandas as pd
import pytest

from foqus_lib.experiment import store
from foqus_lib.experiment.provenance import provenance
from foqus_lib.experiment.rows import export, load_rows, take_in
from foqus_lib.experiment.store import columns, frame, frame_by, results
from tests.experiment.made_up import FACTS, METRICS, SETTINGS, STUDY, trial
from tests.experiment.made_up import TRIALS as PONDS

TRIALS = [
    trial(method, budget, seed, dataset='a "set", of sorts')
    for method, budgets in (("Sand", (1, 30)), ("Reeds", (1, 30)), ("All | of it", (0,)))
    for budget in budgets
    for seed in (1, 0)
]


@pytest.fixture
def full(tmp_path):
    for n, one in enumerate(TRIALS):
        metrics = {"clarity": 1 / (n + 3)} | ({"depth": 0.1} if n else {})
        facts = provenance(device="cpu", seconds=n / 7, about="one, two\nNA")
        store.publish(tmp_path / "store", one, metrics, facts)
    return tmp_path


def test_round_trip(full):
    path = full / "rows.csv"
    rows = export(full / "store", STUDY, TRIALS, path)
    pd.testing.assert_frame_equal(load_rows(path, STUDY), rows)
    assert rows.depth.isna().sum() == 1
    first = path.read_bytes()
    export(full / "store", STUDY, TRIALS[::-1], path)
    assert path.read_bytes() == first


def test_a_sweep_goes_on_from_rows_whose_store_is_gone(full, caplog):
    path, other = full / "rows.csv", full / "another"
    export(full / "store", STUDY, TRIALS, path)
    assert take_in(other, STUDY, path) == (len(TRIALS), len(TRIALS))
    assert store.scan(other, TRIALS).missing == []
    export(other, STUDY, TRIALS, full / "again.csv")
    assert (full / "again.csv").read_bytes() == path.read_bytes()
    assert take_in(other, STUDY, path) == (0, len(TRIALS)) and not caplog.text
    path.write_text(path.read_text().replace("0.25,", "0.75,"))
    assert take_in(other, STUDY, path) == (0, len(TRIALS)) and len(caplog.records) == 1
    assert f"1 of {len(TRIALS)} rows have other numbers than {other}" in caplog.text


def test_rows_of_trials_that_the_store_knows_better_are_taken_in_quietly(tmp_path, caplog):
    """It has the numbers by level too, which no row has."""
    one, root, path = TRIALS[0], tmp_path / "store", tmp_path / "rows.csv"
    first = STUDY.metrics[0].name
    by_level = {first: 0.5, "accuracy_snr": {"10": 0.5}}
    store.publish(root, one, by_level, provenance(device="cpu", seconds=1.0, about="A grid."))
    export(root, STUDY, [one], path)
    assert take_in(root, STUDY, path) == (0, 1) and not caplog.text
    assert store.read(root, one)["metrics"] == by_level


def test_an_incomplete_grid_is_not_exported(full):
    next((full / "store" / "trials").rglob("*.json")).unlink()
    with pytest.raises(ValueError, match=r"9 of 10 trials .* first missing: Trial"):
        export(full / "store", STUDY, TRIALS, full / "rows.csv")
    assert not (full / "rows.csv").exists()


EDITS = {
    "column gone": (lambda f: f.drop(columns="git"), "expected columns"),
    "a setting gone": (lambda f: f.drop(columns="versions"), "expected columns"),
    "clarity in percent": (lambda f: f.assign(clarity=50), "line 2: expected clarity 0 to 1"),
    "clarity a word": (lambda f: f.assign(clarity="good"), "a number was expected"),
    "no number": (lambda f: f.assign(clarity=""), "line .*expected a number of a metric, got none"),
    "clarity below 0": (lambda f: f.assign(clarity=-0.1), "line 2: expected clarity 0 to 1"),
    "budget": (lambda f: f.assign(budget=0.5), "line 2: budget: expected a whole number, got 0.5"),
    "seed": (lambda f: f.assign(seed=-1), "line 2: trial.seed"),
    "no version": (lambda f: f.assign(versions=""), "line 2: trial.versions: expected a name"),
    "another study": (lambda f: f.assign(study="lakes"), "line 2: expected rows of 'ponds', got"),
    "no end": (lambda f: f.assign(depth=float("inf")), "line 2: expected a finite depth"),
    "repeated": (lambda f: pd.concat([f, f]), "line 12: repeats the trial of line 2"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_edited_rows_are_refused_with_the_line(full, edit):
    path = full / "rows.csv"
    spoil, message = EDITS[edit]
    spoil(export(full / "store", STUDY, TRIALS, path)).to_csv(path, index=False)
    with pytest.raises(ValueError, match=message) as caught:
        load_rows(path, STUDY)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("spoil, words", [
    (lambda text: b"\xff\xfe" + text, "not a CSV of result rows"),
    (lambda text: text.replace(b"\nponds", b"\nponds,1"), "more fields than there are columns"),
], ids=["no text", "a field too many"])  # fmt: skip
def test_what_is_no_export_is_refused_by_its_name(full, spoil, words):
    path = full / "rows.csv"
    export(full / "store", STUDY, TRIALS, path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=words) as caught:
        load_rows(path, STUDY)
    assert str(path) in str(caught.value)


def test_what_is_no_fraction_may_be_above_1_or_below_0(tmp_path):
    of_depth = replace(STUDY, metrics=STUDY.metrics[::-1])
    for depth, one in ((8.0, TRIALS[0]), (-2.0, TRIALS[1])):
        facts = provenance(device="cpu", seconds=1.0, about="A pond.")
        store.publish(tmp_path / "store", one, {"depth": depth}, facts)
    export(tmp_path / "store", of_depth, TRIALS[:2], tmp_path / "rows.csv")
    assert set(load_rows(tmp_path / "rows.csv", of_depth).depth) == {8.0, -2.0}


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "rows.csv").touch()
    with pytest.raises(ValueError, match="empty file"):
        load_rows(tmp_path / "rows.csv", STUDY)


def test_frame_has_one_typed_row_a_trial(tmp_path):
    wanted = columns(STUDY)
    assert dict(frame(tmp_path, STUDY, PONDS).dtypes.astype(str)) == wanted
    for one in PONDS:
        store.publish(tmp_path, one, {"clarity": 0.3}, FACTS)
    rows = frame(tmp_path, STUDY, [*PONDS, PONDS[0]])
    assert dict(rows.dtypes.astype(str)) == wanted
    assert list(rows.method) == [one.method for one in PONDS]
    assert list(rows.budget) == [one.budget for one in PONDS] and set(rows.pond) == {"north"}
    assert set(rows.clarity) == {0.3} and rows.depth.isna().all()


def test_results_are_scan_and_frame_in_one_look(tmp_path):
    for one in PONDS[:3]:
        store.publish(tmp_path, one, METRICS, FACTS)
    store.fail(tmp_path, PONDS[3].key, ValueError("no"))
    found, rows = results(tmp_path, STUDY, PONDS)
    assert found == store.scan(tmp_path, PONDS) and found.failed.keys() == {PONDS[3]}
    assert rows.equals(frame(tmp_path, STUDY, PONDS)) and len(rows) == 3


def test_a_metric_by_level_has_a_row_a_level(tmp_path):
    store.publish(tmp_path, PONDS[0], METRICS, FACTS)
    store.publish(tmp_path, PONDS[1], {"clarity": 0.3}, FACTS)  # says nothing of months
    rows = frame_by(tmp_path, STUDY, PONDS, "clarity", "month")
    assert list(rows.month) == [4.0, 9.0] and list(rows.clarity) == [0.25, 0.35]
    assert rows.equals(frame_by(tmp_path, STUDY, PONDS[:1], "clarity", "month"))


def test_rows_of_another_version_are_not_mixed_in(tmp_path):
    """The version of the code stands in the settings: under another one nothing is stored yet."""
    store.publish(tmp_path, PONDS[0], METRICS, FACTS)
    newer = trial(settings=(SETTINGS[0], ("versions", "sieve=2")))
    assert store.scan(tmp_path, [newer]).missing == [newer]
    assert len(frame(tmp_path, STUDY, [newer])) == 0

"""Published means whole, once, for ever; damage is set aside; missing is said (S03-S05, S08)."""

import json
import logging
from hashlib import sha256

import pytest

from foqus_lib.errors import Diverged
from foqus_lib.experiment import sealed, store
from foqus_lib.experiment.key import canonical
from tests.experiment.made_up import FACTS, METRICS, TRIALS


def file_of(root, one):
    return root / "trials" / one.name[:2] / f"{one.name}.json"


def test_what_was_published_is_read_back(tmp_path):
    one = TRIALS[0]
    assert not store.has(tmp_path, one)
    assert store.publish(tmp_path, one, METRICS, FACTS) is True
    assert store.has(tmp_path, one)
    body = store.read(tmp_path, one)
    assert body == {"schema": 2, "key": one.key, "metrics": METRICS, "provenance": FACTS}
    with pytest.raises(ValueError, match="not run yet"):
        store.read(tmp_path, TRIALS[1])


def test_the_first_publication_stays(tmp_path, caplog):
    store.publish(tmp_path, TRIALS[0], METRICS, FACTS)
    with caplog.at_level(logging.WARNING):
        assert store.publish(tmp_path, TRIALS[0], METRICS, FACTS | {"seconds": 9.0}) is False
        assert caplog.text == ""  # the same numbers, merely another run
        assert store.publish(tmp_path, TRIALS[0], METRICS | {"clarity": 0.9}, FACTS) is False
    assert "published before with other metrics" in caplog.text
    assert store.read(tmp_path, TRIALS[0])["metrics"]["clarity"] == 0.3


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ({}, "metrics: expected at least one number, got nothing"),
        (METRICS | {"clarity": float("nan")}, "metrics.clarity: expected a finite number"),
        (METRICS | {"clarity_by_month": {"4": float("inf")}}, r"clarity_by_month\[4\]"),
    ],
)
def test_numbers_that_are_none_are_refused(tmp_path, metrics, message):
    with pytest.raises(ValueError, match=message):
        store.publish(tmp_path, TRIALS[0], metrics, FACTS)
    assert list(tmp_path.iterdir()) == []


def test_a_row_without_provenance_is_refused(tmp_path):
    with pytest.raises(ValueError, match="provenance: missing .*device"):
        store.publish(tmp_path, TRIALS[0], METRICS, {"git": ""})


DAMAGES = {
    "empty": (lambda raw: b"", "Expecting value"),
    "truncated": (lambda raw: raw[:-20], "Unterminated|Expecting|Invalid"),
    "edited": (lambda raw: raw.replace(b"0.3,", b"0.9,"), "expected sha256 .*, got"),
    "a field more": (lambda raw: raw[:-1] + b', "of": 1}', "expected a JSON object of sha256 and"),
    "other json": (lambda raw: b"[1]", "expected a JSON object"),
    "deep json": (lambda raw: b"[" * 10**6, "recursion"),
    "not text": (lambda raw: b"\xff\xfe" + raw, "decode"),
    "body a number": (lambda raw: b'{"sha256":"", "body":1}', "attribute"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_s05_damage_is_set_aside_and_the_trial_is_missing(tmp_path, damage):
    for one in TRIALS[:2]:
        store.publish(tmp_path, one, METRICS, FACTS)
    path = file_of(tmp_path, TRIALS[0])
    spoil, words = DAMAGES[damage]
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=words) as caught:
        store.read(tmp_path, TRIALS[0])
    assert str(path) in str(caught.value) and "run the sweep again" in str(caught.value)
    assert len(list((tmp_path / "quarantine").iterdir())) == 1
    found = store.scan(tmp_path, TRIALS[:2])
    assert (found.complete, found.missing) == ([TRIALS[1]], [TRIALS[0]])
    assert list(found.quarantined) == [TRIALS[0]]
    assert store.publish(tmp_path, TRIALS[0], METRICS, FACTS) is True
    assert store.scan(tmp_path, TRIALS[:2]).quarantined == {}


def test_s05_a_file_under_another_trials_name(tmp_path):
    store.publish(tmp_path, TRIALS[0], METRICS, FACTS)
    wrong = file_of(tmp_path, TRIALS[1])
    wrong.parent.mkdir(exist_ok=True)
    wrong.write_bytes(file_of(tmp_path, TRIALS[0]).read_bytes())
    with pytest.raises(ValueError, match="holds another trial"):
        store.read(tmp_path, TRIALS[1])


def test_what_cannot_be_read_is_named(tmp_path):
    """A folder in its place stands for a bad disk: the error of a read knows no path."""
    path = file_of(tmp_path, TRIALS[0])
    path.mkdir(parents=True)
    with pytest.raises(IsADirectoryError, match=path.name):
        store.scan(tmp_path, TRIALS)


def test_publishing_over_a_damaged_file_mends_it(tmp_path):
    store.publish(tmp_path, TRIALS[0], METRICS, FACTS)
    file_of(tmp_path, TRIALS[0]).write_bytes(b"{")
    assert store.publish(tmp_path, TRIALS[0], METRICS, FACTS) is True
    assert store.has(tmp_path, TRIALS[0])


def test_s08_a_newer_schema_is_refused_and_left_alone(tmp_path):
    store.publish(tmp_path, TRIALS[0], METRICS, FACTS)
    path = file_of(tmp_path, TRIALS[0])
    text = canonical({"schema": 3, "key": {"new": [1.5]}, "provenance": {"foqus": "9.0"}})
    path.write_text(json.dumps({"sha256": sha256(text.encode()).hexdigest(), "body": text}))
    before = path.read_bytes()
    for look in (store.has, store.read):
        with pytest.raises(ValueError, match=r"schema 3 was written by foqus 9\.0"):
            look(tmp_path, TRIALS[0])
    assert path.read_bytes() == before


def test_scan_says_what_resuming_has_to_run(tmp_path):
    for one in TRIALS[::2]:
        store.publish(tmp_path, one, METRICS, FACTS)
    try:
        raise RuntimeError("loss is NaN in epoch 3")
    except RuntimeError as error:
        path = store.fail(tmp_path, TRIALS[1].key, error)
    found = store.scan(tmp_path, TRIALS)
    assert found.complete == TRIALS[::2] and found.missing == TRIALS[1::2]
    assert list(found.failed) == [TRIALS[1]]
    assert "RuntimeError: loss is NaN in epoch 3" in found.failed[TRIALS[1]]
    assert "test_store.py" in sealed.unsealed(path.read_bytes())["traceback"]
    why = "RuntimeError: loss is NaN in epoch 3"
    assert found.note == f"4 of 8 trials (1 failed, 0 quarantined; {why})"
    for one in found.missing:
        store.publish(tmp_path, one, METRICS, FACTS)
    assert store.scan(tmp_path, TRIALS).note == ""
    assert store.scan(tmp_path, TRIALS).failed == {}


@pytest.mark.parametrize("value", [True, 1.0])
def test_a_key_that_equals_the_trials_but_is_another_is_set_aside(value, tmp_path):
    one = TRIALS[0]
    assert one.key["version"] == 1
    store.publish(tmp_path, one, METRICS, FACTS)
    body = store.read(tmp_path, one)
    body["key"]["version"] = value
    file_of(tmp_path, one).write_bytes(sealed.sealed(body))
    assert one in store.scan(tmp_path, [one]).quarantined


def test_the_note_names_each_reason_once(tmp_path):
    for one in TRIALS[:4]:
        store.fail(tmp_path, one.key, ValueError("mud" if one.seed else "no water"))
    found = store.scan(tmp_path, TRIALS)
    assert found.note == (
        "0 of 8 trials (4 failed, 0 quarantined; ValueError: no water; ValueError: mud)"
    )


def test_the_note_is_the_reason_whatever_the_folder_is_called(tmp_path):
    root = tmp_path / "run (1)"
    store.fail(root, TRIALS[0].key, ValueError("mud (deep)"))
    note = store.scan(root, TRIALS).note
    assert note == "0 of 8 trials (1 failed, 0 quarantined; ValueError: mud (deep))"


def test_the_newest_failure_is_the_one_that_is_told(tmp_path):
    assert store.last_failure(tmp_path, TRIALS[0].key) is None
    for words in ("mud", "ice"):
        path = store.fail(tmp_path, TRIALS[0].key, ValueError(words))
    found = store.last_failure(tmp_path, TRIALS[0].key)
    assert found == store.Failure("ValueError: ice", path, diverged=False)
    assert str(found) == f"ValueError: ice ({path})"


def test_a_failure_is_divergence_by_its_kind_and_not_by_its_words(tmp_path):
    for kind, said in ((Diverged, True), (ValueError, False)):
        store.fail(tmp_path, TRIALS[0].key, kind("foqus_lib.errors.Diverged: loss"))
        assert store.last_failure(tmp_path, TRIALS[0].key).diverged is said


def test_a_failure_of_before_does_not_say_whether_it_diverged(tmp_path):
    path = store.fail(tmp_path, TRIALS[0].key, Diverged("loss"))
    body = sealed.unsealed(path.read_bytes())
    del body["diverged"]
    path.write_bytes(sealed.sealed(body))
    assert not store.last_failure(tmp_path, TRIALS[0].key).diverged


def test_half_a_character_in_a_files_name_can_be_read_again(tmp_path):
    path = store.fail(tmp_path, TRIALS[0].key, ValueError("m\udcf6d.npz: mud"))
    found = store.last_failure(tmp_path, TRIALS[0].key)
    assert (found.error, found.path) == ("ValueError: m\udcf6d.npz: mud", path)
    store.publish(tmp_path, TRIALS[0], METRICS, FACTS | {"about": "m\udcf6d.npz"})
    assert store.read(tmp_path, TRIALS[0])["provenance"]["about"] == "m\udcf6d.npz"


def test_attempts_are_counted_so_that_the_newest_is_known(tmp_path):
    for number in range(1, 12):
        path = store.fail(tmp_path, TRIALS[0].key, ValueError("mud"))
        assert path.name.startswith(f"{number:04d}-")


def test_a_hidden_file_is_no_failure_and_a_damaged_one_is_told(tmp_path):
    path = store.fail(tmp_path, TRIALS[0].key, ValueError("mud"))
    path.with_name("._0002-of-a-mac.json").write_bytes(b"{")
    assert store.last_failure(tmp_path, TRIALS[0].key).error == "ValueError: mud"
    path.write_bytes(path.read_bytes()[:-9])
    found = store.last_failure(tmp_path, TRIALS[0].key)
    assert found.error.startswith("unreadable failure record: ") and found.path == path
    assert "; unreadable failure record: " in store.scan(tmp_path, TRIALS).note
    path.unlink()
    assert store.last_failure(tmp_path, TRIALS[0].key) is None


def test_levels_that_are_numbers_are_the_same_numbers_again(tmp_path, caplog):
    for _ in range(2):
        store.publish(tmp_path, TRIALS[0], {"clarity_by_month": {4: 0.25, 9: 0.35}}, FACTS)
    assert caplog.text == ""


def test_s03_results_folder_that_is_a_file(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(OSError, match="a file stands where a folder is wanted"):
        store.publish(tmp_path / "results", TRIALS[0], METRICS, FACTS)
    assert store.scan(tmp_path / "results", TRIALS).missing == TRIALS

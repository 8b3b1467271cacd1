"""From evidence to coresets: nested, balanced, one draw for all the trials that share it."""

from dataclasses import replace

import numpy as np
import pytest

from foqus_lib.studies.coreset.draw import affordable, blind, draw, select
from foqus_lib.studies.coreset.records import collect_evidence, evidence_of
from tests.studies import tiny


@pytest.fixture(scope="module")
def bench(task, tmp_path_factory):
    made = tiny.bench(task, tmp_path_factory.mktemp("store"))
    collect_evidence(made, "CNN1D", [0])
    return made


def test_coresets_are_nested_balanced_and_independent_of_the_others_asked_for(bench):
    trials = tiny.trials(bench.task, methods=("Uniform", "FoQuS", "Herding"))
    together = select(bench, trials)
    for one, rows in zip(trials, together, strict=True):
        assert np.array_equal(rows, select(bench, [one])[0])
        counts = np.bincount(bench.task.train.label[rows], minlength=3)
        assert len(rows) == round(64 * one.budget / 10_000) and counts.max() - counts.min() <= 1
    found = {
        (one.method, one.budget): set(rows.tolist())
        for one, rows in zip(trials, together, strict=True)
    }
    for method in ("Uniform", "FoQuS", "Herding"):
        assert found[method, 2500] < found[method, 5000]


def test_repeats_and_evaluation_networks_share_one_draw(bench):
    trials = tiny.pairs(bench.task, "CNN1D -> CNN1D", "CNN1D -> CNN2D", "CNN1D -> LSTM",
                        methods=("Uniform", "FoQuS"), rates=(0.25,), repeats=(2,))  # fmt: skip
    found = select(bench, trials)
    for method in ("Uniform", "FoQuS"):
        first, *others = [r for t, r in zip(trials, found, strict=True) if t.method == method]
        assert len(others) == 5 and all(np.array_equal(first, rows) for rows in others)


def test_all_data_is_every_row_in_order(bench):
    [ceiling] = tiny.trials(bench.task, methods=("Uniform",), ceilings=("CNN1D",))[-1:]
    assert ceiling.method == "All data" and ceiling.budget == 10_000
    assert select(bench, [ceiling])[0].tolist() == list(range(64))


def test_methods_without_a_network_get_labels_and_nothing_else(task):
    record = blind(task.train)
    assert np.array_equal(record.label, task.train.label)
    assert not record.logits.any() and not record.embedding.any() and not record.loss.any()


def test_another_seed_or_data_set_is_another_draw_and_a_repetition_the_same(bench):
    record = evidence_of(bench, "CNN1D", 0)

    def drawn(fingerprint, seed):
        return draw(fingerprint, record, "CNN1D", "Uniform", [0.25], seed)[0].tolist()

    assert drawn("f", 0) == drawn("f", 0)
    assert drawn("f", 0) != drawn("f", 1) and drawn("f", 0) != drawn("g", 0)


def test_an_empty_coreset_is_refused_and_says_which_rate_keeps_one():
    label = np.repeat([0, 1], 45)
    with pytest.raises(ValueError, match=r"0.001 of 90 signals keeps none. Raise .* to 0.01111"):
        affordable(label, 0.001)
    assert affordable(label, 0.0112) == 1


def test_a_class_smaller_than_its_share_is_refused_but_not_for_all_of_the_data():
    label = np.repeat([0, 1, 2], [32, 32, 2])
    wanted = "is 5 for each of 3 classes, but class 2 has 2. Lower the rate to 0.0909"
    with pytest.raises(ValueError, match=wanted):
        affordable(label, 0.25)
    assert affordable(label, 0.09) == 6 and affordable(label, 1.0) == 66


def test_a_starved_trial_is_one_failure_and_not_the_sweeps(bench, task, tmp_path):
    rows = np.flatnonzero((task.train.label != 2) | (np.arange(64) % 5 == 0))
    few = replace(task, train=task.train[rows], train_rows=task.train_rows[rows], fingerprint="1")
    made = tiny.bench(few, tmp_path)
    trials = tiny.trials(few, methods=("Uniform",))
    found = tiny.run(made, trials)
    assert [one.budget for one in found.missing] == [5000]
    assert "signals is 7 for each of 3 classes, but class 2 has 4" in found.note

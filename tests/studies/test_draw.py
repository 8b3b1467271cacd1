"""From evidence to coresets: nested, balanced, one draw for all the trials that share it."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from foqus_lib.experiment import store
from foqus_lib.experiment.key import basis_points
from foqus_lib.selection.budget import budget_of
from foqus_lib.studies.coreset import run
from foqus_lib.studies.coreset.bench import NONE, looked
from foqus_lib.studies.coreset.draw import affordable, blind, draw, rate_for, select, select_or_say
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


@pytest.mark.parametrize("method", ["Uniform", "Uniform | SNR-balanced"])
def test_what_looks_at_no_network_is_one_draw_whatever_network_is_named(bench, method):
    """As the grid's trials are drawn: a page that names its model shows the same coreset."""
    record = evidence_of(bench, "CNN1D", 0)
    named, of_grid = (draw("f", record, model, method, [0.25], 0)[0] for model in ("CNN1D", NONE))
    assert named.tolist() == of_grid.tolist()
    assert looked(method, "CNN1D") == looked(NONE, "CNN1D") == NONE
    assert looked("FoQuS | SNR-balanced", "CNN1D") == "CNN1D"


def test_an_empty_coreset_is_refused_and_says_which_rate_keeps_one():
    label = np.repeat([0, 1], 45)
    with pytest.raises(ValueError, match=r"0.001 of 90 signals keeps none. Raise .* to 0.0056"):
        affordable(label, 0.001)
    assert affordable(label, 0.0056) == 1


def test_a_class_smaller_than_its_share_is_refused_but_not_for_all_of_the_data():
    label = np.repeat([0, 1, 2], [32, 32, 2])
    wanted = "is 5 for each of 3 classes, but class 2 has 2. Lower the rate to 0.0909"
    with pytest.raises(ValueError, match=wanted):
        affordable(label, 0.25)
    assert affordable(label, 0.09) == 6 and affordable(label, 1.0) == 66


@pytest.mark.parametrize(
    ("sizes", "rate"), [((350, 350), 0.0005), ((101, *[36_700] * 23), 0.5), ((7, 9_000), 0.01)]
)
def test_the_rate_of_a_refusal_is_one_that_is_taken(sizes, rate):
    """Whole basis points, which alone are asked for; rounded to the side that helps."""
    label = np.repeat(np.arange(len(sizes)), sizes)
    with pytest.raises(ValueError, match="rate: ") as refusal:
        affordable(label, rate)
    named = float(re.search(r"rate to ([\d.]+)", str(refusal.value))[1])
    assert basis_points(named) and affordable(label, named) >= 1


@pytest.mark.parametrize(
    ("least", "n", "rate"), [(1, 96, 0.0053), (10, 29_000, 0.0004), (5, 5, 0.9)]
)
def test_the_smallest_rate_that_keeps_so_many(least, n, rate):
    assert rate_for(least, n) == rate
    assert budget_of(rate, n) >= least > budget_of(rate - 0.0001, n)


def test_where_no_rate_would_do_none_is_named():
    label = np.repeat([0, 1], [1, 30_000])
    with pytest.raises(ValueError, match=r"but class 0 has 1. Leave that class out or add signals"):
        affordable(label, 0.01)


def test_a_starved_trial_is_one_failure_and_not_the_sweeps(bench, task, tmp_path):
    rows = np.flatnonzero((task.train.label != 2) | (np.arange(64) % 5 == 0))
    few = replace(task, train=task.train[rows], train_rows=task.train_rows[rows], fingerprint="1")
    made = tiny.bench(few, tmp_path)
    trials = tiny.trials(task, methods=("Uniform",))  # of other signals: there it can be filled
    trials = [replace(one, fingerprint="1") for one in trials]
    found = tiny.run(made, trials)
    assert [one.budget for one in found.missing] == [5000]
    assert "signals is 7 for each of 3 classes, but class high has 4" in found.note


def test_a_record_that_failed_costs_its_methods_and_says_why(bench, tmp_path):
    trials = tiny.trials(bench.task, rates=(0.25,))
    found, why = select_or_say(bench, trials)
    assert list(found) == ["Uniform", "FoQuS", "Margin"] and not why
    elsewhere = replace(bench, root=tmp_path)
    store.fail(tmp_path, elsewhere.evidence_key("CNN1D", 0), ValueError("mud"))
    kept, why = select_or_say(elsewhere, trials)
    assert list(kept) == ["Uniform"] and np.array_equal(kept["Uniform"], found["Uniform"])
    assert why.startswith("No coreset of FoQuS, Margin: no record of CNN1D, seed 0")
    assert "mud" in why


def test_what_cannot_end_well_is_refused_when_the_trials_are_made(task):
    """Before a record is trained, by `--plan`, a sweep and a notebook alike; classes have names."""
    rows = np.flatnonzero((task.train.label != 2) | (np.arange(64) % 5 == 0))
    few = replace(task, train=task.train[rows], train_rows=task.train_rows[rows], fingerprint="1")
    with pytest.raises(ValueError, match="7 for each of 3 classes, but class high has 4. Lower"):
        tiny.trials(few)
    with pytest.raises(ValueError, match="rate: 0.0001 of 64 signals keeps none. Raise the rate"):
        tiny.trials(task, rates=(0.0001,))
    for method in ("GraNd", "EL2N", "GraNd | SNR-balanced"):
        with pytest.raises(ValueError, match=rf"early_runs: {re.escape(method)} looks at .* got 0"):
            tiny.trials(task, methods=("Uniform", method), early_runs=0)
    assert tiny.trials(task, methods=("Uniform", "FoQuS"), early_runs=0)


def test_a_disk_without_room_for_a_record_is_told_before_its_training(task, tmp_path, monkeypatch):
    """The estimate holds all that is kept at once, and is no more than a few times that."""
    made, most = tiny.bench(task, tmp_path), []
    [job] = run.evidence_jobs(made, [("CNN1D", 0)])
    real = shutil.rmtree

    def weigh(folder, *given, **more):
        most.append(sum(path.stat().st_size for path in tmp_path.rglob("*.*")))
        real(folder, *given, **more)

    monkeypatch.setattr(shutil, "rmtree", weigh)
    trials = tiny.trials(task, methods=("FoQuS",))
    usage = shutil._ntuple_diskusage(10**9, 10**9 - job.disk, job.disk)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda path: usage)
        with pytest.raises(ValueError, match="MB of free space for what will be written, got"):
            tiny.run(made, trials)  # the record has room, the rows have not
        assert not list(tmp_path.rglob("*.npz"))
    run.recorded(made, "CNN1D", 0, lambda text: None)
    assert most[0] / 5 < job.disk and max(most) < 1.5 * job.disk

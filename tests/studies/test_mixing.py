"""The mixing study: rows that differ in their batches alone, on the coreset study's coresets."""

from dataclasses import replace

import numpy as np
import pytest

from foqus_lib.companions.mixing.part import TrainingPart
from foqus_lib.experiment import store, sweep
from foqus_lib.experiment.plan import Bench as Protocol
from foqus_lib.experiment.store import frame, frame_by
from foqus_lib.studies import mixing
from foqus_lib.studies.coreset import borrowed
from foqus_lib.studies.coreset.draw import select
from foqus_lib.studies.coreset.run import train_trials
from foqus_lib.studies.mixing import METHODS, Options
from foqus_lib.studies.mixing import run as running
from foqus_lib.studies.mixing.rules import Rules
from foqus_lib.studies.mixing.trials import STEPS
from foqus_lib.training import fit
from tests.studies import tiny

OPTIONS = Options(
    coresets=("FoQuS", "Uniform"), methods=METHODS, rates=(0.5,), selection_epochs=2, epochs=(2,),
    selection_batch=16, batch=16, early_runs=1, early_epochs=1, stride=16,
)  # fmt: skip


def bench(task, root, options=OPTIONS):
    return mixing.bench(tiny.common(results=str(root)), options, task)


def coreset_of(made, one):
    chosen = one["coreset"], one["selection_model"], one.budget / 10_000, one.seed
    return borrowed.coreset_of(made, *chosen)


def trials(task, options=OPTIONS, seeds=1, **change):
    return mixing.trials(tiny.common(seeds=seeds), replace(options, **change), task)


def run(made, wanted):
    return sweep.sweep(mixing.STUDY, made, wanted, 1, lambda text: None)


@pytest.fixture(scope="module")
def done(task, tmp_path_factory):
    made = bench(task, tmp_path_factory.mktemp("store"))
    wanted = trials(task, ceiling=1)
    assert run(made, wanted).note == ""
    return made, wanted, frame(made.root, mixing.STUDY, wanted)


def test_every_row_is_there_and_has_its_numbers(done):
    made, wanted, rows = done
    assert isinstance(made, Protocol)
    assert len(rows) == 2 * len(METHODS) + 1
    assert rows.accuracy.between(0, 1).all() and (rows.kept[rows.budget < 10_000] == 32).all()
    by_snr = frame_by(made.root, mixing.STUDY, wanted, "accuracy", "snr")
    assert set(by_snr.snr) == {10.0, 18.0}
    with_theta = rows.method == "theta-SM"
    assert rows.unmet_pairs[with_theta].between(0, 1).all()
    assert rows.unmet_pairs[~with_theta].isna().all()


def test_every_row_of_a_rate_takes_the_same_steps_and_says_so(task, done, monkeypatch):
    made, wanted, rows = done
    assert set(rows.steps) == {STEPS}
    seen, real = {}, fit.fit

    def noting(build, signals, coresets, seeds, recipe, *rest, **more):
        seen.setdefault((tuple(coresets[0]), tuple(seeds), str(recipe)), []).append(1)
        return real(build, signals, coresets, seeds, recipe, *rest, **more)

    monkeypatch.setattr(fit, "fit", noting)
    here = [one for one in wanted if one["coreset"] == "Uniform"]
    for one in here:
        rows = np.sort(coreset_of(made, one))
        running.outcome(made, one, TrainingPart(task, rows))
    assert list(seen.values()) == [[1] * len(METHODS)]  # one coreset, one seed, one recipe


@pytest.mark.parametrize("selector", ["FoQuS", "Uniform"])
def test_the_floor_is_the_coreset_study_s_own_result(task, done, selector):
    """The same coreset, weights and batches, so the same accuracy to the last bit."""
    made, wanted, rows = done
    options = replace(tiny.OPTIONS, methods=(selector,), rates=(0.5,), epochs=2)
    [theirs] = tiny.trials(task, options)
    floor = next(t for t in wanted if t.method == "none" and t["coreset"] == selector)
    assert np.array_equal(coreset_of(made, floor), select(made.records, [theirs])[0])
    train_trials(made.records, [theirs])
    there = store.read(made.root, theirs)["metrics"]
    assert store.read(made.root, floor)["metrics"] == there


def test_a_second_sweep_has_nothing_to_do_and_another_constant_has(task, done, tmp_path):
    made, wanted, _ = done
    assert run(made, wanted).missing == []
    other = trials(task, ratio=0.25)
    kept = {one.method for one in set(other) & set(wanted)}
    assert kept == {"none"}  # it has no constant


def test_one_snr_alone_is_a_task_of_its_own(task, tmp_path):
    alone = replace(OPTIONS, only_snr=18.0)
    made = bench(task, tmp_path, alone)
    assert set(made.task.train.snr) == set(made.task.test.snr) == {18.0}
    wanted = trials(task, alone, methods=("RM",), coresets=("Uniform",))
    assert {one.fingerprint for one in wanted} == {made.task.fingerprint} != {task.fingerprint}
    assert {one.dataset for one in wanted} == {"tones at 18 dB"}
    assert run(made, wanted).note == ""
    assert np.array_equal(task.train.iq[task.train.snr == 18], made.task.train.iq)
    with pytest.raises(ValueError, match="only_snr: expected one of 10, 18 dB, got 4"):
        bench(task, tmp_path, replace(OPTIONS, only_snr=4.0))


def test_side_rows_stand_on_the_first_coreset_and_each_rate_has_its_epochs(task):
    options = replace(OPTIONS, rates=(0.25, 0.5), epochs=(8, 4), ceiling=1, ceiling_epochs=3)
    found = trials(task, options, methods=("RM",), side_methods=("flip",))
    assert [(one["coreset"], one.method) for one in found][::2] == [
        ("FoQuS", "none"), ("FoQuS", "RM"), ("FoQuS", "flip"), ("Uniform", "none"),
        ("Uniform", "RM"), ("-", "All data"),
    ]  # fmt: skip
    epochs = {one.budget: options.recipes[one["evaluation_recipe"]].epochs for one in found}
    assert epochs == {2500: 8, 5000: 4, 10_000: 3}


def test_rules_survive_their_text():
    rules = Rules(chance=0.25, stride=4, theta=0.2)
    assert Rules.read(str(rules)) == rules
    assert OPTIONS.rules.stride == 16 and Rules.read(str(OPTIONS.rules)) == OPTIONS.rules


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"methods": ("RN",)}, "did you mean 'RM'"),
        ({"methods": ("rotation + rotation",)}, "method"),
        ({"methods": ()}, "methods: expected at least one"),
        ({"coresets": ("FoQus",)}, "did you mean 'FoQuS'"),
        ({"chance": 1.5}, "chance: expected 0 to 1, got 1.5"),
        ({"patience": 0}, "patience: expected 1 or more, got 0"),
        ({"stride": 0}, "stride: expected 1 or more, got 0"),
        ({"model": "CNN3D"}, "did you mean"),
        ({"rates": (0.0,)}, "rate: expected 0"),
        ({"epochs": (3, 4)}, "epochs: expected 1 number, or 1 as there are rates"),
        ({"side_methods": ("mixupp",)}, "did you mean 'mixup'"),
    ],
)
def test_what_means_nothing_is_refused_before_any_training(wrong, says):
    with pytest.raises(ValueError, match=says):
        replace(OPTIONS, **wrong)


def test_a_cut_of_no_sample_is_refused_before_any_training(task, tmp_path):
    with pytest.raises(ValueError, match=r"ratio: expected 0\.0156 to 1 of a signal of 64"):
        bench(task, tmp_path, replace(OPTIONS, ratio=0.001))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"coresets": ("GraNd",), "early_runs": 0}, "early_runs: GraNd looks at short trainings"),
        ({"rates": (0.005,)}, "rate: 0.005 of 64 signals keeps none"),
    ],
)
def test_a_coreset_that_cannot_be_is_refused_before_any_training(task, tmp_path, change, says):
    with pytest.raises(ValueError, match=says):
        bench(task, tmp_path, replace(OPTIONS, **change))


def test_a_trial_that_fails_leaves_the_others(task, tmp_path):
    made = bench(task, tmp_path)
    wanted = trials(task, rates=(0.005, 0.5), methods=("RM",), coresets=("Uniform",))
    found = run(made, wanted)
    assert {one.budget for one in found.complete} == {5000}
    assert {one.budget for one in found.failed} == {50}
    assert "rate: 0.005 of 64 signals" in found.note


def test_a_coreset_of_lone_signals_trains_as_none(task, tmp_path, done):
    """One signal of a class at an SNR has no partner: every mixing is the floor then."""
    made, wanted, _ = done
    rows = np.array([np.flatnonzero(task.train.label == y)[0] for y in range(3)])
    part = TrainingPart(task, np.sort(rows))
    one = {t.method: t for t in wanted if t["coreset"] == "Uniform"}
    plain = running.outcome(made, one["none"], part)
    for method in ("copies", "RM", "MSM", "theta-SM", "n-RM"):
        found = running.outcome(made, one[method], part)
        assert found == plain  # without a pair there is no share of pairs

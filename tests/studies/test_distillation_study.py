"""The distillation chapter: its sets, its trials, and what it refuses before any training."""

from dataclasses import replace

import numpy as np
import pytest

from foqus_lib.experiment import store
from foqus_lib.experiment.sweep import sweep
from foqus_lib.seeds import rng_for
from foqus_lib.selection.catalog import METHODS as SELECTORS
from foqus_lib.selection.methods import class_balanced
from foqus_lib.studies import catalog, distillation
from foqus_lib.studies.coreset.records import collect_evidence, evidence_of
from foqus_lib.studies.distillation import STUDY, Options
from tests.studies import tiny

OPTIONS = Options(
    per_class=(2,), iterations=2, batch_real=4, dc_iterations=1, dc_outer=1, dc_inner=1,
    train_steps=2, batch=8, selection_epochs=2,
)  # fmt: skip


def bench_of(task, root, options=OPTIONS):
    return distillation.bench(tiny.common(results=str(root)), options, task)


def trials_of(task, options=OPTIONS, **change):
    return distillation.trials(tiny.common(**change), options, task)


def run(bench, trials):
    return sweep(STUDY, bench, trials, progress=lambda text: None)


@pytest.fixture(scope="module")
def bench(task, tmp_path_factory):
    made = bench_of(task, tmp_path_factory.mktemp("store"))
    collect_evidence(made.records, "CNN1D", [0])
    return made


def test_every_method_runs_and_says_how_it_went(bench, task):
    trials = trials_of(task)
    found = run(bench, trials)
    assert not found.missing, found.note
    rows = store.frame(bench.root, STUDY, trials).set_index("method")
    assert list(rows.index) == [*distillation.MAIN, "All data"]
    assert rows.accuracy.between(0, 1).all() and rows.accuracy_rotated.between(0, 1).all()
    made = rows.loc[["DC", "DM", "FD only", "MDM", "MDM from FoQuS"]]
    assert (made.move > 0).all() and made.fall.drop("DC").notna().all()
    real = rows.drop(made.index)
    assert real.move.isna().all() and real.fall.isna().all()
    assert (rows.kept.drop("All data") == 6).all() and rows.kept["All data"] == len(task.train)
    body = store.read(bench.root, trials[0])
    assert set(body["metrics"]["accuracy_by_snr_rotated"]) == {"10", "18"}


def test_herding_is_the_selections(bench, task):
    rows = distillation.rows_of(bench, "Herding", 2, 0)
    record = evidence_of(bench.records, "CNN1D", 0)
    rng = rng_for("draw", task.fingerprint, "CNN1D", "Herding", 0)
    assert np.array_equal(rows, class_balanced(SELECTORS["Herding"])(record, 6, rng))


@pytest.mark.parametrize("start", ["Random", "Uniform", "Herding", "FoQuS"])
def test_starts_are_balanced_distinct_and_nested(bench, task, start):
    large, small = (distillation.rows_of(bench, start, budget, 0) for budget in (4, 2))
    assert np.bincount(task.train.label[large]).tolist() == [4, 4, 4]
    assert len(set(large)) == 12 and set(small) <= set(large)


def test_random_and_uniform_are_two_draws_of_one_rule(bench):
    assert set(distillation.rows_of(bench, "Random", 4, 0)) != set(
        distillation.rows_of(bench, "Uniform", 4, 0)
    )
    assert set(distillation.rows_of(bench, "Random", 4, 0)) != set(
        distillation.rows_of(bench, "Random", 4, 1)
    )


def test_a_synthetic_set_starts_from_the_floors_signals(bench, task):
    distillation.make_set(bench, "MDM", 2, 0)
    found = distillation.set_of(bench, "MDM", 2, 0)
    floor = distillation.set_of(bench, "Random", 2, 0).signals
    assert np.array_equal(found.start.iq, floor.iq) and not np.array_equal(
        found.signals.iq, floor.iq
    )
    assert np.array_equal(found.signals.label, floor.label) and len(found.move) == 2


def test_mdm_of_weight_zero_is_dm_bit_for_bit(task, tmp_path):
    bench = bench_of(task, tmp_path, replace(OPTIONS, alpha=0.0))
    for method in ("DM", "MDM"):
        distillation.make_set(bench, method, 2, 0)
    one, other = (distillation.set_of(bench, name, 2, 0) for name in ("DM", "MDM"))
    assert np.array_equal(one.signals.iq, other.signals.iq)
    assert np.array_equal(one.loss, other.loss)


def test_a_set_is_one_function_of_its_key(bench, task, tmp_path):
    again = bench_of(task, tmp_path)
    for one in (bench, again):
        distillation.make_set(one, "DM", 2, 0)
    sets = [distillation.set_of(one, "DM", 2, 0).signals.iq for one in (bench, again)]
    assert np.array_equal(*sets)


def test_a_set_that_failed_is_a_gap_with_its_reason(task, tmp_path):
    """The others are published; the failed one says why."""
    wild = replace(OPTIONS, step=1e30, methods=("Random", "DM"), iterations=9)
    bench, trials = bench_of(task, tmp_path, wild), trials_of(task, wild)
    found = run(bench, trials)
    assert [one.method for one in found.missing] == ["DM"]
    [why] = found.failed.values()
    assert "no set of DM, 2 a class, seed 0" in why and "expected finite samples" in why


def test_every_training_takes_the_same_number_of_steps():
    """64 signals a step: 11 are one step an epoch, 110 two, 550 nine."""
    options = Options(train_steps=600, batch=64)
    for signals, steps in ((11, 1), (110, 2), (550, 9)):
        recipe = options.recipe_for("CNN1D", signals, 600)
        assert abs(recipe.epochs * steps - 600) <= steps / 2
        assert recipe.lr_at(recipe.epochs - 1, 0, steps) == pytest.approx(1e-3 * 0.8**4)
    assert options.steps_of("All data") == 600
    assert replace(options, all_data_steps=9).steps_of("All data") == 9


def test_the_sweep_on_val_leaves_out_what_has_another_name():
    """Weight 0 is DM, the chapter's own weight and step are MDM."""
    options = Options(alphas=(0.0, 0.1, 1.0), steps=(0.0015, 0.005))
    swept = [name for name in distillation.ways(options) if name not in distillation.MAIN]
    assert swept == ["MDM | alpha 1", "MDM | step 0.005"]


def test_the_trials_of_a_chapter_with_everything(task):
    options = replace(
        OPTIONS, methods=("Random", "DM"), alphas=(1.0,), cross_models=("CNN2D",),
        cross_methods=("Random", "MDM"), cross_per_class=3, sweep_per_class=2, repeats=2,
    )  # fmt: skip
    trials = trials_of(task, options)
    assert len(trials) == len(set(trials))
    found = {(one["evaluation_model"], one.method, one.budget) for one in trials}
    assert found == {
        ("CNN1D", "Random", 2), ("CNN1D", "DM", 2), ("CNN1D", "MDM", 2),
        ("CNN1D", "MDM | alpha 1", 2), ("CNN2D", "Random", 3), ("CNN2D", "MDM", 3),
        ("CNN1D", "All data", 21), ("CNN2D", "All data", 21),
    }  # fmt: skip
    assert sum(one.method != "All data" for one in trials) == 2 * 6


def test_all_that_decides_stands_in_the_key(task):
    def keys(**change):
        return set(trials_of(task, replace(OPTIONS, methods=("Random", "DM", "MDM"), **change)))

    plain = keys()
    for name, value in (("iterations", 3), ("batch_real", 5), ("step", 0.1)):
        made = {one.method for one in keys(**{name: value}) - plain}
        assert made == {"DM", "MDM"}, name
    assert {one.method for one in keys(alpha=0.5) - plain} == {"MDM"}
    assert len(keys(train_steps=3) & plain) == len(keys(batch=4) & plain) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"per_class": (22,)}, "signals per class: expected 1 to 21"),
        ({"per_class": (2,), "cross_models": ("CNN2D",), "cross_per_class": 99}, "got 99"),
    ],
)
def test_more_signals_than_there_are_are_refused_before_any_training(task, tmp_path, change, words):
    with pytest.raises(ValueError, match=words):
        bench_of(task, tmp_path, replace(OPTIONS, **change))


def test_a_class_of_one_signal_is_refused_before_any_training(task, tmp_path):
    train = task.train
    rows = np.flatnonzero((train.label != 1) | (np.cumsum(train.label == 1) == 1))
    with pytest.raises(ValueError, match="class mid: expected 2 real signals or more, got 1"):
        bench_of(replace(task, train=train[rows]), tmp_path, replace(OPTIONS, per_class=(1,)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"methods": ("MDN",)}, "unknown method 'MDN'; did you mean 'MDM'"),
        ({"methods": ()}, r"methods: expected at least one, got \[\]"),
        ({"per_class": (0,)}, "per_class: expected 1 or more, got 0"),
        ({"alpha": -1.0}, "alpha: expected a finite number of 0 or more"),
        ({"step": 0.0}, "step: expected a finite number above 0"),
        ({"models": ("CNN1",)}, "unknown model 'CNN1'"),
        ({"iterations": 0}, "iterations: expected 1 or more"),
        ({"selection_epochs": 1}, "selection_epochs: expected 2 or more"),
        ({"precision": "fp8"}, "unknown precision"),
    ],
)
def test_options_are_checked(change, words):
    with pytest.raises(ValueError, match=words):
        replace(OPTIONS, **change)


def test_costs_by_hand(task, tmp_path):
    """DM: 2 iterations of 3 classes x (4 / 3 + 2); MDM twice that. A trial: 2 x 2 steps of 6."""
    options = replace(OPTIONS, methods=("DM", "MDM"))
    records, sets, trials = distillation.jobs(
        bench_of(task, tmp_path, options), trials_of(task, options)
    )
    assert not records and len(trials) == 3
    assert [job.cost for job in sets] == pytest.approx([40, 20])
    tested = 2 * 2 * len(task.test) / 3 / 2
    assert min(job.cost for job in trials) == pytest.approx(2 * 2 * 6 + tested)


def test_a_val_part_is_cut_and_reported(tmp_path):
    given = {"profile": "smoke", "results": str(tmp_path), "methods": ["Random"], "per_class": [1],
             "cross_models": [], "alphas": [], "steps": []}  # fmt: skip
    chapter = catalog.opened("08_distillation", given)
    assert chapter.task.val is not None and chapter.run(lambda text: None).missing == []
    rows = chapter.rows()
    assert rows.accuracy_val.between(0, 1).all() and rows.accuracy_val_rotated.notna().all()


def test_the_recipe_of_a_trial_is_the_texts(task):
    [one, *_] = trials_of(task, replace(OPTIONS, methods=("MDM",)))
    assert one["evaluation_recipe"].startswith(
        "Adam lr=0.001 gamma=0.8 each fifth, batch=8 steps=2"
    )
    assert one["distillation_recipe"] == "MDM alpha=0.1 step=0.0015 K=2 batch_real=4 CNN1D"
    assert one["selection_recipe"] == "-" and "distillation=1" in one["versions"]

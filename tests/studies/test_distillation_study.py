"""The distillation chapter: its sets, its trials, and what it refuses before any training."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from foqus_lib.companions.distillation.descent import Distilled
from foqus_lib.companions.distillation.views import TIME_ALONE
from foqus_lib.errors import DeviceLost, Diverged
from foqus_lib.experiment import store
from foqus_lib.experiment.provenance import provenance
from foqus_lib.experiment.store import frame
from foqus_lib.experiment.sweep import sweep
from foqus_lib.seeds import rng_for
from foqus_lib.selection.catalog import METHODS as SELECTORS
from foqus_lib.selection.methods import class_balanced
from foqus_lib.signals import Signals
from foqus_lib.studies import catalog, distillation
from foqus_lib.studies.coreset.records import collect_evidence, evidence_of
from foqus_lib.studies.distillation import STUDY, Options, choice, moves, readings, sets
from foqus_lib.studies.distillation import run as running
from foqus_lib.studies.distillation.study import CHOSEN_BY
from foqus_lib.studies.distillation.ways import Way, steps_on_s, ways
from tests.studies import tiny

OPTIONS = Options(
    per_class=(2,), iterations=2, batch_real=4, dc_iterations=1, dc_outer=1, dc_inner=1,
    train_steps=2, batch=8, selection_epochs=2,
)  # fmt: skip


def bench_of(task, root, options=OPTIONS):
    return distillation.bench(tiny.common(results=str(root)), options, task)


def trials_of(task, options=OPTIONS, **change):
    return distillation.trials(tiny.common(**change), options, task)


def run(bench, trials, said=None):
    return sweep(STUDY, bench, trials, progress=lambda text: said is None or said.append(text))


@pytest.fixture(scope="module")
def bench(task, tmp_path_factory):
    made = bench_of(task, tmp_path_factory.mktemp("store"))
    collect_evidence(made.records, "CNN1D", [0])
    return made


def test_every_method_runs_and_says_how_it_went(bench, task):
    trials = trials_of(task)
    found = run(bench, trials)
    assert not found.missing, found.note
    rows = frame(bench.root, STUDY, trials).set_index("method")
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
    rows = sets.rows_of(bench, "Herding", 2, 0)
    record = evidence_of(bench.records, "CNN1D", 0)
    rng = rng_for("draw", task.fingerprint, "CNN1D", "Herding", 0)
    assert np.array_equal(rows, class_balanced(SELECTORS["Herding"])(record, 6, rng))


@pytest.mark.parametrize("start", ["Random", "Uniform", "Herding", "FoQuS"])
def test_starts_are_balanced_distinct_and_nested(bench, task, start):
    large, small = (sets.rows_of(bench, start, budget, 0) for budget in (4, 2))
    assert np.bincount(task.train.label[large]).tolist() == [4, 4, 4]
    assert len(set(large)) == 12 and set(small) <= set(large)


def test_random_and_uniform_are_two_draws_of_one_rule(bench):
    assert set(sets.rows_of(bench, "Random", 4, 0)) != set(sets.rows_of(bench, "Uniform", 4, 0))
    assert set(sets.rows_of(bench, "Random", 4, 0)) != set(sets.rows_of(bench, "Random", 4, 1))


def test_a_synthetic_set_starts_from_the_floors_signals(bench, task):
    sets.make_set(bench, "MDM", 2, 0)
    found = sets.set_of(bench, "MDM", 2, 0)
    floor = sets.set_of(bench, "Random", 2, 0).signals
    assert np.array_equal(found.start.iq, floor.iq) and not np.array_equal(
        found.signals.iq, floor.iq
    )
    assert np.array_equal(found.signals.label, floor.label) and len(found.move) == 2


def test_mdm_of_weight_zero_is_dm_bit_for_bit(task, tmp_path):
    bench = bench_of(task, tmp_path, replace(OPTIONS, alpha=0.0))
    for method in ("DM", "MDM"):
        sets.make_set(bench, method, 2, 0)
    one, other = (sets.set_of(bench, name, 2, 0) for name in ("DM", "MDM"))
    assert np.array_equal(one.signals.iq, other.signals.iq)
    assert np.array_equal(one.loss, other.loss)


def test_a_set_is_one_function_of_its_key(bench, task, tmp_path):
    again = bench_of(task, tmp_path)
    for one in (bench, again):
        sets.make_set(one, "DM", 2, 0)
    assert np.array_equal(*(sets.set_of(one, "DM", 2, 0).signals.iq for one in (bench, again)))


def test_a_set_that_failed_is_a_gap_with_its_reason(task, tmp_path):
    """The others are published; the failed one says why."""
    wild = replace(OPTIONS, step=1e30, methods=("Random", "DM"), iterations=9)
    bench, trials = bench_of(task, tmp_path, wild), trials_of(task, wild)
    said = []
    found = run(bench, trials, said)
    assert [one.method for one in found.missing] == ["DM"]
    [why] = found.failed.values()
    assert "no set of DM, 2 a class, seed 0" in why and "expected finite samples" in why
    of_set = [text for text in said if "training that others need" in text]
    assert "failed: " in of_set[-1] and "expected finite samples" in of_set[-1]


def test_a_set_that_ended_otherwise_says_why_in_its_trials(task, tmp_path, monkeypatch):
    """Not only a ValueError."""
    one = replace(OPTIONS, methods=("DM",))
    bench, trials = bench_of(task, tmp_path, one), trials_of(task, one)

    def broken(*asked, **more):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(sets, "distil", broken)
    trials = [trial for trial in trials if trial.method == "DM"]
    [why] = run(bench, trials).failed.values()
    assert "no set of DM, 2 a class, seed 0, in " in why and ": RuntimeError: out of memory" in why


def test_a_device_that_is_lost_fails_no_set_and_ends_the_sweep(task, tmp_path, monkeypatch):
    one = replace(OPTIONS, methods=("DM",))
    bench, trials = bench_of(task, tmp_path, one), trials_of(task, one)

    def lost(*asked, **more):
        raise DeviceLost("device: gone")

    monkeypatch.setattr(sets, "distil", lost)
    trials = [trial for trial in trials if trial.method == "DM"]
    with pytest.raises(DeviceLost, match="gone"):
        run(bench, trials)
    assert not store.scan(bench.root, trials).failed


def test_a_repeat_that_diverges_fails_alone_in_its_stack(bench, task, monkeypatch):
    real = running.fit.fit

    def diverging(*asked, transform=None, **more):
        found = real(*asked, transform=transform, **more)
        return replace(found, diverged={1: 2} if transform else {})

    monkeypatch.setattr(running.fit, "fit", diverging)
    trials = trials_of(task, replace(OPTIONS, repeats=3, methods=("Herding",), train_steps=3))
    stack = [trial for trial in trials if trial.method == "Herding"]
    running.run_trials(bench, stack)
    found = store.scan(bench.root, stack)
    assert [one.repeat for one in found.complete] == [0, 2]
    assert "Diverged: loss: not finite from epoch 2" in found.failed[stack[1]]


def test_a_chosen_set_has_its_key_once_it_is_chosen(with_val, tmp_path, monkeypatch):
    bench = bench_of(with_val, tmp_path, SWEEP)
    wanted = [trial for trial in trials_of(with_val, SWEEP) if trial.method == "DM"]
    assert [job.makes for job in STUDY.jobs(bench, wanted)[3]] == [()]
    scores = {"DM | step 0.001": 0.5, "DM | step 0.01": 0.4}
    monkeypatch.setattr(choice, "scores", lambda *asked: scores)
    [job] = STUDY.jobs(bench, wanted)[3]
    assert "DM step=0.001" in job.makes[0]["distillation_recipe"]


def test_every_training_takes_the_same_number_of_steps():
    """64 signals a step: 11 are one step an epoch, 110 two, 550 nine."""
    options = Options(train_steps=600, batch=64)
    for signals, steps in ((11, 1), (110, 2), (550, 9)):
        recipe = options.recipe_for("CNN1D", signals, 600)
        assert abs(recipe.epochs * steps - 600) <= steps / 2
        assert recipe.lr_at(recipe.epochs - 1, 0, steps) == pytest.approx(1e-3 * 0.8**4)
    assert options.steps_of("All data") == 600
    assert replace(options, all_data_steps=9).steps_of("All data") == 9


def test_the_sweep_tries_every_weight_with_every_step_and_dm_and_fd_every_step():
    """Weight 0 is DM; what is given itself is not tried."""
    options = Options(alphas=(0.0, 0.1, 1.0), steps=(0.0015, 0.005))
    swept = [name for name in ways(options) if name not in distillation.MAIN]
    assert swept == [
        "DM | step 0.0015", "DM | step 0.005", "FD | step 0.0015", "FD | step 0.005",
        "MDM | alpha 0.1, step 0.0015", "MDM | alpha 0.1, step 0.005",
        "MDM | alpha 1, step 0.0015", "MDM | alpha 1, step 0.005",
    ]  # fmt: skip
    fixed = ways(replace(options, alpha=1.0, step=0.005))
    assert tuple(fixed) == distillation.MAIN
    assert fixed["MDM"] == ways(options)["MDM | alpha 1, step 0.005"]
    half = ways(replace(options, step=0.005))
    assert not half["DM"].tried and half["MDM"].tried == tuple(half)[-2:]


SWEEP = replace(OPTIONS, alphas=(0.5,), steps=(0.001, 0.01), sweep_per_class=2, sweep_seeds=1,
                methods=("Random", "DM", "MDM", "MDM from FoQuS"))  # fmt: skip


@pytest.fixture(scope="module")
def with_val(task):
    """Val signals that neither train nor test has: their labels say nothing of their noise."""
    rng, label = np.random.default_rng(3), np.arange(30) % 3
    iq = rng.standard_normal((30, 2, 64), dtype=np.float32)
    return replace(task, val=Signals(iq, label, np.full(30, 18, np.float32), task.train.classes))


@pytest.mark.slow
def test_weight_and_step_are_chosen_on_val_and_applied(with_val, tmp_path, monkeypatch):
    bench, trials = bench_of(with_val, tmp_path, SWEEP), trials_of(with_val, SWEEP)
    with pytest.raises(ValueError, match="DM: expected the sweep on val, got no result of DM"):
        choice.best(bench, "DM")
    found = run(bench, trials)
    assert not found.missing, found.note
    rows = frame(bench.root, STUDY, trials).set_index("method")
    score = (rows.accuracy_val + rows.accuracy_val_rotated) / 2
    for method, kind in (("DM", "DM"), ("MDM", "MDM"), ("MDM from FoQuS", "MDM")):
        tried = score[score.index.str.startswith(f"{kind} |")]
        assert choice.best(bench, method) == tried.idxmax()
        assert rows.step[method] == rows.step[tried.idxmax()]
    for name in ("accuracy", "accuracy_rotated", "move", "fall"):
        assert rows[name]["MDM"] == rows[name][choice.best(bench, "MDM")]
    assert rows.alpha["MDM"] == 0.5 and np.isnan(rows.alpha["DM"])


def test_the_choice_follows_val_where_the_test_says_the_opposite(with_val, tmp_path):
    """Both readings of val count, and none of the test's numbers does."""
    bench = bench_of(with_val, tmp_path, SWEEP)
    told = {"step 0.001": (0.3, 0.5, 0.9), "step 0.01": (0.6, 0.3, 0.1)}  # val, rotated val, test
    for one in choice.sweep_trials(bench.how, bench.task, ["DM", "MDM"]):
        [(val, rotated, test)] = [told[step] for step in told if one.method.endswith(step)]
        metrics = {
            "accuracy_val": val, "accuracy_val_rotated": rotated, "accuracy": test,
            "accuracy_rotated": test,
        }  # fmt: skip
        store.publish(bench.root, one, metrics, provenance(device="cpu", seconds=1.0))
    for method in ("DM", "MDM"):
        assert choice.best(bench, method).endswith("step 0.01")
        assert choice.settled(bench, method).step == 0.01
    assert list(choice.scores(bench, "DM").values()) == pytest.approx([0.4, 0.45])


def test_a_part_of_the_trials_runs_the_sweep_that_it_needs(with_val, tmp_path):
    bench = bench_of(with_val, tmp_path, SWEEP)
    [alone] = [one for one in trials_of(with_val, SWEEP) if one.method == "DM"]
    assert run(bench, [alone]).missing == []
    assert len(choice.scores(bench, "DM")) == 2


def made(method, moves, budget=10, step=0.003, recipe="DM step=0.003 K=25 batch_real=32 CNN1D"):
    """Rows of a method: a set a seed, and two networks trained on each."""
    return pd.DataFrame([
        {"method": method, "budget": budget, "seed": seed, "repeat": repeat, "move": move,
         "fall": 0.3, "evaluation_model": "CNN1D", "accuracy_val": 0.2 * repeat,
         "accuracy_val_rotated": 0.4, "distillation_recipe": recipe, "step": step, "alpha": np.nan}
        for seed, move in enumerate(moves) for repeat in (0, 1)
    ])  # fmt: skip


def test_a_row_of_the_sweep_whose_sets_were_destroyed_says_so():
    rows = pd.concat([
        made("Random", [np.nan, np.nan]), made("MDM | alpha 10, step 0.003", [1e16, 0.36]),
        made("MDM | alpha 1, step 0.003", [0.1, 0.35]), made("DM | step 0.003", [0.04, 0.4]),
        made("MDM", [9.0, 9.0]),
    ])  # fmt: skip
    assert list(dict.fromkeys(readings.of_sweep(rows, "CNN1D").method)) == [
        "Random", "MDM | alpha 10, step 0.003 (destroyed)", "MDM | alpha 1, step 0.003",
        "DM | step 0.003 (1 of 2 destroyed, 1 of 2 hardly moved)",
    ]  # fmt: skip


def test_the_guard_counts_sets_not_trainings():
    rows = pd.concat([made("Random", [np.nan] * 3), made("DM", [0.36, 0.2, 0.6], 1),
                      made("DM", [0.01, 0.02, 0.03]), made("MDM", [0.1, 0.2, 0.3])])  # fmt: skip
    found = moves.guard(rows)
    assert list(found["guard"]) == ["2 of 3 destroyed", "hardly moved", "–"]
    assert list(found.n) == [3, 3, 3] and found["largest move"][0] == 0.6
    assert list(found["steps on S"]) == [25, 25, 25]


def test_the_main_table_marks_what_is_beyond_the_guard_and_nothing_is_concluded_of_wrecks():
    rows = pd.concat([
        made("Random", [np.nan] * 2, 1), made("Random", [np.nan] * 2), made("DM", [0.36, 0.2], 1),
        made("DM", [0.1, 0.1]), made("FD only", [0.4, 0.4], 1), made("FD only", [0.01, 0.1]),
        made("MDM", [0.1, 0.2], 1),
    ])  # fmt: skip
    assert list(dict.fromkeys(moves.marked(rows).method)) == [
        "Random", "DM (at 1: 1 of 2 destroyed)",
        "FD only (at 1: destroyed; at 10: 1 of 2 hardly moved)", "MDM",
    ]  # fmt: skip
    assert moves.marked(rows).drop(columns="method").equals(rows.drop(columns="method"))
    alike = pd.concat([made("DM", [0.9], 1), made("DM", [0.9])])
    assert set(moves.marked(alike).method) == {"DM (destroyed)"}
    left = moves.not_destroyed(rows)[["method", "budget"]].drop_duplicates()
    assert list(left.itertuples(index=False, name=None)) == [
        ("Random", 1), ("Random", 10), ("DM", 10), ("FD only", 10), ("MDM", 1),
    ]  # fmt: skip


def test_a_step_that_the_specification_has_shorter_is_named_with_where_it_was_chosen():
    """2.2: at most 0.002 for each signal of a class; where there is one, 0.001."""
    swept = "DM step of [0.0015, 0.003] best on val at 10 a class, seeds 0 to 1; K=25 CNN1D"
    rows = pd.concat([
        made("DM", [0.1], 1, recipe=swept), made("DM", [0.1], recipe=swept),
        made("MDM", [0.1], 1, step=0.0015), made("MDM", [0.1], step=0.002),
        made("DC", [0.1], 1, step=np.nan),
    ])  # fmt: skip
    assert moves.long_steps(rows).splitlines() == [
        "DM: step 0.003, chosen at 10 signals per class; the specification's longest is 0.001 at "
        "1, 0.002 at 10",
        "MDM: step 0.0015; the specification's longest is 0.001 at 1",
    ]
    assert moves.long_steps(made("DM", [0.1], step=0.002)).startswith("no step is longer")


@pytest.mark.parametrize(
    ("change", "budget", "steps"),
    [({}, 1, 20), ({}, 10, 200), ({"dc_iterations": 1, "dc_outer": 10}, 1, 1),
     ({"dc_iterations": 1, "dc_outer": 10}, 50, 10)],
)  # fmt: skip
def test_the_steps_on_s_of_a_recipe(change, budget, steps):
    """DC's own loops are 1, 10 and 50 steps a network; a chosen matching takes one a network."""
    how = Options(alphas=(0.1, 1.0), **change)
    assert steps_on_s(ways(how)["DC"].recipe, budget) == steps
    for method in ("DM", "MDM"):
        assert steps_on_s(ways(how)[method].recipe, budget) == how.iterations


def test_the_sweep_is_shown_by_the_number_that_decides_and_says_what_was_tried():
    rows = pd.concat([
        made("Random", [np.nan]), made("MDM | alpha 1, step 0.003", [0.1]).assign(alpha=1.0),
        made("MDM | alpha 0.1, step 0.003", [0.1]).assign(alpha=0.1), made("MDM", [0.1]),
    ])  # fmt: skip
    swept = readings.of_sweep(rows, "CNN1D")
    assert swept[CHOSEN_BY.name].tolist() == pytest.approx([0.2, 0.3] * 3)
    assert readings.tried_on_val(rows, "CNN1D") == (
        "tried on val at 10 signals per class: 2 weights (0.1, 1) and 1 step (0.003); "
        "weight 0 is DM"
    )
    assert readings.tried_on_val(made("MDM", [0.1]), "CNN1D").startswith("nothing was tried")


@pytest.mark.parametrize(("left", "fall"), [(2.0, 0.0), (1.0, 0.75), (0.0, 1.0), (4.0, -3.0)])
def test_the_fall_of_a_loss_by_hand(bench, task, monkeypatch, left, fall):
    """psi is the mean over time; T is y in class y, S begins 2 away: L falls from 3 x 2^2 on.

    1 away it is 3, a quarter; 4 away it has grown to four times. No network is one that S met.
    """

    def constant(signals, away):
        level = np.stack([signals.label + away, 0 * signals.label], axis=1)[:, :, None]
        iq = np.broadcast_to(level, signals.iq.shape).astype(np.float32)
        return Signals(iq.copy(), signals.label, signals.snr, signals.classes)

    asked = []
    monkeypatch.setattr(
        sets, "fresh_of", lambda *given: lambda k: asked.append(k) or (lambda x: x.mean(2))
    )
    there = replace(bench, task=replace(task, train=constant(task.train, 0.0)))
    start = task.train[np.unique(task.train.label, return_index=True)[1]]
    found = Distilled(constant(start, 2.0), constant(start, left), np.empty(0), np.empty(0))
    assert sets.fall(there, Way("Random", TIME_ALONE), found, 0) == pytest.approx(fall, abs=1e-6)
    assert min(asked) == bench.how.iterations


def test_what_failed_on_val_is_not_chosen(with_val, tmp_path):
    wild = replace(SWEEP, methods=("DM",), steps=(1e30, 0.001), iterations=9)
    bench, trials = bench_of(with_val, tmp_path, wild), trials_of(with_val, wild)
    found = run(bench, trials)
    assert {one.method for one in found.missing} == {"DM | step 1e+30"}
    assert choice.best(bench, "DM") == "DM | step 0.001"


@pytest.mark.parametrize(
    "error", [KeyError("killed"), MemoryError(), ValueError("workers: 3 processes ended")]
)
def test_what_failed_in_passing_on_val_is_not_out(with_val, tmp_path, error):
    """Else two shards choose among different ones and publish them under one key."""
    bench = bench_of(with_val, tmp_path, SWEEP)
    tried = choice.sweep_trials(bench.how, bench.task, ["DM"])
    assert run(bench, tried[1:]).missing == []
    store.fail(bench.root, tried[0].key, Diverged("loss: not finite from epoch 1"))
    assert list(choice.scores(bench, "DM")) == ["DM | step 0.01"]
    store.fail(bench.root, tried[0].key, error)
    with pytest.raises(ValueError, match="got no result of DM .* Run the sweep"):
        choice.best(bench, "DM")


def test_a_sweep_without_val_is_refused_before_any_training(task, tmp_path):
    with pytest.raises(ValueError, match="alphas, steps: expected validation signals"):
        bench_of(task, tmp_path, SWEEP)


def test_only_what_is_asked_for_is_tried_on_val(task, tmp_path):
    cut = replace(SWEEP, methods=("Random", "Herding"), cross_models=())
    assert {one.method for one in trials_of(task, cut)} == {"Random", "Herding", "All data"}
    bench_of(task, tmp_path, cut)  # and needs no val
    one = replace(cut, cross_models=("CNN2D",), cross_methods=("FD only",))
    assert {"FD | step 0.001", "FD | step 0.01"} < {one.method for one in trials_of(task, one)}
    assert not any(one.method.startswith("DM") for one in trials_of(task, one))


def test_the_trials_of_a_chapter_with_everything(task):
    options = replace(
        OPTIONS, methods=("Random", "DM", "MDM"), per_class=(2, 4), dear_from=4,
        dear_methods=("Random",), alphas=(0.5, 1.0), cross_models=("CNN2D", "ResNet20"),
        cross_methods=("Random", "MDM"), cross_per_class=3, sweep_per_class=2, sweep_seeds=3,
        repeats=2,
    )  # fmt: skip
    trials = trials_of(task, options)
    assert len(trials) == len(set(trials))
    found = {(one["evaluation_model"], one.method, one.budget) for one in trials}
    assert found == {
        ("CNN1D", "Random", 2), ("CNN1D", "DM", 2), ("CNN1D", "MDM", 2), ("CNN1D", "Random", 4),
        ("CNN1D", "MDM | alpha 0.5, step 0.0015", 2), ("CNN1D", "MDM | alpha 1, step 0.0015", 2),
        ("CNN2D", "Random", 3), ("CNN2D", "MDM", 3), ("CNN1D", "All data", 21),
        ("ResNet20", "Random", 3), ("ResNet20", "MDM", 3),
    }  # fmt: skip
    assert sum("|" in one.method for one in trials) == 2 * 3 * 2
    [text] = {one["distillation_recipe"] for one in trials if one.method == "MDM"}
    assert "alpha of [0.5, 1.0] step of [0.0015] best on val at 2 a class, seeds 0 to 2" in text


def test_the_residual_network_runs(bench, task):
    options = replace(OPTIONS, methods=("Random",), cross_models=("ResNet20",),
                      cross_methods=("Random",), cross_per_class=2)  # fmt: skip
    trials = [one for one in trials_of(task, options) if one["evaluation_model"] == "ResNet20"]
    found = run(replace(bench, how=options), trials)
    assert len(trials) == 1 and not found.missing, found.note
    assert "ResNet20=1" in trials[0]["versions"]


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
    records, made, trials, *chosen = STUDY.jobs(
        bench_of(task, tmp_path, options), trials_of(task, options)
    )
    assert not records and len(trials) == 3 and chosen == [[], []]
    assert [job.cost for job in made] == pytest.approx([40, 20])
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


def test_a_loss_that_overflows_leaves_its_fall_out(bench, task, monkeypatch):
    """A step far too long moves S out of all numbers: its networks can still be tested."""
    trials = [one for one in trials_of(task) if one.method == "DM"]
    assert not run(bench, trials).missing
    whole = distillation.run._trained_on(bench, trials[0])[1]
    real = distillation.run.kept
    monkeypatch.setattr(
        distillation.run, "kept", lambda *asked: real(*asked) | {"fall": np.array(-np.inf)}
    )
    left = distillation.run._trained_on(bench, trials[0])[1]
    assert whole.keys() - left.keys() == {"fall"} and left["move"] == whole["move"]

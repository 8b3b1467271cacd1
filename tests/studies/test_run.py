"""A trial is one function of its key: alone, in a group, after others, the same result."""

import time
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch

from foqus_lib import evidence
from foqus_lib.errors import DeviceLost, Diverged
from foqus_lib.evidence import SAMPLE_AXIS
from foqus_lib.experiment import artifacts, store
from foqus_lib.experiment.workers import one_thread
from foqus_lib.models import MODELS
from foqus_lib.selection.catalog import CATALOG
from foqus_lib.studies import catalog
from foqus_lib.studies.coreset import bench as naming
from foqus_lib.studies.coreset import run
from foqus_lib.studies.coreset.bench import evaluate_name, select_name
from foqus_lib.studies.coreset.draw import select
from foqus_lib.studies.coreset.records import collect_evidence, evidence_of
from foqus_lib.studies.coreset.run import evidence_jobs, measure, train_trials, trial_jobs
from foqus_lib.training import fit as training
from foqus_lib.training.fit import fit, initial
from foqus_lib.training.predict import accuracies
from foqus_lib.training.recipe import Recipe
from tests.studies import tiny


@pytest.fixture(scope="module")
def bench(task, tmp_path_factory):
    made = tiny.bench(task, tmp_path_factory.mktemp("store"))
    collect_evidence(made, "CNN1D", [0, 1])
    return made


@pytest.mark.parametrize("notebook", ["02_boundary", "03_main_tables", "08_distillation",
    "09_mixing", "13_visibility_graph", "14_frontier", "leaderboard"])  # fmt: skip
def test_every_trial_that_opens_a_record_has_room_for_two(notebook, tmp_path):
    given = {"profile": "smoke", "results": str(tmp_path), "selection_epochs": 20_000}
    chapter = catalog.opened(notebook, given)  # records that are larger than anything else
    first, *later = chapter.study.jobs(chapter.bench, chapter.trials)
    two = 2 * 20_000 * 13 * len(chapter.task.train)
    assert first and all(job.memory > two and job.disk > two for job in first)
    assert {key["what"] for job in first for key in job.makes} == {"evidence"}  # so it is shared
    assert max(job.memory for stage in later for job in stage if job.trials) > two


def test_a_worker_has_room_for_two_records(bench, task):
    record = evidence_of(bench, "CNN1D", 0)
    arrays = (getattr(record, name) for name in SAMPLE_AXIS)
    two = 2 * sum(array.nbytes for array in arrays)
    signals = task.train.iq.nbytes + task.test.iq.nbytes
    assert run._memory(bench, {"CNN1D"}) - signals == pytest.approx(two, rel=0.05)


def metrics(bench, trial):
    return store.read(bench.root, trial)["metrics"]


@pytest.fixture
def seen(monkeypatch):
    """What `fit` is asked for by trials: [(seed name, rows)]."""
    found, real = [], run.fit

    def noting(build, signals, coresets, seeds, *rest, **more):
        found.extend(zip(seeds, coresets, strict=True))
        return real(build, signals, coresets, seeds, *rest, **more)

    monkeypatch.setattr(run, "fit", noting)
    return found


def test_costs_by_hand(task, tmp_path):
    """64 signals to train, 32 to test. A trial at 1/4: 16 an epoch, and 32 / 3 for the test."""
    options = replace(tiny.OPTIONS, epochs=3)
    bench = tiny.bench(task, tmp_path, options)
    trials = tiny.trials(task, options, seeds=2, methods=("Uniform", "FoQuS"))
    jobs = trial_jobs(bench, trials)
    assert len(jobs) == 4  # a method and a seed: both rates share a run of the selector
    assert jobs[0].cost == pytest.approx((16 + 32) * 3 + 2 * 32 / 3)
    first, second = run.jobs(bench, trials)
    assert [job.arguments for job in first] == [("CNN1D", [0]), ("CNN1D", [1])]
    assert first[0].cost == pytest.approx(64 * (2 * 4 / 3 + 1)) and first[0].trials == ()
    assert {one for job in second for one in job.trials} == set(trials)


def test_tests_on_the_way_are_counted(task, tmp_path):
    options = replace(tiny.OPTIONS, epochs=3, test_every=1)
    jobs = trial_jobs(tiny.bench(task, tmp_path, options), tiny.trials(task, options))
    assert jobs[0].cost == pytest.approx(48 * 3 + 2 * (1 + 3) * 32 / 3)


def test_on_a_gpu_all_of_one_network_and_rate_train_together(task, tmp_path):
    bench = tiny.bench(task, tmp_path, device="cuda:0")
    trials = tiny.trials(task, seeds=2, models=("CNN1D", "CNN2D"), methods=("Uniform", "FoQuS"))
    jobs = trial_jobs(bench, trials)
    kinds = sorted((job.kind[0], job.kind[2], len(job.trials)) for job in jobs)
    assert kinds == [("CNN1D", 4, 4), ("CNN1D", 4, 4), ("CNN2D", 4, 4), ("CNN2D", 4, 4)]
    for job in jobs:
        assert len({one.budget for one in job.trials}) == 1
    [both] = evidence_jobs(bench, [("CNN1D", 0), ("CNN1D", 1)])
    assert both.arguments == ("CNN1D", [0, 1]) and both.kind[2] == 2


def test_the_same_trial_alone_and_in_a_sweep(bench, task, tmp_path):
    trials = tiny.trials(task, methods=("Uniform", "Margin"), seeds=2)
    train_trials(bench, trials)
    alone = tiny.bench(task, tmp_path)
    collect_evidence(alone, "CNN1D", [1])
    one = next(t for t in trials if t.method == "Margin" and t.seed == 1)
    train_trials(alone, [one])
    assert metrics(alone, one) == metrics(bench, one)


def test_all_rows_are_all_data_whatever_the_method(bench, task):
    """Common random numbers: one set, one network, listed in whatever order."""
    options = replace(tiny.OPTIONS, rates=(1.0,), ceilings=("CNN1D",), epochs=2)
    trials = tiny.trials(task, options, methods=("Uniform", "Entropy", "Margin"))
    assert [one.method for one in trials] == ["Uniform", "Entropy", "Margin", "All data"]
    listed = select(bench, trials)
    assert not np.array_equal(listed[0], listed[1])
    assert all(sorted(rows) == list(range(64)) for rows in listed)
    asking = tiny.bench(task, bench.root, options)
    train_trials(asking, trials)
    first, *others = [metrics(asking, one) for one in trials]
    assert all(other == first for other in others)


def test_repeats_share_the_coreset_and_not_the_initial_weights(bench, task, seen):
    trials = tiny.trials(task, methods=("Margin", "Uniform"), rates=(0.3125,), repeats=(3,))
    train_trials(bench, trials)
    names, rows = zip(*seen, strict=True)
    assert len(trials) == 6 and len(set(names)) == 3  # repeat r is the same in every method
    assert names[:3] == names[3:]
    assert all(np.array_equal(one, rows[0]) for one in rows[:3])
    assert all(np.array_equal(one, rows[3]) for one in rows[3:])
    assert not np.array_equal(rows[0], rows[3])
    weights = [initial(MODELS["CNN1D"], 3, 64, [name]).last.weight for name in names[:3]]
    assert not any(torch.equal(a, b) for a, b in zip(weights, weights[1:], strict=False))


def test_a_seed_and_a_repeat_are_never_taken_for_one_another(task):
    names = [evaluate_name("f", model, seed, repeat)
             for model in MODELS for seed in range(12) for repeat in range(12)]  # fmt: skip
    names += [select_name("f", model, seed) for model in MODELS for seed in range(12)]
    assert len(set(names)) == len(names)


def test_every_role_has_its_own_stream(bench, task, seen, monkeypatch):
    """select A and GraNd's runs; evaluate A -> A, A -> B, Uniform: what `fit` is given."""
    from foqus_lib.training import collect

    selecting, real = [], collect.fit

    def noting(build, signals, coresets, seeds, *rest, **more):
        selecting.extend(seeds)
        return real(build, signals, coresets, seeds, *rest, **more)

    monkeypatch.setattr(collect, "fit", noting)
    collect_evidence(replace(bench, root=bench.root / "anew"), "CNN1D", [0, 1])
    drawing = []
    monkeypatch.setattr("foqus_lib.studies.coreset.draw.rng_for",
                        lambda *name: drawing.append(name) or np.random.default_rng(0))  # fmt: skip
    train_trials(bench, tiny.pairs(task, "CNN1D -> CNN1D", "CNN1D -> CNN2D", rates=(0.25,),
                                   methods=("Uniform", "Entropy")))  # fmt: skip
    evaluating = {name for name, _ in seen}
    assert len(set(selecting)) == 4  # two seeds, and one early run of each
    assert len(evaluating) == 2  # a network each: what selected does not matter
    assert {name[0] for name in drawing} == {"draw"} and len(set(drawing)) == 2
    assert evaluating.isdisjoint(selecting)
    for one in evaluating:
        for other in selecting:
            assert not one.startswith(other) and not other.startswith(one)
    of_cnn1d = [n for n in [*dict.fromkeys(selecting), *evaluating] if "CNN1D" in n]
    stack = initial(MODELS["CNN1D"], 3, 64, of_cnn1d).last.weight.detach().numpy()
    assert len(of_cnn1d) == 5 and len(np.unique(stack.reshape(5, -1), axis=0)) == 5


def test_streams_are_named_by_the_data_and_not_by_its_name(bench, task, seen):
    renamed = replace(bench, task=replace(task, name="other"), root=bench.root / "renamed")
    [one], [other] = ([t for t in tiny.trials(x.task, methods=("Uniform",), rates=(0.1875,))]
                      for x in (bench, renamed))  # fmt: skip
    assert one != other and one.dataset == "tones"
    train_trials(bench, [one])
    train_trials(renamed, [other])
    assert seen[0][0] == seen[1][0] and np.array_equal(seen[0][1], seen[1][1])
    assert metrics(bench, one) == metrics(renamed, other)
    assert bench.evidence_key("CNN1D", 0) == renamed.evidence_key("CNN1D", 0)


def test_measure_by_hand(task):
    right = np.eye(3)[task.test.label]
    wrong = np.roll(right, 1, axis=1)
    logits = np.where((task.test.snr == 18)[:, None], right, wrong)
    found = measure(logits, task.test, kept=9)
    share = float((task.test.snr == 18).mean())
    assert found == {"accuracy": share, "accuracy_by_snr": {"10": 0.0, "18": 1.0}, "kept": 9}


def test_a_diverged_trial_is_a_failure_and_the_others_are_published(task, tmp_path):
    wild = tiny.bench(task, tmp_path, evaluation=Recipe(epochs=2, lr=1e30))
    [trial] = tiny.trials(task, methods=("Uniform",), rates=(0.5,))
    settings = tuple(
        (name, str(wild.evaluation) if name == "evaluation_recipe" else value)
        for name, value in trial.settings
    )
    [calm] = tiny.trials(task, methods=("Uniform",), rates=(0.25,))
    trial = replace(trial, settings=settings)
    train_trials(wild, [trial])
    train_trials(tiny.bench(task, tmp_path), [calm])
    found = store.scan(tmp_path, [trial, calm])
    assert "loss: not finite from epoch" in found.failed[trial] and found.complete == [calm]


def test_published_trials_of_a_group_are_not_run_again(bench, task, seen):
    """A worker died in the middle of its group: the job comes again, whole."""
    trials = tiny.trials(task, methods=("Entropy",), rates=(0.125, 0.375))
    train_trials(bench, trials[:1])
    train_trials(bench, trials)
    assert [len(rows) for _, rows in seen] == [8, 24]


def test_trials_of_a_stack_say_when_it_began_whatever_their_share_of_its_seconds(
    task, tmp_path, monkeypatch
):
    bench, before = tiny.bench(task, tmp_path), int(time.time())
    trials = tiny.trials(task, methods=("Uniform",), rates=(0.25,), repeats=(2,))
    monkeypatch.setattr(naming.Bench, "stacked", True)
    monkeypatch.setattr(run, "time", tiny.slow_clock())
    train_trials(bench, trials)
    for one in trials:
        assert tiny.began(store.read(tmp_path, one)["provenance"]) >= before


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), ValueError("a bug in the fifth")], ids=repr)
def test_stacks_that_have_ended_are_published_whatever_comes_after(
    stop, task, tmp_path, monkeypatch
):
    """Six of a call, one a stack as on a small GPU: the second diverges, the fifth is the last."""
    trials = tiny.trials(task, methods=("Uniform",), rates=(0.25,), repeats=(6,))
    alone, bench = tiny.bench(task, tmp_path / "alone"), tiny.bench(task, tmp_path)
    train_trials(alone, trials)
    real, begun = training._train, []

    def stopping(*given):
        begun.append(1)
        if len(begun) == 5:
            raise stop
        return real(*given) if len(begun) != 2 else {0: 1}

    monkeypatch.setattr(naming.Bench, "stacked", True)
    monkeypatch.setattr(training, "_train", stopping)
    with nullcontext() if isinstance(stop, ValueError) else pytest.raises(KeyboardInterrupt):
        train_trials(bench, trials)
    found, (first, second, third, fourth, *others) = store.scan(tmp_path, trials), trials
    assert found.complete == [first, third, fourth]
    assert all(metrics(bench, one) == metrics(alone, one) for one in found.complete)
    assert store.read(tmp_path, first)["provenance"]["fused"] == 1
    assert "not finite from epoch 1" in found.failed[second]
    told = {one: "a bug in the fifth" in found.failed.get(one, "") for one in others}
    assert set(told.values()) == {isinstance(stop, ValueError)}


@pytest.mark.parametrize("stacked", [False, True])
def test_a_record_is_read_once_for_all_its_methods(stacked, task, tmp_path, monkeypatch):
    """More seeds than a worker has room for records."""
    bench = tiny.bench(task, tmp_path)
    collect_evidence(bench, "CNN1D", [0, 1, 2])
    trials = tiny.trials(task, methods=("Uniform", "Entropy", "Margin", "FoQuS"), seeds=3)
    real, read = evidence.from_npz, []
    monkeypatch.setattr(evidence, "from_npz", lambda path: read.append(path) or real(path))
    monkeypatch.setattr(naming.Bench, "stacked", stacked)
    groups = [trials] if stacked else [job.trials for job in trial_jobs(bench, trials)]
    for group in groups:
        list(run._selected(bench, group))
    assert len(groups) == 1 if stacked else 12
    assert len(read) == len(set(read)) == 3


def test_the_best_test_on_the_way_is_reported_when_asked_for(bench, task):
    often = replace(tiny.OPTIONS, epochs=6, test_every=2, methods=("Uniform",))
    plainly = replace(often, test_every=0)
    trials, silent = (tiny.trials(task, options) for options in (often, plainly))
    asking = tiny.bench(task, bench.root, often)
    train_trials(asking, trials)
    train_trials(tiny.bench(task, bench.root, plainly), silent)
    for one, other in zip(trials, silent, strict=True):
        found, without = metrics(bench, one), metrics(bench, other)
        assert found["accuracy"] == without["accuracy"]  # looking changes nothing
        assert found["accuracy_best"] >= found["accuracy"] and "accuracy_best" not in without
        at = [_accuracy_after(asking, one, epochs) for epochs in (2, 4, 6)]
        assert found["accuracy_best"] == pytest.approx(max(at))


def _accuracy_after(bench, one, epochs):
    [rows] = select(bench, [one])
    name = evaluate_name(bench.task.fingerprint, one["evaluation_model"], one.seed, one.repeat)
    recipe = replace(bench.evaluation, epochs=epochs, test_every=0)
    network = fit(MODELS["CNN1D"], bench.task.train, [rows], [name], recipe).networks[0]
    return float(accuracies(network, bench.task.test)[0])


def gone(*given, **named):
    raise torch.AcceleratorError("CUDA error: device-side assert triggered\nmore")


@pytest.mark.parametrize("where", ["while training", "while selecting"])
def test_a_device_that_vanishes_ends_the_sweep_and_blames_no_trial(bench, task, monkeypatch, where):
    trials = tiny.trials(task, methods=("Herding",), rates=(0.125,))
    if where == "while training":
        monkeypatch.setattr(run, "fit", gone)
    else:
        monkeypatch.setitem(CATALOG, "Herding", gone)
    wanted = r"device: cpu stopped working \(CUDA error: device-side assert triggered\)"
    with pytest.raises(DeviceLost, match=wanted):
        train_trials(bench, trials)
    assert not store.scan(bench.root, trials).failed


def test_a_disk_that_fails_ends_the_sweep_and_blames_no_trial(bench, task, monkeypatch):
    def full(*given):
        raise OSError(28, "No space left on device")

    trials = tiny.trials(task, methods=("Herding",), rates=(0.1875,))
    monkeypatch.setattr(store, "publish", full)
    with pytest.raises(OSError, match="No space left"):
        train_trials(bench, trials)
    assert not store.scan(bench.root, trials).failed


def test_a_network_may_have_its_authors_optimiser(task, tmp_path):
    bench = tiny.bench(task, tmp_path)
    assert bench.collection_of("CNN1D") == bench.collection
    assert bench.collection_of("IQFormer").recipe.optimiser == "AdamW"
    keys = [bench.evidence_key(model, 0)["selection_recipe"] for model in ("CNN1D", "IQFormer")]
    assert keys[0].startswith("Adam lr") and keys[1].startswith("AdamW lr")
    both = {str(bench.evaluation), str(replace(bench.evaluation, optimiser="AdamW"))}
    assert set(bench.recipes) >= both


def test_nothing_is_left_behind_when_evidence_is_stored(bench):
    assert not list((bench.root / "partial").glob("*"))


@pytest.mark.parametrize(
    "changed",
    [
        ("foqus_lib.studies.coreset.bench.NETWORKS", "CNN1D"),
        ("foqus_lib.training.fit.VERSION", None),
        ("foqus_lib.training.collect.VERSION", None),
    ],
    ids=["network", "fit", "collect"],
)
def test_a_raised_version_asks_for_the_record_again(bench, changed, monkeypatch):
    where, name = changed
    assert not evidence_jobs(bench, [("CNN1D", 0)])
    if name:
        monkeypatch.setitem(naming.NETWORKS, name, 99)
    else:
        monkeypatch.setattr(where, 99)
    assert len(evidence_jobs(bench, [("CNN1D", 0)])) == 1


def test_jobs_do_not_care_how_many_threads_torch_was_told(bench, task, tmp_path):
    """`executed` runs them in one; here the rule itself."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_evidence_of_two_seeds_has_two_files(bench):
    found = [artifacts.find_arrays(bench.root, bench.evidence_key("CNN1D", s)) for s in (0, 1)]
    assert None not in found and found[0] != found[1]


def test_what_several_chapters_need_is_made_once_before(tmp_path, monkeypatch):
    given = {"profile": "smoke", "results": str(tmp_path), "methods": ["Uniform", "FoQuS"]}
    chapters = [
        catalog.opened(name, given | more)
        for name, more in (
            ("02_method", {"methods": None}),
            ("03_main_tables", {}),
            ("04_cross_architecture", {"pairs": ["CNN1D -> CNN2D", "CNN2D -> CNN1D"]}),
            ("05_ablation", {"frames": 3}),  # other data
        )
    ]
    made = []
    monkeypatch.setattr(
        catalog, "run_stage", lambda bench, todo, jobs, *how: made.extend((bench, *jobs))
    )
    catalog.make_shared(chapters, 2, lambda text: None)
    [bench, job] = made
    assert bench is chapters[1].bench and job.arguments == ("CNN1D", [0])


@pytest.fixture
def two_chapters(tmp_path):
    """Both need one record."""
    given = {"profile": "smoke", "results": str(tmp_path), "methods": ["Uniform", "FoQuS"]}
    return [catalog.opened(name, given) for name in ("03_main_tables", "05_ablation")]


def test_what_is_made_for_several_is_told_and_a_failure_is_kept(two_chapters, monkeypatch):
    def diverges(bench, model, seeds):
        raise Diverged("loss: nan")

    monkeypatch.setattr(run, "collect_evidence", diverges)
    said = []
    catalog.make_shared(two_chapters, 1, said.append)
    assert said[0] == "1 selection training that several notebooks read"
    assert said[1].startswith("1 of 1 training that others need") and "loss: nan" in said[1]
    bench = two_chapters[0].bench
    failure = store.last_failure(bench.root, bench.evidence_key("CNN1D", 0))
    assert failure.diverged and "loss: nan" in failure.error


@pytest.mark.parametrize("error", [OSError("disk: full"), ValueError("workers: none starts")])
def test_what_cannot_be_made_for_several_is_left_to_their_notebooks(
    two_chapters, monkeypatch, error
):
    def fails(*given):
        raise error

    monkeypatch.setattr(catalog, "run_stage", fails)
    said = []
    catalog.make_shared(two_chapters, 2, said.append)
    assert said[-1] == f"not made for all: {error}"


def test_what_is_made_for_several_fits_into_the_memory_that_is_allowed(two_chapters):
    said = []
    for one in two_chapters:
        one.__dict__["bench"] = replace(one.bench, memory=2**20)
    catalog.make_shared(two_chapters, 2, said.append)
    assert "memory_gb: one worker needs about" in said[-1]
    assert not list(two_chapters[0].bench.root.rglob("*.npz"))

"""What a sweep says before it starts."""

from dataclasses import replace

import pytest

from foqus_lib import cli
from foqus_lib.experiment import plan as planning
from foqus_lib.experiment.bench import Bench
from foqus_lib.experiment.cell import grid
from foqus_lib.experiment.plan import OF_A_WORKER, cell_jobs, evidence_jobs, in_words, plan
from foqus_lib.experiment.run import collect_evidence
from foqus_lib.models import MODELS
from foqus_lib.training.collect import Collection
from foqus_lib.training.memory import bytes_per_copy
from foqus_lib.training.recipe import Recipe

COLLECTION = Collection(Recipe(epochs=2, batch=32), early_runs=1, early_epochs=1)
EVALUATION = Recipe(epochs=3, batch=16)


def bench_of(task, root, **change):
    return replace(Bench(task, COLLECTION, EVALUATION, root, "cpu"), **change)


def cells_of(bench, models=("CNN1D",), seeds=(0, 1)):
    return grid(
        dataset=bench.task.name,
        fingerprint=bench.task.fingerprint,
        pairs=[(model, model) for model in models],
        methods=["Uniform", "FoQuS"],
        rates=[0.25, 0.5],
        seeds=seeds,
        selection_recipe=str(COLLECTION),
        evaluation_recipe=str(EVALUATION),
    )


def test_visits_by_hand(task, tmp_path):
    """64 signals to train, 32 to test. A cell at 1/4: 16 x 3 epochs, and 32 / 3 for the test."""
    bench = bench_of(task, tmp_path)
    jobs = cell_jobs(bench, cells_of(bench))
    assert len(jobs) == 4  # a method and a seed: both rates share a run of the selector
    assert jobs[0].visits == pytest.approx((16 + 32) * 3 + 2 * 32 / 3)
    [one, _] = evidence_jobs(bench, [("CNN1D", 0), ("CNN1D", 0), ("CNN1D", 1), ("-", 0)])
    assert one.visits == pytest.approx(64 * (2 * 4 / 3 + 1))


def test_tests_on_the_way_are_counted(task, tmp_path):
    often = replace(EVALUATION, test_every=1)
    bench = bench_of(task, tmp_path, evaluation=often)
    cells = [replace(one, evaluation_recipe=str(often)) for one in cells_of(bench)]
    assert cell_jobs(bench, cells)[0].visits == pytest.approx(48 * 3 + 2 * (1 + 3) * 32 / 3)


def test_on_a_gpu_all_of_one_network_and_rate_train_together(task, tmp_path):
    bench = bench_of(task, tmp_path, device="cuda:0")
    jobs = cell_jobs(bench, cells_of(bench, models=["CNN1D", "CNN2D"]))
    assert sorted((job.model, job.copies) for job in jobs) == [
        ("CNN1D", 4), ("CNN1D", 4), ("CNN2D", 4), ("CNN2D", 4)
    ]  # fmt: skip
    for job in jobs:
        assert len({one.rate_bp for one in job.arguments[0]}) == 1
    [both] = evidence_jobs(bench, [("CNN1D", 0), ("CNN1D", 1)])
    assert both.arguments == ("CNN1D", [0, 1]) and both.copies == 2


def test_only_what_is_missing_is_planned(task, tmp_path):
    bench = bench_of(task, tmp_path)
    cells = cells_of(bench)
    collect_evidence(bench, "CNN1D", [0])
    assert [job.arguments for job in plan(bench, cells, 1).evidence] == [("CNN1D", [1])]


def test_the_plan_says_what_how_long_and_how_much_memory(task, tmp_path, monkeypatch):
    bench = bench_of(task, tmp_path)
    short = str(plan(bench, cells_of(bench), 1))
    assert "0 of 8 cells are stored. To do: 2 selection trainings and 8 cells in 4 groups" in short
    assert "under a minute or two with 1 worker and 0.5 GiB" in short
    monkeypatch.setattr(planning, "PROBED_FROM", 0)
    measured = plan(bench, cells_of(bench), 1)
    assert set(measured.seconds_per_visit) == {("CNN1D", "fp32", 1)}
    assert "about" in str(measured) and 0 < measured.seconds(measured.groups) < 60


def test_twice_the_workers_take_half_the_time(task, tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "_seconds_per_visit", lambda bench, job: 0.5)
    monkeypatch.setattr(planning, "PROBED_FROM", 0)
    bench = bench_of(task, tmp_path)
    one, two = (plan(bench, cells_of(bench), count) for count in (1, 2))
    assert one.seconds(one.groups) == 2 * two.seconds(two.groups)
    assert one.seconds(one.groups) == 0.5 * sum(job.visits for job in one.groups)


def test_a_stated_memory_bounds_the_workers(task, tmp_path):
    roomy = bench_of(task, tmp_path, memory=4 * OF_A_WORKER)
    assert plan(roomy, cells_of(roomy), 8).workers == 2  # and one share for this process
    tight = bench_of(task, tmp_path, memory=OF_A_WORKER // 4)
    wanted = r"memory_gb: one worker needs about \d+\.\d GiB, 0.1 were allowed"
    with pytest.raises(ValueError, match=wanted):
        plan(tight, cells_of(tight), 1)


def test_every_network_has_a_probe_and_a_memory(task, tmp_path, monkeypatch):
    """The plan knows nothing of a network but its constructor."""
    monkeypatch.setattr(planning, "PROBED_FROM", 10**9)
    bench = bench_of(task, tmp_path)
    assert plan(bench, cells_of(bench, models=MODELS), 1).memory > OF_A_WORKER


@pytest.mark.parametrize(
    ("seconds", "words"), [(3, "3 s"), (119, "119 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_durations(seconds, words):
    assert in_words(seconds) == words


def test_the_command_says_the_plan_and_trains_nothing(tmp_path, capsys):
    given = ["frames=5", f"results={tmp_path}", "methods=[Uniform, FoQuS]"]
    assert cli.main(["sweep", "03_main_tables", "--profile", "smoke", "--plan", *given]) == 0
    said = capsys.readouterr().out
    assert "simulated" in said and "0 of 3 cells are stored. To do: 1 selection" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", MODELS)
def test_memory_can_be_planned_for_every_network(name):
    assert bytes_per_copy(MODELS[name], 3, 128, 2) > 2**20

"""What a sweep says before it starts."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from foqus_lib import cli
from foqus_lib.experiment import plan as planning
from foqus_lib.experiment.plan import GIB, OF_A_WORKER, in_words, plan
from foqus_lib.experiment.study import Job
from foqus_lib.models import MODELS
from foqus_lib.studies.coreset.grid import CORESET
from foqus_lib.studies.coreset.records import collect_evidence
from foqus_lib.training.memory import bytes_per_copy
from tests.studies import tiny


@pytest.fixture
def bench(task, tmp_path):
    return tiny.bench(task, tmp_path)


@pytest.fixture
def trials(task):
    return tiny.trials(task, methods=("Uniform", "FoQuS"), seeds=2)


def planned(bench, trials, workers=1, **more):
    return plan(CORESET, bench, trials, workers, **more)


def test_only_what_is_missing_is_planned(bench, trials):
    collect_evidence(bench, "CNN1D", [0])
    found = planned(bench, trials)
    assert [job.arguments for job in found.stages[0]] == [("CNN1D", [1])]
    assert {one for job in found.stages[1] for one in job.trials} == set(trials)


def test_a_trial_that_is_asked_for_twice_counts_once(bench, trials):
    assert str(planned(bench, trials * 2)).startswith("0 of 8 trials are stored.")


def test_the_plan_says_what_how_long_and_how_much_memory(bench, trials):
    short = str(planned(bench, trials))
    first = "0 of 8 trials are stored. To do: 2 trainings that others need and 8 trials in 4 groups"
    assert short == f"{first}, time not measured, with 1 worker and 0.5 GiB"
    measured = planned(bench, trials, probed_from=0)
    assert set(measured.seconds_per_unit) == {("CNN1D", "fp32", 1)}
    assert "about" in str(measured) and 0 < measured.seconds_in_all < 60


def test_a_kind_of_job_is_probed_once_and_one_without_a_probe_costs_no_time(bench, trials):
    asked = []

    def probe(bench, job):
        asked.append(job.kind)
        return 0.5

    def jobs(bench, missing):
        first, second = CORESET.jobs(bench, missing)
        return [
            [replace(job, probe=None) for job in first],
            [replace(job, probe=probe, cost=1e6, kind=("b",)) for job in second],
        ]

    found = plan(replace(CORESET, jobs=jobs), bench, trials, 1)
    assert asked == [("b",)] and found.seconds_in_all == 0.5e6 * 4
    assert ", about 555.6 h and what could not be measured, with 1 worker" in str(found)
    unknown = replace(found, seconds_per_unit={})
    assert ", time not measured, with 1 worker" in str(unknown)  # however long it takes


def test_a_kind_that_cannot_be_measured_stops_no_other(bench, trials):
    """What is wrong with it its own jobs say, each for its own trials."""

    def too_large(bench, job):
        raise ValueError("device memory: one copy alone does not fit")

    def jobs(bench, missing):
        first, second = CORESET.jobs(bench, missing)
        large = [replace(job, probe=too_large, kind=("large",)) for job in first]
        return [large, [replace(job, probe=lambda *_: 0.5, kind=("small",)) for job in second]]

    found = plan(replace(CORESET, jobs=jobs), bench, trials, 1, probed_from=0)
    assert found.seconds_per_unit == {("small",): 0.5}
    assert "and what could not be measured" in str(found)


def test_workers_share_the_jobs_of_a_stage_but_no_job_and_stages_wait_for_each_other(trials):
    record, group = (Job(print, (), kind=("CNN1D",), cost=cost) for cost in (940, 20))
    stages = [[record], [group] * 16]
    times = {}
    for workers in (1, 2, 8):
        found = planning.Plan(0, trials, stages, workers, 0, {("CNN1D",): 0.5})
        times[workers] = (*map(found.seconds, stages), found.seconds_in_all)
    assert times == {1: (470, 160, 630), 2: (470, 80, 550), 8: (470, 20, 490)}
    assert ", about 8 min with 8 workers and" in str(found) and found.seconds([]) == 0


def test_a_stated_memory_bounds_the_workers(bench, trials):
    roomy = replace(bench, memory=4 * OF_A_WORKER)
    assert planned(roomy, trials, 8).workers == 2  # and one share for this process
    tight = replace(bench, memory=OF_A_WORKER // 4)
    wanted = r"memory_gb: one worker needs about \d+\.\d GiB, 0.1 were allowed"
    with pytest.raises(ValueError, match=wanted):
        planned(tight, trials)


def fitted(workers, memory=0, device="cpu"):
    """(workers, GiB) for jobs that take 1 and 3 GiB beyond half a GiB of Python."""
    place = SimpleNamespace(root=Path(), device=device, memory=memory * GIB)
    jobs = [Job(print, (), memory=size * GIB) for size in (1, 3)]
    count, size = planning.that_fit(place, jobs, workers)
    return count, size / GIB


def test_a_scheduler_s_workers_are_not_held_to_this_machine(bench, trials):
    small = replace(bench, memory=OF_A_WORKER // 2)
    with pytest.raises(ValueError, match="memory_gb"):
        planned(small, trials, workers=4)
    found = planned(small, trials, workers=4, scheduler="tcp://127.0.0.1:1")
    assert str(found).endswith("with 1 worker of the scheduler and 0.5 GiB")


def test_as_many_workers_as_the_largest_job_leaves_room_for(monkeypatch):
    assert fitted(1, 4) == (1, 3.5)  # it works in this process
    assert fitted(2, 8) == fitted(9, 8) == (2, 7.5)  # and beside it
    assert fitted(2, 7) == fitted(2, 4) == (1, 3.5)  # two do not fit: one, in this process
    assert fitted(9, 1, "cuda:0") == (1, 3.5)
    for free, found in ((7, (2, 7.5)), (6, (1, 3.5)), (0, (1, 3.5))):  # what is free is no order
        machine = SimpleNamespace(available=free * GIB)
        monkeypatch.setattr(planning.psutil, "virtual_memory", lambda now=machine: now)
        assert fitted(2) == found


@pytest.mark.slow
def test_every_network_has_a_probe_and_a_memory(task, bench):
    """The plan knows nothing of a network but its constructor."""
    every = tiny.trials(task, methods=("FoQuS",), models=tuple(MODELS))
    found = planned(bench, every, probed_from=10**9)
    assert found.memory > OF_A_WORKER and {job.kind[0] for job in found.jobs} == set(MODELS)
    assert all(job.probe for job in found.jobs)


def test_nothing_to_do_asks_for_no_jobs(bench):
    def jobs(bench, missing):
        pytest.fail("asked")

    assert str(plan(replace(CORESET, jobs=jobs), bench, [], 1)) == "all 0 trials are stored"


@pytest.mark.parametrize(
    ("seconds", "words"), [(3, "3 s"), (119, "119 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_durations(seconds, words):
    assert in_words(seconds) == words


def test_one_is_singular_everywhere(bench, trials):
    said = str(planned(bench, trials[-1:]))
    assert said.startswith("0 of 1 trial is stored. To do: ")
    assert "1 training that others need and 1 trial in 1 group, time not measured" in said
    assert str(planning.Plan(1, [], [], 1, 0, {})) == "the one trial is stored"


def test_the_command_says_the_plan_and_trains_nothing(tmp_path, capsys):
    given = ["frames=5", f"results={tmp_path}", "methods=[Uniform, FoQuS]"]
    assert cli.main(["sweep", "03_main_tables", "--profile", "smoke", "--plan", *given]) == 0
    said = capsys.readouterr().out
    assert "simulated" in said and "0 of 5 trials are stored. To do: 1 training that" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", MODELS)
def test_memory_can_be_planned_for_every_network(name):
    assert bytes_per_copy(MODELS[name], 3, 128, 2) > 2**20

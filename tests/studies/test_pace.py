"""Seconds of a visit: what a longer training takes more than a short one."""

import itertools
import math

import pytest

from foqus_lib.studies import catalog, pace
from foqus_lib.studies.pace import MORE, MOST, seconds_a_visit


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still but for what a training adds to it."""
    now = [0.0]
    monkeypatch.setattr(pace.time, "perf_counter", lambda: now[0])
    return now


def test_what_is_done_once_a_training_does_not_count(clock):
    asked = []

    def train(epochs):
        asked.append(epochs)
        warming_up, building, visits = 100.0 * (len(asked) == 1), 7.0, 128 * epochs
        clock[0] += warming_up + building + 0.25 * visits

    assert seconds_a_visit(train, 128) == 0.25
    assert asked == [1, 1, 1, 1 + MORE]


def test_visits_that_building_hides_are_measured_on_more_of_them(clock):
    """One building was held up, and takes as long as a hundred visits."""
    building = itertools.chain([100.0, 14.0, 7.0, 10.0, 9.0], itertools.repeat(7.0))
    asked = []

    def train(epochs):
        asked.append(epochs)
        clock[0] += next(building) + 0.5 * epochs

    assert seconds_a_visit(train, 1) == 0.5
    assert asked == [1, 1, 1, 1 + MORE, 1 + 2 * MORE, 1 + 4 * MORE, 1 + 8 * MORE]


def test_a_short_one_that_was_held_up_gives_no_time_below_nothing(clock):
    took = iter([1.0, 60.0, 50.0, 48.0, 46.0, 44.0, 40.0])

    def train(epochs):
        clock[0] += next(took)

    assert seconds_a_visit(train, 10) == 40.0 / ((1 + MOST) * 10)


@pytest.mark.parametrize("chapter", [name for name in catalog.grids() if name != "11_llm_pruning"])
def test_every_chapter_can_say_how_long_its_jobs_take(chapter, tmp_path):
    of = catalog.opened(chapter, {"profile": "smoke", "results": str(tmp_path)})
    jobs = [job for stage in of.study.jobs(of.bench, of.trials) for job in stage]
    kinds = list({job.kind: job for job in jobs if job.probe}.values())
    assert kinds
    for job in (kinds[0], kinds[-1]):
        assert 0 < job.probe(of.bench, job) < math.inf

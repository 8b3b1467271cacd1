"""Trials one after the other: a failure is its own trial's, a device or a disk is everybody's."""

from dataclasses import replace

import pytest
import torch

from foqus_lib.errors import DeviceLost
from foqus_lib.experiment import store
from foqus_lib.studies.attempt import each, noted, publish
from tests.experiment.made_up import METRICS, TRIALS
from tests.studies import tiny


@pytest.fixture
def bench(task, tmp_path):
    return tiny.bench(task, tmp_path)


def failing_at(place, error):
    def outcome(trial):
        if trial == TRIALS[place]:
            raise error
        return METRICS

    return outcome


def test_what_fails_is_noted_and_the_next_ones_run(bench):
    each(bench, TRIALS[:3], failing_at(1, RuntimeError("made up")), "Of ponds.")
    found = store.scan(bench.root, TRIALS[:3])
    assert found.complete == [TRIALS[0], TRIALS[2]] and "made up" in found.failed[TRIALS[1]]
    facts = store.read(bench.root, TRIALS[0])["provenance"]
    assert facts["about"] == "Of ponds." and facts["fused"] == 1


def test_numbers_that_cannot_be_published_are_such_a_failure(bench):
    each(bench, TRIALS[:2], lambda trial: {"depth": float("nan")} if trial.seed == 0 else METRICS)
    found = store.scan(bench.root, TRIALS[:2])
    assert found.complete == [TRIALS[1]] and "finite number" in found.failed[TRIALS[0]]


def test_what_is_stored_does_not_run_again(bench):
    publish(bench, TRIALS[0], METRICS, 2.5)
    assert store.read(bench.root, TRIALS[0])["provenance"]["about"] == bench.task.about
    each(bench, TRIALS[:2], failing_at(0, AssertionError("ran")))
    assert not store.scan(bench.root, TRIALS[:2]).missing


@pytest.mark.parametrize(
    ("error", "raised"),
    [(DeviceLost("gone"), DeviceLost), (OSError(28, "full"), OSError),
     (torch.AcceleratorError("CUDA error"), DeviceLost)],
)  # fmt: skip
def test_a_device_or_a_disk_ends_it_and_blames_no_trial(bench, error, raised):
    with pytest.raises(raised):
        each(bench, TRIALS[:3], failing_at(1, error))
    found = store.scan(bench.root, TRIALS[:3])
    assert found.complete == TRIALS[:1] and not found.failed


def test_of_several_those_that_were_stored_before_it_are_not_blamed(bench):
    with noted(bench, TRIALS[:2]):
        publish(bench, TRIALS[0], METRICS, 1.0)
        raise ValueError("later")
    assert list(store.scan(bench.root, TRIALS[:2]).failed) == [TRIALS[1]]
    with pytest.raises(KeyboardInterrupt), noted(replace(bench), TRIALS[:2]):
        raise KeyboardInterrupt

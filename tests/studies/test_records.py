"""A record and the network that left it: made once, found by whoever asks, whole or absent."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from foqus_lib.experiment import artifacts, store
from foqus_lib.models import MODELS
from foqus_lib.studies.coreset import records
from foqus_lib.studies.coreset.records import (
    collect_evidence,
    confusion,
    evidence_of,
    network_of,
)
from foqus_lib.studies.coreset.run import evidence_jobs
from foqus_lib.training.predict import logits_of, predict
from tests.studies import tiny


@pytest.fixture(scope="module")
def bench(task, tmp_path_factory):
    made = tiny.bench(task, tmp_path_factory.mktemp("store"))
    collect_evidence(made, "CNN1D", [0])
    return made


@pytest.fixture
def no_training(monkeypatch):
    def never(*given, **more):
        raise AssertionError("trained")

    for name in ("fit", "collect"):
        monkeypatch.setattr(f"foqus_lib.training.collect.{name}", never)
    monkeypatch.setattr(records, "collect", never)


def test_evidence_that_was_not_collected_is_asked_for(task, tmp_path):
    with pytest.raises(ValueError, match="no record of CNN1D, seed 3, in .*: Run the sweep first"):
        evidence_of(tiny.bench(task, tmp_path), "CNN1D", 3)


def test_a_seed_that_diverged_is_told_with_its_reason(task, tmp_path):
    calm = tiny.bench(task, tmp_path)
    wild = replace(calm.collection, recipe=replace(calm.collection.recipe, lr=1e30))
    bench = replace(calm, collection=wild)
    collect_evidence(bench, "CNN1D", [0])
    for ask in (evidence_of, network_of):
        with pytest.raises(ValueError, match="CNN1D, seed 0, .*not finite from epoch"):
            ask(bench, "CNN1D", 0)
    assert store.last_failure(tmp_path, bench.evidence_key("CNN1D", 0))
    assert not list((tmp_path / "partial").glob("*"))


def test_the_network_says_what_stands_in_the_evidence(bench, no_training):
    network, found = network_of(bench, "CNN1D", 0), evidence_of(bench, "CNN1D", 0)
    assert not network.training
    logits, embedding = predict(network, bench.task.train)
    np.testing.assert_array_equal(logits[0].numpy(), found.logits)
    np.testing.assert_array_equal(embedding[0].numpy(), found.embedding)


def test_every_network_is_kept_whole(task, tmp_path, no_training):
    """Statistics of normalisation and scalars included, without a training of each."""
    bench = tiny.bench(task, tmp_path)
    for name in ("CNN2D", "LSTM"):
        made = MODELS[name](3, 64, 1).to(memory_format=torch.channels_last)
        key = bench.evidence_key(name, 0) | {"what": "network"}
        arrays = {weight: value.numpy() for weight, value in made.state_dict().items()}
        artifacts.save_arrays(tmp_path, key, arrays, {})
        again = network_of(bench, name, 0)
        assert torch.equal(logits_of(again, task.test), logits_of(made, task.test))


def test_confusions_count_every_test_signal_once_and_train_nothing(bench, no_training):
    counts = confusion(bench, "CNN1D", 0)
    assert (counts.sum(axis=1) == np.bincount(bench.task.test.label)).all()
    said = logits_of(network_of(bench, "CNN1D", 0), bench.task.test)[0].argmax(1).numpy()
    assert np.trace(counts) == (said == bench.task.test.label).sum()
    for y, other in zip(bench.task.test.label, said, strict=True):
        counts[y, other] -= 1
    assert not counts.any()


def test_damaged_evidence_is_noticed_and_collecting_again_mends_it(bench, tmp_path):
    mine = replace(bench, root=tmp_path)
    collect_evidence(mine, "CNN1D", [0])
    path = artifacts.find_arrays(tmp_path, mine.evidence_key("CNN1D", 0))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match="no record of CNN1D"):
        evidence_of(mine, "CNN1D", 0)
    collect_evidence(mine, "CNN1D", [0])
    assert np.array_equal(evidence_of(mine, "CNN1D", 0).loss, evidence_of(bench, "CNN1D", 0).loss)


def test_a_lost_network_beside_whole_evidence_is_asked_for_again(task, tmp_path):
    """Or else `confusion` asks for ever for a sweep that has nothing to do."""
    bench = tiny.bench(task, tmp_path)
    collect_evidence(bench, "CNN1D", [0])
    assert not evidence_jobs(bench, [("CNN1D", 0)])
    artifacts.find_arrays(tmp_path, bench.evidence_key("CNN1D", 0) | {"what": "network"}).unlink()
    with pytest.raises(ValueError, match="Run the sweep"):
        network_of(bench, "CNN1D", 0)
    assert len(evidence_jobs(bench, [("CNN1D", 0)])) == 1


def test_provenance_of_both_is_the_trainings(bench):
    key = bench.evidence_key("CNN1D", 0)
    facts = [
        artifacts.provenance_of(artifacts.find_arrays(bench.root, key | {"what": what}))
        for what in ("evidence", "network")
    ]
    assert facts[0] == facts[1] and facts[0].keys() == store.PROVENANCE.keys()
    assert facts[0]["about"] == bench.task.about and facts[0]["fused"] == 1

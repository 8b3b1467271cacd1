import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foqus_lib import evidence
from foqus_lib.models import MODELS
from foqus_lib.training.collect import Collection, collect
from foqus_lib.training.fit import fit
from foqus_lib.training.predict import predict
from foqus_lib.training.recipe import Recipe

SMALL = Collection(Recipe(epochs=3, batch=32), early_runs=2, early_epochs=1)


@pytest.fixture(scope="module")
def record(tones):
    return collect(MODELS["CNN1D"], tones, ["a"], SMALL)[0]


def test_the_record_is_what_an_eval_pass_after_each_epoch_sees(record, tones):
    """Eq. 2, recomputed: stop after epoch t and look [A3]."""
    found, _ = record
    target = torch.from_numpy(tones.label)
    for epochs in (1, 2, 3):
        recipe = Recipe(epochs=epochs, batch=32)
        network = fit(MODELS["CNN1D"], tones, [np.arange(96)], ["a"], recipe).networks[0]
        logits, embedding = predict(network, tones)
        right = logits[0].argmax(1) == target
        assert (found.correct[epochs - 1] == right.numpy()).all()
        loss = F.cross_entropy(logits[0], target, reduction="none").numpy()
        np.testing.assert_array_equal(found.loss[epochs - 1], loss)
    np.testing.assert_array_equal(found.logits, logits[0].numpy())
    np.testing.assert_array_equal(found.embedding, embedding[0].numpy())


def test_the_network_beside_the_evidence_is_the_one_that_left_it(record, tones):
    found, network = record
    np.testing.assert_array_equal(predict(network, tones)[0][0].numpy(), found.logits)


def test_early_runs_are_independent_short_trainings(record, tones):
    found, _ = record
    assert found.logits_early.shape == (2, 96, 3)
    assert found.embedding_norm_early.shape == (2, 96)
    assert not np.array_equal(*found.logits_early)
    recipe = Recipe(epochs=1, batch=32)
    network = fit(MODELS["CNN1D"], tones, [np.arange(96)], ["a early 1"], recipe).networks[0]
    logits, embedding = predict(network, tones)
    np.testing.assert_array_equal(found.logits_early[1], logits[0].numpy())
    norms = np.linalg.norm(embedding[0].numpy(), axis=1)
    np.testing.assert_array_equal(found.embedding_norm_early[1], norms)


def test_several_seeds_at_once_are_each_as_alone(record, tones):
    both = collect(MODELS["CNN1D"], tones, ["b", "a"], SMALL)
    np.testing.assert_array_equal(both[1][0].loss, record[0].loss)
    np.testing.assert_array_equal(predict(both[1][1], tones)[0], predict(record[1], tones)[0])


def test_evidence_survives_the_disk(record, tmp_path):
    path = tmp_path / "e.npz"
    np.savez(path, **evidence.to_arrays(record[0]))
    back = evidence.load(path)
    for field in evidence.SAMPLE_AXIS:
        np.testing.assert_array_equal(getattr(back, field), getattr(record[0], field))
    for broken in (path.read_bytes()[:-40], b"", b"<html>"):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"e\.npz: not a readable evidence file"):
            evidence.load(path)


def test_bad_collections_and_divergence(tones):
    with pytest.raises(ValueError, match="T must be 2 or more; got 1"):
        Collection(Recipe(epochs=1))
    with pytest.raises(ValueError, match="early_runs: expected 0 or more, got -1"):
        Collection(early_runs=-1)
    wild = Collection(Recipe(epochs=2, lr=1e30), 1, 1)
    with pytest.raises(ValueError, match="selection training: the loss of 'a' is not finite"):
        collect(MODELS["CNN1D"], tones, ["a"], wild)

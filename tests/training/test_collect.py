from dataclasses import fields, replace
from functools import partial
from types import SimpleNamespace
from weakref import ref

import jaxtyping
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foqus_lib import evidence
from foqus_lib.models import MODELS
from foqus_lib.models.copies import put
from foqus_lib.selection import newer, scores
from foqus_lib.training import collect as collecting
from foqus_lib.training.collect import (
    Collection,
    collect,
    correctness,
    loss_of,
    predicted_label,
)
from foqus_lib.training.fit import fit
from foqus_lib.training.predict import AT_ONCE, logits_and_norms, predict
from foqus_lib.training.recipe import Recipe

SMALL = Collection(Recipe(epochs=3, batch=32), early_runs=2, early_epochs=1)


@pytest.fixture(scope="module")
def record(tones):
    return collect(MODELS["CNN1D"], tones, ["a"], SMALL)[0]


def holding(weights):
    """A network with these weights, laid out in memory as `fit` lays it out."""
    network = MODELS["CNN1D"](3, 64, 1).to(memory_format=torch.channels_last)
    put(network, [0], weights)
    return network.eval()


def test_the_record_is_what_an_eval_pass_after_each_epoch_sees(record, tones):
    """Eq. 2, recomputed: stop after epoch t and look [A3]."""
    found, _ = record
    target = torch.from_numpy(tones.label)
    before = None
    for epochs in (1, 2, 3):
        recipe = Recipe(epochs=epochs, batch=32)
        network = fit(MODELS["CNN1D"], tones, [np.arange(96)], ["a"], recipe).networks[0]
        logits, embedding = predict(network, tones)
        right = logits[0].argmax(1) == target
        assert (found.correct[epochs - 1] == right.numpy()).all()
        loss = F.cross_entropy(logits[0], target, reduction="none").numpy()
        np.testing.assert_array_equal(found.loss[epochs - 1], loss)
        wrong = logits[0].clone()
        wrong[torch.arange(len(target)), target] = -torch.inf
        margin = logits[0][torch.arange(len(target)), target] - wrong.max(1).values
        np.testing.assert_array_equal(found.margin[epochs - 1], margin.numpy())
        assert ((found.margin[epochs - 1] > 0) == found.correct[epochs - 1]).all()
        p = logits[0].double().softmax(-1)
        if before is not None:
            drift = (p * (p.log() - before.log()).abs()).sum(-1)
            np.testing.assert_allclose(found.drift[epochs - 2], drift, rtol=1e-4, atol=1e-6)
        before = p
    np.testing.assert_array_equal(found.logits, logits[0].numpy())
    np.testing.assert_array_equal(found.embedding, embedding[0].numpy())


def test_the_network_beside_the_evidence_is_the_one_that_left_it(record, tones):
    found, weights = record
    np.testing.assert_array_equal(predict(holding(weights), tones)[0][0].numpy(), found.logits)


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


@pytest.mark.parametrize("name", ["CNN1D", "LSTM"])
def test_norms_batch_by_batch_are_those_of_the_whole_embedding(name, tones, monkeypatch):
    monkeypatch.setitem(AT_ONCE, "cpu", 40)
    network = fit(MODELS[name], tones, [np.arange(32)], ["a"], Recipe(epochs=1)).networks[0]
    logits, embedding = predict(network, tones)
    found, norms = logits_and_norms(network, tones)
    np.testing.assert_array_equal(found, logits.numpy())
    np.testing.assert_array_equal(norms, np.linalg.norm(embedding.numpy(), axis=2))


def test_several_seeds_at_once_are_each_as_alone(record, tones):
    both = collect(MODELS["CNN1D"], tones, ["b", "a"], SMALL)
    np.testing.assert_array_equal(both[1][0].loss, record[0].loss)
    assert both[1][1].keys() == record[1].keys()
    assert all(torch.equal(both[1][1][name], value) for name, value in record[1].items())


def test_evidence_survives_the_disk(record, tmp_path):
    path = tmp_path / "e.npz"
    np.savez(path, **evidence.to_arrays(record[0]))
    back = evidence.from_npz(path)
    for field in evidence.SAMPLE_AXIS:
        np.testing.assert_array_equal(getattr(back, field), getattr(record[0], field))
    arrays = evidence.to_arrays(record[0])
    np.savez(
        path, **{name: array for name, array in arrays.items() if name not in ("margin", "drift")}
    )
    old = evidence.from_npz(path)
    assert old.margin is None and old.drift is None, "a file of before these fields were added"
    for broken in (path.read_bytes()[:-40], b"", b"<html>"):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"e\.npz: not a readable evidence file"):
            evidence.from_npz(path)


def test_evidence_whose_arrays_do_not_belong_together_is_refused(record, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as outside of tests
    found, _ = record
    for field, got, words in (
        ("margin", found.margin[:2], r"margin: expected 3 rows for 3 epochs, got \(2, 96\)"),
        ("drift", found.margin, r"drift: expected 2 rows for 3 epochs, got \(3, 96\)"),
        ("label", found.label + 1, "label: expected 0 to 2, as logits have 3 columns; got 1 to 3"),
        ("label", found.label - 1, "label: .* got -1 to 1"),
        ("snr", found.snr[:5], r"snr: expected 96 signals on axis 0, got \(5,\)"),
        ("logits_early", found.logits, r"logits_early: expected 96 signals on axis 1, got"),
        ("correct", found.correct[0], r"correct: expected 96 signals on axis 1, got \(96,\)"),
    ):
        with pytest.raises(ValueError, match=rf"evidence\.{words}"):
            replace(found, **{field: got})
    with pytest.raises(ValueError, match=r"evidence: correct \(3, 96\), loss \(2, 96\) differ"):
        replace(found, loss=found.loss[:2])


@pytest.mark.parametrize(
    ("field", "got", "words"),
    [
        ("loss", np.full((3, 96), np.nan, np.float32), "expected finite numbers, got 288"),
        ("margin", np.zeros((2, 96), np.float32), ""),
        ("correct", np.zeros((3, 12)), ""),  # what packbits never gives
        ("label", np.array(3), ""),
        ("schema", np.array("two"), ""),
        ("schema", np.array(99), "written by a newer foqus_lib"),
    ],
)
def test_arrays_that_are_no_evidence_are_refused_by_path(field, got, words, record, tmp_path):
    path = tmp_path / "e.npz"
    np.savez(path, **evidence.to_arrays(record[0]) | {field: got})
    with pytest.raises(ValueError, match=rf"e\.npz: .*{words}"):
        evidence.from_npz(path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_any_damaged_byte_is_refused_by_path_or_does_no_harm(save, record, tmp_path):
    path, where = tmp_path / "e.npz", np.random.default_rng(0)
    save(path, **evidence.to_arrays(record[0]))
    whole = path.read_bytes()
    directory = len(whole) - 1000  # sizes, flags and methods stand at the end, numbers before
    for at in [*range(directory, len(whole), 3), *where.integers(directory, size=100)]:
        broken = bytearray(whole)
        broken[at] ^= 1 << int(where.integers(8))
        path.write_bytes(broken)
        try:
            back = evidence.from_npz(path)
        except ValueError as refusal:
            assert str(refusal).startswith(f"{path}: ")
            continue
        for field in evidence.SAMPLE_AXIS:
            got = getattr(back, field)
            same = np.array_equal(got, getattr(record[0], field))
            assert same, f"{field} after a flip at byte {at - len(whole)} from the end"


def test_bad_collections_and_divergence(tones):
    with pytest.raises(ValueError, match="T must be 2 or more; got 1"):
        Collection(Recipe(epochs=1))
    with pytest.raises(ValueError, match="early_runs: expected 0 or more, got -1"):
        Collection(early_runs=-1)
    wild = Collection(Recipe(epochs=2, lr=1e30), 1, 1)
    [found] = collect(MODELS["CNN1D"], tones, ["a"], wild)
    assert "selection training: its loss is not finite from epoch" in str(found)


def test_a_divergence_in_the_very_last_step_is_told_seed_by_seed(tones, monkeypatch):
    monkeypatch.setattr(Recipe, "lr_at", lambda recipe, epoch, *step: 1e30 * epoch)
    last = Collection(Recipe(epochs=2, batch=96), early_runs=0)
    for found in collect(MODELS["CNN1D"], tones, ["a", "b"], last):
        assert "its loss is not finite from epoch 2" in str(found)


def test_a_seed_that_diverges_leaves_the_others_as_alone(record, tones, monkeypatch):
    """In its short trainings it leaves a record without them: GraNd alone looks there."""
    real = collecting.fit

    def diverging(build, signals, rows, seeds, *rest, **more):
        found = real(build, signals, rows, seeds, *rest, **more)
        return replace(found, diverged={
            r: 1 for r, seed in enumerate(seeds) if seed == "bad" or seed == "b early 0"
        })  # fmt: skip

    monkeypatch.setattr(collecting, "fit", diverging)
    bad, a, b = collect(MODELS["CNN1D"], tones, ["bad", "a", "b"], SMALL)
    assert "not finite from epoch 1" in str(bad)
    assert b[0].logits_early.shape == (0, 96, 3) and b[0].embedding_norm_early.shape == (0, 96)
    assert "early training: its loss is not finite from epoch 1" in b[0].early_lost
    assert a[0].early_lost == ""
    np.testing.assert_array_equal(a[0].loss, record[0].loss)
    np.testing.assert_array_equal(a[0].logits_early, record[0].logits_early)


def test_early_trainings_that_overflow_cost_only_who_looks_at_them(record, tones, tmp_path):
    """Their reason lies in the record's file and reaches GraNd and EL2N; nothing warns."""
    real = collecting.logits_and_norms

    def scaled(network, signals, by):
        return tuple(a * np.float32(b) for a, b in zip(real(network, signals), by, strict=True))

    for logits, norms in ((np.inf, 1), (1, np.nan), (np.nan, np.inf)):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(collecting, "logits_and_norms", partial(scaled, by=(logits, norms)))
            [(found, _)] = collect(MODELS["CNN1D"], tones, ["a"], SMALL)
        np.savez(tmp_path / "e.npz", **evidence.to_arrays(found))
        back = evidence.from_npz(tmp_path / "e.npz")
        np.testing.assert_array_equal(back.loss, record[0].loss)
        assert len(back.logits_early) == 0
        for score in (scores.grand, newer.el2n):
            with pytest.raises(ValueError, match="no early training to look at: .*finite"):
                score(back)
        assert np.isfinite(scores.margin(back)).all()


def test_too_little_memory_for_early_trainings_is_not_the_record_s_fault(tones, monkeypatch):
    real = collecting.fit

    def small(build, signals, rows, seeds, *rest, **more):
        if "early" in seeds[0]:
            raise ValueError("device memory: one copy alone does not fit")
        return real(build, signals, rows, seeds, *rest, **more)

    monkeypatch.setattr(collecting, "fit", small)
    [found] = collect(MODELS["CNN1D"], tones, ["a"], SMALL)
    assert "device memory" in str(found)


@pytest.mark.parametrize("number", [torch.nan, torch.inf], ids=str)
def test_a_seed_whose_record_is_not_finite_leaves_the_others_as_alone(
    number, record, tones, monkeypatch
):
    real, asked = collecting.margin_of, []

    def margin_of(logits, label):
        asked.append(len(logits))
        found = real(logits, label)
        return found.fill_(number) if sum(asked) <= SMALL.recipe.epochs else found

    monkeypatch.setattr(collecting, "margin_of", margin_of)
    bad, a = collect(MODELS["CNN1D"], tones, ["bad", "a"], SMALL)
    assert "not finite" in str(bad) or "expected finite numbers" in str(bad)
    assert "lr" in str(bad) and "None" not in str(bad) and "Delete" not in str(bad)
    np.testing.assert_array_equal(a[0].margin, record[0].margin)


def test_the_short_trainings_have_the_device_to_themselves(tones, monkeypatch):
    """No network of the long ones is left, and nothing that lay beside it."""
    real, alive = collecting.fit, []

    def noting(*given, after_epoch=None, after_stack=None, **more):
        assert not any(one() for one in alive)

        def look(replicas, network, diverged):
            alive.append(ref(network))
            after_stack(replicas, network, diverged)

        return real(*given, after_stack=look, **more)

    monkeypatch.setattr(collecting, "fit", noting)
    collect(MODELS["CNN1D"], tones, ["a", "b"], SMALL)
    assert len(alive) == 2 + 2 * 2


def test_no_early_runs_leave_room_for_none(tones):
    [(found, _)] = collect(MODELS["CNN1D"], tones, ["a"], replace(SMALL, early_runs=0))
    assert found.logits_early.shape == (0, 96, 3) and found.embedding_norm_early.shape == (0, 96)


def test_one_class_has_a_record_and_no_margin(tones):
    low = tones[tones.label == 0]
    [(found, _)] = collect(MODELS["CNN1D"], replace(low, classes=("low",)), ["a"], SMALL)
    assert found.correct.all() and not found.margin.any() and not found.loss.any()


def test_predictions_and_their_correctness():
    """Eqs. 2 and 3 by hand; of equal logits the first class is the prediction."""
    logits = torch.tensor([[[0.0, 2.0], [5.0, 1.0]], [[3.0, 2.0], [0.5, 0.5]]])  # T=2, N=2, C=2
    predicted = predicted_label(logits)
    assert predicted.tolist() == [[1, 0], [0, 0]]
    right = correctness(predicted, torch.tensor([1, 0]))
    assert right.tolist() == [[True, True], [False, True]]
    logits = torch.tensor([[[0.0, 0.0], [0.0, np.log(3.0)]]])
    np.testing.assert_allclose(loss_of(logits, torch.tensor([1, 0]))[0], np.log([2.0, 4.0]))


def test_a_field_of_evidence_that_came_later_may_lack_in_an_older_file(
    record, tmp_path, monkeypatch
):
    """`load` asks the fields of Evidence which have a default: one gets it."""
    path, arrays = tmp_path / "e.npz", evidence.to_arrays(record[0])
    del arrays["embedding_norm_early"]
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=r"missing \['embedding_norm_early'\]"):
        evidence.from_npz(path)
    later = [
        SimpleNamespace(name=f.name, default=0 if "norm" in f.name else f.default)
        for f in fields(evidence.Evidence)
    ]
    monkeypatch.setattr(evidence, "fields", lambda kind: later)
    none = np.zeros((2, 96), np.float32)
    monkeypatch.setattr(evidence, "Evidence", partial(evidence.Evidence, embedding_norm_early=none))
    back = evidence.from_npz(path)
    assert back.embedding_norm_early is none and (back.loss == record[0].loss).all()


def test_an_array_that_a_newer_library_added_does_not_hinder_this_one(record, tmp_path):
    path = tmp_path / "e.npz"
    np.savez(path, **evidence.to_arrays(record[0]), margins=np.zeros(96))
    assert (evidence.from_npz(path).loss == record[0].loss).all()

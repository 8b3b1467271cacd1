"""A cell is one function of its key: alone, in a group, after others, the same result."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from foqus_lib.experiment.bench import Bench, seed_name
from foqus_lib.experiment.cell import grid
from foqus_lib.experiment.draw import blind, evidence_of, select
from foqus_lib.experiment.run import check_names, collect_evidence, measure, train_cells

from foqus_lib.errors import DeviceLost
from foqus_lib.experiment import run, store
from foqus_lib.models import MODELS
from foqus_lib.training.collect import Collection
from foqus_lib.training.fit import fit
from foqus_lib.training.predict import accuracies
from foqus_lib.training.recipe import Recipe

COLLECTION = Collection(Recipe(epochs=2, batch=32), early_runs=1, early_epochs=1)
EVALUATION = Recipe(epochs=2, batch=16)


def bench_at(root, task):
    return Bench(task, COLLECTION, EVALUATION, root, "cpu")


def cells_of(task, methods, rates=(0.25, 0.5), seeds=(0,)):
    return grid(
        dataset=task.name,
        fingerprint=task.fingerprint,
        pairs=[("CNN1D", "CNN1D")],
        methods=methods,
        rates=rates,
        seeds=seeds,
        selection_recipe=str(COLLECTION),
        evaluation_recipe=str(EVALUATION),
    )


@pytest.fixture(scope="module")
def bench(task, tmp_path_factory):
    made = bench_at(tmp_path_factory.mktemp("store"), task)
    collect_evidence(made, "CNN1D", [0, 1])
    return made


def test_coresets_are_nested_balanced_and_independent_of_the_others_asked_for(bench):
    cells = cells_of(bench.task, ["Uniform", "FoQuS", "Herding"])
    together = select(bench, cells)
    for one, rows in zip(cells, together, strict=True):
        assert np.array_equal(rows, select(bench, [one])[0])
        counts = np.bincount(bench.task.train.label[rows], minlength=3)
        assert len(rows) == round(64 * one.rate) and counts.max() - counts.min() <= 1
    by_key = {(c.method, c.rate): set(r.tolist()) for c, r in zip(cells, together, strict=True)}
    for method in ("Uniform", "FoQuS", "Herding"):
        assert by_key[method, 0.25] < by_key[method, 0.5]


def test_the_same_cell_alone_and_in_a_sweep(bench, task, tmp_path):
    cells = cells_of(task, ["Uniform", "Margin"], seeds=(0, 1))
    train_cells(bench, cells)
    alone = bench_at(tmp_path, task)
    collect_evidence(alone, "CNN1D", [1])
    one = next(c for c in cells if c.method == "Margin" and c.seed == 1)
    train_cells(alone, [one])
    assert store.read(tmp_path, one)["metrics"] == store.read(bench.root, one)["metrics"]


def test_methods_share_initial_weights_and_batches(bench, task, tmp_path):
    """Common random numbers: equal coresets of two methods train to the same network."""
    cells = cells_of(task, ["Entropy", "Margin"], rates=[1.0])
    train_cells(bench, cells)
    first, second = (store.read(bench.root, one)["metrics"]["accuracy"] for one in cells)
    rows = select(bench, cells)
    assert sorted(rows[0].tolist()) == sorted(rows[1].tolist()) == list(range(64))
    assert abs(first - second) < 0.5  # another order of rows, so not the same network


def test_the_ceiling_comes_with_the_evidence(bench, task):
    ceiling = grid(
        dataset=task.name,
        fingerprint=task.fingerprint,
        pairs=[("CNN1D", "CNN1D")],
        methods=["All data"],
        rates=[],
        seeds=[0],
        selection_recipe=str(COLLECTION),
        evaluation_recipe=str(COLLECTION.recipe),
    )
    found = store.read(bench.root, ceiling[0])
    assert found["metrics"]["kept"] == 64
    again = bench_at(bench.root.parent / "again", task)
    train_cells(again, ceiling)  # the long way round: the same number
    assert store.read(again.root, ceiling[0])["metrics"] == found["metrics"]


def test_measure_by_hand(task):
    right = np.eye(3)[task.test.label]
    wrong = np.roll(right, 1, axis=1)
    logits = np.where((task.test.snr == 18)[:, None], right, wrong)
    metrics = measure(logits, task.test, kept=9)
    share = float((task.test.snr == 18).mean())
    assert metrics == {"accuracy": share, "accuracy_by_snr": {"10": 0.0, "18": 1.0}, "kept": 9}


def test_methods_without_a_network_get_labels_and_nothing_else(task):
    record = blind(task.train)
    assert np.array_equal(record.label, task.train.label)
    assert not record.logits.any() and not record.embedding.any() and not record.loss.any()


def test_a_diverged_cell_is_a_failure_and_the_others_are_published(bench, task, tmp_path):
    wild = Bench(task, COLLECTION, Recipe(epochs=2, lr=1e30), tmp_path, "cpu")
    cells = grid(
        dataset=task.name,
        fingerprint=task.fingerprint,
        pairs=[("CNN1D", "CNN1D")],
        methods=["Uniform", "All data"],
        rates=[0.5],
        seeds=[0],
        selection_recipe=str(COLLECTION),
        evaluation_recipe=str(wild.evaluation),
    )
    train_cells(wild, cells[:1])
    found = store.scan(tmp_path, cells[:1])
    assert "loss: not finite from epoch" in found.failed[cells[0]]


def test_evidence_that_was_not_collected_is_asked_for(task, tmp_path):
    with pytest.raises(ValueError, match="no evidence of CNN1D, seed 3. Run the sweep first"):
        evidence_of(bench_at(tmp_path, task), "CNN1D", 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ["FoQus"]}, "unknown method 'FoQus'; did you mean 'FoQuS'"),
        ({"pairs": [("CNN1", "CNN1D")]}, "unknown model 'CNN1'; did you mean 'CNN1D'"),
    ],
)
def test_unknown_names_are_refused_before_anything_runs(change, message, task):
    wanted = {"pairs": [("CNN1D", "CNN1D")], "methods": ["FoQuS"]} | change
    cells = grid(
        dataset=task.name, fingerprint=task.fingerprint, rates=[0.5], seeds=[0],
        selection_recipe="s", evaluation_recipe="e", **wanted,
    )  # fmt: skip
    with pytest.raises(ValueError, match=message):
        check_names(cells)


def test_the_best_test_on_the_way_is_reported_when_asked_for(bench, task):
    often = Recipe(epochs=6, batch=16, test_every=2)
    asking = Bench(task, COLLECTION, often, bench.root, "cpu")
    cells = [replace(one, evaluation_recipe=str(often)) for one in cells_of(task, ["Uniform"])]
    train_cells(asking, cells)
    plainly = Bench(task, COLLECTION, replace(often, test_every=0), bench.root, "cpu")
    silent = [replace(one, evaluation_recipe=str(plainly.evaluation)) for one in cells]
    train_cells(plainly, silent)
    for one, other in zip(cells, silent, strict=True):
        found, without = (store.read(bench.root, x)["metrics"] for x in (one, other))
        assert found["accuracy"] == without["accuracy"]  # looking changes nothing
        assert found["accuracy_best"] >= found["accuracy"] and "accuracy_best" not in without
        at = [_accuracy_after(asking, one, epochs) for epochs in (2, 4, 6)]
        assert found["accuracy_best"] == pytest.approx(max(at))


def _accuracy_after(bench, one, epochs):
    [rows] = select(bench, [one])
    name = seed_name(bench.task.name, one.evaluation_model, one.seed)
    recipe = Recipe(epochs=epochs, batch=16)
    network = fit(MODELS["CNN1D"], bench.task.train, [rows], [name], recipe).networks[0]
    return float(accuracies(network, bench.task.test)[0])


def test_a_device_that_vanishes_ends_the_sweep_and_blames_no_cell(bench, task, monkeypatch):
    def gone(*arguments, **named):
        raise torch.AcceleratorError("CUDA error: device-side assert triggered\nmore")

    monkeypatch.setattr(run, "fit", gone)
    cells = cells_of(task, ["Entropy"], rates=[0.125])
    wanted = r"device: cpu stopped working \(CUDA error: device-side assert triggered\)"
    with pytest.raises(DeviceLost, match=wanted):
        train_cells(bench, cells)
    assert not store.scan(bench.root, cells).failed


def test_a_network_may_have_its_authors_optimiser(task, tmp_path):
    bench = bench_at(tmp_path, task)
    assert bench.collection_of("CNN1D") == COLLECTION
    assert bench.collection_of("IQFormer").recipe.optimiser == "AdamW"
    keys = [bench.evidence_key(model, 0)["selection_recipe"] for model in ("CNN1D", "IQFormer")]
    assert keys[0].startswith("Adam lr") and keys[1].startswith("AdamW lr")
    assert set(bench.recipes) >= {str(EVALUATION), str(replace(EVALUATION, optimiser="AdamW"))}


def test_nothing_is_left_behind_when_evidence_is_stored(bench):
    assert not list((bench.root / "partial").glob("*"))

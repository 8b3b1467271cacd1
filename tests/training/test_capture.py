"""CUDA graphs without a GPU: the graph is played by a recorder, all the rest is the real thing."""

import logging
from functools import partial

import numpy as np
import pytest
import torch

from foqus_lib.models import MODELS
from foqus_lib.training import capture, fit
from foqus_lib.training.predict import predict
from foqus_lib.training.recipe import Recipe

RECIPES = [Recipe(epochs=2, batch=20), Recipe(epochs=2, batch=20, optimiser="SGD", lr=0.01)]


def trained(tones, recipe):
    """50 signals: two full batches and a tail an epoch; CNN2D has dropout."""
    rows = [np.arange(50), np.arange(40, 90)]
    found = fit.fit(MODELS["CNN2D"], tones, rows, ["a", "b"], recipe, together=2)
    assert not found.diverged
    return predict(found.networks[0], tones)[0]


@pytest.fixture
def played(monkeypatch):
    """Makes `fit` capture on a CPU: warming up really trains, recording runs nothing."""
    recorded = []

    def warm_up(step, sizes, at):
        for size in [*sizes, *sizes]:
            at.zero_()
            step(size)

    def record(step, size, pool):
        recorded.append(size)
        return partial(step, size)

    monkeypatch.setattr(fit, "CAPTURE_FROM", 0)
    monkeypatch.setattr(fit, "_captures", lambda device: True)
    monkeypatch.setattr(capture, "_warm_up", warm_up)
    monkeypatch.setattr(capture, "_record", record)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: (0, 0))
    return recorded


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.optimiser)
def test_a_captured_training_is_the_eager_one_to_the_last_bit(recipe, tones, played, monkeypatch):
    """Weights, Adam's moments and steps, dropout keys, counter: warming up leaves no trace."""
    graphed = trained(tones, recipe)
    assert played == [20, 10]  # one graph a batch size, the large one first
    monkeypatch.setattr(fit, "_captures", lambda device: False)
    assert torch.equal(graphed, trained(tones, recipe))


@pytest.mark.parametrize("fails_at", [0, 1])
def test_a_capture_that_is_interrupted_falls_back_and_says_so(
    fails_at, tones, played, monkeypatch, caplog
):
    def broken(step, size, pool, seen=[]):  # noqa: B006 (counts the calls)
        seen.append(size)
        if len(seen) > fails_at:
            raise RuntimeError("operation not permitted when stream is capturing\nmore lines")
        return lambda: pytest.fail("a graph of a broken capture was replayed")

    monkeypatch.setattr(capture, "_record", broken)
    with caplog.at_level(logging.WARNING):
        fallen = trained(tones, RECIPES[0])
    assert "no CUDA graph (operation not permitted when stream is capturing)" in caplog.text
    monkeypatch.setattr(fit, "_captures", lambda device: False)
    assert torch.equal(fallen, trained(tones, RECIPES[0]))


def test_memory_that_runs_out_while_capturing_is_not_hidden(tones, played, monkeypatch, caplog):
    def full(step, size, pool):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(capture, "_record", full)
    with pytest.raises(ValueError, match="device memory: one copy alone does not fit"):
        fit.fit(MODELS["CNN2D"], tones, [np.arange(9)], ["a"], RECIPES[0])


@pytest.mark.gpu
@pytest.mark.parametrize("network", MODELS)
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_on_a_gpu_graph_and_eager_agree(network, precision, tones, monkeypatch, caplog):
    """The same kernels on the same numbers; atomics in some backward kernels may differ."""
    recipe = Recipe(epochs=4, batch=20, precision=precision)
    rows, seeds = [np.arange(50), np.arange(40, 90)], ["a", "b"]
    run = partial(fit.fit, MODELS[network], tones, rows, seeds, recipe, torch.device("cuda"))
    eager = run()
    monkeypatch.setattr(fit, "CAPTURE_FROM", 0)
    graphed = run()
    assert "no CUDA graph" not in caplog.text
    tolerance = 1e-3 if precision == "fp32" else 5e-2
    for one, other in zip(eager.networks, graphed.networks, strict=True):
        for a, b in zip(one.parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(a, b, atol=tolerance, rtol=tolerance)

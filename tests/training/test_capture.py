"""CUDA graphs without a GPU: the graph is played by a recorder, all the rest is the real thing."""

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from types import SimpleNamespace

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

    def warm_up(step, sizes, at, stream):
        for size in [*sizes, *sizes]:
            at.zero_()
            step(size)

    def record(step, size, pool, stream):
        recorded.append(size)
        return partial(step, size)

    monkeypatch.setattr(fit, "CAPTURE_FROM", 0)
    monkeypatch.setattr(fit, "_captures", lambda device: True)
    monkeypatch.setattr(capture, "_warm_up", warm_up)
    monkeypatch.setattr(capture, "_record", record)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: (0, 0))
    monkeypatch.setattr(torch.cuda, "Stream", lambda: None)
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
    def broken(step, size, pool, stream, seen=[]):  # noqa: B006 (counts the calls)
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
    def full(step, size, pool, stream):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(capture, "_record", full)
    with pytest.raises(ValueError, match="device memory: one copy alone does not fit"):
        fit.fit(MODELS["CNN2D"], tones, [np.arange(9)], ["a"], RECIPES[0])


@dataclass
class Driver:
    """As much of torch.cuda as a capture asks for, on a CPU: which stream is current, what ran."""

    current: "Stream" = None
    fails: bool = False
    captures: list = field(default_factory=list)
    kept: "Stream" = None  # by torch.cuda.graph, made once

    @contextmanager
    def stream(self, stream):
        before, self.current = self.current, stream
        try:
            yield
        finally:
            self.current = before

    @contextmanager
    def graph(self, graph, pool, stream=None):
        """As torch 2.13 has it: a capture that fails leaves its stream the current one."""
        if stream is None:
            stream = self.kept = self.kept or Stream(self)
        before, self.current = self.current, stream
        yield
        self.captures.append(stream)
        if self.fails:
            raise RuntimeError("operation failed due to a previous error during capture")
        self.current = before


class Stream(torch.cuda.Stream):
    def __new__(cls, driver):
        return object.__new__(cls)

    def __init__(self, driver):
        self.driver = driver

    def wait_stream(self, other):
        assert other is not self


@pytest.fixture
def driver(monkeypatch):
    """torch.cuda played by a `Driver`."""
    driver = Driver()
    default = driver.current = Stream(driver)
    monkeypatch.setattr(fit, "CAPTURE_FROM", 0)
    monkeypatch.setattr(fit, "_captures", lambda device: True)
    for name, played in {
        "Stream": lambda: Stream(driver), "current_stream": lambda: driver.current,
        "stream": driver.stream, "graph": driver.graph, "synchronize": lambda: None,
        "graph_pool_handle": lambda: (0, 0), "CUDAGraph": lambda: SimpleNamespace(replay=int),
    }.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, played)
    yield driver
    assert driver.current is default


def test_every_capture_has_a_stream_of_its_own_gpu(tones, driver):
    """torch.cuda.graph left alone takes one of the first GPU: on another nothing is recorded."""
    for _ in range(2):
        trained(tones, RECIPES[0])
    assert [type(stream) for stream in driver.captures] == [Stream] * 4
    assert driver.captures[0] is driver.captures[1] is not driver.captures[2]


def test_after_a_capture_that_fails_the_stream_is_the_one_before(tones, driver, caplog):
    driver.fails = True
    trained(tones, RECIPES[0])
    assert "no CUDA graph (operation failed" in caplog.text  # `driver` looks at the stream


@pytest.mark.gpu
@pytest.mark.parametrize("network", MODELS)
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_on_a_gpu_graph_and_eager_agree(network, precision, tones, monkeypatch, caplog):
    """The same kernels on the same numbers; atomics in some backward kernels may differ.

    Where a gradient is little but rounding, as in CNN1D and before batch normalisation, Adam scales
    it up: two orders of a CPU's sums part by 3e-3 and 1e-2 in these steps. There SGD is compared.
    """
    recipe = Recipe(epochs=4, batch=20, precision=precision)
    if network not in ("CNN2D", "LSTM"):
        recipe = replace(recipe, optimiser="SGD", lr=1e-3)
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

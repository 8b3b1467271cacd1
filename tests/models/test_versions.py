"""A network or a training that computes other numbers than it used to is another version of it.

Results are stored under the versions of the code that made them (models.VERSIONS, fit.VERSION,
collect.VERSION): see tests/selection/test_versions.py. Numbers differ in the last digits from one
machine to another, so they are compared to one part in a thousand.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foqus_lib.evidence import SAMPLE_AXIS
from foqus_lib.models import MODELS, VERSIONS
from foqus_lib.training import collect, fit
from foqus_lib.training.predict import logits_of
from foqus_lib.training.recipe import OPTIMISERS, Recipe, of_model

NUMBERS = Path(__file__).with_name("numbers.json")
RELATIVE = 1e-3
LARGE = {"SigNet", "SigNetIQ", "IQFormer"}
every = pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in LARGE else n for n in MODELS]
)


def loss_of(network, signals) -> float:
    label = torch.from_numpy(signals.label)
    return float(F.cross_entropy(logits_of(network, signals)[0], label))


def one_step(name, signals) -> list[float]:
    """Loss before and after one step on all signals, norm of the weights after it.

    Batch normalisation takes a bias before it out again; of its gradient only rounding is left,
    which Adam would scale up. So there the step is Nesterov's.
    """
    recipe = of_model(name, Recipe(epochs=1, batch=len(signals)))
    if any("BatchNorm" in type(layer).__name__ for layer in MODELS[name](3, 64, 1).modules()):
        recipe = replace(recipe, optimiser="SGD", lr=1e-5)
    before = fit.initial(MODELS[name], len(signals.classes), signals.length, ["version"])
    rows = [np.arange(len(signals))]
    after = fit.fit(MODELS[name], signals, rows, ["version"], recipe).networks[0]
    norm = sum(float(p.detach().double().square().sum()) for p in after.parameters()) ** 0.5
    return [loss_of(before.eval(), signals), loss_of(after, signals), norm]


def a_training(optimiser, signals) -> list[float]:
    """Loss of CNN1D and norm of its weights (no biases: see `one_step`) after a training that its
    schedule divides; and the learning rate at its first step, one on the way, and its last.
    """
    rate = {"Adam": 1e-3, "AdamW": 5e-3, "SGD": 0.5}[optimiser]
    recipe = Recipe(epochs=5, step=2, batch=32, optimiser=optimiser, lr=rate)
    rows = [np.arange(len(signals))]
    [network] = fit.fit(MODELS["CNN1D"], signals, rows, ["version"], recipe).networks
    weights = [p.detach().double() for p in network.parameters() if p.squeeze().ndim > 1]
    norm = sum(float(p.square().sum()) for p in weights) ** 0.5
    rates = [recipe.lr_at(epoch, step, 3) for epoch, step in ((0, 0), (2, 1), (4, 2))]
    return [loss_of(network, signals), norm, *rates]


def a_record(signals) -> list[float]:
    """The mean size of every field that a small training of CNN1D leaves to selectors."""
    how = collect.Collection(Recipe(epochs=2, batch=32), early_runs=1, early_epochs=1)
    [(found, _)] = collect.collect(MODELS["CNN1D"], signals, ["version"], how)
    assert np.array_equal(found.correct, found.margin > 0)  # a mean alone says little of booleans
    arrays = {name: getattr(found, name) for name in SAMPLE_AXIS if name not in ("label", "snr")}
    return [float(np.mean(abs(array), dtype=np.float64)) for array in arrays.values()]


def complaint(of: str, raised: str, key: str, found: list[float], recorded: dict) -> str:
    """What is to be done about these numbers; "" if they are the recorded ones."""
    line = f'"{key}": {json.dumps([float(f"{x:.6g}") for x in found])},'
    if key not in recorded:
        return f"record the numbers of {of} in {NUMBERS.name}: {line}"
    if not np.allclose(found, recorded[key], rtol=RELATIVE, atol=0):
        return f"raise the version of {of} in {raised} and record the new numbers: {line}"
    return ""


@every
def test_a_network_that_trains_otherwise_has_a_raised_version(name, tones):
    key = f"{name} v{VERSIONS[name]} fit v{fit.VERSION}"
    where = "models/__init__.py VERSIONS (or of all: training/fit.py VERSION)"
    found = one_step(name, tones)
    words = complaint(name, where, key, found, json.loads(NUMBERS.read_text()))
    assert not words, words


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_an_optimiser_that_trains_otherwise_has_a_raised_version(optimiser, tones):
    key = f"{optimiser} on CNN1D v{VERSIONS['CNN1D']} fit v{fit.VERSION}"
    found = a_training(optimiser, tones)
    where = "training/fit.py VERSION"
    words = complaint(f"fit ({optimiser})", where, key, found, json.loads(NUMBERS.read_text()))
    assert not words, words


def test_a_record_that_holds_other_numbers_has_a_raised_version(tones):
    key = f"record of CNN1D v{VERSIONS['CNN1D']} fit v{fit.VERSION} collect v{collect.VERSION}"
    found = a_record(tones)
    where = "training/collect.py VERSION"
    words = complaint("collect", where, key, found, json.loads(NUMBERS.read_text()))
    assert not words, words


def test_numbers_that_moved_are_complained_of():
    recorded = {"Net v1 fit v2": [1.1, 1.0, 9.0]}

    def said(key, found):
        return complaint("Net", "models", key, found, recorded)

    assert not said("Net v1 fit v2", [1.1003, 1.0, 9.0])  # another machine
    words = said("Net v1 fit v2", [1.1, 1.05, 9.0])
    assert words.startswith("raise the version of Net in models and record the new numbers: ")
    assert words.endswith('"Net v1 fit v2": [1.1, 1.05, 9.0],')
    assert said("Net v2 fit v2", [1.1, 1.05, 9.0]).startswith("record the numbers of Net")


def test_every_network_has_a_version():
    assert VERSIONS.keys() == MODELS.keys()
    assert all(type(version) is int and version > 0 for version in VERSIONS.values())

"""A step and its transforms where the signals are: nothing is left on the CPU, nor made there.

The meta device stands for a GPU. It has shapes and no numbers, and does not mix with the CPU.
"""

from functools import partial

import numpy as np
import pytest
import torch

from foqus_lib.companions.clustering.augment import looked_at
from foqus_lib.companions.distillation.phases import random_phase
from foqus_lib.companions.mixing import rivals
from foqus_lib.models import MODELS
from foqus_lib.training import fit
from foqus_lib.training.recipe import Recipe

TRANSFORMS = {
    "look": looked_at,
    "phase": random_phase,
    "rotation": rivals.rotation,
    "flip": rivals.flip,
    "noise": partial(rivals.noise, below_db=10.0),
    "mixup": partial(rivals.mixup, classes=3, alpha=1.0),
    "cutmix": partial(rivals.cutmix, classes=3),
}


def step(name, copies, change=None):
    """One loss and its gradients, by the function that `fit` calls."""
    network = MODELS[name](3, 64, copies).to("meta", memory_format=torch.channels_last).train()
    with torch.device("meta"):
        x, y = torch.zeros(9, 2, 64), torch.zeros(9, dtype=torch.int64)
        batch = torch.zeros(copies, 4, dtype=torch.int64)
    loss = fit._loss(network, x, y, batch, Recipe(), change)
    loss.sum().backward()
    assert loss.device.type == "meta" and loss.shape == (copies,)
    assert all(p.grad.device.type == "meta" for p in network.parameters())


def test_the_meta_device_does_not_mix_with_the_cpu():
    with pytest.raises(RuntimeError):
        torch.zeros(2, device="meta") + torch.zeros(2)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("copies", [1, 2])
def test_a_step_is_where_its_signals_are(name, copies):
    step(name, copies)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_transform_is_where_its_signals_are(name):
    rngs = [np.random.default_rng(copy) for copy in range(2)]
    step("CNN1D", 2, partial(TRANSFORMS[name], rngs=rngs))

"""One network alone is `fit` of one replica, and one that diverged is an error."""

import numpy as np
import pytest
import torch

from foqus_lib.errors import Diverged
from foqus_lib.models import MODELS
from foqus_lib.training.fit import fit
from foqus_lib.training.predict import logits_of, said
from foqus_lib.training.recipe import Recipe
from foqus_lib.training.single import fit_one

CPU, BUILD, RECIPE = torch.device("cpu"), MODELS["CNN1D"], Recipe(epochs=2, batch=16)
ROWS = np.arange(0, 96, 3)


def test_it_is_the_replica_that_fit_trains(tones):
    network = fit_one(BUILD, tones, ROWS, "a", RECIPE, CPU)
    [other] = fit(BUILD, tones, [ROWS], ["a"], RECIPE).networks
    assert not network.training and np.array_equal(said(network, tones), said(other, tones))
    assert said(network, tones).shape == (96, 3)
    assert torch.equal(logits_of(network, tones)[0], torch.from_numpy(said(network, tones)))


def test_one_that_diverges_says_when_and_what_helps(tones):
    with pytest.raises(Diverged, match=r"loss: not finite from epoch 1 \(.*\); lower lr"):
        fit_one(BUILD, tones, ROWS, "a", Recipe(epochs=2, batch=16, lr=1e38), CPU)

"""The networks that are cut: sizes as published, shortcuts that carry gradients, any depths."""

from functools import partial

import pytest
import torch

from foqus_lib.companions.signal_resnet import Block, SignalResNet, stage_of
from foqus_lib.models.copies import alone
from foqus_lib.models.summary import flops, parameters
from foqus_lib.training.fit import fit
from foqus_lib.training.predict import accuracies
from foqus_lib.training.recipe import Recipe


@pytest.mark.parametrize(("depth", "wanted"), [(9, 852_795), (18, 1_727_739)])
def test_parameters_of_resnet56_and_resnet110(depth, wanted):
    """Related systems 1.3: 11 classes, the stem without a bias."""
    assert parameters(SignalResNet(11, 128, (depth,) * 3)) == wanted


def test_flops_by_hand():
    """Two a multiplication: the stem, then maps of 2 x 16, 1 x 8 and 1 x 4, then a layer."""
    convolutions = 9 * 8 * 32 + 2 * 9 * 64 * 32
    convolutions += (9 * 8 * 16 + 9 * 16 * 16) * 8 + (9 * 16 * 32 + 9 * 32 * 32) * 4
    assert flops(SignalResNet(3, 16, (1, 1, 1), width=8), 16) == 2 * (convolutions + 32 * 3)


def test_the_shortcut_takes_every_second_sample_and_adds_silent_channels():
    block = Block(2, 4, stride=2, inner=4)
    x = torch.arange(2 * 2 * 6.0).reshape(1, 2, 2, 6).requires_grad_()
    y = block.shortcut(x)
    assert y.shape == (1, 4, 1, 3)
    assert torch.equal(y[:, 1:3], x[:, :, ::2, ::2]) and not y[:, [0, 3]].any()
    y.sum().backward()  # the public code takes x.data: there nothing would arrive
    assert x.grad.sum() == 2 * 3


def test_any_depths_make_a_network_and_a_stage_without_blocks_does_not():
    assert SignalResNet(3, 64, (1, 4, 2))(torch.zeros(2, 2, 64)).shape == (2, 3)
    assert stage_of((1, 4, 2)) == [0, 1, 1, 1, 1, 2, 2]
    with pytest.raises(ValueError, match="depths: expected 3 stages of one block or more, got"):
        SignalResNet(3, 64, (1, 0, 2))


def test_fit_trains_it(tones):
    import numpy as np

    build = alone(partial(SignalResNet, depths=(1, 1, 1), width=4))
    recipe = Recipe(epochs=12, batch=16, lr=1e-2)
    network = fit(build, tones, [np.arange(96)], ["resnet"], recipe).networks[0]
    assert accuracies(network, tones)[0] > 0.9

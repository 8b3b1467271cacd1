"""CNN1D without some of its units: all twelve are the paper's network, none are still a network."""

import pytest
import torch

from foqus_lib.companions import layer_baselines, layer_pruning
from foqus_lib.companions.cuttable import NETWORKS
from foqus_lib.companions.signal_cnn1d import DEPTHS, SignalCNN1D
from foqus_lib.models import MODELS
from foqus_lib.models.summary import flops, parameters


def network(seed=0, depths=DEPTHS, **more):
    torch.manual_seed(seed)
    return SignalCNN1D(3, 64, depths, **more).eval()


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def renamed(weights):
    """Of models.cnn1d.CNN1D -> under the names of a whole SignalCNN1D."""
    found = {}
    for name, value in weights.items():
        part, *rest = name.split(".")
        if part != "stacks":
            found[name] = value
            continue
        stack, place = int(rest[0]), int(rest[1])
        if place == 0:
            found[f"between.{stack - 1}.weight" if stack else "stem.weight"] = value
        else:
            conv = {"first": "conv1", "second": "conv2"}[rest[2]]
            found[f"blocks.{2 * stack + place - 1}.{conv}.weight"] = value
    return found


def test_with_all_units_it_is_cnn1d():
    theirs, mine = MODELS["CNN1D"](11, 128).eval(), SignalCNN1D(11, 128).eval()
    assert parameters(mine) == parameters(theirs) == 100_907
    mine.load_state_dict(renamed(theirs.state_dict()))
    x = noise(5, 2, 128)
    assert torch.allclose(mine(x), theirs(x), atol=1e-5)


def test_without_any_unit_it_still_says_something_of_every_class():
    bare = network(depths=(0,) * 6)
    assert bare(noise(4, 2, 64)).shape == (4, 3) and len(bare.blocks) == 0
    with pytest.raises(ValueError, match="depths: expected 6 stacks of no unit or more"):
        network(depths=(2, 2))


def test_a_unit_may_go_and_the_others_bring_their_weights():
    full, kept = network(), (1, 2, 5, 10)
    cut = NETWORKS["CNN1D"]()
    depths = layer_pruning.kept_depths(cut.depths, kept, cut.needed)
    assert depths == (1, 1, 1, 0, 0, 1)
    small = network(9, depths)
    weights = layer_pruning.reassembled(full.state_dict(), small.state_dict(), kept)
    small.load_state_dict(weights)
    assert all(layer_pruning.carried(full.state_dict(), small.state_dict(), kept))
    for place, block in enumerate(kept):
        assert torch.equal(small.blocks[place].conv2.weight, full.blocks[block].conv2.weight)
    assert torch.equal(small.between[3].weight, full.between[3].weight)
    with pytest.raises(ValueError, match="kept: expected a block of every stage"):
        layer_pruning.kept_depths(cut.depths, (), cut.needed)


def test_a_unit_cannot_move_from_the_first_stack_to_another_nor_back():
    """Where I and Q meet, kernels have two rows; what is kept stays in its own stack."""
    full, small = network(), network(9, (0, 1, 0, 0, 0, 0))
    assert layer_pruning.carried(full.state_dict(), small.state_dict(), (0,)) == [False]


def test_layers_compare_and_score_as_those_of_a_resnet_do():
    net, x = network(), noise(16, 2, 64)
    layers = layer_pruning.activations(net, x)
    assert len(layers) == 13 and layer_pruning.cka_matrix(layers).shape == (13, 13)
    assert layer_pruning.log_synflow(net, (2, 64)) > 0
    gains = layer_baselines.gain_of_probes(net, x, torch.arange(16) % 3)
    assert len(gains) == 12


def test_all_channels_inside_are_the_network_itself_and_fewer_cost_less():
    full, x = network(), noise(4, 2, 64)
    whole = [32] * 12
    same = network(9, inner=whole)
    same.load_state_dict(layer_baselines.l1_channels(full.state_dict(), whole))
    assert torch.equal(same(x), full(x))
    half = network(9, inner=[16] * 12)
    half.load_state_dict(layer_baselines.l1_channels(full.state_dict(), [16] * 12))
    assert flops(half, 64) < flops(full, 64)

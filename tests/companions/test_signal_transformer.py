"""The transformer over patches: its size by hand, what a block does, what is left after a cut."""

import pytest
import torch

from foqus_lib.companions import layer_baselines, layer_pruning
from foqus_lib.companions.cuttable import NETWORKS
from foqus_lib.companions.signal_transformer import DEPTHS, SignalTransformer
from foqus_lib.models.summary import flops, parameters


def network(seed=0, depths=DEPTHS, **more):
    torch.manual_seed(seed)
    return SignalTransformer(3, 64, depths, **more).eval()


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_its_size_by_hand():
    """Of 64 channels: a block 4 x 64 x 65 of attention, 2 x 64 x 128 + 192 between, two norms."""
    block = 4 * 64 * 65 + 2 * 64 * 128 + 128 + 64 + 2 * 128
    stem, end = 2 * 8 * 64 + 64 + 16 * 64, 128 + 64 * 11 + 11
    found = SignalTransformer(11, 128)
    assert parameters(found) == stem + 12 * block + end == 404_619
    assert parameters(found.blocks[0]) == block


def test_a_block_that_says_nothing_is_the_identity():
    net, h = network(), noise(4, 64, 1, 8)
    block = net.blocks[0]
    with torch.no_grad():
        for layer in (block.conv2, block.attention.out_proj):
            layer.weight.zero_()
            layer.bias.zero_()
    assert torch.equal(block(h), h)


def test_tokens_meet_in_attention_only_and_places_matter():
    net, x = network(depths=(1,)), noise(1, 2, 64)
    moved = x.roll(8, dims=2)  # by one patch
    assert not torch.allclose(net(x), net(moved))
    with torch.no_grad():
        net.stem.place.zero_()
    torch.testing.assert_close(net(x), net(moved), atol=1e-5, rtol=0)


def test_what_is_left_of_a_cut_is_the_network_without_those_blocks():
    full, kept = network(), (0, 1, 2, 5, 11)
    cut = NETWORKS["Transformer12"]()
    small = network(9, layer_pruning.kept_depths(cut.depths, kept, cut.needed))
    assert len(small.blocks) == 5
    small.load_state_dict(layer_pruning.reassembled(full.state_dict(), small.state_dict(), kept))
    x = noise(4, 2, 64)
    h = full.stem(x)
    for block in kept:
        h = full.blocks[block](h)
    want = full.head(full.norm(h[:, :, 0].transpose(1, 2)).mean(1))
    assert torch.equal(small(x), want)
    assert layer_baselines.first_blocks(cut.needed, 9) == tuple(range(9)), "reverse order"


def test_layers_compare_and_score_as_those_of_a_resnet_do():
    net, x = network(), noise(16, 2, 64)
    layers = layer_pruning.activations(net, x)
    assert len(layers) == 13 and layer_pruning.cka_matrix(layers).shape == (13, 13)
    assert layer_pruning.log_synflow(net, (2, 64)) > 0
    assert len(layer_baselines.gain_of_probes(net, x, torch.arange(16) % 3)) == 12


def test_all_channels_inside_are_the_network_itself_and_fewer_cost_less():
    full, x = network(), noise(4, 2, 64)
    whole = NETWORKS["Transformer12"]().channels(64)
    assert whole == [128] * 12
    same = network(9, inner=whole)
    same.load_state_dict(layer_baselines.l1_channels(full.state_dict(), whole))
    assert torch.equal(same(x), full(x))
    half = network(9, inner=[64] * 12)
    half.load_state_dict(layer_baselines.l1_channels(full.state_dict(), [64] * 12))
    assert flops(half, 64) < flops(full, 64)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ((3, 60), "length: expected a multiple of 8 samples, got 60"),
        ((3, 64, (2, 2)), "depths: expected one number"),
        ((3, 64, (1,), 10), "width: expected a multiple of 4 heads, got 10"),
    ],
)
def test_what_cannot_be_built_is_said(arguments, words):
    with pytest.raises(ValueError, match=words):
        SignalTransformer(*arguments)

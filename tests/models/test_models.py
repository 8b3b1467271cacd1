"""One contract over the catalog; the sizes are those of the group's networks."""

import pytest
import torch

from foqus_lib.models import MODELS
from foqus_lib.models.layers import Dropout, splitmix64

PARAMETERS = {  # counted on the original code, which the sizes below must equal
    ("CNN1D", 128, 11): 100_907,
    ("CNN1D", 512, 12): 125_612,
    ("CNN1D", 1024, 24): 159_928,
    ("CNN2D", 128, 11): 2_764_427,
    ("CNN2D", 512, 12): 5_500_684,
    ("CNN2D", 1024, 24): 5_634_840,
}
every = pytest.mark.parametrize("name", MODELS)


@pytest.mark.parametrize(("name", "length", "classes"), PARAMETERS)
def test_parameter_counts(name, length, classes):
    network = MODELS[name](classes, length)
    assert sum(p.numel() for p in network.parameters()) == PARAMETERS[name, length, classes]


@every
def test_forward_is_head_of_embed_and_batch_size_does_not_matter(name):
    network = MODELS[name](5, 128).eval()
    x = torch.randn(3, 2, 128)
    whole = network(x)
    assert whole.shape == (3, 5)
    torch.testing.assert_close(whole, network.head(network.embed(x[:, None]))[0])
    torch.testing.assert_close(whole[1:2], network(x[1:2]), atol=1e-5, rtol=1e-4)


@every
def test_copies_do_not_mix(name):
    stack = MODELS[name](5, 128, copies=3).eval()
    x = torch.randn(2, 3, 2, 128)
    before = stack.head(stack.embed(x))
    x[:, 1] += 1
    after = stack.head(stack.embed(x))
    torch.testing.assert_close(after[[0, 2]], before[[0, 2]])
    assert not torch.allclose(after[1], before[1])


def test_splitmix64_gives_the_published_first_outputs():
    """Steele, Lea & Flood's generator from seed 0, as in Vigna's splitmix64.c."""
    gamma = 0x9E3779B97F4A7C15
    counters = torch.tensor([(i * gamma) % 2**64 - 2**64 * ((i * gamma) % 2**64 >= 2**63)
                             for i in (1, 2, 3)])  # fmt: skip
    got = [int(value) % 2**64 for value in splitmix64(counters)]
    assert got == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


@pytest.mark.parametrize("p", [0.3, 0.5])
def test_dropout_drops_a_share_p_and_stays_unbiased(p):
    layer = Dropout(2, p, salt=1)
    layer.key.copy_(torch.tensor([7, 8]))
    out = layer(torch.ones(2, 500, 100))
    assert abs(float((out == 0).float().mean()) - round(256 * p) / 256) < 0.005
    assert abs(float(out.mean()) - 1) < 0.01
    layer.eval()
    assert (layer(torch.ones(2, 5, 10)) == 1).all()


def test_dropout_of_a_copy_depends_on_its_own_key_alone():
    together, alone = Dropout(2, 0.5, salt=1), Dropout(1, 0.5, salt=1)
    together.key.copy_(torch.tensor([7, 8]))
    alone.key.copy_(torch.tensor([8]))
    image = torch.ones(4, 2 * 3, 2, 5)  # (B, R*C, H, L)
    assert torch.equal(together(image)[:, 3:], alone(image[:, 3:]))
    flat = torch.ones(2, 4, 6)  # (R, B, D)
    assert torch.equal(together(flat)[1:], alone(flat[1:]))
    assert not torch.equal(together(flat)[0], together(flat)[1])


def test_layers_of_a_network_drop_different_units():
    masks = [Dropout(1, 0.5, salt).mask(64) for salt in (1, 2)]
    assert not torch.equal(*masks)

"""One contract over the catalog; the sizes are those of the group's networks."""

import pytest
import torch

from foqus_lib.models import MODELS
from foqus_lib.models.layers import Dropout, splitmix64
from foqus_lib.models.shapes import unfilled
from foqus_lib.models.summary import flops, macs, parameters
from foqus_lib.training.bfloat16 import in_bfloat16

PARAMETERS = {  # counted on the original code, which the sizes below must equal
    ("CNN1D", 128, 11): 100_907,
    ("CNN1D", 512, 12): 125_612,
    ("CNN1D", 1024, 24): 159_928,
    ("CNN2D", 128, 11): 2_764_427,
    ("CNN2D", 512, 12): 5_500_684,
    ("CNN2D", 1024, 24): 5_634_840,
    ("LSTM", 128, 11): 205_835,
    ("LSTM", 512, 12): 508_940,
    ("LSTM", 1024, 24): 1_688_600,
    ("SigNet", 128, 11): 23_527_453,
    ("SigNetIQ", 128, 11): 23_527_453,
    ("IQFormer", 128, 11): 355_049,
    ("IQFormer", 512, 12): 355_114,
    ("IQFormer", 1024, 24): 355_894,
}
MACS = {  # forward, one signal; counted elsewhere with three digits or more
    ("CNN1D", 128, 11): 9.53e6,
    ("CNN1D", 512, 12): 38.13e6,
    ("CNN1D", 1024, 24): 76.25e6,
    ("CNN2D", 128, 11): 19.59e6,
    ("CNN2D", 512, 12): 79.15e6,
    ("CNN2D", 1024, 24): 153.34e6,
    ("LSTM", 128, 11): 14.90e6,
    ("SigNet", 128, 11): 1.322e9,
    ("SigNet", 512, 12): 21.15e9,
    ("SigNet", 1024, 24): 84.60e9,
}


def catalog(slow):
    """Every model; those whose names start with `slow` only when slow tests are asked for."""
    marks = {name: [pytest.mark.slow] if name.startswith(slow) else [] for name in MODELS}
    names = [pytest.param(name, marks=marks[name]) for name in MODELS]
    return pytest.mark.parametrize("name", names)


every = catalog(slow="SigNetIQ")  # SigNet with other windows
every_light = catalog(slow="SigNet")  # 23.5 million weights in float64: test_signet.py has a part


def length_of(name):
    """The shortest signals that exercise the network: SigNet's work grows with their square."""
    return 32 if name.startswith("SigNet") else 64


@pytest.mark.parametrize(("name", "length", "classes"), PARAMETERS)
def test_parameter_counts(name, length, classes):
    assert parameters(unfilled(MODELS[name], classes, length)) == PARAMETERS[name, length, classes]


@pytest.mark.parametrize(("name", "length", "classes"), MACS)
def test_macs(name, length, classes):
    found = macs(unfilled(MODELS[name], classes, length), length)
    assert found == pytest.approx(MACS[name, length, classes], rel=5e-4)


def test_macs_of_the_lstm_by_its_formula():
    """4 H (I + H) a step and layer, and the last layer."""

    def formula(length, classes):
        return length * (4 * 128 * (2 + 128) + 4 * 64 * (128 + 64)) + 64 * length * classes

    assert macs(unfilled(MODELS["LSTM"], 7, 50), 50) == formula(50, 7)
    assert formula(512, 12) == pytest.approx(59.64e6, rel=1e-4)
    assert formula(1024, 24) == pytest.approx(120.06e6, rel=1e-4)


def test_macs_of_iqformer_are_the_official_ones_and_the_stft():
    """The official code gets its STFT for nothing; its q w is a product, here a weighted sum."""
    stft, weighted_sums = 32 * 31 * 128, 3 * 64 * 128
    official = macs(unfilled(MODELS["IQFormer"], 11, 128), 128) - stft + weighted_sums
    assert official == pytest.approx(44.47e6, rel=2e-4)


@every
def test_of_a_network_with_weights_the_same_is_counted(name):
    """Also of the LSTM, which is one operation there: two a multiplication, the pass computed."""
    network, shapes = MODELS[name](5, length_of(name)), unfilled(MODELS[name], 5, length_of(name))
    assert flops(network, length_of(name)) == 2 * macs(shapes, length_of(name))
    assert parameters(network) == parameters(shapes)


@every
def test_forward_is_head_of_embed_and_batch_size_does_not_matter(name):
    network = MODELS[name](5, length_of(name)).eval()
    x = torch.randn(3, 2, length_of(name))
    whole = network(x)
    assert whole.shape == (3, 5)
    near = {"rtol": 1e-4, "atol": 1e-5 * max(1, whole.abs().max().item())}  # logits may cancel
    h = network.embed(x[:, None])
    assert h.shape == (1, 3, network.last.weight.shape[1]), "the last layer's input"
    torch.testing.assert_close(whole, network.head(h)[0])
    torch.testing.assert_close(whole[1:2], network(x[1:2]), **near)
    by_hand = h[0] @ network.last.weight[0] + network.last.bias[0]
    torch.testing.assert_close(whole, by_hand, **near)


@every
def test_one_signal_can_be_a_training_batch(name):
    network = MODELS[name](5, 64)
    network(torch.randn(1, 2, 64)).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())
    assert all(weight.grad.isfinite().all() for weight in network.parameters())


@every
def test_the_same_seed_trains_the_same_network_to_the_last_bit(name):
    def trained():
        torch.manual_seed(4)
        network = MODELS[name](5, length_of(name))
        x = torch.randn(3, 2, length_of(name))
        network(x).square().sum().backward()
        return [network.eval()(x), *(weight.grad for weight in network.parameters())]

    for first, second in zip(trained(), trained(), strict=True):
        assert torch.equal(first, second)


@every
def test_copies_do_not_mix(name):
    length = length_of(name)
    stack = MODELS[name](5, length, copies=3).eval()
    x = torch.randn(2, 3, 2, length)
    before = stack.head(stack.embed(x))
    x[:, 1] += 1
    after = stack.head(stack.embed(x))
    torch.testing.assert_close(after[[0, 2]], before[[0, 2]])
    assert not torch.allclose(after[1], before[1])


@every_light
def test_a_stack_is_its_copies_alone_in_training_and_after(name):
    """Logits, gradients and batch statistics, in float64, with dropout."""
    length = length_of(name)
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(0)
        singles = [MODELS[name](5, length) for _ in range(2)]
        stack, x = MODELS[name](5, length, copies=2), torch.randn(4, 2, 2, length)
    finally:
        torch.set_default_dtype(torch.float32)

    def joined(tensors):  # copies are slices of the first axis of every parameter
        return torch.cat(list(tensors))

    with torch.no_grad():
        for of_name, weight in stack.named_parameters():
            weight.copy_(joined(single.get_parameter(of_name) for single in singles))
    for part in range(2):
        for network, chosen in ((stack, part), (singles[part], 0)):
            for layer in network.modules():
                if isinstance(layer, Dropout):
                    layer.key[chosen] = 40 + part
    alone = torch.stack([single(x[:, part]) for part, single in enumerate(singles)])
    together = stack.head(stack.embed(x))
    torch.testing.assert_close(together, alone, atol=1e-9, rtol=1e-9)
    weights = torch.randn_like(alone)
    (alone * weights).sum().backward()
    (together * weights).sum().backward()
    for of_name, weight in stack.named_parameters():
        expected = joined(single.get_parameter(of_name).grad for single in singles)
        torch.testing.assert_close(weight.grad, expected, atol=1e-8, rtol=1e-7, msg=of_name)
    for of_name, buffer in stack.named_buffers():
        if "running" in of_name:
            expected = joined(single.get_buffer(of_name) for single in singles)
            torch.testing.assert_close(buffer, expected, atol=1e-9, rtol=1e-9, msg=of_name)
    evaluated = torch.stack([one.eval()(x[:, part]) for part, one in enumerate(singles)])
    stack.eval()
    torch.testing.assert_close(stack.head(stack.embed(x)), evaluated, atol=1e-8, rtol=1e-8)


@every_light
@pytest.mark.parametrize("copies", [1, 2])
def test_bf16_is_near_fp32(name, copies):
    torch.manual_seed(0)
    length = length_of(name)
    network, x = MODELS[name](5, length, copies).eval(), torch.randn(4, copies, 2, length)
    with torch.no_grad():
        exact = network.head(network.embed(x))
        with in_bfloat16(torch.device("cpu")):
            rounded = network.head(network.embed(x))
    assert (rounded.float() - exact).abs().max() < 0.05 * exact.abs().max() + 0.01
    assert not torch.equal(rounded.float(), exact), "autocast did nothing"


@pytest.mark.gpu
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("copies", [1, 2])
def test_a_gpu_agrees_with_the_cpu(name, copies):
    torch.manual_seed(0)
    network = MODELS[name](5, 64, copies).double().eval()
    x = torch.randn(4, copies, 2, 64, dtype=torch.float64)
    here = network.head(network.embed(x))
    network.cuda()
    there = network.head(network.embed(x.cuda())).cpu()
    torch.testing.assert_close(there, here, atol=1e-9, rtol=1e-9)


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

"""Signal to matrix by loops, windows by hand, a bottleneck by torch's functions."""

import pytest
import torch
from torch.nn import functional as F

from foqus_lib.models.resnet50 import Bottleneck
from foqus_lib.models.signet import SignalToMatrix, iq_windows, time_windows

SIGNAL = torch.tensor([[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]])  # (B, R, 2, L), I then Q


def test_windows_over_time():
    i, q = time_windows(SIGNAL)[0, 0].tolist()
    assert i == [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 0]]
    assert q == [[0, 5, 6], [5, 6, 7], [6, 7, 8], [7, 8, 0]]


def test_windows_over_i_and_q():
    first, second = iq_windows(SIGNAL)[0, 0].tolist()
    assert first == [[0, 1, 5], [0, 2, 6], [0, 3, 7], [0, 4, 8]]
    assert second == [[1, 5, 0], [2, 6, 0], [3, 7, 0], [4, 8, 0]]


@pytest.mark.parametrize("windows", [time_windows, iq_windows])
def test_the_matrix_by_loops(windows):
    torch.manual_seed(0)
    layer, x = SignalToMatrix(2, windows), torch.randn(3, 2, 2, 5)
    got, cut = layer(x), windows(x)
    assert got.shape == (3, 4, 5, 5)
    for b in range(3):
        for copy in range(2):
            for channel in range(2):
                for s in range(5):
                    for t in range(5):
                        expected = sum(
                            cut[b, copy, channel, s, j]
                            * layer.filter[copy, channel, j, k]
                            * cut[b, copy, channel, t, k]
                            for j in range(3)
                            for k in range(3)
                        )
                        found = got[b, 2 * copy + channel, s, t]
                        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_the_filter_is_trained_and_starts_standard_normal():
    torch.manual_seed(0)
    weight = SignalToMatrix(500, time_windows).filter
    assert weight.requires_grad and weight.shape == (500, 2, 3, 3)
    drawn = weight.detach()
    assert abs(float(drawn.mean())) < 0.05 and abs(float(drawn.std()) - 1) < 0.05


@pytest.mark.parametrize(("inputs", "stride"), [(32, 1), (32, 2), (16, 1)])
def test_a_bottleneck_by_torchs_functions(inputs, stride):
    """The 3x3 convolution takes the stride; the shortcut is the input where shapes allow."""
    torch.manual_seed(0)
    block = Bottleneck(1, inputs, 8, stride).eval()
    for layer in block.modules():  # statistics that a forgotten normalisation would show
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(), layer.running_var.uniform_(0.5, 2)
            layer.weight.data.normal_(), layer.bias.data.normal_()

    def normalised(pair, x, stride, padding):
        conv, norm = pair
        x = F.conv2d(x, conv.weight, stride=stride, padding=padding)
        shape = (1, -1, 1, 1)
        deviation = (norm.running_var + 1e-5).sqrt()
        x = (x - norm.running_mean.view(shape)) / deviation.view(shape)
        return x * norm.weight.view(shape) + norm.bias.view(shape)

    x = torch.randn(2, inputs, 6, 6)
    h = normalised(block.first, x, 1, 0).relu()
    h = normalised(block.second, h, stride, 1).relu()
    h = normalised(block.third, h, 1, 0)
    plain = inputs == 32 and stride == 1
    assert (len(block.shortcut) == 0) == plain
    side = x if plain else normalised(block.shortcut, x, stride, 0)
    torch.testing.assert_close(block(x), (side + h).relu(), atol=1e-5, rtol=1e-4)


def test_copies_of_a_bottleneck_train_as_if_alone():
    """Outputs and gradients in float64; the whole network is compared in the slow tests."""
    torch.manual_seed(0)
    singles = [Bottleneck(1, 16, 8, 2).double() for _ in range(3)]
    stack = Bottleneck(3, 16, 8, 2).double()
    with torch.no_grad():
        for name, weight in stack.named_parameters():
            weight.copy_(torch.cat([single.get_parameter(name) for single in singles]))
    x = torch.randn(4, 3, 16, 6, 6, dtype=torch.float64)
    alone = torch.stack([single(x[:, copy]) for copy, single in enumerate(singles)], 1)
    together = stack(x.flatten(1, 2)).view_as(alone)
    torch.testing.assert_close(together, alone, atol=1e-12, rtol=1e-12)
    weights = torch.randn_like(alone)
    (alone * weights).sum().backward()
    (together * weights).sum().backward()
    for name, weight in stack.named_parameters():
        expected = torch.cat([single.get_parameter(name).grad for single in singles])
        torch.testing.assert_close(weight.grad, expected, atol=1e-11, rtol=1e-10)

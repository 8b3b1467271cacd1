"""The loop over copies equals torch's own layer, forwards and through its gradients."""

import math

import pytest
import torch
from torch import nn

from foqus_lib.models.recurrent import LoopedLSTM, Recurrent
from foqus_lib.training.bfloat16 import in_bfloat16

KINDS = [
    {"bias": bias, "bidirectional": bidirectional}
    for bias in (False, True)
    for bidirectional in (False, True)
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_copies_equal_torchs_layer_one_by_one(kind):
    torch.manual_seed(1)
    singles = [nn.LSTM(3, 5, batch_first=True, dtype=torch.float64, **kind) for _ in range(3)]
    stack = LoopedLSTM(singles)
    x = torch.randn(3, 4, 7, 3, dtype=torch.float64, requires_grad=True)
    alone = torch.stack([layer(signal)[0] for layer, signal in zip(singles, x, strict=True)])
    weights = torch.randn_like(alone)  # no symmetry: every state counts differently
    [of_x] = torch.autograd.grad((alone * weights).sum(), x, retain_graph=True)
    (alone * weights).sum().backward()
    x.grad = None
    together = stack(x)
    (together * weights).sum().backward()
    torch.testing.assert_close(together, alone, atol=1e-12, rtol=0)
    torch.testing.assert_close(x.grad, of_x, atol=1e-12, rtol=0)
    names = [name for name, _ in stack.named_parameters()]
    assert names == [name for name, _ in singles[0].named_parameters()]
    for name in names:
        expected = torch.cat([layer.get_parameter(name).grad for layer in singles])
        torch.testing.assert_close(stack.get_parameter(name).grad, expected, atol=1e-11, rtol=0)


def test_one_step_worked_by_hand():
    """One cell, all weights 1, input 1: every gate sees 1 and the state is 0."""
    layers = [nn.LSTM(1, 1, bias=False, batch_first=True) for _ in range(2)]
    for layer in layers:
        nn.init.ones_(layer.weight_ih_l0)
    sigmoid = 1 / (1 + math.exp(-1))
    expected = sigmoid * math.tanh(sigmoid * math.tanh(1))
    got = LoopedLSTM(layers)(torch.ones(2, 1, 1, 1))
    torch.testing.assert_close(got, torch.full((2, 1, 1, 1), expected))


def test_first_weights_are_uniform_within_one_over_the_root_of_the_cells():
    torch.manual_seed(0)
    stack = Recurrent(2, lambda: nn.LSTM(2, 64, bias=False, batch_first=True)).requires_grad_(False)
    for weight in stack.parameters():
        assert weight.abs().max() <= 1 / 8
        assert weight.abs().max() > 0.99 / 8
        assert abs(float(weight.std()) - 1 / 8 / math.sqrt(3)) < 0.005
        assert not torch.equal(*weight.chunk(2))


@pytest.mark.parametrize("copies", [1, 2])
def test_bf16_is_near_fp32_and_keeps_gradients_in_fp32(copies):
    torch.manual_seed(0)
    layer = Recurrent(copies, lambda: nn.LSTM(2, 16, bias=False, batch_first=True))
    x = torch.randn(copies, 3, 32, 2)
    with in_bfloat16(torch.device("cpu")):
        rounded = layer(x)
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), layer(x), atol=0.02, rtol=0)
    rounded.float().sum().backward()
    for weight in layer.parameters():
        assert weight.grad.dtype == torch.float32 and weight.grad.abs().sum() > 0


@pytest.mark.parametrize("learns", [True, False])
def test_what_learns_in_evaluation_mode_is_kept_for_backward_by_cudnn_too(learns):
    """Its kernels do so in training mode alone (pytorch/pytorch#5878); clustering learns so."""
    layer, modes = Recurrent(1, lambda: nn.LSTM(3, 5, batch_first=True)).eval(), []
    layer.lstm.register_forward_pre_hook(lambda lstm, _: modes.append(lstm.training))
    with torch.set_grad_enabled(learns):
        layer(torch.ones(1, 2, 7, 3))
    assert modes == [learns]

"""Sizes of a network: parameters, and multiplications of one forward pass."""

from collections.abc import Callable

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def parameters(build: Callable[..., nn.Module], classes: int, length: int) -> int:
    """Trained numbers of one network."""
    with torch.device("meta"):
        return sum(weight.numel() for weight in build(classes, length).parameters())


def macs(build: Callable[..., nn.Module], classes: int, length: int) -> int:
    """Multiply-accumulates of convolutions and products for one signal, forward.

    Counted on two copies and halved: of one copy, torch's counter does not see the fused LSTM.
    Nothing is computed: the tensors have shapes and no memory.
    """
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        stack = build(classes, length, copies=2).eval()
        stack.head(stack.embed(torch.empty(1, 2, 2, length)))
    return counter.get_total_flops() // 2 // 2  # two operations each, two copies

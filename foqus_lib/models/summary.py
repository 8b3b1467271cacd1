"""Sizes of a network: trained numbers, and the operations of one signal's forward pass.

MACs count a multiplication and the addition behind it as one, FLOPs as two.
"""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def parameters(network: nn.Module) -> int:
    """How many numbers are trained."""
    return sum(weight.numel() for weight in network.parameters())


def macs(network: nn.Module, length: int) -> int:
    """Multiply-accumulates of convolutions and products for one signal, forward."""
    return flops(network, length) // 2


@torch.no_grad()
def flops(network: nn.Module, length: int) -> int:
    """FLOPs of convolutions and products for one signal, forward, in evaluation mode.

    As torch counts them where the network is; of a network of `shapes.unfilled` nothing is
    computed. Only there does torch see into nn.LSTM: elsewhere it is one operation, in which each
    weight multiplies once a sample.
    """
    device = next(network.parameters()).device
    with FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, 2, length, device=device))
    unseen = sum(
        weight.numel()
        for layer in network.modules()
        if isinstance(layer, nn.LSTM) and device.type != "meta"
        for name, weight in layer.named_parameters()
        if name.startswith("weight")
    )
    return counter.get_total_flops() + 2 * length * unseen

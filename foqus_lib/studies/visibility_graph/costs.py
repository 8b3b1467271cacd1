"""What a network costs: parameters and FLOPs, which are exact, and milliseconds, which are not."""

import time
from statistics import median

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from foqus_lib.companions.visibility_graph.avgnet import parameters
from foqus_lib.seeds import seed_of
from foqus_lib.training.device import arithmetic, current

RUNS = {1: 11, 128: 2}  # signals at once -> forward passes, of which the median counts


def costs(network: nn.Module, length: int, seed: int) -> dict[str, float]:
    """Of one trained network, in evaluation mode, where it is."""
    return {
        "parameters": parameters(network),
        "flops": flops(network, length),
        **{f"ms_{n}": milliseconds(network, length, n, seed) for n in RUNS},
    }


@torch.no_grad()
def flops(network: nn.Module, length: int) -> int:
    """FLOPs of one signal's forward pass, two a multiplication.

    As torch counts them, products and convolutions; it does not see into nn.LSTM, whose weights
    each multiply once a sample. What ts2vg compares is not among them.
    """
    device = next(network.parameters()).device
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 2, length, device=device))
    recurrent = [
        weight.numel()
        for layer in network.modules()
        if isinstance(layer, nn.LSTM)
        for name, weight in layer.named_parameters()
        if name.startswith("weight")
    ]
    return counter.get_total_flops() + 2 * length * sum(recurrent)


@torch.no_grad()
def milliseconds(network: nn.Module, length: int, at_once: int, seed: int) -> float:
    """Median time of an fp32 forward pass, a signal; the first pass warms up and does not count.

    New signals each time, so that every graph is built.
    """
    device = next(network.parameters()).device
    draws = torch.Generator().manual_seed(seed_of("milliseconds", at_once, seed) >> 1)
    spent = []
    with current(device), arithmetic("fp32", device):
        for _ in range(RUNS[at_once] + 1):
            x = torch.randn(at_once, 2, length, generator=draws).to(device)
            began = time.perf_counter()
            network(x)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            spent.append(1000 * (time.perf_counter() - began))
    return median(spent[1:]) / at_once

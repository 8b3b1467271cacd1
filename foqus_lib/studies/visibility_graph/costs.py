"""What a network costs: parameters and FLOPs, which are exact, and milliseconds, which are not."""

import time
from statistics import median

import torch
from torch import nn

from foqus_lib.models.summary import flops, parameters
from foqus_lib.seeds import seed_of
from foqus_lib.training.device import arithmetic, current

RUNS = {1: 11, 128: 2}  # signals at once -> forward passes, of which the median counts


def costs(network: nn.Module, length: int, seed: int) -> dict[str, float]:
    """Of one trained network, in evaluation mode, where it is.

    What ts2vg compares is not among the FLOPs.
    """
    return {
        "parameters": parameters(network),
        "flops": flops(network, length),
        **{f"ms_{n}": milliseconds(network, length, n, seed) for n in RUNS},
    }


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

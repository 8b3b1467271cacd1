"""What a network costs: parameters and FLOPs, which are exact, and milliseconds, which are not."""

import torch
from torch import nn

from foqus_lib.models.summary import flops, parameters
from foqus_lib.seeds import seed_of
from foqus_lib.training import timing

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


def milliseconds(network: nn.Module, length: int, at_once: int, seed: int) -> float:
    """Median time of a forward pass, a signal. New signals each time: every graph is built."""
    device = next(network.parameters()).device
    draws = torch.Generator().manual_seed(seed_of("milliseconds", at_once, seed) >> 1)
    batches = (
        torch.randn(at_once, 2, length, generator=draws).to(device)
        for _ in range(RUNS[at_once] + 1)
    )
    return timing.milliseconds(network, batches) / at_once

"""How long a trained network takes to answer."""

import time
from collections.abc import Iterable
from statistics import median

import torch
from torch import Tensor, nn

from foqus_lib.training.device import arithmetic, current


@torch.no_grad()
def milliseconds(network: nn.Module, batches: Iterable[Tensor]) -> float:
    """Median time of an fp32 forward pass of a batch (B, 2, L), in evaluation mode.

    The batches are where the network is. The first warms up and does not count; nor does the time
    in which they are made.
    """
    device = next(network.parameters()).device
    network.eval()
    spent = []
    with current(device), arithmetic("fp32", device):
        for x in batches:
            began = time.perf_counter()
            network(x)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            spent.append(1000 * (time.perf_counter() - began))
    return median(spent[1:])

"""The adaptive visibility layer, forward and backward: one convolution, or one a lag and branch.

Run by companions.py.
"""

import statistics
from collections.abc import Callable
from pathlib import Path

import measure

SCRIPT = Path(__file__).with_name("companions.py")
OURS, PUBLIC = "ours", "per lag, per branch"
SIGNALS, LENGTH, LAGS, AGAIN = 64, 128, 11, 5


def visibility_layer(rounds: int) -> None:
    """Milliseconds of CPU for a batch of signals, graphs of I and of Q and all gradients.

    The public form runs every convolution by itself, spreads it on a diagonal of zeros and adds
    them up, first for I, then for Q. Same values and gradients, checked.
    """
    found = measure.in_turn(
        [OURS, PUBLIC],
        lambda name: measure.child(SCRIPT, "--child", "visibility_layer", name),
        rounds,
    )
    for one, two in zip(*found.values(), strict=True):
        assert all(
            abs(a - b) <= 1e-3 * abs(b) for a, b in zip(one["sums"], two["sums"], strict=True)
        )
    seconds = {name: [one["cpu_s"] for one in runs] for name, runs in found.items()}
    machine = measure.machine()
    rows = [
        {
            "variant": name,
            "signals": SIGNALS,
            "samples": LENGTH,
            "lags": LAGS,
            "rounds": rounds,
            "cpu_ms": round(1e3 * statistics.median(spent), 2),
            "times_ours": round(measure.median_ratio(spent, seconds[OURS]), 2),
            "machine": machine,
        }
        for name, spent in seconds.items()
    ]
    measure.write("visibility_layer", rows)


def visibility_layer_child(variant: str) -> dict:
    """The mean of some passes of one variant, after a first one."""
    import torch

    from foqus_lib.companions.visibility_graph.layer import AdaptiveVisibilityGraph

    torch.set_num_threads(1)
    torch.manual_seed(0)
    layer = AdaptiveVisibilityGraph(LAGS)
    x = torch.randn(SIGNALS, 2, LENGTH)
    onto = torch.rand(2, SIGNALS, LENGTH, LENGTH)  # what gradients come back
    make = {OURS: _ours, PUBLIC: _public}[variant]

    def once() -> list[float]:
        layer.zero_grad()
        graphs = make(layer, x)
        graphs.backward(onto)
        return [float(graphs.detach().sum()), *layer.bias.grad.tolist()]

    sums = once()
    with measure.stopwatch() as spent:
        for _ in range(AGAIN):
            once()
    return {"cpu_s": spent["cpu_s"] / AGAIN, "sums": sums}


def _ours(layer, x):
    """(2, B, L, L): both branches as one batch."""
    return layer(x.transpose(0, 1).flatten(0, 1)).unflatten(0, (2, -1))


def _public(layer, x):
    """(2, B, L, L): a convolution, a diagonal matrix and an addition for each lag and branch."""
    import torch
    from torch.nn import functional as F

    ends = [(d + 1) * (d + 2) // 2 - 1 for d in range(LAGS + 1)]  # of each lag's own taps
    kernels = [layer.weight[a:b] for a, b in zip(ends, ends[1:], strict=False)]
    branches = []
    for branch in range(2):
        graph = torch.zeros(SIGNALS, LENGTH, LENGTH)
        for d, kernel in enumerate(kernels, start=1):
            seen = F.conv1d(x[:, branch : branch + 1], kernel[None, None], layer.bias[d - 1 : d])
            graph = graph + torch.diag_embed(seen[:, 0].relu(), offset=d)
        branches.append(graph + graph.permute(0, 2, 1))
    return torch.stack(branches)


BENCHES: dict[str, Callable[[int], None]] = {"visibility_layer": visibility_layer}
CHILDREN: dict[str, Callable[[str], dict]] = {"visibility_layer": visibility_layer_child}

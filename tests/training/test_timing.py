"""Milliseconds by a clock that is told what to say."""

from types import SimpleNamespace

import torch
from torch import nn

from foqus_lib.training import timing


def test_the_median_of_all_passes_but_the_first(monkeypatch):
    """Seconds of a pass: 9 to warm up, then 1, 4, 2; between passes, where batches are made, 50."""
    ticks = iter([0, 9, 59, 60, 110, 114, 164, 166])
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    network = nn.Sequential(nn.Flatten(), nn.Linear(8, 1), nn.Dropout()).train()
    seen = []
    network.register_forward_hook(lambda _layer, x, y: seen.append((len(x[0]), y.requires_grad)))
    assert timing.milliseconds(network, (torch.zeros(n, 2, 4) for n in (3, 1, 2, 2))) == 2000
    assert seen == [(3, False), (1, False), (2, False), (2, False)] and not network.training

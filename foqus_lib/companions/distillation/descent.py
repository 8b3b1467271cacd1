"""S, moved by SGD to where its class means meet those of T."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from numpy import ndarray
from torch import Tensor

from foqus_lib.companions.distillation.checks import check_counts, check_finite, per_class
from foqus_lib.companions.distillation.loss import Embed, matching_loss
from foqus_lib.companions.distillation.phases import Turn, rotated
from foqus_lib.companions.distillation.views import Views
from foqus_lib.signals import Signals
from foqus_lib.training.device import arithmetic, current, resident

MOMENTUM = 0.5  # of the steps on S, as DM has it
STEP = 0.0015  # learning rate for each signal of a class: a class mean's gradient falls as 1/m


@dataclass(frozen=True, eq=False)
class Distilled:
    """A synthetic set, what it was made from, and how that went."""

    start: Signals
    signals: Signals
    loss: Float64[ndarray, " K"]  # L before each step
    move: Float64[ndarray, " K"]  # |S - S0| / |S0| after each step


def distil(
    real: Signals,
    start: Signals,
    fresh: Callable[[int], Embed],
    views: Views,
    rng: np.random.Generator,
    *,
    iterations: int,
    batch_real: int,
    lr: float | None = None,
    turn: Turn = rotated,
    device: torch.device = torch.device("cpu"),  # noqa: B008 (immutable)
) -> Distilled:
    """Move S, by SGD through psi and the views, to where its class means meet those of T.

    start: S before the first step, m signals of each class. fresh(k): the network of iteration k.
    batch_real: real signals a class and iteration, drawn anew (all, where there are fewer). `turn`
    changes the real and the synthetic batch of an iteration alike (DSA's siamese augmentation).
    lr: of the steps on S; left out it is STEP x m.

    ValueError for sets that cannot be matched, Diverged as soon as S is not finite.
    """
    m = per_class(real, start)
    check_counts(iterations=iterations, batch_real=batch_real)
    lr = STEP * m if lr is None else lr
    members = [np.flatnonzero(real.label == y) for y in range(len(real.classes))]
    with current(device), arithmetic("fp32", device):
        x, y = resident(real, device)
        first, label = (torch.from_numpy(a).to(device) for a in (start.iq, start.label))
        s = first.to(x.dtype, copy=True).requires_grad_()
        optimiser = torch.optim.SGD([s], lr, momentum=MOMENTUM)
        loss, move = np.zeros(iterations), np.zeros(iterations)
        for k in range(iterations):
            rows = torch.from_numpy(_some_of_each(members, batch_real, rng)).to(device)
            by = float(rng.random())
            value = matching_loss(
                fresh(k), (turn(x[rows], by), y[rows]), (turn(s, by), label), len(members), views
            )
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            loss[k] = value.item()
            move[k] = moved(s.detach(), first)
            check_finite(k + 1, loss[k], move[k], lr)
    made = Signals(s.detach().cpu().float().numpy(), start.label, start.snr, start.classes)
    return Distilled(start, made, loss, move)


def loss_over(
    real: Signals,
    synthetic: Signals,
    fresh: Callable[[int], Embed],
    views: Views,
    networks: range,
    device: torch.device = torch.device("cpu"),  # noqa: B008 (immutable)
) -> float:
    """L of a set as it is, on all of T, mean over these networks: what history is too noisy for."""
    with torch.no_grad(), current(device), arithmetic("fp32", device):
        both = [
            tuple(torch.from_numpy(a).to(device) for a in (one.iq, one.label))
            for one in (real, synthetic)
        ]
        classes = len(real.classes)
        each = [matching_loss(fresh(k), *both, classes, views).item() for k in networks]
    return float(np.mean(each))


def moved(s: Float[Tensor, "M 2 L"], first: Float[Tensor, "M 2 L"]) -> float:
    """|S - S0| / |S0|: how far the set has come, as a part of its own size."""
    return float((s - first).norm() / first.norm().clamp(min=1e-12))


def _some_of_each(
    members: Sequence[ndarray], count: int, rng: np.random.Generator
) -> Int64[ndarray, " B"]:
    """`count` rows of each class without replacement, or all where there are fewer."""
    return np.concatenate(
        [rng.choice(rows, min(count, len(rows)), replace=False) for rows in members]
    )

"""Gradient matching (DC): a synthetic set on which a network would learn what it learns on T.

Zhao, Mopuri & Bilen, "Dataset Condensation with Gradient Matching", ICLR 2021. Constants are its
own; the start is real signals as in `distillation`, where DC starts from noise (our choice: noise
takes thousands of steps to become a signal).
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from foqus_lib.companions.distillation.checks import check_counts, check_finite, per_class
from foqus_lib.companions.distillation.descent import MOMENTUM, Distilled, moved
from foqus_lib.signals import Signals
from foqus_lib.training.device import arithmetic, current, resident

VERSION = 1  # raised when the same arguments give another synthetic set

LR = 0.01  # of the steps on S for each signal of a class: DC's own 0.1 at its 10 (scaling ours)
LR_NETWORK = 0.01  # of the steps on the network between them
LOOPS = {1: (1, 1), 10: (10, 50), 50: (50, 10)}  # signals a class -> outer, inner steps
SMALLEST = 1e-20  # below the product of two norms: a row without a gradient has a cosine of 0


def loops(m: int) -> tuple[int, int]:
    """(outer, inner) for m signals a class: of the next smaller m that DC states."""
    return LOOPS[max(known for known in LOOPS if known <= m)]


def output_rows(weight: Tensor) -> Float[Tensor, "out in"]:
    """A layer's gradient as one row for each of its outputs.

    Convolutions hold (out, in, height, width); linear layers here (1, in, out).
    """
    return weight[0].T if weight.ndim == 3 else weight.flatten(1)


def gradient_distance(real: Sequence[Tensor], synthetic: Sequence[Tensor]) -> Float[Tensor, ""]:
    """Sum over layers and over their outputs of 1 - cosine of the two gradients.

    An output of one weight, as in CNN1D's first layer, has a cosine of 1 or -1: it counts, but no
    step on S can change it little by little.
    """
    total = torch.zeros(())
    for a, b in zip(map(output_rows, real), map(output_rows, synthetic), strict=True):
        norms = (a.norm(dim=1) * b.norm(dim=1)).clamp(min=SMALLEST)
        total = total.to(a) + (1 - (a * b).sum(1) / norms).sum()
    return total


def gradients(
    network: nn.Module, x: Float[Tensor, "M 2 L"], label: Int64[Tensor, " M"], keep: bool
) -> list[Tensor]:
    """Of the mean cross-entropy, for every weight, not the biases; `keep`: as functions of x."""
    weights = [p for name, p in network.named_parameters() if name.endswith("weight")]
    loss = F.cross_entropy(network(x), label)
    return list(torch.autograd.grad(loss, weights, create_graph=keep))


def match_gradients(
    real: Signals,
    start: Signals,
    fresh: Callable[[int], nn.Module],
    rng: np.random.Generator,
    *,
    iterations: int,
    outer: int,
    inner: int,
    batch_real: int,
    lr: float | None = None,
    device: torch.device = torch.device("cpu"),  # noqa: B008 (immutable)
) -> Distilled:
    """Each iteration takes a new network; `outer` times S steps to match, the network trains on S.

    The network takes its `inner` steps between two steps of S. The distance is taken class by class
    and summed. lr: of the steps on S, left out it is LR x m. `loss` and `move` hold one value an
    outer step. ValueError for sets that cannot be matched, Diverged as soon as S is not finite.
    """
    lr = LR * per_class(real, start) if lr is None else lr
    check_counts(iterations=iterations, outer=outer, inner=inner, batch_real=batch_real)
    members = [np.flatnonzero(real.label == y) for y in range(len(real.classes))]
    loss, move = [], []
    with current(device), arithmetic("fp32", device):
        x, y = resident(real, device)
        first, label = (torch.from_numpy(a).to(device) for a in (start.iq, start.label))
        s = first.to(x.dtype, copy=True).requires_grad_()
        optimiser = torch.optim.SGD([s], lr, momentum=MOMENTUM)
        for k in range(iterations):
            network = fresh(k)
            learning = torch.optim.SGD(network.parameters(), LR_NETWORK, momentum=MOMENTUM)
            for step in range(outer):
                value = torch.zeros((), device=device)
                for c, rows in enumerate(members):
                    some = rng.choice(rows, min(batch_real, len(rows)), replace=False)
                    some = torch.from_numpy(some).to(device)
                    mine = label == c
                    wanted = gradients(network, x[some], y[some], keep=False)
                    found = gradients(network, s[mine], label[mine], keep=True)
                    value = value + gradient_distance(wanted, found)
                optimiser.zero_grad()
                value.backward(inputs=[s])
                optimiser.step()
                loss.append(value.item())
                move.append(moved(s.detach(), first))
                check_finite(len(loss), loss[-1], move[-1], lr)
                for _ in range(inner if step + 1 < outer else 0):  # none reads what is last
                    learning.zero_grad()
                    F.cross_entropy(network(s.detach()), label).backward()
                    learning.step()
    made = Signals(s.detach().cpu().float().numpy(), start.label, start.snr, start.classes)
    return Distilled(start, made, np.array(loss), np.array(move))

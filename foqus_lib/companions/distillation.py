"""Multi-domain distribution matching (MDM): a few made-up signals stand for all of a class.

Xu et al., "MDM: Advancing Multi-Domain Distribution Matching for AMR Dataset Synthesis",
arXiv:2408.02714. With the weight of the frequency domain at 0 it is DM (Zhao & Bilen, "Dataset
Condensation with Distribution Matching", WACV 2023), whose constants stand where MDM's are not
found in the paper. S is the synthetic set, T the real one, psi an untrained network.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from numpy import ndarray
from torch import Tensor

from foqus_lib.models.layers import Dropout
from foqus_lib.signals import Signals
from foqus_lib.training.device import arithmetic, current, resident
from foqus_lib.training.fit import initial
from foqus_lib.training.memory import Build

VERSION = 1  # raised when the same arguments give another synthetic set: it is part of every key

MOMENTUM = 0.5  # of the steps on S, as DM has it
STEP = 0.0015  # learning rate for each signal of a class: a class mean's gradient falls as 1/m

View = Callable[[Tensor], Tensor]  # (M, 2, L) -> (M, 2, L): the domain that is looked at
Views = Sequence[tuple[float, View]]  # each with its weight in the loss
Embed = Callable[[Tensor], Tensor]  # (M, 2, L) -> (M, D)
Turn = Callable[[Tensor, float], Tensor]  # signals, a number in 0..1 -> signals of the same label


# ---- the two domains -----------------------------------------------------------------------------


def samples(x: Float[Tensor, "M 2 L"]) -> Float[Tensor, "M 2 L"]:
    """Time domain: the signal as it is."""
    return x


def magnitude_spectrum(x: Float[Tensor, "M 2 L"]) -> Float[Tensor, "M 2 L"]:
    """Frequency domain: F(x) = (|DFT(I)|, |DFT(Q)|), each of the two channels by itself.

    The DFT is unitary (ortho), so both views have one energy; else alpha would mean alpha L.
    """
    return torch.fft.fft(x, norm="ortho").abs()


def multi_domain(alpha: float) -> Views:
    """MDM: L = L_TD + alpha L_FD, one network for both views. alpha = 0 is DM."""
    if not (math.isfinite(alpha) and alpha >= 0):
        raise ValueError(f"alpha: expected a finite number of 0 or more, got {alpha}. 0 is DM")
    return ((1.0, samples), (alpha, magnitude_spectrum))


TIME_ALONE: Views = ((1.0, samples),)
FREQUENCY_ALONE: Views = ((1.0, magnitude_spectrum),)


# ---- the loss ------------------------------------------------------------------------------------


def class_means(
    h: Float[Tensor, "M D"], label: Int64[Tensor, " M"], classes: int
) -> Float[Tensor, "C D"]:
    """The mean embedding of each class that has a signal; 0 for one that has none."""
    member = torch.nn.functional.one_hot(label, classes).to(h.dtype)
    return member.T @ h / member.sum(0).clamp(min=1)[:, None]


def mean_distance(
    embed: Embed,
    real: tuple[Tensor, Tensor],
    synthetic: tuple[Tensor, Tensor],
    classes: int,
    view: View,
) -> Float[Tensor, ""]:
    """L_TD or L_FD: squared distance of the class means of T and of S, summed over classes.

    real and synthetic: signals (M, 2, L), labels (M,). All classes pass the network in one batch,
    as DM asks for networks with batch normalisation: class by class it would take the means away.
    """
    with torch.no_grad():
        wanted = class_means(embed(view(real[0])), real[1], classes)
    found = class_means(embed(view(synthetic[0])), synthetic[1], classes)
    return (wanted - found).square().sum()


def matching_loss(
    embed: Embed,
    real: tuple[Tensor, Tensor],
    synthetic: tuple[Tensor, Tensor],
    classes: int,
    views: Views,
) -> Float[Tensor, ""]:
    """L = sum over the domains of weight x distance of class means; weight 0 is not looked at."""
    return sum(
        weight * mean_distance(embed, real, synthetic, classes, view)
        for weight, view in views
        if weight
    )


# ---- what changes from step to step --------------------------------------------------------------


def rotated(x: Float[Tensor, "M 2 L"], turn: float | Float[Tensor, " M"]) -> Float[Tensor, "M 2 L"]:
    """Carrier phase advanced by a part of a full turn: (I + jQ) exp(2 pi j turn).

    The one exact augmentation of I/Q: no receiver knows the phase. One turn for all signals, or
    one for each.
    """
    angle = 2 * math.pi * torch.as_tensor(turn, dtype=x.dtype, device=x.device)
    cos, sin = angle.cos()[..., None], angle.sin()[..., None]
    i, q = x[:, 0], x[:, 1]
    return torch.stack([i * cos - q * sin, i * sin + q * cos], dim=1)


def fixed(x: Float[Tensor, "M 2 L"], turn: float) -> Float[Tensor, "M 2 L"]:
    """No augmentation."""
    return x


def random_phase(
    x: Float[Tensor, "B R 2 L"], label: Int64[Tensor, "B R"], rngs: Sequence[np.random.Generator]
) -> tuple[Float[Tensor, "B R 2 L"], Int64[Tensor, "B R"]]:
    """A `transform` for training.fit: each signal of a batch turned by its own random phase."""
    turns = np.stack([rng.random(len(x)) for rng in rngs], axis=1)
    turns = torch.from_numpy(turns).to(x).flatten()
    return rotated(x.flatten(0, 1), turns).view(x.shape), label


def fresh_embedding(build: Build, classes: int, name: str, probe: Float[Tensor, "P 2 L"]) -> Embed:
    """psi: a network that was never trained, without its last layer, in train mode.

    Train mode is for batch normalisation. Dropout is off: it would add p / ((1 - p) m) |psi|^2 to
    the loss of m signals a class, which at m = 1 pulls S towards silence.

    A network without normalisation shrinks its signals layer by layer, by another factor each time
    it is drawn: in CNN1D a step would move S by nothing. So psi is divided by one number, its
    spread (standard deviation) over the probe, some real signals. Our choice.
    """
    network = initial(build, classes, probe.shape[2], [name]).to(probe.device).train()
    network.requires_grad_(False)
    for layer in network.modules():
        if isinstance(layer, Dropout):
            layer.eval()
    spread = network.embed(probe[:, None])[0].var(dim=0, correction=0).mean().sqrt()
    scale = 1 / spread.clamp(min=torch.finfo(spread.dtype).tiny)
    return lambda x: scale * network.embed(x[:, None])[0]


# ---- the synthetic set ---------------------------------------------------------------------------


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

    ValueError for sets that cannot be matched, and as soon as S is not finite.
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


def per_class(real: Signals, start: Signals) -> int:
    """How many signals of each class S has; ValueError if it cannot stand for T.

    A class of T needs two signals at least: the mean of one is that signal.
    """
    if (start.classes, start.length) != (real.classes, real.length):
        raise ValueError(
            f"start: expected {len(real.classes)} classes of {real.length} samples as in the real "
            f"signals, got {len(start.classes)} of {start.length}. Draw it from them"
        )
    mine, theirs = (np.bincount(one.label, minlength=len(real.classes)) for one in (start, real))
    if len(set(mine)) != 1 or mine[0] == 0:
        raise ValueError(
            f"start: expected the same number of signals of every class, 1 or more, got "
            f"{mine.tolist()}. Draw a class-balanced set"
        )
    check_budget(real, int(mine[0]))
    return int(mine[0])


def check_budget(real: Signals, budget: int) -> None:
    """ValueError, before anything is computed, if a class cannot give `budget` of its signals."""
    sizes = np.bincount(real.label, minlength=len(real.classes))
    small = int(sizes.argmin())
    where = f"class {real.classes[small]}"
    if sizes[small] < 2:
        raise ValueError(
            f"{where}: expected 2 real signals or more, got {sizes[small]}: there is no "
            "distribution to match. Add signals of that class, or leave it out"
        )
    if not 1 <= budget <= sizes[small]:
        raise ValueError(
            f"signals per class: expected 1 to {sizes[small]}, what {where} has to train on, got "
            f"{budget}. Ask for fewer, or add signals of that class"
        )


def _some_of_each(
    members: Sequence[ndarray], count: int, rng: np.random.Generator
) -> Int64[ndarray, " B"]:
    """`count` rows of each class without replacement, or all where there are fewer."""
    return np.concatenate(
        [rng.choice(rows, min(count, len(rows)), replace=False) for rows in members]
    )


def check_counts(**given: int) -> None:
    """ValueError, naming it, for a count below 1."""
    for name, value in given.items():
        if value < 1:
            raise ValueError(f"{name}: expected 1 or more, got {value}")


def check_finite(step: int, loss: float, move: float, lr: float) -> None:
    """ValueError if a step (from 1) has left a synthetic set that no network can read."""
    if not (math.isfinite(loss) and math.isfinite(move)):
        raise ValueError(
            f"synthetic set: expected finite samples, got L = {loss:g} and a move of {move:g} in "
            f"step {step} with lr {lr:g}. Lower the step, or normalise the signals (rms)"
        )

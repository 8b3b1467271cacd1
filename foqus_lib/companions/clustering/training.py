"""The loops of the two variants. They see signals and no label."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy import ndarray
from torch import Tensor

from foqus_lib.companions.clustering import dec, pairs
from foqus_lib.companions.clustering.augment import another_look
from foqus_lib.companions.clustering.dec import CentreNetwork
from foqus_lib.companions.clustering.encoders import batches, said
from foqus_lib.companions.clustering.pairs import PairNetwork
from foqus_lib.training.device import rounded

Watch = Callable[[Int64[ndarray, " N"]], None]  # told the clusters after each epoch


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a clustering network is trained: Adam, lr falling to 0 in a line."""

    epochs: int
    batch: int
    lr: float
    balance: float = 0.0  # weight of the entropy of the mean prediction
    look: float = 0.0  # weight of the pairs between a signal and another look at others
    precision: str = "fp32"  # or "bf16": of products, forward

    def __str__(self) -> str:
        return (
            f"Adam lr={self.lr!r} falling batch={self.batch} epochs={self.epochs} "
            f"balance={self.balance!r} look={self.look!r} {self.precision}"
        )


@dataclass(frozen=True)
class Followed:
    """What a training of pairs did in each epoch: shares of the pairs of a batch, and the loss."""

    positive: list[float]  # pairs taken for one class
    negative: list[float]  # pairs taken for two
    loss: list[float]  # nats


def cluster_by_pairs(
    network: PairNetwork,
    x: Float[Tensor, "N 2 L"],
    rng: np.random.Generator,
    how: Schedule,
    watch: Watch = lambda clusters: None,
) -> Followed:
    """Variant A, in place: each batch labels its own pairs, and is trained on them.

    The thresholds close over the epochs (`pairs.thresholds`); the last epoch counts, since a best
    one could only be told by labels. ValueError if the loss stops being finite.
    """
    optimiser = torch.optim.Adam(network.parameters(), how.lr)
    positive, negative, losses = [], [], []
    for epoch in range(how.epochs):
        _slow_down(optimiser, how, epoch)
        upper, lower = pairs.thresholds(epoch, how.epochs)
        counts, total = np.zeros(3), 0.0
        network.eval()
        network.norm.train()
        for rows in batches(len(x), how.batch, rng, x.device):
            with rounded(how.precision, x.device):
                logits = network(x[rows])
                other = network(another_look(x[rows], rng)) if how.look else logits
            logits, other = logits.float(), other.float()
            l = pairs.label_feature(logits)  # noqa: E741
            g = pairs.similarity(l)
            r, chosen = pairs.pair_targets(g.detach(), upper, lower)
            loss = pairs.pair_loss(g, r, chosen)
            if how.look:
                g = l.detach() @ pairs.label_feature(other).T
                loss = loss + how.look * pairs.pair_loss(g, r, chosen)
            if how.balance:
                loss = loss - how.balance * pairs.mean_entropy(logits)
            _step(optimiser, loss)
            counts += [
                float((r * chosen).sum()),
                float(((1 - r) * chosen).sum()),
                len(rows) * (len(rows) - 1),
            ]
            total += float(loss.detach()) * len(rows)
        positive.append(counts[0] / counts[2])
        negative.append(counts[1] / counts[2])
        losses.append(_finite(total / len(x), epoch, how))
        watch(clusters_of(network, x))
    return Followed(positive, negative, losses)


def cluster_by_centres(
    network: CentreNetwork,
    x: Float[Tensor, "N 2 L"],
    rng: np.random.Generator,
    how: Schedule,
    watch: Watch = lambda clusters: None,
    memory: bool = False,
) -> list[float]:
    """Variant B, in place: KL to a target that is refreshed before each epoch; the losses (nats).

    With `memory` the target is made of the temporal ensemble of q, without it of the last q (DEC).
    """
    optimiser = torch.optim.Adam(network.parameters(), how.lr)
    losses, past = [], torch.zeros(())
    for epoch in range(how.epochs):
        _slow_down(optimiser, how, epoch)
        q = torch.from_numpy(said(network, x)).to(x.device)
        if memory:
            past, q = dec.ensemble(past if epoch else torch.zeros_like(q), q, epoch + 1)
        p, total = dec.dec_target(q), 0.0
        for rows in batches(len(x), how.batch, rng, x.device):
            with rounded(how.precision, x.device):
                z = network.embed(x[rows])
            loss = dec.divergence(p[rows], dec.student_t(z.float(), network.centres))
            _step(optimiser, loss)
            total += float(loss.detach()) * len(rows)
        losses.append(_finite(total / len(x), epoch, how))
        watch(clusters_of(network, x))
    return losses


def clusters_of(
    network: PairNetwork | CentreNetwork, x: Float[Tensor, "N 2 L"]
) -> Int64[ndarray, " N"]:
    """The cluster a network is most for: argmax over k, the first of equals."""
    return said(network, x).argmax(1)


def _slow_down(optimiser: torch.optim.Optimizer, how: Schedule, epoch: int) -> None:
    """lr (1 - epoch / epochs): the last epoch counts, so the last steps are small [our choice]."""
    for group in optimiser.param_groups:
        group["lr"] = how.lr * (1 - epoch / how.epochs)


def _step(optimiser: torch.optim.Optimizer, loss: Float[Tensor, ""]) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


def _finite(loss: float, epoch: int, how: Schedule) -> float:
    if not np.isfinite(loss):
        raise ValueError(
            f"clustering: its loss is not finite from epoch {epoch + 1}; lower lr (now {how.lr:g})"
        )
    return loss

"""One full training becomes the record that every selector reads (Algorithm 1, lines 1-6).

A network is trained once per (dataset, selection model, seed), whatever the number of methods and
rates: it is cheaper than a training per method, and fairer [A13].
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from foqus_lib.evidence import Evidence
from foqus_lib.signals import Signals
from foqus_lib.training.fit import Build, fit, predict
from foqus_lib.training.recipe import Recipe


@dataclass(frozen=True)
class Collection:
    """How evidence is collected: T = recipe.epochs epochs, and GraNd's short runs [A17]."""

    recipe: Recipe = Recipe()  # noqa: RUF009 (frozen)
    early_runs: int = 10  # 0: none, and GraNd cannot be computed
    early_epochs: int = 5  # a tenth of T

    def __post_init__(self) -> None:
        for field, least in (("early_runs", 0), ("early_epochs", 1)):
            if getattr(self, field) < least:
                raise ValueError(f"{field}: expected {least} or more, got {getattr(self, field)}")
        if self.recipe.epochs < 2:
            raise ValueError(
                f"epochs: Eqs. 4 and 5 compare epochs, so T must be 2 or more; "
                f"got {self.recipe.epochs}"
            )

    def __str__(self) -> str:
        """The canonical form in keys: equal strings, equal evidence."""
        return f"{self.recipe} early={self.early_runs}x{self.early_epochs}"


def collect(
    build: Build,
    signals: Signals,
    seeds: Sequence[str],
    collection: Collection,
    device: torch.device = torch.device("cpu"),  # noqa: B008 (immutable)
    progress: Callable[[str], None] = lambda text: None,
) -> list[tuple[Evidence, nn.Module]]:
    """Evidence for each seed, and the network trained on everything that left it behind.

    Raises ValueError when a selection training diverges.
    """
    n, epochs = len(signals), collection.recipe.epochs
    correct = np.empty((len(seeds), epochs, n), dtype=bool)
    loss = np.empty((len(seeds), epochs, n), dtype=np.float32)
    target = torch.from_numpy(signals.label)

    def record(replicas: range, network: nn.Module, epoch: int) -> None:
        """Eqs. 2, 3 and the summand of 6, on all of D, after the epoch, in eval mode [A3, A4]."""
        logits, _ = predict(network, signals)
        for replica, of_copy in zip(replicas, logits.float().cpu(), strict=True):
            correct[replica, epoch] = (of_copy.argmax(1) == target).numpy()
            loss[replica, epoch] = F.cross_entropy(of_copy, target, reduction="none").numpy()
        share = correct[replicas.start : replicas.stop, epoch].mean()
        progress(f"epoch {epoch + 1} of {epochs}: {share:.1%} of the training signals right")

    everything = [np.arange(n)] * len(seeds)
    fitted = fit(build, signals, everything, seeds, collection.recipe, device, record)
    if fitted.diverged:
        raise ValueError(
            f"selection training: the loss of {seeds[min(fitted.diverged)]!r} is not finite from "
            f"epoch {min(fitted.diverged.values())}; normalise the signals (rms) or lower lr "
            f"(now {collection.recipe.lr})"
        )
    records = []
    for replica, (logits, embedding) in enumerate(_outputs(fitted.networks, signals)):
        logits_early, norm_early = _early(build, signals, seeds[replica], collection, device)
        evidence = Evidence(
            label=signals.label,
            snr=signals.snr,
            correct=correct[replica],
            loss=loss[replica],
            logits=logits,
            embedding=embedding,
            logits_early=logits_early,
            embedding_norm_early=norm_early,
        )
        records.append((evidence, fitted.networks[min(replica, len(fitted.networks) - 1)]))
    return records


def _early(build: Build, signals: Signals, seed: str, collection: Collection, device: torch.device):
    """GraNd's R independent trainings, stopped early: logits (R, N, C) and ||h|| (R, N)."""
    if collection.early_runs == 0:
        n, classes = len(signals), len(signals.classes)
        return np.empty((0, n, classes), np.float32), np.empty((0, n), np.float32)
    runs = [f"{seed} early {run}" for run in range(collection.early_runs)]
    short = replace(collection.recipe, epochs=collection.early_epochs)
    fitted = fit(build, signals, [np.arange(len(signals))] * len(runs), runs, short, device)
    outputs = list(_outputs(fitted.networks, signals))
    return (
        np.stack([logits for logits, _ in outputs]),
        np.stack([np.linalg.norm(embedding, axis=1) for _, embedding in outputs]),
    )


def _outputs(networks: Sequence[nn.Module], signals: Signals):
    """Logits (N, C) and embedding (N, D) of every copy in turn."""
    for network in networks:
        logits, embedding = predict(network, signals)
        for copy in range(len(logits)):
            yield logits[copy].float().cpu().numpy(), embedding[copy].float().cpu().numpy()

"""The rules as a batch transform of `training.fit`."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from numpy import ndarray
from torch import Tensor

from foqus_lib.companions.mixing.part import TrainingPart, checked_part, partners
from foqus_lib.companions.mixing.rules import Pairs
from foqus_lib.signals import Signals
from foqus_lib.training.fit import Transform

# (part, places among its rows, generator) -> the child that takes each signal's place
Rule = Callable[[TrainingPart, Int64[ndarray, " P"], np.random.Generator], ndarray]


def own_child(pairs: Callable[..., Pairs]) -> Rule:
    """A rule for pairs as one for batches: a partner is drawn, the signal's own child is kept."""

    def rule(
        part: TrainingPart, at: Int64[ndarray, " P"], rng: np.random.Generator
    ) -> Float32[ndarray, "P 2 L"]:
        return pairs(part, at, partners(part, at, rng), rng)[0]

    return rule


def other_burst(
    part: TrainingPart, at: Int64[ndarray, " P"], rng: np.random.Generator
) -> Float32[ndarray, "P 2 L"]:
    """The partner as it is: the same draws as RM, and no new signal."""
    return part.signals.iq[partners(part, at, rng)]


def numbered(part: TrainingPart) -> Signals:
    """The task's training signals, labelled by their own row.

    `fit` tells a transform labels and nothing else, and a class does not say the SNR. So what goes
    in for `in_batches` are row numbers; it hands the classes on.
    """
    train = checked_part(part).task.train
    names = tuple(map(str, range(len(train))))
    return Signals(train.iq, np.arange(len(train)), train.snr, names)


def in_batches(part: TrainingPart, rule: Rule, chance: float) -> Transform:
    """Each signal of a batch gives way to its child with this chance; for `fit` on `numbered`.

    Row numbers in, classes out. Partners come from the whole part, not from the batch, which
    seldom holds two of one (class, SNR). ValueError for a signal that is not of the part.
    """
    if not 0 <= chance <= 1:
        raise ValueError(f"chance: expected 0 to 1, got {chance:g}")
    train = checked_part(part).task.train
    place = np.full(len(train), -1)
    place[part.rows] = np.arange(len(part.rows))

    def mixed(
        signals: Float[Tensor, "B R 2 L"],
        labels: Int64[Tensor, "B R"],
        rngs: Sequence[np.random.Generator],
    ) -> tuple[Tensor, Tensor]:
        rows = labels.cpu().numpy()
        if (place[rows] < 0).any():
            raise ValueError(
                "mixing: a signal of the batch is not of the part that is mixed. Train on "
                "part.rows of numbered(part)"
            )
        mixed = signals.clone()
        for replica, rng in enumerate(rngs):
            given = np.flatnonzero(rng.random(len(rows)) < chance)
            if len(given):
                children = rule(part, place[rows[given, replica]], rng)
                mixed[given, replica] = torch.from_numpy(children).to(signals)
        return mixed, torch.from_numpy(train.label[rows]).to(labels.device)

    return mixed


def one_after_another(*transforms: Transform) -> Transform:
    """The first, then the next on what it gave."""

    def all_of_them(
        signals: Tensor, labels: Tensor, rngs: Sequence[np.random.Generator]
    ) -> tuple[Tensor, Tensor]:
        for change in transforms:
            signals, labels = change(signals, labels, rngs)
        return signals, labels

    return all_of_them

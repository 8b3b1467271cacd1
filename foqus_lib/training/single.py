"""One network alone: trained and in evaluation mode, or an error that says why not."""

import torch
from jaxtyping import Int64
from numpy import ndarray
from torch import nn

from foqus_lib.errors import Diverged
from foqus_lib.models.copies import Build, Weights
from foqus_lib.signals import Signals
from foqus_lib.training import fit
from foqus_lib.training.recipe import Recipe


def fit_one(
    build: Build,
    signals: Signals,
    rows: Int64[ndarray, " k"],
    name: str,
    recipe: Recipe,
    device: torch.device,
    memory: int = 0,
    start: Weights | None = None,
    transform: fit.Transform | None = None,
    after_epoch: fit.AfterEpoch | None = None,
) -> nn.Module:
    """`fit` of one replica, from the random stream `name`.

    Diverged if its loss stops being finite.
    """
    fitted = fit.fit(
        build, signals, [rows], [name], recipe, device, after_epoch, memory=memory,
        start=None if start is None else [start], transform=transform,
    )  # fmt: skip
    if fitted.diverged:
        raise diverged(fitted.diverged[0], recipe)
    return fitted.networks[0]


def diverged(epoch: int, recipe: Recipe, mend: str = "lower lr") -> Diverged:
    """What is said of a training whose loss is not finite from an epoch on, and what helps."""
    return Diverged(f"loss: not finite from epoch {epoch} ({recipe}); {mend}")

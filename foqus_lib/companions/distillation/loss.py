"""L: how far apart the class means of T and of S are, in every domain."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from foqus_lib.companions.distillation.views import View, Views

Embed = Callable[[Tensor], Tensor]  # (M, 2, L) -> (M, D)


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

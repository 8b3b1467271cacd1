"""torch's optimisers as a recipe names them, with learning rates that a captured step can read."""

import torch
from torch import nn

from foqus_lib.training.recipe import Recipe


def optimiser_of(network: nn.Module, recipe: Recipe, device: torch.device) -> torch.optim.Optimizer:
    """On a GPU its learning rate and step count are tensors there, so that graphs may read them."""
    weights, lr = network.parameters(), recipe.lr
    if device.type == "cuda":
        lr = torch.tensor(lr, device=device)
    if recipe.optimiser == "SGD":
        return torch.optim.SGD(
            weights, lr, momentum=0.9, weight_decay=5e-4, nesterov=True, fused=True
        )
    kind = {"Adam": torch.optim.Adam, "AdamW": torch.optim.AdamW}[recipe.optimiser]
    return kind(weights, lr, fused=True, capturable=device.type == "cuda")


def set_lr(optimiser: torch.optim.Optimizer, lr: float) -> None:
    """For the next step, wherever the optimiser keeps it."""
    for group in optimiser.param_groups:
        if torch.is_tensor(group["lr"]):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr

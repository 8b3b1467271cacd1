"""The only optimiser loop: R replicas of one network, each on its own coreset with its own seed.

A stack trains its copies in the same launches: grouped convolutions, batched products. That fills
a GPU; on a CPU it never beats one after another, so there a stack holds one. A replica's weights,
batch order and dropout masks come from its seed alone: it is the same alone or among companions,
to the last bit on one path and to rounding across paths and devices.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy import ndarray
from torch import Tensor, nn
from torch.nn import functional as F

from foqus_lib.models.layers import GAMMA, Dropout
from foqus_lib.seeds import rng_for, seed_of
from foqus_lib.signals import Signals
from foqus_lib.training.recipe import Recipe

Build = Callable[..., nn.Module]  # build(classes, length, copies)
AfterEpoch = Callable[[range, nn.Module, int], None]  # replicas, network in eval mode, epoch


@dataclass(frozen=True)
class Fitted:
    """Networks in eval mode, in the order of the replicas; together they hold R copies."""

    networks: list[nn.Module]
    diverged: dict[int, int]  # replica -> epoch (from 1) of its first loss that was not finite


def pick_device(name: str) -> torch.device:
    """The device of that name; "auto" is the GPU when there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"device: expected auto, cpu, cuda or cuda:N, got {name!r}") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device: {name!r} was asked for but torch sees no GPU; use auto or cpu")
    return device


def fit(
    build: Build,
    signals: Signals,
    coresets: Sequence[Int64[ndarray, " k"]],
    seeds: Sequence[str],
    recipe: Recipe,
    device: torch.device = torch.device("cpu"),  # noqa: B008 (immutable)
    after_epoch: AfterEpoch | None = None,
    together: int = 0,
) -> Fitted:
    """Algorithm 1, line 2, R times: replica r trains on the rows coresets[r] from seeds[r].

    All coresets have one size, so replicas take equal steps. `together` replicas share a stack;
    0 means all of them on a GPU and one on a CPU. A replica whose loss stops being finite is
    reported, not raised: the others go on.
    """
    sizes = {len(rows) for rows in coresets}
    if len(sizes) != 1 or 0 in sizes or len(coresets) != len(seeds):
        raise ValueError(
            "fit: expected coresets of one size above 0 and a seed for each; "
            f"got {len(coresets)} coresets of sizes {sorted(sizes)}, {len(seeds)} seeds"
        )
    dtype = torch.get_default_dtype()  # float64 in the tests that compare paths
    x = torch.from_numpy(signals.iq).to(device, dtype)  # the whole set, once: no loader, no worker
    y = torch.from_numpy(signals.label).to(device)
    together = together or (len(seeds) if device.type == "cuda" else 1)
    fitted = Fitted([], {})
    for first in range(0, len(seeds), together):
        replicas = range(first, min(first + together, len(seeds)))
        network = initial(build, len(signals.classes), signals.length, [seeds[r] for r in replicas])
        network.to(device, memory_format=torch.channels_last)
        rows = torch.from_numpy(np.stack([coresets[r] for r in replicas])).to(device)
        after = partial(after_epoch, replicas, network) if after_epoch else None
        bad = _train(network, x, y, rows, [seeds[r] for r in replicas], recipe, after)
        fitted.networks.append(network.eval())
        fitted.diverged.update({replicas[copy]: epoch for copy, epoch in bad.items()})
    return fitted


def initial(build: Build, classes: int, length: int, seeds: Sequence[str]) -> nn.Module:
    """A stack in which each copy has the weights that its seed alone would give it."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        stack = build(classes, length, len(seeds))
        for copy, seed in enumerate(seeds):
            torch.manual_seed(seed_of("weights", seed) >> 1)
            for name, weight in build(classes, length, 1).named_parameters():
                # In every layer copies are slices of the first axis.
                stack.get_parameter(name).unflatten(0, (len(seeds), -1))[copy] = weight
    return stack


def _train(
    network: nn.Module,
    x: Tensor,
    y: Tensor,
    rows: Int64[Tensor, "R k"],
    seeds: Sequence[str],
    recipe: Recipe,
    after_epoch: Callable[[int], None] | None,
) -> dict[int, int]:
    """Train one stack in place; returns the copies that diverged and when."""
    copies, size = rows.shape
    steps = -(-size // recipe.batch)
    optimiser = _optimiser(network, recipe)
    keys = [layer.key for layer in network.modules() if isinstance(layer, Dropout)]
    for key in keys:
        key.copy_(torch.tensor([seed_of("dropout", seed) >> 1 for seed in seeds]))
    orders = [rng_for("order", seed) for seed in seeds]
    diverged: dict[int, int] = {}
    for epoch in range(recipe.epochs):
        network.train()
        order = np.stack([rng.permutation(size) for rng in orders])
        shuffled = rows.gather(1, torch.from_numpy(order).to(rows.device))
        finite = torch.ones(copies, dtype=torch.bool, device=x.device)
        for step, batch in enumerate(shuffled.split(recipe.batch, dim=1)):
            for group in optimiser.param_groups:
                group["lr"] = recipe.lr_at(epoch, step, steps)
            for key in keys:
                key.add_(GAMMA)  # the next masks
            loss = _loss(network, x, y, batch, recipe)
            optimiser.zero_grad(set_to_none=True)
            loss.sum().backward()  # a sum over copies: their gradients do not mix
            optimiser.step()
            finite &= loss.detach().isfinite()
        for copy in (~finite).nonzero().flatten().tolist():  # one wait for the device an epoch
            diverged.setdefault(copy, epoch + 1)
        if len(diverged) == copies:
            break
        if after_epoch:
            network.eval()
            after_epoch(epoch)
    return diverged


def _loss(
    network: nn.Module, x: Tensor, y: Tensor, batch: Int64[Tensor, "R B"], recipe: Recipe
) -> Float[Tensor, " R"]:
    """Mean cross-entropy (nats) of each copy on its own batch."""
    copies, size = batch.shape
    signals = x[batch.T.flatten()].view(size, copies, 2, -1)
    with torch.autocast(x.device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
        logits = network.head(network.embed(signals))
    losses = F.cross_entropy(logits.flatten(0, 1).to(x.dtype), y[batch.flatten()], reduction="none")
    return losses.view(copies, size).mean(1)


def _optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimiser == "Adam":
        return torch.optim.Adam(network.parameters(), recipe.lr, fused=True)
    return torch.optim.SGD(
        network.parameters(), recipe.lr, momentum=0.9, weight_decay=5e-4, nesterov=True, fused=True
    )


@torch.inference_mode()
def predict(
    network: nn.Module, signals: Signals
) -> tuple[Float[Tensor, "R N C"], Float[Tensor, "R N D"]]:
    """Logits and embeddings of every signal by every copy, on the network's device."""
    weight = next(network.parameters())
    batch = 128 if weight.device.type == "cpu" else 2048  # on a CPU: what the cache holds
    network.eval()
    logits, embeddings = [], []
    for part in torch.from_numpy(signals.iq).split(batch):
        x = part.to(weight.device, weight.dtype)[:, None].expand(-1, network.copies, -1, -1)
        h = network.embed(x)
        logits.append(network.head(h))
        embeddings.append(h)
    return torch.cat(logits, 1), torch.cat(embeddings, 1)

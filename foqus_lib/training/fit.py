"""The only optimiser loop: R replicas of one network, each on its own coreset with its own seed.

A stack trains its copies in the same launches: grouped convolutions, batched products. That fills
a GPU. On a CPU it gains little, in small batches, and grouped convolutions sum in another order,
so there a stack holds one: a trial must not depend on its companions. A replica's weights,
batch order and dropout masks come from its seed alone: it is the same alone or among companions,
to the last bit on one path and to rounding across paths and devices.

A coreset is a set: rows are sorted, and an epoch's order comes from one random key a signal, a hash
of (seed, epoch, row). So the same coreset listed in another order trains the same network, and
coresets that overlap see their common signals in a common order.
"""

import logging
import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy import ndarray
from torch import Tensor, nn
from torch.nn import functional as F

from foqus_lib.models.copies import Alone, Build, Weights, put
from foqus_lib.models.layers import GAMMA, Dropout, splitmix64
from foqus_lib.seeds import rng_for, seed_of
from foqus_lib.signals import Signals
from foqus_lib.training import checkpoint
from foqus_lib.training.capture import captured
from foqus_lib.training.device import arithmetic, current, resident, rounded
from foqus_lib.training.memory import bytes_per_copy, free_bytes, ran_out, stack_size
from foqus_lib.training.optimiser import optimiser_of, set_lr
from foqus_lib.training.recipe import Recipe

log = logging.getLogger(__name__)

VERSION = 2  # raised when the same arguments train another network: it is part of every key

# (replicas, network in eval mode, epoch from 0)
AfterEpoch = Callable[[range, nn.Module, int], None]
# (replicas, network in eval mode, those of the replicas that diverged and when)
AfterStack = Callable[[range, nn.Module, dict[int, int]], None]
# (signals (B, R, 2, L), labels (B, R), a generator for each replica) -> the same, or targets
# (B, R, C) that sum to 1. Called for every batch of a training, never for a test.
Transform = Callable[[Tensor, Tensor, Sequence[np.random.Generator]], tuple[Tensor, Tensor]]

CAPTURE_FROM = 100  # steps; fewer are over before a graph pays
LOOKED_AT = 8  # signals: what the last step left is seen on any, as a weight meets every one


@dataclass(frozen=True)
class Fitted:
    """Networks in eval mode, in the order of the replicas; together they hold R copies."""

    networks: list[nn.Module]  # none, if each stack was taken as it ended
    diverged: dict[int, int]  # replica -> epoch (from 1) of its first loss that was not finite


def fit(
    build: Build,
    signals: Signals,
    coresets: Sequence[Int64[ndarray, " k"]],
    seeds: Sequence[str],
    recipe: Recipe,
    device: torch.device = torch.device("cpu"),  # noqa: B008 (immutable)
    after_epoch: AfterEpoch | None = None,
    together: int = 0,
    memory: int = 0,
    keep: Path | None = None,
    start: Sequence[Weights] | None = None,
    transform: Transform | None = None,
    on_return: AfterEpoch | None = None,
    after_stack: AfterStack | None = None,
) -> Fitted:
    """Algorithm 1, line 2, R times: replica r trains on the set of rows coresets[r] from seeds[r].

    All coresets have one size, so replicas take equal steps. `together` replicas share a stack;
    0 means as many as `memory` bytes of a GPU hold (0: all that is free), and one on a CPU.
    With `keep`, a folder, the state after an epoch is kept there: the same call goes on from it,
    after `on_return` has seen the network of that epoch, if it needs what its process forgot.
    `start`: weights for each replica to begin from, instead of random ones. `transform`: changes
    each batch on its way in, with generators named by the replica's seed and the epoch.
    `after_stack` takes each stack as it ends, in the order of the replicas. Its network is not kept
    then: the next stack has the device's memory, and what was taken survives a later failure.

    A replica whose loss is not finite, before a step or after the last, is reported, not raised:
    the others go on. If a stack does not fit after all, half as many train together. Raises
    ValueError if not even one fits, for coresets of several sizes or none, for another number of
    seeds or of weights to start from, and for weights of another network.
    """
    sizes = {len(rows) for rows in coresets}
    if len(sizes) != 1 or 0 in sizes or len(coresets) != len(seeds):
        raise ValueError(
            "fit: expected coresets of one size above 0 and a seed for each; "
            f"got {len(coresets)} coresets of sizes {sorted(sizes)}, {len(seeds)} seeds"
        )
    if start is not None and len(start) != len(seeds):
        raise ValueError(
            f"fit: start: expected weights for {len(seeds)} replicas, got {len(start)}"
        )
    x, y = resident(signals, device)
    together = together or _stack_size(build, signals, len(seeds), recipe, device, memory)
    save = checkpoint.saver(keep) if keep else None
    fitted = Fitted([], {})
    first = 0
    while first < len(seeds):
        replicas = range(first, min(first + together, len(seeds)))
        of_stack = [seeds[r] for r in replicas]
        network = initial(build, len(signals.classes), signals.length, of_stack)
        for copy, r in enumerate(replicas if start is not None else ()):
            put(network, [copy], start[r])
        network.to(device, memory_format=torch.channels_last)
        sets = np.stack([np.sort(coresets[r]) for r in replicas])
        rows = torch.from_numpy(sets.astype(np.int64)).to(device)  # keys need 64 bits
        after, returned = (
            partial(call, replicas, network) if call else None for call in (after_epoch, on_return)
        )
        state = checkpoint.unfinished(keep, of_stack, device) if keep else None
        try:
            with current(device), arithmetic(recipe.precision, device):
                bad = _train(
                    network, x, y, rows, of_stack, recipe, after, returned, state, save, transform
                )
        except RuntimeError as error:
            if not ran_out(error):
                raise
            together, bad = _fewer(len(replicas), error), None
        if bad is None:  # only here the error is gone, and with it what its frames held
            del network, rows, after, returned, state
            torch.cuda.empty_cache()
            continue
        network.eval()
        diverged = {replicas[copy]: epoch for copy, epoch in bad.items()}
        fitted.diverged.update(diverged)
        if after_stack:
            after_stack(replicas, network, diverged)
        else:
            fitted.networks.append(network)
        first = replicas.stop
        del network, rows, after, returned, state
    return fitted


def _stack_size(
    build: Build, signals: Signals, replicas: int, recipe: Recipe, device: torch.device, memory: int
) -> int:
    if device.type != "cuda" or isinstance(build, Alone):
        return 1
    per_copy = bytes_per_copy(build, len(signals.classes), signals.length, recipe.batch)
    return stack_size(replicas, per_copy, free_bytes(device, memory), f"{device}")


def _fewer(copies: int, error: Exception) -> int:
    """Half as many; ValueError if it was one already."""
    if copies == 1:
        raise ValueError(
            f"device memory: one copy alone does not fit ({error}). Lower batch, free the device, "
            "or use device=cpu"
        ) from error
    log.warning("device memory: %d copies did not fit; going on with half as many", copies)
    return math.ceil(copies / 2)


def initial(build: Build, classes: int, length: int, seeds: Sequence[str]) -> nn.Module:
    """A stack in which each copy has the weights that its seed alone would give it.

    Drawn on the CPU whatever torch's default device is: another one draws other numbers.
    """
    copies_of = {seed: [c for c, other in enumerate(seeds) if other == seed] for seed in seeds}
    # asked for only where it is needed: under it every call of torch takes a detour
    cpu = nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu")
    with torch.random.fork_rng(devices=[]), torch.no_grad(), cpu:
        if len(seeds) == 1:  # nothing to put together
            torch.default_generator.manual_seed(seed_of("weights", seeds[0]) >> 1)
            return build(classes, length, 1)
        stack = build(classes, length, len(seeds))
        for seed, copies in copies_of.items():
            torch.default_generator.manual_seed(seed_of("weights", seed) >> 1)
            put(stack, copies, build(classes, length, 1).state_dict())
    return stack


def _train(
    network: nn.Module,
    x: Tensor,
    y: Tensor,
    rows: Int64[Tensor, "R k"],
    seeds: Sequence[str],
    recipe: Recipe,
    after_epoch: Callable[[int], None] | None,
    on_return: Callable[[int], None] | None,
    state: dict | None,
    save: checkpoint.Save | None,
    transform: Transform | None,
) -> dict[int, int]:
    """Train one stack in place, from `state` if there is one; the copies that diverged and when.

    A step takes nothing from the host: it finds its batch by a counter that lies on the device.
    """
    copies, size = rows.shape
    steps = -(-size // recipe.batch)
    optimiser = optimiser_of(network, recipe, x.device)
    keys = [layer.key for layer in network.modules() if isinstance(layer, Dropout)]
    for key in keys:
        key.copy_(torch.tensor([seed_of("dropout", seed) >> 1 for seed in seeds]))
    done, diverged = checkpoint.put_back(state, network, optimiser, keys) if state else (0, {})
    if 0 < done < recipe.epochs and on_return:
        network.eval()
        on_return(done - 1)

    shuffled = rows.clone()  # of this epoch
    at = torch.zeros(1, dtype=torch.int64, device=x.device)  # next column of it
    columns = torch.arange(min(recipe.batch, size), device=x.device)
    finite = torch.ones(copies, dtype=torch.bool, device=x.device)

    def step(batch_size: int) -> None:
        for key in keys:
            key.add_(GAMMA)  # the next masks
        batch = shuffled.index_select(1, at + columns[:batch_size])
        loss = _loss(network, x, y, batch, recipe, change)
        optimiser.zero_grad(set_to_none=True)
        loss.sum().backward()  # a sum over copies: their gradients do not mix
        optimiser.step()
        finite.logical_and_(loss.detach().isfinite())
        at.add_(batch_size)

    tail = size - (steps - 1) * recipe.batch
    sizes = [recipe.batch] * (steps - 1) + [tail]
    network.train()
    change = None
    if _captures(x.device) and not transform and steps * (recipe.epochs - done) >= CAPTURE_FROM:
        step = captured(step, set(sizes), network, optimiser, at, finite)

    streams = torch.tensor([seed_of("order", seed) >> 1 for seed in seeds], device=x.device)
    for epoch in range(done, recipe.epochs):
        network.train()
        torch.gather(rows, 1, _keys(streams, epoch, rows).argsort(1), out=shuffled)
        if transform:
            rngs = [rng_for("transform", seed, epoch) for seed in seeds]
            change = partial(transform, rngs=rngs)
        at.zero_()
        for index, batch_size in enumerate(sizes):
            set_lr(optimiser, recipe.lr_at(epoch, index, steps))
            step(batch_size)
        if epoch + 1 == recipe.epochs:  # a step looks before it moves: what did the last one leave?
            network.eval()
            with torch.no_grad(), rounded(recipe.precision, x.device):
                left = network.head(network.embed(_signals(x, shuffled[:, :LOOKED_AT])))
            finite.logical_and_(left.isfinite().flatten(1).all(1))
        for copy in (~finite).nonzero().flatten().tolist():  # one wait for the device an epoch
            diverged.setdefault(copy, epoch + 1)
        if len(diverged) == copies:
            break
        if after_epoch:
            network.eval()
            after_epoch(epoch)
        if save:
            save(seeds, checkpoint.state_of(network, optimiser, keys, epoch + 1, diverged))
    return diverged


def _keys(
    streams: Int64[Tensor, " R"], epoch: int, rows: Int64[Tensor, "R k"]
) -> Int64[Tensor, "R k"]:
    """One random number for each signal of each replica: a hash of (its seed, epoch, row)."""
    of_epoch = splitmix64(streams + torch.full_like(streams, epoch + 1) * GAMMA)
    return splitmix64(of_epoch[:, None] + (rows + 1) * GAMMA)


def _captures(device: torch.device) -> bool:
    """Whether steps can be captured as graphs there."""
    return device.type == "cuda"


def _loss(
    network: nn.Module,
    x: Tensor,
    y: Tensor,
    batch: Int64[Tensor, "R B"],
    recipe: Recipe,
    change: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] | None,
) -> Float[Tensor, " R"]:
    """Mean cross-entropy (nats) of each copy on its own batch."""
    copies, size = batch.shape
    signals, target = _signals(x, batch), y[batch.T]
    if change:
        signals, target = change(signals, target)
    with rounded(recipe.precision, x.device):
        logits = network.head(network.embed(signals))
    target = target.transpose(0, 1).flatten(0, 1)
    losses = F.cross_entropy(logits.flatten(0, 1).to(x.dtype), target, reduction="none")
    return losses.view(copies, size).mean(1)


def _signals(x: Tensor, batch: Int64[Tensor, "R B"]) -> Float[Tensor, "B R 2 L"]:
    """Those of each copy's own batch."""
    return x[batch.T.flatten()].view(*batch.T.shape, 2, -1)

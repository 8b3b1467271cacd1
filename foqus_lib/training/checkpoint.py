"""A long training that is killed goes on at the epoch it had reached.

One file a stack, replaced whole: SHA-256, then what torch.save wrote. For full trainings; one on a
coreset starts again.
"""

import io
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor, nn

from foqus_lib.durable import replace, sync

log = logging.getLogger(__name__)

EVERY_S = 20.0  # seconds of training that a kill may cost
Save = Callable[[Sequence[str], Mapping], None]


def state_of(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    moving: Collection[Tensor],
    epochs: int,
    diverged: Mapping[int, int],
) -> dict:
    """All that a stack's next epoch depends on, but its seeds."""
    return {
        "torch": str(torch.__version__),
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "moving": list(moving),
        "epochs": epochs,
        "diverged": dict(diverged),
    }


def put_back(
    state: Mapping,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    moving: Collection[Tensor],
) -> tuple[int, dict[int, int]]:
    """The stack as it was; gives (epochs done, copies that diverged).

    How the optimiser steps is its own: a GPU's learning rate is a tensor, which graphs read.
    """
    network.load_state_dict(state["network"])
    own = [dict(group) for group in optimiser.param_groups]
    optimiser.load_state_dict(state["optimiser"])
    for group, settings in zip(optimiser.param_groups, own, strict=True):
        group.update(settings)
    for tensor, value in zip(moving, state["moving"], strict=True):
        tensor.copy_(value)
    return state["epochs"], dict(state["diverged"])


def saver(folder: Path) -> Save:
    """save(seeds, state): keeps it, at most once in EVERY_S seconds, counted from this call.

    What `collect` has recorded beside it reaches the disk first: after a loss of power a state
    must not count epochs that the record has lost.
    """
    saved_at = time.monotonic()

    def save(seeds: Sequence[str], state: Mapping) -> None:
        nonlocal saved_at
        if time.monotonic() - saved_at < EVERY_S:
            return
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content = buffer.getvalue()
        if not Path(folder).is_dir():  # another sweep made the same and took the folder away
            return
        with suppress(FileNotFoundError):
            for record in Path(folder).glob("*.npy"):
                sync(record)
            replace(_path(folder, seeds), sha256(content).digest() + content)
        saved_at = time.monotonic()

    return save


def unfinished(folder: Path, seeds: Sequence[str], device: torch.device) -> dict | None:
    """The state of the stack of these seeds; None if none was kept that can be gone on from."""
    path = _path(folder, seeds)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, content = raw[:32], raw[32:]
    if sha256(content).digest() != digest:
        log.warning("%s: damaged; this training starts anew", path)
        return None
    state = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
    if (found := state.get("torch")) != str(torch.__version__):
        log.warning("%s: of torch %s; this training starts anew", path, found or "unknown")
        return None
    return state


def _path(folder: Path, seeds: Sequence[str]) -> Path:
    """Another set of seeds is another stack, and another file."""
    return Path(folder) / f"{sha256(repr(list(seeds)).encode()).hexdigest()[:16]}.pt"

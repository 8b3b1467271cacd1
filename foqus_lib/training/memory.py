"""How many copies of a network can train together: device memory is planned, not tried."""

import math

import torch
from torch.autograd.graph import saved_tensors_hooks

from foqus_lib.models.copies import Build
from foqus_lib.processes import sharers

OF_A_WEIGHT = 4  # itself, its gradient, and two moments of Adam
SLACK = 1.5  # gradients of activations, cuDNN's workspace, the graph's pool
USABLE = 0.9  # of the free memory: the allocator's blocks do not fit without gaps


def bytes_per_copy(build: Build, classes: int, length: int, batch: int) -> int:
    """Device memory of one more copy in a stack: weights and what a step keeps for backward.

    Found on torch's meta device: the shapes of a step without its arithmetic, in float32.
    """
    copies = 2  # a stack's own path; some networks take another one for a single copy
    with torch.device("meta"):
        network = build(classes, length, copies).train()
    weights = {
        p.untyped_storage()._cdata: p.untyped_storage().nbytes() for p in network.parameters()
    }
    kept: dict[int, torch.Tensor] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor  # held, so that no number is used twice
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        network.head(network.embed(torch.empty(batch, copies, 2, length, device="meta")))
    activations = sum(t.untyped_storage().nbytes() for key, t in kept.items() if key not in weights)
    return math.ceil((OF_A_WEIGHT * sum(weights.values()) + SLACK * activations) / copies)


def free_bytes(device: torch.device, budget: int = 0) -> int:
    """Memory a stack may take: what a GPU has free, or the budget (bytes) if that is less.

    Of a GPU that several processes share never more than this one's part: another that has not
    begun yet would find too little.
    """
    free, whole = torch.cuda.mem_get_info(device)
    part = whole // sharers() - torch.cuda.memory_allocated(device)
    free = max(0, min(free + _cached(device), part))
    return int(USABLE * (min(free, budget) if budget else free))


def _cached(device: torch.device) -> int:
    """What torch holds but no tensor uses."""
    return torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def stack_size(replicas: int, per_copy: int, free: int, what: str) -> int:
    """Copies for each stack: as few stacks as fit, of nearly equal size.

    Raises ValueError naming `what` and both sizes if not even one copy fits.
    """
    most = free // per_copy
    if most < 1:
        raise ValueError(
            f"{what}: a copy needs {per_copy / 2**30:.2f} GiB of device memory, {free / 2**30:.2f} "
            "GiB are free. Lower batch, free the device, or use device=cpu"
        )
    stacks = math.ceil(replicas / most)
    return math.ceil(replicas / stacks)


def ran_out(error: RuntimeError) -> bool:
    """Whether device memory ran out: torch's own error, or what cuBLAS and cuDNN say of theirs."""
    return isinstance(error, torch.OutOfMemoryError) or "STATUS_ALLOC_FAILED" in str(error)

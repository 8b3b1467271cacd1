"""What the steps of layer pruning hand to each other."""

from collections.abc import Sequence

from torch import Tensor

VERSION = 1  # raised when the same network and signals leave other blocks

Kept = tuple[int, ...]  # blocks, ascending
Weights = dict[str, Tensor]


def block_of(name: str) -> int | None:
    """ "blocks.12.conv1.weight" -> 12; None for what belongs to no block."""
    first, *rest = name.split(".")
    return int(rest[0]) if first == "blocks" else None


def too_few(keep: int, needed: Sequence[int]) -> str:
    """The words for a number of blocks that leaves a stage without any."""
    return (
        f"keep: expected {len(needed)} blocks or more, one of each stage, got {keep}: a stage "
        "without blocks does not reduce the signal. Keep more"
    )

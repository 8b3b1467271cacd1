"""Which signals a network takes, and how wide its embedding is: asked of shapes alone.

On torch's meta device no weight is drawn and nothing is computed; torch's generator is left alone.
"""

from functools import cache

import torch
from torch import nn

from foqus_lib.models import MODELS
from foqus_lib.models.copies import Build


def unfilled(build: Build, classes: int, length: int) -> nn.Module:
    """One network whose weights have shapes and no memory, in evaluation mode."""
    with torch.device("meta"):
        return build(classes, length, 1).eval()


def embedding_size(build: Build, classes: int, length: int) -> int:
    """D: how wide the input of the last layer is."""
    network = unfilled(build, classes, length)
    return network.embed(torch.empty(1, 1, 2, length, device="meta")).shape[-1]


@cache
def takes(build: Build, length: int) -> bool:
    """Whether the network takes signals of that length."""
    try:
        return embedding_size(build, 2, length) > 0
    except (RuntimeError, ValueError, ZeroDivisionError):
        return False


def shortest_length(build: Build, most: int = 1024) -> int:
    """The fewest samples a signal may have for this network, `most` if it takes no fewer."""
    return next((length for length in range(1, most) if takes(build, length)), most)


def check_length(model: str, length: int) -> None:
    """ValueError, before any training, if signals of that length are too short for the network."""
    if not takes(MODELS[model], length):
        raise ValueError(
            f"{model} needs signals of {shortest_length(MODELS[model])} samples or more, these "
            f"have {length}. Cut longer frames, or name another network"
        )

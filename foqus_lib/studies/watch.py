"""A device that vanished is nobody's result."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from foqus_lib.errors import DeviceLost


@contextmanager
def device_watched(device: str) -> Iterator[None]:
    """A GPU that is gone, or was left unusable by a fault, ends the sweep and blames no trial."""
    try:
        yield
    except torch.AcceleratorError as error:
        first_line = str(error).strip().split("\n")[0]
        raise DeviceLost(
            f"device: {device} stopped working ({first_line}). Finished trials are stored; "
            "when it is back, or with another device, the same command goes on"
        ) from error

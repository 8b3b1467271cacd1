"""Where a number comes from: library, commit, versions, machine. Never part of a trial's key."""

import platform
import time
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import torch

import foqus_lib
from foqus_lib.checkout import commit


def provenance(
    *, device: str, seconds: float, about: str = "", fused: int = 1, began: float | None = None
) -> dict[str, str | int | float]:
    """The facts of one result, called when it is done; `fused` runs were trained together.

    device: as torch names it; the name of a GPU is added. began: as time.time() has it, where
    `seconds` are of the processor or a share of a stack; else it is so many seconds ago.
    """
    started = time.time() - seconds if began is None else began
    return {
        "foqus": foqus_lib.__version__,
        "git": commit(),
        "torch": _version("torch"),
        "numpy": _version("numpy"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": _named(device),
        "threads": torch.get_num_threads(),
        "fused": fused,
        "seconds": round(seconds, 3),
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "about": about,
    }


def _named(device: str) -> str:
    return f"{device} {torch.cuda.get_device_name(device)}" if device.startswith("cuda") else device


@cache
def _version(package: str) -> str:
    """Read from the package's metadata, without importing it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""

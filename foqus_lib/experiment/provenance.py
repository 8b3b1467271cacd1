"""Where a number comes from: library, commit, versions, machine. Never part of a trial's key."""

import platform
import subprocess
import time
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

import foqus_lib


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


@cache
def commit() -> str:
    """The checkout's commit, "+dirty" if files differ from it; "" outside a checkout of ours."""
    here = Path(foqus_lib.__file__).resolve().parents[1]
    try:
        if Path(_git(here, "rev-parse", "--show-toplevel")).resolve() != here:
            return ""  # installed into somebody else's repository
        dirty = "+dirty" if _git(here, "status", "--porcelain", "--", "foqus_lib") else ""
        return _git(here, "rev-parse", "HEAD") + dirty
    except (OSError, subprocess.SubprocessError):
        return ""


def _named(device: str) -> str:
    return f"{device} {torch.cuda.get_device_name(device)}" if device.startswith("cuda") else device


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()


@cache
def _version(package: str) -> str:
    """Read from the package's metadata, without importing it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""

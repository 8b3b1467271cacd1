"""Which commit of this project computes, for rows and for pages."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@cache
def commit(*more: str, root: Path = ROOT) -> str:
    """The checkout's commit; "" outside a checkout of ours.

    With "+dirty" if files of foqus_lib, or of more of its folders, differ from it or are new.
    """
    try:
        if Path(_git(root, "rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return ""  # installed into somebody else's repository
        changed = _git(root, "status", "--porcelain", "--", "foqus_lib", *more)
        return _git(root, "rev-parse", "HEAD") + "+dirty" * bool(changed)
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()

"""How the project refuses a name, and the errors that others look for by their kind."""

from collections.abc import Iterable
from difflib import get_close_matches


def unknown(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """unknown("model", "CNN1", MODELS) -> "unknown model 'CNN1'; did you mean 'CNN1D'? ..."."""
    known = list(known)
    folded = {candidate.casefold(): candidate for candidate in known}
    near = get_close_matches(str(name).casefold(), folded, n=1, cutoff=0.5)
    hint = f"; did you mean {folded[near[0]]!r}?" if near else ";"
    return ValueError(f"unknown {kind} {name!r}{hint} known: {', '.join(known)}")


class Diverged(ValueError):
    """Numbers of a training stopped being finite: the same key gives the same again."""


class DeviceLost(ValueError):
    """The accelerator is gone or unusable: no further cell can run in this process."""

"""Progress and gaps in a notebook: one line that is written over, and the log for its runner."""

import logging
from collections.abc import Callable

from IPython.display import DisplayHandle, Pretty, display

from foqus_lib.outputs import PROGRESS, UNFINISHED

log = logging.getLogger("foqus.progress")


def live_line() -> Callable[[str], None]:
    """A function that shows its text in place of its text before."""
    handle: DisplayHandle = display(Pretty(""), display_id=True, metadata=PROGRESS)

    def show(text: str) -> None:
        handle.update(Pretty(text), metadata=PROGRESS)
        log.info(text)

    return show


def say_unfinished(note: str) -> None:
    """Show what a grid lacks and why, if it lacks anything: the page stays, the build fails."""
    if note:
        text = f"Not finished: {note}. Tables below show what there is."
        display({"text/plain": text, UNFINISHED: {"note": note}}, raw=True)

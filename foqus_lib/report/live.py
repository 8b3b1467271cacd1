"""Progress in a notebook: one line that is written over, and the log for whoever runs it."""

import logging
from collections.abc import Callable

from IPython.display import DisplayHandle, Pretty, display

log = logging.getLogger("foqus.progress")


def live_line() -> Callable[[str], None]:
    """A function that shows its text in place of its text before."""
    handle: DisplayHandle = display(Pretty(""), display_id=True)

    def show(text: str) -> None:
        handle.update(Pretty(text))
        log.info(text)

    return show

"""A sign of life while nothing finishes: one training may take a quarter of an hour, or a night."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY = 60.0  # seconds


@contextmanager
def heartbeat(say: Callable[[], None], every: float | None = None) -> Iterator[threading.Event]:
    """Calls `say`, from a thread of its own, after each `every` seconds that nobody else spoke in.

    Whoever speaks sets the event that this gives.
    """
    spoken, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(EVERY if every is None else every):
            if not spoken.is_set():
                say()
            spoken.clear()

    thread = threading.Thread(target=watch, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield spoken
    finally:
        over.set()
        thread.join()

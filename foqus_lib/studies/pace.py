"""How long a training will take: seconds of a visit, measured on the machine that will do it."""

import time
from collections.abc import Callable

from foqus_lib.experiment.workers import one_thread

MORE = 3  # epochs at least that a long run has more than a short one
MOST = 8 * MORE  # and at most
FORWARD = 1 / 3  # of a visit: what looking at a signal without training costs


def seconds_a_visit(train: Callable[[int], object], visits: int) -> float:
    """Of train(epochs), which visits so many signals an epoch, in a thread of one core.

    What a long run takes more than a short one. So what a training costs but for its visits, the
    network built and a step captured, is left out: of one small batch that is the larger part, and
    it is never twice the same, so the long run is made longer until it takes twice as long.
    """

    def seconds(epochs: int) -> float:
        began = time.perf_counter()
        train(epochs)
        return time.perf_counter() - began

    with one_thread():
        seconds(1)  # warms up
        short, more = min(seconds(1), seconds(1)), MORE
        while (long := seconds(1 + more)) < 2 * short and more < MOST:
            more *= 2
    if long <= short:  # the short one was held up: then all of the long one is the safe answer
        return long / ((1 + more) * visits)
    return (long - short) / (more * visits)

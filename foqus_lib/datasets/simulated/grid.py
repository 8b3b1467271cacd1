"""The loop of every simulated set: each class at each SNR from its own random stream."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Complex
from numpy import ndarray

from foqus_lib.datasets import door
from foqus_lib.seeds import rng_for
from foqus_lib.signals import Signals

# (class, SNR in dB, its random stream) -> some frames; called until there are enough.
Draw = Callable[[str, int, np.random.Generator], Complex[ndarray, "n length"]]


def generate(
    name: str,
    classes: tuple[str, ...],
    length: int,
    snrs: Sequence[int],
    frames: int,
    seed: int,
    draw: Draw,
) -> Signals:
    """`frames` signals for each class at each SNR (dB), class-major, SNRs as given.

    A (class, SNR) pair is the same whichever others are generated, and its first n frames are the
    same however many follow.
    """
    if frames < 1:
        raise ValueError(f"frames: expected 1 or more for each class and SNR, got {frames}")
    if not snrs or len(set(snrs)) < len(snrs):
        raise ValueError(f"snrs: expected distinct SNR labels, got {list(snrs)}. Try [10, 14, 18]")
    size = len(classes) * len(snrs) * frames * 2 * length * 4
    what = f"frames: {frames} signals of {name} for each class and SNR, and a copy to split them"
    door.fits(what, 2 * size, "Lower frames")
    iq = np.empty((len(classes), len(snrs), frames, 2, length), np.float32)
    for c, modulation in enumerate(classes):
        for s, snr in enumerate(snrs):
            rng, block, done = rng_for(name, modulation, snr, seed), iq[c, s], 0
            while done < frames:
                z = draw(modulation, snr, rng)[: frames - done]
                block[done : done + len(z), 0] = z.real
                block[done : done + len(z), 1] = z.imag
                done += len(z)
    return Signals(
        iq.reshape(-1, 2, length),
        label=np.repeat(np.arange(len(classes)), len(snrs) * frames),
        snr=np.tile(np.repeat(np.array(snrs, np.float32), frames), len(classes)),
        classes=classes,
    )

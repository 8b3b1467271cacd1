"""Signals like Sig2019-12: twelve digital modulations, 512 samples, free carrier and timing.

Sig2019-12 itself is not public. Number of classes, length and counts are the paper group's; class
names, pulse, roll-off and carrier offset are those of its public sister set HKDD_AMC12 (Zheng et
al., IEEE TCCN 2023), and what that leaves open is a choice of ours. Results made with these signals
must say that they are simulated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from foqus_lib.datasets import sig2019
from foqus_lib.datasets.simulated import constellations as points
from foqus_lib.datasets.simulated import grid, ranges, waveforms
from foqus_lib.signals import Signals

NAME = "Sig2019-12-like"
CLASSES, SNRS, LENGTH = sig2019.CLASSES, sig2019.SNRS, sig2019.LENGTH

CONSTELLATIONS = {
    "BPSK": points.psk(2), "QPSK": points.psk(4), "8PSK": points.psk(8), "16QAM": points.qam(16),
    "32QAM": points.qam(32), "64QAM": points.qam(64), "4PAM": points.ask(4), "8PAM": points.ask(8),
}  # fmt: skip
TONES = {"2FSK": 2, "4FSK": 4, "8FSK": 8}
SPACING = 0.5  # symbol rates between tones: wider, and 8FSK at the largest offset would alias
BATCH = 50  # frames drawn together


@dataclass(frozen=True)
class Ranges:
    """Drawn uniformly for each frame between (low, high), and the pulse."""

    rolloff: tuple[float, float] = (0.2, 0.7)
    offset: tuple[float, float] = (-0.2, 0.2)  # of the carrier, cycles per sample
    phase: tuple[float, float] = (-np.pi, np.pi)  # of the carrier, rad
    span: int = 6  # symbols in a pulse

    def __post_init__(self) -> None:
        ranges.check("Ranges.rolloff", self.rolloff, 0.01, 1)
        ranges.check("Ranges.offset", self.offset, -0.5, 0.5)
        ranges.check("Ranges.phase", self.phase, -2 * np.pi, 2 * np.pi)
        ranges.check_span("Ranges.span", self.span)


SISTER = Ranges()  # what HKDD_AMC12 states


def generate(snrs: Sequence[int], frames: int, seed: int, ranges: Ranges = SISTER) -> Signals:
    """`frames` signals for each of the 12 classes at each SNR (dB), class-major, SNRs as given.

    A (class, SNR) pair is the same whichever others are generated, and its first n frames are the
    same however many follow.
    """
    draw = partial(_batch, ranges=ranges)
    return grid.generate(NAME, CLASSES, LENGTH, snrs, frames, seed, draw)


def _batch(modulation: str, snr: int, rng: np.random.Generator, ranges: Ranges) -> waveforms.Frames:
    rolloff = rng.uniform(*ranges.rolloff, BATCH)
    offset = rng.uniform(*ranges.offset, BATCH)
    phase = rng.uniform(*ranges.phase, BATCH)
    if modulation in TONES:
        z = waveforms.fsk(TONES[modulation], SPACING, LENGTH, BATCH, rng)
    elif modulation == "OQPSK":
        z = waveforms.offset_qpsk(LENGTH, rolloff, ranges.span, rng)
    else:
        z = waveforms.linear(CONSTELLATIONS[modulation], LENGTH, rolloff, ranges.span, rng)
    return waveforms.on_air(z, snr, offset, phase, rng)

"""Signals like RML2018.01a: twenty-four modulations, 1024 samples, for tests and for classes.

The real set is an over-the-air recording of 20 GB (`rml2018` reads it). This one exercises the same
pipeline at any size and does not promise its accuracies: what the recording's makers do not state
is a choice of ours. Results made with these signals must say that they are simulated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from foqus_lib.datasets import rml2018
from foqus_lib.datasets.simulated import constellations as points
from foqus_lib.datasets.simulated import grid, ranges, waveforms
from foqus_lib.signals import Signals

NAME = "RML2018.01a-like"
CLASSES, SNRS, LENGTH = rml2018.CLASSES, rml2018.SNRS, rml2018.LENGTH
BATCH = 25  # frames drawn together

CONSTELLATIONS = {
    "OOK": points.on_off(),
    "4ASK": points.ask(4),
    "8ASK": points.ask(8),
    **{f"{name}PSK": points.psk(m) for name, m in [("B", 2), ("Q", 4), (8, 8), (16, 16), (32, 32)]},
    "16APSK": points.apsk(4, 12),
    "32APSK": points.apsk(4, 12, 16),
    "64APSK": points.apsk(4, 12, 20, 28),
    "128APSK": points.apsk(*[16] * 8),
    **{f"{m}QAM": points.qam(m) for m in (16, 32, 64, 128, 256)},
}


@dataclass(frozen=True)
class Ranges:
    """Uniform for each frame between (low, high), the offset Gaussian; and what is the same."""

    rolloff: tuple[float, float] = (0.1, 0.4)
    phase: tuple[float, float] = (-np.pi, np.pi)  # of the carrier, rad
    offset_sd: float = 1e-4  # of the carrier, cycles per sample
    span: int = 16  # symbols in a pulse
    bt: float = 0.3  # of GMSK
    bandwidth: float = 0.05  # of an analogue message, cycles per sample
    depth: float = 0.5  # of amplitude modulation with carrier, at the peak of the message
    deviation: float = 0.1  # of FM at the peak of the message, cycles per sample

    def __post_init__(self) -> None:
        ranges.check("Ranges.rolloff", self.rolloff, 0.01, 1)
        ranges.check("Ranges.phase", self.phase, -2 * np.pi, 2 * np.pi)
        ranges.check_span("Ranges.span", self.span)
        for name, lowest, highest in [
            ("offset_sd", 0, 0.1), ("bt", 0.2, 1), ("bandwidth", 0.005, 0.5), ("depth", 0.01, 1),
            ("deviation", 0.001, 0.5),
        ]:  # fmt: skip
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise ValueError(
                    f"Ranges.{name}: expected {lowest:g} to {highest:g}, got {value!r}"
                )


USUAL = Ranges()


def generate(snrs: Sequence[int], frames: int, seed: int, ranges: Ranges = USUAL) -> Signals:
    """`frames` signals for each of the 24 classes at each SNR (dB), class-major, SNRs as given.

    With SNRs rising, `rml2018.write` takes the result. A (class, SNR) pair is the same whichever
    others are generated, and its first n frames are the same however many follow.
    """
    draw = partial(_batch, ranges=ranges)
    return grid.generate(NAME, CLASSES, LENGTH, snrs, frames, seed, draw)


def _batch(modulation: str, snr: int, rng: np.random.Generator, ranges: Ranges) -> waveforms.Frames:
    offset = ranges.offset_sd * rng.standard_normal(BATCH)
    phase = rng.uniform(*ranges.phase, BATCH)
    rolloff = rng.uniform(*ranges.rolloff, BATCH)
    if modulation in CONSTELLATIONS:
        z = waveforms.linear(CONSTELLATIONS[modulation], LENGTH, rolloff, ranges.span, rng)
    elif modulation == "OQPSK":
        z = waveforms.offset_qpsk(LENGTH, rolloff, ranges.span, rng)
    elif modulation == "GMSK":
        z = waveforms.gmsk(ranges.bt, LENGTH, BATCH, rng)
    else:
        message = waveforms.message(LENGTH, BATCH, ranges.bandwidth, rng)
        z = _analogue(modulation, message, ranges)
    return waveforms.on_air(z, snr, offset, phase, rng)


def _analogue(modulation: str, message: np.ndarray, ranges: Ranges) -> waveforms.Frames:
    """SC: suppressed carrier; WC: with one, and the message under it."""
    match modulation:
        case "AM-DSB-SC":
            return waveforms.am(0, message)
        case "AM-DSB-WC":
            return waveforms.am(1, ranges.depth * message)
        case "AM-SSB-SC":
            return waveforms.am(0, waveforms.one_sideband(message))
        case "AM-SSB-WC":
            return waveforms.am(1, ranges.depth * waveforms.one_sideband(message))
    return waveforms.fm(message, ranges.deviation)

"""Signals like RML2016.10a, written from its public generator and from measurements on real data.

The real set has flaws that shape every result on it: AM-SSB is noise, "SNR" is not the SNR, the
fading is the same in every pass, half of the analogue frames carry no message. Each is a switch
of `Quirks`, and on. Results made with these signals must say that they are simulated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Complex, Int64
from numpy import ndarray

from foqus_lib.datasets.simulated import channel, grid, modulators
from foqus_lib.datasets.simulated.channel import DRAWS
from foqus_lib.errors import unknown
from foqus_lib.signals import Signals

NAME = "RML2016.10a-like"
CLASSES = (
    "WBFM", "QPSK", "QAM64", "QAM16", "PAM4", "GFSK", "CPFSK", "BPSK", "8PSK", "AM-SSB", "AM-DSB"
)  # fmt: skip
SNRS = tuple(range(18, -21, -2))  # dB, in the order of the published arrays
LENGTH = 128

CHOICES = {
    "constellation_power": ("native", "unit"),
    "noise": ("amplitude", "power"),
    "am_ssb": ("noise", "analytic"),
    "audio": ("rml", "noise"),
    "channel": ("frozen", "per pass"),
    "uniform_phase": (False, True),
    "transient": (True, False),
    "normalise": ("l1", "none", "rms"),
}


@dataclass(frozen=True)
class Quirks:
    """The flaws of the real generator; the first value is the real one, the others are the cure."""

    constellation_power: str = "native"  # or "unit" mean power for every constellation
    noise: str = "amplitude"  # rms 10^(-SNR/10) whatever the signal; or "power": the true SNR
    am_ssb: str = "noise"  # no signal at all; or the "analytic" audio
    audio: str = "rml"  # silence and two tones, the same in every pass; or low-pass "noise"
    channel: str = "frozen"  # one course of the fading for all; or a new one "per pass"
    fading: tuple[int, ...] = DRAWS  # which, when frozen: a draw of each ray
    uniform_phase: bool = False  # a random carrier phase for each frame
    transient: bool = True  # linear streams start with 352 empty samples
    normalise: str = "l1"  # sum of magnitudes 1 in each frame; or "none" or "rms"

    def __post_init__(self) -> None:
        for switch, choices in CHOICES.items():
            if (value := getattr(self, switch)) not in choices:
                raise ValueError(f"Quirks.{switch}: expected one of {choices}, got {value!r}")
        if len(self.fading) != len(DRAWS):
            raise ValueError(f"Quirks.fading: expected the draws of three rays, got {self.fading}")


REAL = Quirks()


def generate(snrs: Sequence[int], frames: int, seed: int, quirks: Quirks = REAL) -> Signals:
    """`frames` signals for each of the 11 classes at each SNR (dB), class-major, SNRs as given.

    A (class, SNR) pair is the same whichever others are generated, and its first n frames are the
    same however many follow.
    """
    draw = partial(_pass, quirks=quirks)
    return grid.generate(NAME, CLASSES, LENGTH, snrs, frames, seed, draw)


def _pass(
    modulation: str, snr: int, rng: np.random.Generator, quirks: Quirks
) -> Complex[ndarray, "n length"]:
    """The frames cut from one pass, about 38."""
    stream = one_pass(modulation, rng, quirks)
    frozen = quirks.channel == "frozen"
    fading = channel.frozen_fading(quirks.fading) if frozen else channel.random_fading(rng)
    z = channel.received(stream, cut(len(stream), rng), LENGTH, fading, channel.drift(rng))
    if quirks.uniform_phase:
        z = z * np.exp(1j * rng.uniform(-np.pi, np.pi, size=(len(z), 1)))
    return normalised(z + noise(z, snr, rng, quirks), quirks)


def one_pass(modulation: str, rng: np.random.Generator, quirks: Quirks) -> Complex[ndarray, " n"]:
    """A fresh stream of one modulator."""
    if modulation in modulators.CONSTELLATIONS:
        points = modulators.CONSTELLATIONS[modulation]
        if quirks.constellation_power == "unit":
            points = points / np.sqrt(np.mean(np.abs(points) ** 2))
        stream = modulators.linear(points, modulators.SYMBOLS[modulation], rng)
        return stream if quirks.transient else stream[modulators.DELAY :]
    match modulation:
        case "GFSK":
            return modulators.gfsk(rng)
        case "CPFSK":
            return modulators.cpfsk(rng)
        case "AM-SSB" if quirks.am_ssb == "noise":
            return modulators.no_signal()
    if modulation not in ANALOGUE:
        raise unknown("modulation", modulation, CLASSES)
    audio = modulators.rml_audio() if quirks.audio == "rml" else modulators.noise_audio(rng)
    return ANALOGUE[modulation](audio)


ANALOGUE = {"WBFM": modulators.wbfm, "AM-DSB": modulators.am_dsb, "AM-SSB": modulators.am_ssb}


def cut(samples: int, rng: np.random.Generator) -> Int64[ndarray, " frames"]:
    """Starts of the frames of one pass: the first in 50..500, hops of 128 to 5 % of the stream."""
    hops = rng.integers(LENGTH, round(0.05 * samples), endpoint=True, size=samples // LENGTH)
    start = rng.integers(50, 500, endpoint=True) + np.append(0, np.cumsum(hops))
    return start[start + LENGTH < samples]


def noise(
    z: Complex[ndarray, "n length"], snr: int, rng: np.random.Generator, quirks: Quirks
) -> Complex[ndarray, "n length"]:
    """Complex Gaussian noise. The original uses 10^(-SNR/10), a power, as an *amplitude*.

    So "10 dB" is 20 dB under unit signal power, and more after channel gain and constellation.
    """
    if quirks.noise == "amplitude":
        rms = 10 ** (-snr / 10)
    else:
        power = np.mean(np.abs(z) ** 2)
        rms = 10 ** (-snr / 20) * np.sqrt(power if power > 0 else 1)
    g = rng.standard_normal((2, *z.shape))
    return rms / np.sqrt(2) * (g[0] + 1j * g[1])


def normalised(z: Complex[ndarray, "n length"], quirks: Quirks) -> Complex[ndarray, "n length"]:
    """Each frame divided by its sum of magnitudes, which the original's comment calls energy."""
    match quirks.normalise:
        case "l1":
            return z / np.abs(z).sum(axis=1, keepdims=True)
        case "rms":
            return z / np.sqrt(np.mean(np.abs(z) ** 2, axis=1, keepdims=True))
    return z

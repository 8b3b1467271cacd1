"""Modulators of many frames at once: (n, length) complex samples, unit carrier, no noise.

Every frame has its own symbols (equiprobable, independent) or message, and its own symbol timing,
uniform over a symbol. Times are in symbols, frequencies in cycles per sample.
"""

import numpy as np
from jaxtyping import Complex, Float
from numpy import ndarray
from scipy import fft, signal

from foqus_lib.datasets.simulated import pulses
from foqus_lib.datasets.simulated.constellations import Points, unit

SPS = 8  # samples per symbol
GAUSSIAN_SPAN = 6  # symbols; outside a Gaussian frequency pulse of BT 0.3 is below 1e-7

Frames = Complex[ndarray, "n length"]


def linear(
    points: Points, length: int, rolloff: Float[ndarray, " n"], span: int, rng: np.random.Generator
) -> Frames:
    """Symbols of the unit-power constellation through root-raised-cosine pulses of `span`."""
    n = len(rolloff)
    symbols = unit(points)[rng.integers(len(points), size=(n, length // SPS + span))]
    return pulses.train(symbols, _rrc(rng.random(n), rolloff, span))


def offset_qpsk(
    length: int, rolloff: Float[ndarray, " n"], span: int, rng: np.random.Generator
) -> Frames:
    """QPSK with Q half a symbol behind I: the signal never passes through zero."""
    n = len(rolloff)
    i, q = rng.choice([-1.0, 1.0], size=(n, 2, length // SPS + span)).swapaxes(0, 1) / np.sqrt(2)
    late = rng.random(n)
    on_time, behind = _rrc(late, rolloff, span), _rrc((late + 0.5) % 1, rolloff, span)
    return pulses.train(i, on_time) + 1j * pulses.train(q, behind)


def _rrc(late: ndarray, rolloff: ndarray, span: int) -> Float[ndarray, "n span1 sps"]:
    """A pulse of unit energy for each frame, so that a unit-power train has unit power."""
    t = pulses.times(late, span, SPS)
    return pulses.root_raised_cosine(t, rolloff[:, None, None]) * (np.abs(t) <= span / 2)


def fsk(m: int, spacing: float, length: int, n: int, rng: np.random.Generator) -> Frames:
    """M tones `spacing` symbol rates apart, rectangular pulses, continuous phase."""
    tones = np.arange(1.0 - m, m, 2) / 2 * spacing  # cycles per symbol
    chosen = tones[rng.integers(m, size=(n, length // SPS + 2))]
    t = np.arange(length) / SPS + rng.random((n, 1))
    symbol = t.astype(int)
    before = np.cumsum(chosen, axis=1) - chosen  # cycles at the start of each symbol
    rows = np.arange(n)[:, None]
    return _turned(before[rows, symbol] + chosen[rows, symbol] * (t - symbol))


def gmsk(bt: float, length: int, n: int, rng: np.random.Generator) -> Frames:
    """Minimum shift keying, index 0.5, of Gaussian-filtered bits: a quarter turn a symbol."""
    bits = rng.choice([-1.0, 1.0], size=(n, length // SPS + GAUSSIAN_SPAN))
    t = pulses.times(rng.random(n), GAUSSIAN_SPAN, SPS)
    frequency = pulses.train(bits, pulses.gaussian_frequency(t, bt)) / 4 / SPS
    return _turned(np.cumsum(frequency, axis=1))


def message(
    length: int, n: int, bandwidth: float, rng: np.random.Generator
) -> Float[ndarray, "n length"]:
    """Gaussian noise below `bandwidth` (cycles per sample), each frame scaled to peak 1."""
    long = 2 * length  # periodic as drawn, so only half of a period is used
    spectrum = np.array([1, 1j]) @ rng.standard_normal((n, 2, long // 2 + 1))
    spectrum[:, fft.rfftfreq(long) > bandwidth] = 0
    m = fft.irfft(spectrum, long, axis=1)[:, :length]
    return m / np.abs(m).max(axis=1, keepdims=True)


def am(carrier: float, part: Float[ndarray, "n length"] | Frames) -> Frames:
    """Amplitude modulation: carrier + part; part real for two sidebands, analytic for one."""
    return carrier + part + 0j


def one_sideband(m: Float[ndarray, "n length"]) -> Frames:
    """The analytic signal of a message: its positive frequencies only."""
    return signal.hilbert(m, axis=1)


def fm(m: Float[ndarray, "n length"], deviation: float) -> Frames:
    """Frequency modulation: `deviation` cycles per sample at the peak of the message."""
    return _turned(np.cumsum(deviation * m, axis=1))


def _turned(cycles: Float[ndarray, "n length"]) -> Frames:
    return np.exp(2j * np.pi * cycles)


def on_air(
    z: Frames, snr: float, offset: Float[ndarray, " n"], phase: Float[ndarray, " n"],
    rng: np.random.Generator,
) -> Frames:  # fmt: skip
    """Each frame turned by a carrier offset (cycles per sample) and phase, at unit power, in noise.

    Noise is complex Gaussian of power 10^(-SNR/10): the label is the true SNR.
    """
    z = z / np.sqrt(np.mean(np.abs(z) ** 2, axis=1, keepdims=True))
    turn = offset[:, None] * np.arange(z.shape[1]) + phase[:, None] / (2 * np.pi)
    g = rng.standard_normal((2, *z.shape)) * np.sqrt(10 ** (-snr / 10) / 2)
    return z * _turned(turn) + (g[0] + 1j * g[1])

"""The channel behind the RML2016 sets: carrier offset, then selective fading; noise is elsewhere.

Seed and Doppler are constant in the original, so every pass of every class at every SNR sees the
*same* path of gain and phase. That is the quirk `frozen` keeps: phases are not uniform over frames.
The sample-rate offset of the original moves a pass by far less than a sample and is left out.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Int64
from numpy import ndarray

from foqus_lib.datasets.radio_modulators import AUDIO_FS, AUDIO_SAMPLES, FS
from foqus_lib.seeds import rng_for

SAMPLES = 80_000  # the longest pass
GRID = 64  # samples between two sets of taps: the 1-Hz fading moves 0.002 rad in between
TAPS = 8
DELAYS = np.array([0, 0.9, 1.7])  # samples
MAGNITUDES = np.array([1, 0.8, 0.3])
SINUSOIDS = 8
DOPPLER = 1.0  # Hz
RICIAN_K = 4.0  # line of sight on the first delay only
CFO_STEP = 0.01  # Hz per sample; the bound of 500 Hz lies 170 standard deviations away

GAIN = (1.4, 2.4)  # |gain| of the real path; a weaker one doubles the noise of every frame
RESULTANT = (0.6, 0.9)  # of the carrier phase over an AM-DSB pass; 0.79 to 0.82 in real data

# (second, |gain|, phase in rad) along one real stream (RML2016.04C, AM-DSB, 18 dB).
REPLAY = np.array([
    (0.000, 1.440, -1.464), (0.019, 1.556, -1.399), (0.038, 1.653, -1.313),
    (0.056, 1.740, -1.330), (0.075, 1.815, -1.373), (0.094, 1.877, -1.365),
    (0.113, 1.927, -1.262), (0.132, 1.963, -1.081), (0.151, 1.983, -1.018),
    (0.169, 1.994, -0.973), (0.188, 1.986, -0.957), (0.207, 1.964, -0.914),
])  # fmt: skip


@dataclass(frozen=True, eq=False)
class Path:
    """What the channel does during one pass."""

    phase: Float[ndarray, " samples"]  # rad, of the carrier offset
    taps: Complex[ndarray, "grid 8"]  # FIR taps every GRID samples


def random_path(rng: np.random.Generator) -> Path:
    """One draw: a random walk of the carrier offset and three sum-of-sinusoids faders.

    Tap k = sum_j magnitude_j H_j(t) sinc(k - delay_j).
    """
    offset = np.cumsum(CFO_STEP * rng.standard_normal(SAMPLES))  # Hz
    seconds = np.arange(SAMPLES // GRID + 1) * GRID / FS
    faders = np.stack([_fader(seconds, rng) for _ in DELAYS])
    root = np.sqrt(RICIAN_K / (RICIAN_K + 1))
    start, angle = rng.uniform(-np.pi, np.pi, size=2)
    sight = np.exp(1j * (start + 2 * np.pi * DOPPLER * seconds * np.cos(angle)))
    faders[0] = faders[0] / np.sqrt(RICIAN_K + 1) + root * sight
    shape = MAGNITUDES[:, None] * np.sinc(np.arange(TAPS) - DELAYS[:, None])
    return Path(2 * np.pi * np.cumsum(offset) / FS, faders.T @ shape)


def _fader(seconds: ndarray, rng: np.random.Generator) -> ndarray:
    """H(t) = sqrt(1/N) sum_n cos psi_n(t) + j sin phi_n(t), unit mean power."""
    n = np.arange(1, SINUSOIDS + 1)
    theta = rng.uniform(-np.pi, np.pi)
    alpha = (2 * np.pi * n - np.pi + theta) / (4 * SINUSOIDS)
    psi, phi = rng.uniform(-np.pi, np.pi, size=(2, 1, SINUSOIDS))
    turn = 2 * np.pi * DOPPLER * seconds[:, None] * np.cos(alpha)
    return (np.cos(psi + turn) + 1j * np.sin(phi + turn)).sum(axis=1) / np.sqrt(SINUSOIDS)


def frozen_path(seed: int) -> Path:
    """The one path of a data set: the first draw about as strong and as steady as the real one."""
    rng = rng_for("radio channel", seed)
    for _ in range(10_000):
        path = random_path(rng)
        gain = carrier_gain(path)
        am_pass = gain[: AUDIO_SAMPLES * FS // AUDIO_FS // GRID]
        resultant = np.abs(np.mean(am_pass / np.abs(am_pass)))
        strong = GAIN[0] <= np.abs(gain).min() and np.abs(gain).max() <= GAIN[1]
        if strong and RESULTANT[0] <= resultant <= RESULTANT[1]:
            return path
    raise AssertionError("no frozen path in 10,000 draws: about one in fifty is fit")


def carrier_gain(path: Path) -> Complex[ndarray, " grid"]:
    """Complex gain of an unmodulated carrier, every GRID samples."""
    at = np.minimum(np.arange(len(path.taps)) * GRID, SAMPLES - 1)
    return path.taps.sum(axis=1) * np.exp(1j * path.phase[at])


def replayed_path() -> Path:
    """The gain measured on a real stream, frequency-flat; its last value holds after 0.207 s."""
    seconds = np.arange(SAMPLES // GRID + 1) * GRID / FS
    magnitude, phase = (np.interp(seconds, REPLAY[:, 0], column) for column in REPLAY.T[1:])
    taps = np.zeros((len(seconds), TAPS), complex)
    taps[:, 0] = magnitude * np.exp(1j * phase)
    return Path(np.zeros(SAMPLES), taps)


def received(
    stream: Complex[ndarray, " n"], start: Int64[ndarray, " frames"], length: int, path: Path
) -> Complex[ndarray, "frames length"]:
    """The frames [start, start + length) of the stream after the channel, without noise.

    Only what is cut is computed: about one sample in nine.
    """
    at = start[:, None] + np.arange(1 - TAPS, length)
    sent = stream[at] * np.exp(1j * path.phase[at])
    taps = path.taps[(start + length // 2) // GRID]
    delayed = np.lib.stride_tricks.sliding_window_view(sent, length, axis=1)[:, ::-1]
    return np.einsum("nk,nkl->nl", taps, delayed)

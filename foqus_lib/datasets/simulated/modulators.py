"""The modulators behind the RML2016 sets, one pass of each: a complex stream at 8 samples a symbol.

Facts from the public generator and measurements on its data; see book/assumptions.md for what
is a choice of ours. Sampling rate 200 kHz, 25 kBd.
"""

from functools import cache

import numpy as np
from jaxtyping import Complex, Float
from numpy import ndarray
from scipy import signal

from foqus_lib.datasets.simulated.constellations import ask, psk, qam
from foqus_lib.datasets.simulated.pulses import root_raised_cosine

FS = 200_000  # Hz
AUDIO_FS = 44_100  # Hz
AUDIO_SAMPLES = 10_000  # one pass
SPS = 8  # samples per symbol
DELAY = 352  # samples: the delay of the original 88-symbol pulse filter
ROLLOFF = 0.35
SPAN = 22  # symbols: longer pulses change none of `datasets.statistics`

Stream = Complex[ndarray, " n"]
Audio = Float[ndarray, " audio"]

# Not normalised, as in the original, whose normalising code is commented out: QAM64 has power 42.
CONSTELLATIONS: dict[str, ndarray] = {
    "BPSK": psk(2),
    "QPSK": psk(4, np.pi / 4),
    "8PSK": psk(8),
    "PAM4": ask(4),
    "QAM16": qam(16),
    "QAM64": qam(64),
}
# 10,000 bits a pass (QAM16 20,000, QAM64 30,000), whole symbols only.
SYMBOLS = {"BPSK": 10_000, "QPSK": 5000, "8PSK": 3333, "PAM4": 5000, "QAM16": 5000, "QAM64": 5000}
BITS = 10_000  # a pass of GFSK or CPFSK


def rrc() -> Float[ndarray, " taps"]:
    """Root-raised-cosine pulse, energy 8, so that shaping keeps the constellation's mean power."""
    t = np.arange(-SPAN * SPS // 2, SPAN * SPS // 2 + 1) / SPS  # symbols
    h = root_raised_cosine(t, ROLLOFF)
    return h * np.sqrt(SPS / np.sum(h**2))


def linear(points: ndarray, symbols: int, rng: np.random.Generator) -> Stream:
    """Equiprobable symbols, RRC-shaped. The first 352 samples are (all but) empty: filter delay."""
    chosen = points[rng.integers(len(points), size=symbols)]
    shaped = signal.upfirdn(rrc(), chosen, up=SPS)
    empty = np.zeros(DELAY - SPAN * SPS // 2)
    return np.concatenate([empty, shaped])[: symbols * SPS]


def gfsk(rng: np.random.Generator) -> Stream:
    """Gaussian FSK, BT = 0.35, 0.1 rad per sample: modulation index 0.255."""
    t = np.arange(-16, 16) / SPS  # symbols
    gauss = np.exp(-((2 * np.pi * 0.35 * t) ** 2) / (2 * np.log(2)))
    pulse = np.convolve(gauss / gauss.sum(), np.ones(SPS))
    frequency = signal.upfirdn(pulse, rng.choice([-1.0, 1.0], size=BITS), up=SPS)[: BITS * SPS]
    return 0.999 * np.exp(1j * np.cumsum(0.1 * frequency))


def cpfsk(rng: np.random.Generator) -> Stream:
    """Continuous-phase FSK, rectangular pulse, index 0.5: +-pi/16 rad per sample."""
    steps = np.repeat(rng.choice([-1.0, 1.0], size=BITS), SPS)
    return np.exp(1j * np.cumsum(np.pi / 16 * steps))


def wbfm(audio: Audio) -> Stream:
    """Wide-band FM, 75 kHz deviation at 220.5 kHz: 2.137 rad per sample and unit of audio.

    The channel takes the 220.5 kHz for 200 kHz. No pre-emphasis: the real data show none.
    """
    return np.exp(1j * np.cumsum(2 * np.pi * 75e3 / 220.5e3 * signal.resample_poly(audio, 5, 1)))


def am_dsb(audio: Audio) -> Stream:
    """(1 + audio) on a carrier at 0 Hz."""
    return (1 + _at_channel_rate(audio)).astype(complex)


def am_ssb(audio: Audio) -> Stream:
    """What AM-SSB should have been: the analytic signal of the audio."""
    return signal.hilbert(_at_channel_rate(audio))


def no_signal() -> Stream:
    """What AM-SSB is: the original multiplies by a *real* sine of 0 Hz, which is 0."""
    return np.zeros(AUDIO_SAMPLES * FS // AUDIO_FS, complex)


def _at_channel_rate(audio: Audio) -> Float[ndarray, " n"]:
    return signal.resample_poly(audio, 2000, 441)[: AUDIO_SAMPLES * FS // AUDIO_FS]


@cache
def rml_audio() -> Audio:
    """The first 10,000 samples of the original's podcast: silence, then two decaying tones.

    So more than half of every AM-DSB and WBFM stream is an unmodulated carrier. Measured on real
    RML2016.04C: amplitudes of 0.030 in the 800 samples after 5,700. The decay of the two weak
    partials is a choice.
    """
    t = np.arange(AUDIO_SAMPLES) - 5700.0  # samples after the attack
    attack = np.clip((t + 250) / 250, 0, 1)
    tones = np.zeros(AUDIO_SAMPLES)
    for hertz, amplitude, decay in [
        (2353, 0.0386, 1600), (2797, 0.0386, 1600), (4706, 0.007, 800), (5600, 0.006, 800)
    ]:  # fmt: skip
        envelope = amplitude * np.exp(-np.maximum(t, 0) / decay)
        tones += envelope * np.cos(2 * np.pi * hertz / AUDIO_FS * t)
    return attack * tones


def noise_audio(rng: np.random.Generator) -> Audio:
    """A stand-in without the quirk: Gaussian noise below 4 kHz, rms 0.054 (speech level)."""
    taps = signal.firwin(101, 4000, fs=AUDIO_FS)
    audio = signal.fftconvolve(rng.standard_normal(AUDIO_SAMPLES + 100), taps, mode="valid")
    return 0.054 * audio / np.std(audio)

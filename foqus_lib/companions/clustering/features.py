"""What a signal looks like without any training: samples, spectrum, cumulants."""

import numpy as np
from jaxtyping import Complex, Float, Float32, Float64
from numpy import ndarray

CUMULANTS = (
    "|C20|", "|C40|", "|C42|", "|C63|", "var amplitude", "var phase", "var frequency",
)  # fmt: skip


def complex_of(iq: Float32[ndarray, "N 2 L"]) -> Complex[ndarray, "N L"]:
    """z = I + jQ, in double precision."""
    return iq[:, 0] + 1j * iq[:, 1].astype(np.float64)


def samples(iq: Float32[ndarray, "N 2 L"]) -> Float64[ndarray, "N D"]:
    """The signal as it is, D = 2 L. Another carrier phase or start is another point."""
    return iq.reshape(len(iq), -1).astype(np.float64)


def spectrum(iq: Float32[ndarray, "N 2 L"]) -> Float64[ndarray, "N L"]:
    """|DFT z| / sqrt(L): carrier phase and cyclic shift are gone, a carrier offset is not."""
    return np.abs(np.fft.fft(complex_of(iq), norm="ortho"))


def cumulants(iq: Float32[ndarray, "N 2 L"]) -> Float64[ndarray, "N 7"]:
    """Expert features (`CUMULANTS`): magnitudes that carrier phase and power do not change.

    With M_pq = E z^(p-q) (z*)^q and the power M21 = 1:
        C20 = M20,  C40 = M40 - 3 M20^2,  C42 = M42 - |M20|^2 - 2,
        C63 = M63 - 6 Re(M20 M41*) - 9 M42 + 18 |M20|^2 + 12
    0 for Gaussian noise beyond order two; BPSK 1, 2, 2, 16; QPSK 0, 1, 1, 4 (Swami & Sadler 2000).
    Then the variances of |z|, of the phase less its straight line (rad^2), and of the phase's
    steps. A silent signal has 0 everywhere. Third moments are taken as 0.
    """
    z = complex_of(iq)
    power = np.mean(np.abs(z) ** 2, axis=1, keepdims=True)
    z = z / np.sqrt(np.where(power > 0, power, 1))
    alive = (power[:, 0] > 0).astype(float)
    size = np.abs(z)
    m20, m40 = (z**2).mean(axis=1), (z**4).mean(axis=1)
    m41, m42 = (z**3 * z.conj()).mean(axis=1), (size**4).mean(axis=1)
    c40 = m40 - 3 * m20**2
    c42 = m42 - np.abs(m20) ** 2 - 2 * alive
    c63 = (size**6).mean(axis=1) - 6 * (m20 * m41.conj()).real - 9 * m42
    c63 = c63 + 18 * np.abs(m20) ** 2 + 12 * alive
    phase = np.unwrap(np.angle(z), axis=1)
    moments = [np.abs(m20), np.abs(c40), np.abs(c42), np.abs(c63)]
    variances = [size.var(axis=1), _off_the_line(phase), np.diff(phase, axis=1).var(axis=1)]
    return np.stack([*moments, *variances], axis=1)


def _off_the_line(phase: Float64[ndarray, "N L"]) -> Float64[ndarray, " N"]:
    """The variance about the straight line of least squares: a carrier offset does not count."""
    time = np.arange(phase.shape[1]) - (phase.shape[1] - 1) / 2
    slope = phase @ time / (time @ time)
    return (phase - slope[:, None] * time).var(axis=1)


def standardised(x: Float[ndarray, "N D"], like: Float[ndarray, "M D"]) -> Float64[ndarray, "N D"]:
    """(x - mean) / sd, both of `like`: features of different units weigh alike.

    A feature that is the same in all of `like` becomes 0.
    """
    mean, sd = like.mean(axis=0), like.std(axis=0)
    return np.where(sd > 0, (x - mean) / np.where(sd > 0, sd, 1), 0.0)

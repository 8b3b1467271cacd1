"""Eight numbers that describe a frame: to hold a simulation against real recordings."""

import numpy as np
from jaxtyping import Complex, Float, Float32
from numpy import ndarray

from foqus_lib.signals import Signals

STATISTICS = ("sd|z|", "E|z|^4", "|Ez2|", "|Ez4|", "r1", "r4", "r8", "dphi")


def frame_statistics(iq: Float32[ndarray, "N 2 L"]) -> Float[ndarray, "N 8"]:
    """STATISTICS of each frame z, scaled to mean |z|^2 = 1.

    sd|z| spread of the envelope; |Ez2|, |Ez4| magnitudes of the means of z^2, z^4; r1, r4, r8
    |mean of z[t+k] conj z[t]|; dphi mean |phase step| in rad.
    """
    z = as_complex(iq)
    z = z / np.sqrt(np.mean(np.abs(z) ** 2, axis=1, keepdims=True))
    envelope, square = np.abs(z), z**2

    def product(lag: int) -> ndarray:
        return z[:, lag:] * z[:, :-lag].conj()

    columns = [
        envelope.std(axis=1),
        np.mean(envelope**4, axis=1),
        np.abs(square.mean(axis=1)),
        np.abs(np.mean(square**2, axis=1)),
        *(np.abs(product(lag).mean(axis=1)) for lag in (1, 4, 8)),
        np.abs(np.angle(product(1))).mean(axis=1),
    ]
    return np.stack(columns, axis=1)


def class_statistics(signals: Signals) -> Float[ndarray, "C 8"]:
    """Mean of each statistic over the frames of a class."""
    rows = [signals.iq[signals.label == c] for c in range(len(signals.classes))]
    return np.stack([frame_statistics(iq).mean(axis=0) for iq in rows])


def phase_resultant(iq: Float32[ndarray, "N 2 L"]) -> float:
    """How far frames agree on the phase of their carrier: 1 constant, 0 uniform over frames."""
    carrier = as_complex(iq).mean(axis=1)
    return float(np.abs(np.mean(carrier / np.abs(carrier))))


def as_complex(iq: Float32[ndarray, "N 2 L"]) -> Complex[ndarray, "N L"]:
    """I + jQ in double precision."""
    return iq[:, 0].astype(np.float64) + 1j * iq[:, 1]

"""Constellations: the points of the digital linear modulations, at their usual integer scale."""

import numpy as np
from jaxtyping import Complex
from numpy import ndarray

Points = Complex[ndarray, " M"]


def psk(m: int, turn: float = 0.0) -> Points:
    """M points on the unit circle, the first at `turn` rad."""
    return np.exp(1j * (turn + 2 * np.pi * np.arange(m) / m))


def ask(m: int) -> Points:
    """M real levels around zero, two apart: -3, -1, 1, 3; pulse amplitude modulation too."""
    return np.arange(1.0 - m, m, 2) + 0j


def on_off() -> Points:
    """0 and 1."""
    return np.array([0, 1 + 0j])


def qam(m: int) -> Points:
    """A square grid of odd coordinates; if M is no square (32, 128), a cross: corners cut off."""
    if (side := round(np.sqrt(m))) ** 2 == m:
        cut = 0
    else:  # the square of 9 M / 8 points, without M / 32 points at each corner
        side, cut = round(np.sqrt(9 * m / 8)), round(np.sqrt(m / 32))
    if side**2 - 4 * cut**2 != m:
        raise ValueError(f"qam: expected 4, 16, 64, 256, ... or 32, 128, ... points, got {m}")
    levels = ask(side).real
    i, q = np.meshgrid(levels, levels)
    corner = np.minimum(np.abs(i), np.abs(q)) > side - 1 - 2 * cut
    return (i + 1j * q)[~corner]


def apsk(*rings: int) -> Points:
    """Rings of radius 1, 2, 3, ... with so many points each; the first at half a step."""
    return np.concatenate([r * psk(m, np.pi / m) for r, m in enumerate(rings, start=1)])


def unit(points: Points) -> Points:
    """The same shape at unit mean power."""
    return points / np.sqrt(np.mean(np.abs(points) ** 2))

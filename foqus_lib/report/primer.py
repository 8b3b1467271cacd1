"""The primer's pictures: signals for who knows networks, records for who knows radio.

Each function takes nothing and gives a figure, drawn from the library's own modulators and
equations with a fixed stream of random numbers. Nothing here was recorded: all is simulated.
"""

import numpy as np
from jaxtyping import Complex
from matplotlib.figure import Figure
from numpy import ndarray

from foqus_lib.datasets.simulated.constellations import psk, qam, unit
from foqus_lib.datasets.simulated.waveforms import SPS, linear
from foqus_lib.report.colours import GREY, PALETTE
from foqus_lib.report.svg import new_figure, style
from foqus_lib.seeds import rng_for
from foqus_lib.selection import foqus

CONSTELLATIONS = {
    "BPSK: 1 bit": psk(2),
    "QPSK: 2 bits": psk(4, np.pi / 4),
    "8PSK: 3 bits": psk(8),
    "QAM16: 4 bits": qam(16),
}
SENT = 160  # symbols in a cloud
ECHO = 0.45 * np.exp(1.2j)  # of the second path, against the first
RECORDS = {
    "always right": "1111111111",
    "learnt late": "0000011111",
    "forgotten twice": "0110111011",
    "never learnt": "0000000000",
}


def noisy(points: Complex[ndarray, " M"], snr: float, name: str) -> Complex[ndarray, " n"]:
    """Symbols of unit power in complex Gaussian noise of power 10^(-SNR/10); SNR in dB."""
    rng = rng_for("primer", name)
    sent = unit(points)[rng.integers(len(points), size=SENT)]
    noise = rng.standard_normal((2, SENT)) * np.sqrt(10 ** (-snr / 10) / 2)
    return sent + noise[0] + 1j * noise[1]


def one_signal() -> Figure:
    """QPSK, no noise: I and Q over time, and the same samples in the plane."""
    rng = rng_for("primer", "one signal")
    z = linear(psk(4, np.pi / 4), 16 * SPS, np.array([0.35]), 6, rng)[0]
    with style():
        figure = new_figure(7, 2.4)
        wave, plane = figure.subplots(1, 2, width_ratios=[5, 2])
        wave.plot(z.real, color=PALETTE[0], label="I")
        wave.plot(z.imag, color=PALETTE[1], linestyle="--", label="Q")
        wave.set(xlabel="sample", ylabel="amplitude", xlim=(0, len(z)))
        wave.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)
        plane.plot(z.real, z.imag, color=GREY, linewidth=0.8)
        plane.plot(z.real, z.imag, ".", color=PALETTE[0], markersize=4)
        _plane(plane, "", 1.8)
        plane.set(xlabel="I", ylabel="Q")
    return figure


def modulations() -> Figure:
    """Four alphabets: the points (black) and what arrives at 20 dB (colour)."""
    with style():
        figure, axes = _planes(len(CONSTELLATIONS))
        for ax, (name, points) in zip(axes, CONSTELLATIONS.items(), strict=True):
            z, ideal = noisy(points, 20, name), unit(points)
            ax.plot(z.real, z.imag, ".", color=PALETTE[0], markersize=2)
            ax.plot(ideal.real, ideal.imag, "+", color="#000000", markersize=6)
            _plane(ax, name, 1.7)
    return figure


def noise_ladder() -> Figure:
    """QPSK at four SNRs: the same alphabet drowns."""
    with style():
        figure, axes = _planes(4)
        for ax, snr in zip(axes, (20, 10, 5, 0), strict=True):
            z = noisy(CONSTELLATIONS["QPSK: 2 bits"], snr, f"ladder {snr}")
            ax.plot(z.real, z.imag, ".", color=PALETTE[0], markersize=2)
            _plane(ax, f"{snr} dB", 2.6)
    return figure


def channel() -> Figure:
    """What a channel does to QPSK: turn it, spin it, add an echo; at 25 dB."""
    points = CONSTELLATIONS["QPSK: 2 bits"]
    z = noisy(points, 25, "channel")
    seen = {
        "sent": z,
        "another phase": z * np.exp(0.5j),
        "carrier offset": z * np.exp(1.2j * np.arange(SENT) / SENT),
        "an echo": z + ECHO * np.roll(z, 1),
    }
    with style():
        figure, axes = _planes(len(seen))
        for ax, (name, received) in zip(axes, seen.items(), strict=True):
            ax.plot(received.real, received.imag, ".", color=PALETTE[0], markersize=2)
            _plane(ax, name, 2.0)
    return figure


def cross_entropy() -> Figure:
    """-ln p of the true class, in nats, against p."""
    p = np.linspace(0.005, 1, 200)
    with style():
        figure = new_figure(4.5, 2.6)
        ax = figure.subplots()
        ax.plot(p, -np.log(p), color=PALETTE[0])
        for at, words in ((0.9, "sure and right"), (1 / 11, "guessing among 11 classes")):
            ax.plot(at, -np.log(at), "o", color=PALETTE[3])
            ax.annotate(
                f"{words}: {-np.log(at):.1f}", (at, -np.log(at)), xytext=(6, 14),
                textcoords="offset points", ha="right" if at > 0.5 else "left", fontsize=9,
            )  # fmt: skip
        ax.set(xlabel="probability that the network gives the true class", ylabel="loss (nats)")
    return figure


def records() -> Figure:
    """Four records of ten epochs, right or wrong, and what Eqs. 4 to 6 count in them."""
    c = np.array([[bit == "1" for bit in bits] for bits in RECORDS.values()]).T
    counts = zip(
        foqus.forgetting_score(c),
        foqus.persistent_error_score(c),
        foqus.correctness_count(c),
        strict=True,
    )
    with style():
        figure = new_figure(7, 2.2)
        ax = figure.subplots()
        for y, (row, (f, e, right)) in enumerate(zip(c.T, counts, strict=True)):
            at = np.arange(1, len(row) + 1)
            ax.plot(at[row], [y] * row.sum(), "o", color=PALETTE[0], markersize=9)
            ax.plot(at[~row], [y] * (~row).sum(), "x", color=PALETTE[3], markersize=8)
            ax.text(len(row) + 1, y, f"{right} right, {f} forgotten, {e} persistent", va="center")
        ax.set_yticks(range(len(RECORDS)), list(RECORDS))
        ax.set(xlabel="epoch (circle: right, cross: wrong)", xticks=range(1, 11))
        ax.set(xlim=(0.5, 18), ylim=(len(RECORDS) - 0.5, -0.5))
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.tick_params(length=0)
    return figure


def _planes(count: int) -> tuple[Figure, ndarray]:
    """Two planes a row: on a phone four in a row could not be read."""
    figure = new_figure(4.4, 2.3 * count / 2)
    return figure, figure.subplots(count // 2, 2).ravel()


def _plane(ax, title: str, limit: float) -> None:
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
    ax.axhline(0, color=GREY, linewidth=0.5)
    ax.axvline(0, color=GREY, linewidth=0.5)
    ax.set_title(title, fontsize=9)

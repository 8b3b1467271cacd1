"""What a data set looks like: constellations, spectra, an SNR ladder, confusions; statistics.

As in `figures`: arrays in, a figure out, nothing told by colour alone.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from jaxtyping import Float, Integer
from matplotlib.figure import Figure
from numpy import ndarray

from foqus_lib.report.colours import GREY, MARKERS, PALETTE
from foqus_lib.report.maps import cloud, readable
from foqus_lib.report.svg import new_figure, plain, style
from foqus_lib.signals import Signals

COLUMNS = 6
MOST_POINTS = 400  # in one small plane


def _grid(panels: int, size: float) -> tuple[Figure, list]:
    """A figure of small panels, COLUMNS across; those too many are hidden."""
    rows = -(-panels // COLUMNS)
    figure = new_figure(size * COLUMNS, (size + 0.15) * rows)
    axes = figure.subplots(rows, COLUMNS, squeeze=False)
    for ax in axes.flat[panels:]:
        ax.set_visible(False)
    return figure, list(axes.flat[:panels])


def of_each_class(signals: Signals, frames: int) -> list[Float[ndarray, "frames 2 L"]]:
    """The last `frames` signals of each class at its highest SNR label."""
    found = []
    for label in range(len(signals.classes)):
        rows = np.flatnonzero(signals.label == label)
        best = rows[signals.snr[rows] == signals.snr[rows].max()]
        found.append(signals.iq[best[-frames:]])
    return found


def iq_frames(iq: Float[ndarray, "M 2 L"], titles: Sequence[str]) -> Figure:
    """Frames over time (I solid, Q dashed) and beside each its I/Q plane; one row a frame."""
    with style():
        figure = new_figure(7, 1.5 * len(iq))
        axes = figure.subplots(len(iq), 2, squeeze=False, width_ratios=[4, 1])
        for (wave, plane), (i, q), title in zip(axes, iq, titles, strict=True):
            wave.plot(i, color=PALETTE[0], linewidth=1.2, label="I")
            wave.plot(q, color=PALETTE[1], linewidth=1.2, linestyle="--", label="Q")
            wave.set_title(plain(title), loc="left", fontsize=10)
            plane.plot(i, q, ".", color=PALETTE[0], markersize=3)
            limit = 1.1 * max(float(np.abs(i).max()), float(np.abs(q).max()), 1e-12)
            plane.set(
                xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[]
            )
        axes[0][0].legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0, ncols=2)
        axes[-1][0].set_xlabel("sample")
        axes[-1][1].set_xlabel("I")
        axes[-1][1].set_ylabel("Q")
    return figure


def constellations(signals: Signals) -> Figure:
    """The I/Q plane of one signal of each class at the highest SNR: MOST_POINTS samples as dots."""
    with style():
        figure, axes = _grid(len(signals.classes), 1.2)
        for ax, frames, name in zip(axes, of_each_class(signals, 1), signals.classes, strict=True):
            i, q = frames[0][:, :MOST_POINTS]
            limit = 1.1 * max(float(np.abs(frames[0]).max()), 1e-12)
            cloud(ax, i, q, color=PALETTE[0], linewidth=1.2)
            ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
            ax.set_title(plain(name), fontsize=8)
    return figure


def spectra(signals: Signals, frames: int = 20) -> Figure:
    """Mean power spectrum of each class at the highest SNR, in dB below its peak."""
    with style():
        figure, axes = _grid(len(signals.classes), 1.2)
        for ax, some, name in zip(
            axes, of_each_class(signals, frames), signals.classes, strict=True
        ):
            ax.plot(*power_spectrum(some), color=PALETTE[0], linewidth=0.8)
            ax.set(xlim=(-0.5, 0.5), ylim=(-50, 3), xticks=[-0.5, 0, 0.5], yticks=[-40, -20, 0])
            ax.tick_params(labelsize=6)
            ax.set_title(plain(name), fontsize=8)
        figure.supxlabel("frequency (cycles a sample)", fontsize=9)
        figure.supylabel("power (dB below the peak)", fontsize=9)
    return figure


def power_spectrum(
    frames: Float[ndarray, "M 2 L"],
) -> tuple[Float[ndarray, " L"], Float[ndarray, " L"]]:
    """Frequencies (cycles a sample) and the mean of |FFT|^2 over frames, Hann window, dB."""
    z = frames[:, 0] + 1j * frames[:, 1]
    length = z.shape[1]
    power = np.square(np.abs(np.fft.fft(z * np.hanning(length), axis=1))).mean(axis=0)
    power = np.fft.fftshift(power)
    decibel = 10 * np.log10(np.maximum(power / power.max(), 1e-12))
    return np.fft.fftshift(np.fft.fftfreq(length)), decibel


def snr_ladder(signals: Signals, label: int, levels: Sequence[float]) -> Figure:
    """One class down the SNRs: I and Q over time, and the I/Q plane, a row for each level (dB)."""
    with style():
        figure = new_figure(7, 1.1 * len(levels))
        axes = figure.subplots(len(levels), 2, squeeze=False, width_ratios=[4, 1])
        for (wave, plane), level in zip(axes, levels, strict=True):
            rows = np.flatnonzero((signals.label == label) & (signals.snr == level))
            i, q = signals.iq[rows[-1]][:, :128]
            wave.plot(i, color=PALETTE[0], linewidth=1, label="I")
            wave.plot(q, color=PALETTE[1], linewidth=1, linestyle="--", label="Q")
            wave.set(ylabel=f"{level:g} dB", xticks=[], yticks=[])
            plane.plot(i, q, ".", color=PALETTE[0], markersize=2)
            plane.set(aspect="equal", xticks=[], yticks=[])
        axes[0][0].legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0, ncols=2)
        axes[0][0].set_title(plain(signals.classes[label]), loc="left", fontsize=10)
        axes[-1][0].set_xlabel("sample")
    return figure


def confusion(counts: Integer[ndarray, "C C"], classes: Sequence[str]) -> Figure:
    """Rows are what was sent, columns what the network said; each row in per cent."""
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with style():
        side = 1.6 + 0.34 * len(classes)
        figure = new_figure(side + 0.6, side)
        ax = figure.subplots()
        names = [plain(name) for name in classes]
        sns.heatmap(
            share, ax=ax, cmap="cividis", vmin=0, vmax=100, annot=True, fmt=".0f", cbar=False,
            linewidths=0.5, annot_kws={"fontsize": 7}, xticklabels=names, yticklabels=names,
        )  # fmt: skip
        readable(ax)
        ax.set(xlabel="said", ylabel="sent")
        ax.tick_params(length=0)
        ax.tick_params(axis="x", rotation=90)
        ax.tick_params(axis="y", rotation=0)
    return figure


def statistics(beside: pd.DataFrame) -> Figure:
    """Each statistic class by class, real recordings beside these signals: `real.beside`.

    One panel a statistic; filled dots are these signals, open ones the real recordings.
    """
    classes = list(dict.fromkeys(beside.index.get_level_values("class")))
    sources = list(dict.fromkeys(beside.index.get_level_values("source")))
    ours = "these signals"
    with style():
        figure = new_figure(7.5, 0.9 + 0.24 * len(classes) * 2)
        axes = figure.subplots(2, -(-len(beside.columns) // 2), sharey=True)
        for ax in axes.flat[len(beside.columns) :]:
            ax.set_visible(False)
        for ax, name in zip(axes.flat, beside.columns, strict=False):
            for place, source in enumerate([ours, *(s for s in sources if s != ours)]):
                rows = beside[name].xs(source, level="source")
                ax.plot(
                    rows.to_numpy(),
                    [classes.index(c) for c in rows.index],
                    MARKERS[place],
                    color=PALETTE[place],
                    markerfacecolor=PALETTE[place] if source == ours else "none",
                    markersize=5,
                    linestyle="none",
                    label=plain(source),
                )
            ax.set_title(plain(name), fontsize=9)
            ax.grid(axis="y")
            ax.axvline(0, color=GREY, linewidth=0.5)
            ax.tick_params(labelsize=7)
        axes[0][0].set_yticks(range(len(classes)), [plain(name) for name in classes])
        axes[0][0].invert_yaxis()
        axes[0][-1].legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    return figure

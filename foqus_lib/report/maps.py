"""Where the kept signals lie: among all signals' losses, among SNRs, among classes."""

from collections.abc import Mapping, Sequence

import numpy as np
import seaborn as sns
from jaxtyping import Bool, Float, Integer, Real
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy import ndarray

from foqus_lib.report.colours import GREY, MARKERS, PALETTE
from foqus_lib.report.svg import new_figure, plain, style

MOST_GREY = 500  # signals behind each map: more tell nothing and weigh


def score_map(
    mean_loss: Float[ndarray, " N"],
    times_right: Integer[ndarray, " N"],
    group: Sequence[str],
    title: str = "",
) -> Figure:
    """Each signal at (epochs in which it was right, mean loss), marked by group.

    The groups are tiers or "picked"/"left"; they are drawn in the order in which they come, each
    shifted a little so that the integer columns do not hide one another.
    """
    group = np.asarray(group)
    names = list(dict.fromkeys(group.tolist()))
    with style():
        figure = new_figure(6, 3.8)
        ax = figure.subplots()
        for place, name in enumerate(names):
            rows = group == name
            shift = 0.5 * ((place + 0.5) / len(names) - 0.5)
            ax.plot(
                times_right[rows] + shift, mean_loss[rows], MARKERS[place % len(MARKERS)],
                color=PALETTE[place % len(PALETTE)], markersize=3, alpha=0.7, linestyle="none",
                label=f"{plain(name)} ({int(rows.sum())})",
            )  # fmt: skip
        ax.set(xlabel="epochs in which the signal was right", ylabel="mean loss (nats)")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_title(plain(title), loc="left", fontsize=10)
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2)
    return figure


def pick_maps(
    mean_loss: Float[ndarray, " N"],
    times_right: Integer[ndarray, " N"],
    picks: Mapping[str, Integer[ndarray, " k"]],
) -> Figure:
    """One small `score_map` a method: what it keeps in colour, over all signals in grey.

    Where they are more than MOST_GREY, every n-th of them is drawn in grey.
    """
    columns, thin = 3, -(-len(mean_loss) // MOST_GREY)
    with style():
        figure = new_figure(7.5, 2 * -(-len(picks) // columns))
        axes = figure.subplots(-(-len(picks) // columns), columns, sharex=True, sharey=True)
        for ax in axes.flat[len(picks) :]:
            ax.set_visible(False)
        for ax in axes.flat[len(picks) - columns : len(picks)]:
            ax.tick_params(labelbottom=True)  # also above an empty place
        for ax, (name, rows) in zip(axes.flat, picks.items(), strict=False):
            cloud(ax, times_right[::thin], mean_loss[::thin], color=GREY, alpha=0.6, linewidth=2)
            ax.plot(times_right[rows], mean_loss[rows], MARKERS[0], color=PALETTE[0], markersize=3)
            ax.set_title(plain(name), loc="left", fontsize=9)
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.supxlabel("epochs in which the signal was right", fontsize=10)
        figure.supylabel("mean loss (nats)", fontsize=10)
    return figure


def cloud(ax, x: Real[ndarray, " N"], y: Real[ndarray, " N"], **look: object) -> None:
    """Dots as one path of strokes without length: a third of the bytes of markers."""
    apart = np.full((len(x), 3, 2), np.nan)  # there, to the same place, lift the pen
    apart[:, :2] = np.stack([x, y], axis=1)[:, None]
    [line] = ax.plot(*apart.reshape(-1, 2).T, solid_capstyle="round", **look)
    line.get_path().should_simplify = False  # else strokes without length are left out


def snr_shares(kept: Mapping[str, Float[ndarray, " k"]]) -> Figure:
    """The share (%) of each SNR label in the coreset of each method: numbers on a colour scale.

    kept: the SNR (dB) of every signal that a method keeps.
    """
    levels = np.unique(np.concatenate(list(kept.values())))
    shares = np.array([[100 * np.mean(snr == level) for level in levels] for snr in kept.values()])
    return _by_snr(shares.round().astype(int), list(kept), levels)


def snr_histogram(
    snr: Float[ndarray, " N"],
    label: Integer[ndarray, " N"],
    kept: Bool[ndarray, " N"],
    classes: Sequence[str],
) -> Figure:
    """How many signals of each class and SNR the coreset keeps: numbers on a colour scale."""
    levels = np.unique(snr)
    counts = np.array(
        [[np.sum(kept & (label == c) & (snr == s)) for s in levels] for c in range(len(classes))]
    )
    return _by_snr(counts, classes, levels)


def _by_snr(
    numbers: Integer[ndarray, "rows levels"],
    names: Sequence[str],
    levels: Float[ndarray, " levels"],
) -> Figure:
    """Whole numbers by name and SNR label (dB), on a colour scale."""
    with style():
        figure = new_figure(2 + 0.5 * len(levels), 1 + 0.3 * len(names))
        ax = figure.subplots()
        sns.heatmap(
            numbers, ax=ax, cmap="cividis", annot=True, fmt="d", cbar=False, linewidths=0.5,
            annot_kws={"fontsize": 8}, xticklabels=[f"{s:g}" for s in levels],
            yticklabels=[plain(name) for name in names],
        )  # fmt: skip
        readable(ax)
        ax.set(xlabel="SNR (dB)", ylabel="")
        ax.tick_params(length=0, axis="both", rotation=0)
    return figure


def readable(ax) -> None:
    """White numbers on the dark cells of a heat map, black ones on the light."""
    for text, cell in zip(ax.texts, ax.collections[0].get_facecolors(), strict=True):
        dark = sns.utils.relative_luminance(cell) < 0.18  # where white and black read alike
        text.set_color("#ffffff" if dark else "#111111")

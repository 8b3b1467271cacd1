"""Tidy frames and arrays -> figures; pass each to `svg.inline_svg` with a sentence that says it.

Colours are seaborn's "colorblind"; nothing is told by colour alone (markers, dashes, positions).
"""

from collections.abc import Mapping, Sequence
from itertools import zip_longest

import numpy as np
import pandas as pd
import seaborn as sns
from jaxtyping import Bool, Float, Integer
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy import ndarray

from foqus_lib.experiment.study import Metric, Study
from foqus_lib.report.blocks import block_names, block_of, budgets_of, in_blocks, in_order
from foqus_lib.report.compare import LEAST
from foqus_lib.report.svg import new_figure, plain, style
from foqus_lib.report.tables import difference_to_floor

PALETTE = sns.color_palette("colorblind").as_hex()
GREY = "#808080"
MARKERS = ["o", "s", "D", "^", "v", "P", "X", "<", ">", "p", "h", "*"]


def budget_curve(rows: pd.DataFrame, study: Study) -> Figure:
    """The first metric against the budget, one line a method; one panel a block.

    Bars: ± sd over selection seeds; fewer than five seeds are shown as dots instead. FoQuS is drawn
    thick, the floor dashed; the ceiling is the dotted line. One budget alone makes no curve: then
    the methods stand below one another.
    """
    blocked = in_blocks(rows, study)
    panels = [group for _, group in blocked.groupby(block_of(study), sort=False)]
    if len(budgets_of(blocked[blocked.method != study.ceiling])) == 1:
        return _one_budget(panels, study)
    with style():
        figure, axes = _side_by_side(len(panels), study.metrics[0])
        for ax, here in zip(axes, panels, strict=True):
            _curves(ax, here, "budget", list(blocked.method), study)
            ceiling = _seed_means(here[here.method == study.ceiling], [], study)
            if len(ceiling):
                ax.errorbar([], [], label=study.ceiling, color=GREY, linestyle=":")
                ax.axhline(ceiling.mean(), color=GREY, linestyle=":")
            ax.set(title=block_names(here, study).iloc[0], xlabel=study.axis.label)
            _budget_axis(ax, budgets_of(here[here.method != study.ceiling]), study)
        axes[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _one_budget(panels: Sequence[pd.DataFrame], study: Study) -> Figure:
    """The first metric by method, mean ± sd over seeds (or the seeds' dots); one panel a block."""
    methods = in_order([name for panel in panels for name in panel.method], study)
    names = [name for name in methods if name != study.ceiling]
    with style():
        figure = new_figure(1.6 + 3 * len(panels), 1.2 + 0.28 * len(names))
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for ax, here in zip(axes, panels, strict=True):
            for y, name in enumerate(names):
                _one_method(ax, _seed_means(here[here.method == name], [], study), y, name)
            ceiling = _seed_means(here[here.method == study.ceiling], [], study)
            if len(ceiling):
                ax.axvline(ceiling.mean(), color=GREY, linestyle=":", label=study.ceiling)
                ax.legend(loc="upper right", bbox_to_anchor=(1, 0), borderaxespad=3)
            compared = here[here.method != study.ceiling]
            text = ", ".join(map(study.axis.text, budgets_of(compared)))
            title = ", ".join(part for part in (block_names(here, study).iloc[0], text) if part)
            ax.set(title=title, xlabel=study.metrics[0].label)
            ax.grid(axis="x")
        axes[0].set_yticks(range(len(names)), [plain(name) for name in names])
        axes[0].set_ylim(max(len(names), 1) - 0.5, -0.5)
    return figure


def _one_method(ax, seeds: pd.Series, y: int, name: str) -> None:
    """Mean and sd of a method's seeds at a height; below LEAST the seeds themselves."""
    colour = "#000000" if name == "FoQuS" else PALETTE[0]
    if len(seeds) >= LEAST:
        ax.errorbar(seeds.mean(), y, xerr=seeds.std(), fmt="o", color=colour, capsize=2)
    else:
        ax.plot(seeds, [y] * len(seeds), ".", color=colour)


def accuracy_by_snr(by_snr: pd.DataFrame, study: Study) -> Figure:
    """Accuracy against SNR (dB), one line a method, mean over seeds; one panel a budget.

    `by_snr`: the key of each trial, snr and accuracy; one block; the ceiling is the dotted line.
    """
    selected = by_snr[by_snr.method != study.ceiling]
    ceiling = _seed_means(by_snr[by_snr.method == study.ceiling], ["snr"], study)
    ceiling = ceiling.groupby(level="snr").mean()
    budgets = budgets_of(selected)
    with style():
        figure, axes = _side_by_side(max(len(budgets), 1), study.metrics[0])
        for ax, budget in zip_longest(axes, budgets):  # no budget yet: the ceiling alone
            here = selected[selected.budget == budget]
            _curves(ax, here, "snr", list(by_snr.method), study)
            if len(ceiling):
                ax.plot(ceiling.index, ceiling, color=GREY, linestyle=":", label=study.ceiling)
            title = "" if budget is None else study.axis.text(budget)
            ax.set(title=title, xlabel="SNR (dB)")
        axes[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _side_by_side(panels: int, metric: Metric) -> tuple[Figure, ndarray]:
    """Panels in a row that share the axis of the metric."""
    figure = new_figure(1.8 + 3.4 * panels, 3.8)
    axes = figure.subplots(1, panels, sharey=True, squeeze=False)[0]
    axes[0].set_ylabel(metric.label)
    return figure, axes


def _seed_means(rows: pd.DataFrame, keys: list[str], study: Study) -> pd.Series:
    """The metric by (keys, seed): the mean over repeats."""
    return rows.groupby([*keys, "seed"])[study.metrics[0].name].mean()


def _curves(ax, rows: pd.DataFrame, along: str, methods: Sequence[str], study: Study) -> None:
    """Mean ± sd over seeds against a column; looks by the place among all `methods`."""
    names = [name for name in in_order(list(methods), study) if name != study.ceiling]
    for place, name in enumerate(names):
        seeds = _seed_means(rows[rows.method == name], [along], study)
        if seeds.empty:
            continue
        curve = seeds.groupby(level=along).agg(["mean", "std", "size"])
        look = _look(name, place, study)
        bars = curve["std"].where(curve["size"] >= LEAST, 0)
        ax.errorbar(curve.index, curve["mean"], bars, label=plain(name), **look)
        few = seeds[seeds.index.get_level_values(along).isin(curve.index[curve["size"] < LEAST])]
        ax.plot(
            few.index.get_level_values(along),
            few,
            ".",
            color=look["color"],
            markersize=3,
            alpha=0.6,
        )


def _look(name: str, place: int, study: Study) -> dict:
    """Line, marker and colour of a method: the same in every figure with the same methods."""
    strong = name == "FoQuS"
    again = place >= len(PALETTE)  # a colour that comes again is told by its line
    return {
        "color": "#000000" if strong else PALETTE[place % len(PALETTE)],
        "marker": MARKERS[place % len(MARKERS)],
        "linestyle": "--" if name == study.floor else "-." if again and not strong else "-",
        "linewidth": 2.4 if strong else 1.2,
        "markersize": 4.5,
        "capsize": 2,
        "elinewidth": 0.8,
        "zorder": 3 if strong else 2,
    }


def _budget_axis(ax, budgets: Sequence[int], study: Study) -> None:
    """The budgets themselves as marks, on a logarithmic scale where they span a decade."""
    if budgets and budgets[0] > 0 and budgets[-1] >= 10 * budgets[0]:
        ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(list(budgets)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda budget, _: study.axis.text(round(budget))))
    ax.xaxis.set_minor_locator(NullLocator())


def forest(rows: pd.DataFrame, study: Study, unfinished: str = "") -> Figure:
    """Difference to the floor with 95 % intervals over seeds; one panel a budget, one block.

    Filled: better or worse after Holm's adjustment. Below five seeds the seeds' own differences
    stand as dots, without an interval.
    """
    numbers = difference_to_floor(rows, study, unfinished).numbers
    if len(numbers[block_of(study)].drop_duplicates()) > 1:
        raise ValueError(
            "forest: expected one block, got "
            f"{sorted(set(block_names(numbers, study)))}; filter the rows first"
        )
    metric, budgets = study.metrics[0], budgets_of(numbers)
    names, scale = list(dict.fromkeys(numbers.method)), 100 if study.metrics[0].points else 1
    with style():
        figure = new_figure(1.6 + 1.7 * max(len(budgets), 1), 1 + 0.28 * max(len(names), 1))
        axes = figure.subplots(1, max(len(budgets), 1), sharey=True, squeeze=False)[0]
        for ax, budget in zip(axes, budgets, strict=bool(budgets)):  # none yet: an empty panel
            ax.axvline(0, color=GREY, linewidth=1)
            for row in numbers[numbers.budget == budget].itertuples():
                _one_difference(ax, row, names.index(row.method), scale)
            ax.set_title(study.axis.text(budget))
            ax.grid(axis="x")
        axes[0].set_yticks(range(len(names)), [plain(name) for name in names])
        axes[0].set_ylim(max(len(names), 1) - 0.5, -0.5)
        unit = "points" if metric.points else metric.label
        figure.supxlabel(f"{unit} above {plain(study.floor)}", fontsize=10)
    return figure


def _one_difference(ax, row, y: int, scale: int) -> None:
    """An interval and its mean, or the seeds' own dots."""
    colour = {"better": PALETTE[0], "worse": PALETTE[3]}.get(row.verdict, GREY)
    if row.low != row.low:
        ax.plot([scale * value for value in row.each], [y] * len(row.each), ".", color=GREY)
        return
    face = colour if row.verdict in ("better", "worse") else "none"
    ax.plot([scale * row.low, scale * row.high], [y, y], color=colour)
    ax.plot(scale * row.difference, y, "o", color=colour, markerfacecolor=face)


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
    """One small `score_map` a method: what it keeps in colour, over all signals in grey."""
    columns = 3
    with style():
        figure = new_figure(7.5, 2 * -(-len(picks) // columns))
        axes = figure.subplots(-(-len(picks) // columns), columns, sharex=True, sharey=True)
        for ax in axes.flat[len(picks) :]:
            ax.set_visible(False)
        for ax, (name, rows) in zip(axes.flat, picks.items(), strict=False):
            _cloud(ax, times_right, mean_loss)
            ax.plot(times_right[rows], mean_loss[rows], MARKERS[0], color=PALETTE[0], markersize=3)
            ax.set_title(plain(name), loc="left", fontsize=9)
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.supxlabel("epochs in which the signal was right", fontsize=10)
        figure.supylabel("mean loss (nats)", fontsize=10)
    return figure


def _cloud(ax, x: Integer[ndarray, " N"], y: Float[ndarray, " N"]) -> None:
    """Grey dots as one path of strokes without length: a third of the bytes of markers."""
    apart = np.full((len(x), 3, 2), np.nan)  # there, to the same place, lift the pen
    apart[:, :2] = np.stack([x, y], axis=1)[:, None]
    [line] = ax.plot(
        *apart.reshape(-1, 2).T, color=GREY, alpha=0.6, linewidth=2, solid_capstyle="round"
    )
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

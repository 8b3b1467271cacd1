"""Curves of a metric: against the budget, against SNR; one line a method, one panel a block."""

from collections.abc import Sequence
from itertools import zip_longest

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy import ndarray

from foqus_lib.experiment.study import Metric, Study
from foqus_lib.report.blocks import block_names, block_of, budgets_of, in_blocks, in_order
from foqus_lib.report.colours import GREY, MARKERS, PALETTE
from foqus_lib.report.compare import LEAST
from foqus_lib.report.svg import new_figure, plain, style


def budget_curve(rows: pd.DataFrame, study: Study, all_data: str = ":") -> Figure:
    """The first metric against the budget, one line a method; one panel a block.

    Bars: ± sd over selection seeds; fewer than five seeds are shown as dots instead. FoQuS is drawn
    thick, the floor dashed; the ceiling is a line of style `all_data`. One budget alone makes no
    curve: then the methods stand below one another. Without a row there is an empty panel.
    """
    if rows.empty:
        with style():
            return _side_by_side(1, study.metrics[0])[0]
    blocked = in_blocks(rows, study)
    panels = [group for _, group in blocked.groupby(block_of(study), sort=False)]
    if len(budgets_of(blocked[blocked.method != study.ceiling])) == 1:
        return _one_budget(panels, study, all_data)
    with style():
        figure, axes = _side_by_side(len(panels), study.metrics[0])
        for ax, here in zip(axes, panels, strict=True):
            _curves(ax, here, "budget", list(blocked.method), study)
            ceiling = _seed_means(here[here.method == study.ceiling], [], study)
            if len(ceiling):
                ax.errorbar([], [], label=study.ceiling, color=GREY, linestyle=all_data)
                ax.axhline(ceiling.mean(), color=GREY, linestyle=all_data)
            ax.set(title=block_names(here, study).iloc[0], xlabel=study.axis.label)
            _budget_axis(ax, budgets_of(here[here.method != study.ceiling]), study)
        axes[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _one_budget(panels: Sequence[pd.DataFrame], study: Study, all_data: str) -> Figure:
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
                ax.axvline(ceiling.mean(), color=GREY, linestyle=all_data, label=study.ceiling)
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
        if len(by_snr):
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
        look = look_of(name, place, study)
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


def look_of(name: str, place: int, study: Study) -> dict:
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

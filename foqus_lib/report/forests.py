"""Every method less the floor, with its interval, as a forest."""

import pandas as pd
from matplotlib.figure import Figure

from foqus_lib.experiment.study import Study
from foqus_lib.report.blocks import block_names, budgets_of
from foqus_lib.report.colours import GREY, PALETTE
from foqus_lib.report.differences import difference_to_floor
from foqus_lib.report.svg import new_figure, plain, style


def forest(rows: pd.DataFrame, study: Study, unfinished: str = "") -> Figure:
    """Difference to the floor with 95 % intervals over seeds; a panel for each block and budget.

    Filled: better or worse after Holm's adjustment. Below five seeds the seeds' own differences
    stand as dots, without an interval.
    """
    numbers = difference_to_floor(rows, study, unfinished).numbers
    numbers = numbers.assign(block=block_names(numbers, study))
    blocks, budgets = list(dict.fromkeys(numbers.block)), budgets_of(numbers)
    names, scale = list(dict.fromkeys(numbers.method)), 100 if study.metrics[0].points else 1
    down, across = max(len(blocks), 1), max(len(budgets), 1)  # none yet: an empty panel
    with style():
        figure = new_figure(1.6 + 1.7 * across, 1 + 0.28 * max(len(names), 1) * down)
        panels = figure.subplots(down, across, sharey=True, squeeze=False)
        for ax in panels.flat:
            ax.axvline(0, color=GREY, linewidth=1)
            ax.grid(axis="x")
        for line, block in zip(panels, blocks, strict=bool(blocks)):
            for ax, budget in zip(line, budgets, strict=True):
                here = numbers[(numbers.block == block) & (numbers.budget == budget)]
                for row in here.itertuples():
                    one_difference(ax, row, names.index(row.method), scale)
                of = f"{plain(block)}, " * (len(blocks) > 1)
                ax.set_title(f"{of}{study.axis.text(budget)}")
        for line in panels:
            line[0].set_yticks(range(len(names)), [plain(name) for name in names])
            line[0].set_ylim(max(len(names), 1) - 0.5, -0.5)
        metric = study.metrics[0]
        unit = "points" if metric.points else metric.label
        figure.supxlabel(f"{unit} above {plain(study.floor)}", fontsize=10)
    return figure


def one_difference(ax, row, y: int, scale: int) -> None:
    """An interval and its mean, or the seeds' own dots."""
    colour = {"better": PALETTE[0], "worse": PALETTE[3]}.get(row.verdict, GREY)
    if row.low != row.low:
        ax.plot([scale * value for value in row.each], [y] * len(row.each), ".", color=GREY)
        return
    face = colour if row.verdict in ("better", "worse") else "none"
    ax.plot([scale * row.low, scale * row.high], [y, y], color=colour)
    ax.plot(scale * row.difference, y, "o", color=colour, markerfacecolor=face)

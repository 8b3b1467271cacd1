"""Every method less the floor, with its interval, as a forest."""

import pandas as pd
from matplotlib.figure import Figure

from foqus_lib.experiment.study import Study
from foqus_lib.report.blocks import block_names, block_of, budgets_of
from foqus_lib.report.colours import GREY, PALETTE
from foqus_lib.report.differences import difference_to_floor
from foqus_lib.report.svg import new_figure, plain, style


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
                one_difference(ax, row, names.index(row.method), scale)
            ax.set_title(study.axis.text(budget))
            ax.grid(axis="x")
        axes[0].set_yticks(range(len(names)), [plain(name) for name in names])
        axes[0].set_ylim(max(len(names), 1) - 0.5, -0.5)
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

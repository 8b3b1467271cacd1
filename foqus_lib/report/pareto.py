"""Which rows no other row beats: accuracy against something that has to be paid."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from foqus_lib.experiment.study import Metric, Study
from foqus_lib.report.blocks import block_names, block_of, in_blocks, in_order, note_on
from foqus_lib.report.colours import GREY, MARKERS, PALETTE
from foqus_lib.report.means import mean_texts
from foqus_lib.report.printed import Table
from foqus_lib.report.svg import new_figure, plain, style

MARK = "●"
FILLS = "full", "none", "left", "bottom"  # of a marker, by the block


def means(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Mean of every metric over seeds, sd and n of the first; one row a (block, method, budget)."""
    keys = [*block_of(study), "method", "budget"]
    first, *others = study.metrics
    seeds = rows.groupby([*keys, "seed"], sort=False)[[m.name for m in study.metrics]].mean()
    grouped = seeds.groupby(level=keys, sort=False)
    found = grouped[[metric.name for metric in others]].mean()
    spread = grouped[first.name].agg(["mean", "std", "size"])
    spread.columns = ["mean", "sd", "n"]
    return spread.join(found).reset_index()


def on_front(table: pd.DataFrame, costs: Sequence[str], metric: Metric) -> pd.DataFrame:
    """For each cost: no other row is better and costs no more, or is as good and costs less."""
    sign = 1 if metric.higher_is_better else -1
    value = sign * table["mean"]
    found = {}
    for cost in costs:
        found[cost] = [
            not (
                ((value > value[at]) & (table[cost] <= table[cost][at]))
                | ((value == value[at]) & (table[cost] < table[cost][at]))
            ).any()
            for at in table.index
        ]
    return pd.DataFrame(found, index=table.index)


def frontier_table(
    rows: pd.DataFrame, study: Study, costs: Sequence[str], unfinished: str = ""
) -> Table:
    """Each row in words: mean ± sd (n), what it costs, and a mark where no other row beats it.

    `unfinished` is `Scan.note` of the rows, if any are missing. Nothing is bold: the marks are.
    """
    table = means(rows, study)
    front = on_front(table, costs, study.metrics[0])
    label = {metric.name: metric.label for metric in study.metrics}
    names = [name for name in study.block if table[name].nunique() > 1]
    order = {name: place for place, name in enumerate(in_order(list(table.method), study))}
    heads = {
        **{name.replace("_", " ").capitalize(): table[name] for name in names},
        "Method": table.method,
        study.axis.title: [
            "all" if method == study.ceiling else study.axis.text(budget)
            for method, budget in zip(table.method, table.budget, strict=True)
        ],
    }
    shown = pd.DataFrame(heads | {
        study.metrics[0].label.capitalize(): mean_texts(table, study.metrics[0]),
        "n": table.n,
        **{
            label[cost][:1].upper() + label[cost][1:]: [
                f"{MARK} {_price(value)}" if marked else _price(value)
                for value, marked in zip(table[cost], front[cost], strict=True)
            ]
            for cost in costs
        },
    })  # fmt: skip
    keys = [*names, "budget", "method"]
    placed = table.assign(method=table.method.map(order)).sort_values(keys, kind="stable")
    text = shown.loc[placed.index].set_index(list(heads)).astype(str)
    note = (
        f"{note_on(in_blocks(rows, study), study, unfinished)} {MARK}: no row with a higher mean "
        "costs as little of that price; with few seeds that may be luck."
    )
    numbers = table.join(front.add_suffix("_front")).loc[placed.index]
    return Table(numbers, text, text.map(lambda _: False), note)


def _price(value: float) -> str:
    """Whole numbers, or two digits of a small one."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def frontier_figure(rows: pd.DataFrame, study: Study, costs: Sequence[str]) -> Figure:
    """The first metric against each cost, one panel a cost; a step joins the rows of the front.

    Colour and shape tell the method, the filling the block.
    """
    table = means(rows, study)
    front = on_front(table, costs, study.metrics[0])
    label = {metric.name: metric.label for metric in study.metrics}
    methods = in_order(list(dict.fromkeys(table.method)), study)
    blocks = block_names(table, study)
    with style():
        figure = new_figure(1.8 + 3 * len(costs), 4.6)
        axes = figure.subplots(1, len(costs), sharey=True, squeeze=False)[0]
        for ax, cost in zip(axes, costs, strict=True):
            best = table[front[cost]].sort_values(cost)
            ax.plot(best[cost], best["mean"], color=GREY, drawstyle="steps-post", linewidth=1)
            for place, method in enumerate(methods):
                look = {
                    "marker": MARKERS[place % len(MARKERS)], "linestyle": "none", "markersize": 5,
                    "color": GREY if method == study.ceiling else PALETTE[place % len(PALETTE)],
                }  # fmt: skip
                ax.plot([], [], label=plain(method), **look)
                for fill, block in zip(FILLS, dict.fromkeys(blocks), strict=False):
                    here = table[(table.method == method) & (blocks == block)]
                    ax.plot(here[cost], here["mean"], fillstyle=fill, **look)
            if blocks.nunique() > 1:
                for fill, block in zip(FILLS, dict.fromkeys(blocks), strict=False):
                    ax.plot([], [], "o", color=GREY, fillstyle=fill, label=plain(block))
            ax.set_xscale("log")
            ax.set_xlabel(label[cost])
            ax.grid()
        axes[0].set_ylabel(study.metrics[0].label)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure

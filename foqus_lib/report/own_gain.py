"""What an evaluation of one's own coreset measured: curves, differences, their table."""

import math

from matplotlib.figure import Figure

from foqus_lib.report.blocks import budgets_of, in_blocks, in_order
from foqus_lib.report.colours import GREY
from foqus_lib.report.compare import LEAST
from foqus_lib.report.curves import look_of
from foqus_lib.report.differences import comparison_text, difference_text
from foqus_lib.report.forests import one_difference
from foqus_lib.report.html_parts import figure, paragraph, table
from foqus_lib.report.means import spread, value_text
from foqus_lib.report.own_verdict import Evaluated
from foqus_lib.report.svg import inline_svg, new_figure, plain, style


def gain_parts(of: Evaluated) -> list[str]:
    """Curves, differences, and the table of both, each with its n; [] if nothing was measured."""
    lines = of.lines()
    if not lines:
        return []
    floor, metric = of.study.floor, of.study.metrics[0].label
    curve = inline_svg(seed_curves(of), f"{metric} by rate, {_names(of)}; a dot a seed", "curve")
    less = inline_svg(differences(of), f"{of.method} less {floor} by rate, in points", "gain")
    return [
        figure(
            curve.data,
            f"{metric.capitalize()} on the part held out: a dot a seed, lines through the means. "
            f"{of.study.ceiling} is trained on all of the training part.",
        ),
        figure(
            less.data,
            f"{of.method} less {floor}, seed by seed (dots)"
            + (
                ", their mean with its 95 % interval (circle: filled if better or worse after "
                "adjustment)."
                if max(row.n for row in lines) >= LEAST
                else f"; below {LEAST} seeds there is no interval."
            ),
        ),
        _means(of),
        _differences(of),
        paragraph(of.compared.note, "note"),
    ]


def _names(of: Evaluated) -> str:
    return ", ".join(in_order(list(of.rows.method), of.study))


def _means(of: Evaluated) -> str:
    """Means by rate; two narrow tables can be read on a phone, one wide one cannot."""
    metric, study = of.study.metrics[0], of.study
    means = spread(of.rows, ["method", "budget"], metric).set_index(["method", "budget"])["mean"]
    ceiling = means.get(study.ceiling, [math.nan])

    def text(method: str, budget: int) -> str:
        return value_text(means.get((method, budget), math.nan), metric)

    lines = [
        [study.axis.text(int(row.budget)), text(study.floor, row.budget),
         text(of.method, row.budget), *(value_text(one, metric) for one in ceiling)]
        for row in of.lines()
    ]  # fmt: skip
    caption = f"Mean {metric.label} on the part held out, over {_seeds(of)}."
    return table(caption, ["Rate", study.floor, of.method, study.ceiling], lines)


def _differences(of: Evaluated) -> str:
    metric = of.study.metrics[0]
    lines = [
        [
            of.study.axis.text(int(row.budget)),
            comparison_text(row, metric),
            row.verdict,
            difference_text(row.detectable, metric)[1:] if row.n >= LEAST else "–",
        ]
        for row in of.lines()
    ]
    several = max(row.n for row in of.lines()) >= LEAST
    what = "with the 95 % interval; and the smallest difference that could have been shown"
    caption = (
        f"{of.method} less {of.study.floor} in points, over {_seeds(of)}, "
        f"{what if several else 'seed by seed'}."
    )
    return table(caption, ["Rate", "Difference", "Verdict", "Could have shown"], lines)


def _seeds(of: Evaluated) -> str:
    """ "n = 5 seeds", or a range where a rate lacks some."""
    low, high = min(row.n for row in of.lines()), max(row.n for row in of.lines())
    return f"n = {low}{f' to {high}' * (low != high)} seed{'s' * (high > 1)}"


def seed_curves(of: Evaluated) -> Figure:
    """The metric by rate: floor and method, a dot a seed and a line through the means; ceiling."""
    blocked = in_blocks(of.rows, of.study)
    compared = blocked[blocked.method != of.study.ceiling]
    budgets, metric = budgets_of(compared), of.study.metrics[0]
    ceiling = blocked[blocked.method == of.study.ceiling].groupby("seed")[metric.name].mean()
    with style():
        drawn = new_figure(4.4, 3.2)
        ax = drawn.subplots()
        names = in_order(list(compared.method), of.study)
        for place, name in enumerate(names):
            how, aside = look_of(name, place, of.study), 0.16 * (place - (len(names) - 1) / 2)
            del how["capsize"], how["elinewidth"]  # there are dots in place of bars
            seeds = compared[compared.method == name].groupby(["budget", "seed"])[metric.name]
            each = seeds.mean()
            means = each.groupby(level="budget").mean()
            dots = how | {"linestyle": "none", "alpha": 0.45, "markersize": 3.5}
            ax.plot([budgets.index(b) + aside for b, _ in each.index], each, **dots)
            at = [budgets.index(b) + aside for b in means.index]
            ax.plot(at, means, label=plain(name), **how)
        ticks = [of.study.axis.text(budget) for budget in budgets]
        if len(ceiling):
            ax.axhline(ceiling.mean(), color=GREY, linestyle=":", label=of.study.ceiling)
            ax.plot([len(budgets)] * len(ceiling), ceiling, "x", color=GREY, markersize=4)
            ticks.append(of.study.ceiling)
        ax.set_xticks(range(len(ticks)), ticks)
        ax.set(xlabel=of.study.axis.label, ylabel=metric.label)
        ax.grid(axis="y")
        columns = 3 if sum(map(len, names)) < 24 else 1  # long names side by side leave the figure
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=columns, fontsize=9)
    return drawn


def differences(of: Evaluated) -> Figure:
    """The method less the floor at each rate: the seeds' dots, and from LEAST on the interval."""
    lines, scale = of.lines(), 100 if of.study.metrics[0].points else 1
    with style():
        drawn = new_figure(4.4, 0.9 + 0.45 * len(lines))
        ax = drawn.subplots()
        ax.axvline(0, color=GREY, linewidth=1)
        for y, row in enumerate(lines):
            if row.n >= LEAST:  # below it they are all there is, and `one_difference` draws them
                ax.plot(
                    [scale * one for one in row.each], [y + 0.25] * len(row.each), ".", color=GREY
                )
            one_difference(ax, row, y, scale)
        ax.set_yticks(range(len(lines)), [of.study.axis.text(int(row.budget)) for row in lines])
        ax.set_ylim(len(lines) - 0.5, -0.5)
        ax.grid(axis="x")
        ax.set_xlabel(f"points above {plain(of.study.floor)}")
    return drawn

"""Committed rows and claims -> the figures of the findings pages, as parts of a page (HTML).

`derive` writes them beside its tables; the directive `drawn` of the book puts one into a page.
"""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from foqus_lib.experiment.study import Study
from foqus_lib.report.blocks import block_of, budgets_of, in_blocks
from foqus_lib.report.claim_rules import FAILS, HOLDS, UNSHOWN, Finding
from foqus_lib.report.claims_file import OURS, Claim
from foqus_lib.report.colours import GREY, PALETTE
from foqus_lib.report.curves import budget_curve
from foqus_lib.report.forests import forest
from foqus_lib.report.pareto import frontier_figure
from foqus_lib.report.svg import inline_svg, new_figure, plain, style

COLOURS = {HOLDS: PALETTE[0], FAILS: PALETTE[3], UNSHOWN: GREY}
PAPER = PALETTE[1]
PRINTED = {"table_I": PAPER, "table_III": "none"}  # which row of the floor; how it is filled
WIDTH = 40  # letters of a claim in a line


def write_figure(figure: Figure, label: str, path: Path) -> None:
    """The figure as inline SVG; `label` is what a screen reader says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name = f"{path.parent.parent.name} {path.stem}"
    path.write_text(inline_svg(figure, label, name).data + "\n", encoding="utf-8")


def layer_figures(
    stem: str, rows: pd.DataFrame, study: Study, folder: Path, theirs: pd.DataFrame | None = None
) -> None:
    """<stem>_curve.html; of rows of one block <stem>_forest.html; with prices <stem>_front.html.

    theirs: method, budget and the paper's differences (fractions) in columns PRINTED, to be marked.
    """
    compared = in_blocks(rows, study)
    compared = compared[compared.method != study.ceiling]
    where = ", ".join(rows.dataset.unique())
    metric = study.metrics[0].label
    if len(budgets_of(compared)) > 1:
        label = f"{where}: {metric} against {study.axis.label}, one line a method"
        write_figure(budget_curve(rows, study), label, folder / f"{stem}_curve.html")
    if study.prices:
        label = f"{where}: {metric} against what is paid for it; a step joins what nothing beats"
        write_figure(
            frontier_figure(rows, study, study.prices), label, folder / f"{stem}_front.html"
        )
    if len(compared[block_of(study)].drop_duplicates()) == 1:
        figure = forest(rows, study)
        figure.set_figwidth(max(figure.get_figwidth(), 6.5))
        if theirs is not None and len(theirs):
            _mark(figure, theirs, study)
        label = f"{where}: difference of each method to {study.floor} with its 95 % interval"
        write_figure(figure, label, folder / f"{stem}_forest.html")


def _mark(figure: Figure, theirs: pd.DataFrame, study: Study) -> None:
    """The paper's differences as diamonds beside ours, one panel a budget; a key below them."""
    axes = figure.axes
    names = [text.get_text() for text in axes[0].get_yticklabels()]
    with style():
        for ax, budget in zip(axes, budgets_of(theirs), strict=False):
            for row in theirs[theirs.budget == budget].to_dict("records"):
                if plain(row["method"]) in names:
                    y = names.index(plain(row["method"]))
                    for name, face in PRINTED.items():
                        _diamond(ax, [100 * row[name]], [y + 0.28], face)
        keys = [
            _key(f"the paper, {plain(study.floor)} of {name.replace('table_', 'Table ')}", face)
            for name, face in PRINTED.items()
        ]
        figure.legend(handles=keys, loc="outside upper right", fontsize=9)


def _diamond(ax, x: Sequence[float], y: Sequence[float], face: str) -> None:
    ax.plot(x, y, "D", color=PAPER, markerfacecolor=face, markersize=4)


def _key(label: str, face: str) -> Line2D:
    return Line2D(
        [], [], marker="D", linestyle="none", markersize=4, color=PAPER, markerfacecolor=face,
        label=label,
    )  # fmt: skip


def claim_figure(
    found: Sequence[tuple[Claim, Finding]],
    theirs: Mapping[str, Sequence[float]],
    title: str = "",
) -> Figure:
    """Each tested claim's comparisons with their 95 % intervals (points); the paper's as diamonds.

    theirs: by the claim's id, the differences that the paper prints, as fractions.
    title: for a place without a caption.
    """
    tested = [(claim, one) for claim, one in found if _has_intervals(one)]
    with style():
        figure = new_figure(7.5, 0.9 + 0.62 * max(len(tested), 1))
        ax = figure.subplots()
        ax.axvline(0, color=GREY, linewidth=1)
        for y, (claim, one) in enumerate(tested):
            _comparisons(ax, one.comparisons, y, COLOURS[one.verdict])
            printed = theirs.get(claim.id, ())
            _diamond(ax, [100 * x for x in printed], [y + 0.38] * len(printed), PAPER)
            ax.text(
                1.02, y, one.verdict, transform=ax.get_yaxis_transform(), va="center", fontsize=9
            )
        ax.set_yticks(
            range(len(tested)),
            [plain(textwrap.fill(_line(claim), WIDTH)) for claim, _ in tested],
            fontsize=9,
        )
        ax.set_ylim(max(len(tested), 1) - 0.5, -0.5)
        ax.grid(axis="x")
        ax.set_xlabel("difference that the claim is about, in points")
        keys = [
            Line2D([], [], marker="o", color=GREY, markersize=4, label="ours, 95 % interval"),
            _key("the paper", PAPER),
        ]
        place = "lower" if title else "upper"
        figure.legend(handles=keys, loc=f"outside {place} right", ncols=2, fontsize=9)
        figure.suptitle(plain(title), x=0.01, ha="left", fontsize=11)
    return figure


def _line(claim: Claim) -> str:
    return f"{claim.claim} (ours)" if claim.whose == OURS else claim.claim


def _has_intervals(found: Finding) -> bool:
    return len(found.comparisons) > 0 and bool(found.comparisons.low.notna().any())


def _comparisons(ax, numbers: pd.DataFrame, y: int, colour: str) -> None:
    """All comparisons of a claim, side by side within its line."""
    numbers = numbers[numbers.low.notna()]
    step = 0.5 / max(len(numbers) - 1, 1)
    for place, row in enumerate(numbers.itertuples()):
        at = y - 0.25 + step * place if len(numbers) > 1 else y
        shown = row.verdict in ("better", "worse")
        ax.plot([100 * row.low, 100 * row.high], [at, at], color=colour, linewidth=1.2)
        ax.plot(
            100 * row.difference, at, "o", color=colour, markersize=3.5,
            markerfacecolor=colour if shown else "none",
        )  # fmt: skip

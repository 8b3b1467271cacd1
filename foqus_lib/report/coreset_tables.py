"""Tables of the coreset study alone: other networks, Table V, bands of SNR, scales."""

import pandas as pd

from foqus_lib.experiment.study import Study
from foqus_lib.report import compare, paper
from foqus_lib.report.blocks import (
    NONE,
    block_names,
    block_of,
    block_title,
    budget_texts,
    heads,
    in_blocks,
    in_order,
    note_on,
)
from foqus_lib.report.means import AVERAGE, bold_note, laid_out, mean_texts, spread
from foqus_lib.report.printed import Table, nothing_yet, wide
from foqus_lib.selection.catalog import READINGS, RULES, ablation_name

CONTROL = "control"  # the column of the ablation's rows that are no combination


def crossed(rows: pd.DataFrame) -> pd.DataFrame:
    """Table III: the rows whose evaluation model is another, A → B, and the blind rows of each."""
    blind = rows.selection_model == NONE
    other = ~blind & (rows.selection_model != rows.evaluation_model)
    wanted = rows.loc[other, ["dataset", "evaluation_model"]].drop_duplicates()
    shared = rows[blind].merge(wanted, on=["dataset", "evaluation_model"])
    return pd.concat([rows[other], shared], ignore_index=True)


# ---- Table V -------------------------------------------------------------------------------------


def ablation_table(
    rows: pd.DataFrame,
    study: Study,
    reported: pd.DataFrame | None = None,
    unfinished: str = "",
) -> Table:
    """Table V: the seven combinations of F, E, Q under both readings [A5] and both rules [A11].

    `reported` is `paper.ablation()`. The floor, the controls and the ceiling stand below, in a
    column of their own; blocks and budgets below one another.
    """
    if rows.empty and unfinished:
        return nothing_yet(rows, unfinished)
    blocked = in_blocks(rows, study)
    laid = laid_out(blocked, study)
    blocks = laid[laid.column != AVERAGE].groupby(block_of(study), sort=False)
    parts = [part for _, block in blocks for _, part in block.groupby("budget")]
    numbers = [_ways(part, study).assign(**_place(part, study)) for part in parts]
    numbers = pd.concat(numbers, ignore_index=True)
    if numbers.column.eq(CONTROL).all() and not unfinished:
        raise ValueError(
            "ablation_table: no row is a combination such as 'F+E | as printed | tiers'; "
            f"got {sorted(set(numbers.method))}"
        )
    titles = {"block": block_title(study), "at": study.axis.title, "head": "Metrics"}
    printed = numbers.assign(
        text=mean_texts(numbers, study.metrics[0]), head=heads(numbers.row, study)
    )
    text = wide(printed, list(titles), "column", "text").fillna("")
    bold = wide(printed, list(titles), "column", "best").eq(True)
    note = f"{note_on(blocked, study, unfinished)} {bold_note(study)}"
    if reported is not None:
        its = study.axis.text(paper.TABLE_V)
        text, bold, note = _beside_table_v(text, bold, note, reported, its)
    names = [titles[name] for name in text.index.names]
    return Table(numbers, text.rename_axis(names), bold.rename_axis(names), note)


def table_v() -> list[tuple[str, str, str, str]]:
    """(terms, reading [A5], rule [A11], method) of each place of Table V; some share a method."""
    return [
        (terms, reading, rule, ablation_name(terms, reading, rule))
        for terms in paper.ablation().combination
        for reading in READINGS
        for rule in RULES
    ]


def _place(part: pd.DataFrame, study: Study) -> dict[str, str | int]:
    """What the rows of one block and one budget have in common."""
    block, at = block_names(part, study).iloc[0], budget_texts(part, study)[0]
    return {"block": block, "budget": int(part.budget.iloc[0]), "at": at}


def _ways(part: pd.DataFrame, study: Study) -> pd.DataFrame:
    """row, column ("as printed, tiers" or "control"), method, mean, sd, n, repeats, best; in order.

    part: the rows of one block and one budget.
    """
    mean = spread(part, ["method"], study.metrics[0])
    ways = [(terms, f"{reading}, {rule}", name) for terms, reading, rule, name in table_v()]
    ours = [name for _, _, name in ways]
    controls = [m for m in in_order(list(mean.method), study) if m not in ours]
    ways = [way for way in ways if way[2] in set(mean.method)]
    ways += [(name, CONTROL, name) for name in controls]
    numbers = pd.DataFrame(ways, columns=["row", "column", "method"]).merge(mean, on="method")
    best = _best_of_column(numbers, part, study)
    return numbers.assign(best=best)


def _best_of_column(numbers: pd.DataFrame, part: pd.DataFrame, study: Study) -> list[bool]:
    best = {CONTROL: []}
    for column, group in numbers[numbers.column != CONTROL].groupby("column"):
        rows = part[part.method.isin(group.method)]
        best[column] = compare.not_worse_than_best(rows, study)
    return [row.method in best[row.column] for row in numbers.itertuples()]


def _beside_table_v(
    text: pd.DataFrame, bold: pd.DataFrame, note: str, reported: pd.DataFrame, its: str
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Two columns more; where `its` rate is one of several, it alone has them."""
    beside = text.index.get_level_values("head")
    if "at" in text.index.names and its in (at := text.index.get_level_values("at")):
        beside = beside.where(at == its)
    theirs = reported.set_index("combination").reindex(beside)
    text = text.assign(**{
        "paper": [f"{x:.4f}" if x == x else "" for x in theirs.accuracy],
        "the paper's row": [marks.split(":")[0].split(" ")[0] for marks in theirs.marks.fillna("")],
    })  # fmt: skip
    note += (
        f" Column paper: Table V, RML2016.10a, CNN1D, {its}; its tick marks are lost in the text, "
        "so two rows are certain and five inferred from the usual order."
    )
    return text, bold.reindex(columns=text.columns, fill_value=False), note


# ---- bands of SNR --------------------------------------------------------------------------------


def snr_table(
    by_snr: pd.DataFrame, study: Study, about: str, unfinished: str = "", bands: int = 4
) -> Table:
    """Accuracy by bands of SNR: methods down, bands across, mean ± sd over selection seeds.

    `by_snr`: the key of each trial, snr (dB), accuracy; one pair of networks and one budget (and
    the ceiling). Bands hold equally many SNR labels; a band's value is the mean over its labels,
    trial by trial.
    """
    compared = by_snr[by_snr.method != study.ceiling]
    if compared.budget.nunique() > 1:
        raise ValueError("snr_table: expected one budget; filter the rows first")
    band_of = _bands(sorted(by_snr.snr.unique()), bands)
    keys = ["method", "band", "seed", "repeat"]
    trials = by_snr.assign(band=by_snr.snr.map(band_of)).groupby(keys, sort=False)
    trials = trials.accuracy.mean().reset_index()
    metric, names = study.metrics[0], list(dict.fromkeys(band_of.values()))
    order = in_order(list(by_snr.method), study)
    numbers = spread(trials, ["method", "band"], metric)
    numbers = numbers.sort_values(
        ["method", "band"], key=lambda c: c.map([*order, *names].index), ignore_index=True
    )
    best = {
        band: compare.not_worse_than_best(group[group.method != study.ceiling], study)
        for band, group in trials.groupby("band")
    }
    numbers = numbers.assign(best=[row.method in best[row.band] for row in numbers.itertuples()])
    printed = numbers.assign(row=heads(numbers.method, study), text=mean_texts(numbers, metric))
    text = wide(printed, ["row"], "band", "text").fillna("").rename_axis("Method")
    bold = wide(printed, ["row"], "band", "best").eq(True).rename_axis("Method")
    return Table(numbers, text, bold, _snr_note(numbers, compared, study, about, unfinished))


def _bands(levels: list[float], bands: int) -> dict[float, str]:
    """{dB: the name of its band}, equally many labels in each."""
    cuts = [len(levels) * b // bands for b in range(bands + 1)]
    parts = [levels[a:b] for a, b in zip(cuts, cuts[1:], strict=False) if b > a]
    return {
        snr: f"{p[0]:g} dB" if len(p) == 1 else f"{p[0]:g} to {p[-1]:g} dB"
        for p in parts
        for snr in p
    }


def _snr_note(
    numbers: pd.DataFrame, compared: pd.DataFrame, study: Study, about: str, unfinished: str
) -> str:
    where = f"{study.axis.label} {budget_texts(compared, study)[0]}" if len(compared) else ""
    n = " to ".join(f"{count}" for count in sorted({numbers.n.min(), numbers.n.max()}))
    note = (
        f"{about} {where[:1].upper()}{where[1:]}. Mean ± sample standard deviation over selection "
        f"seeds, n = {n}. {bold_note(study)}"
    )
    return note + (f" The grid is not finished: {unfinished.rstrip('.')}." if unfinished else "")


# ---- scale of the signals ------------------------------------------------------------------------


def scale_table(rows: pd.DataFrame, study: Study) -> Table:
    """Networks and optimisers down, scales of the signals across, mean ± sd over seeds.

    `rows` of the scale study: rows of the floor alone, with the columns normalise and optimiser.
    """
    metric, down = study.metrics[0], ["evaluation_model", "optimiser"]
    numbers = spread(rows, [*down, "normalise"], metric)
    lines = {
        key: compare.not_worse_than_best(group.assign(method=group.normalise), study)
        for key, group in rows.groupby(down)
    }
    numbers = numbers.assign(
        best=[row.normalise in lines[row.evaluation_model, row.optimiser] for row in
              numbers.itertuples()]
    )  # fmt: skip
    printed = numbers.assign(text=mean_texts(numbers, metric))
    titles = {"evaluation_model": "Network", "optimiser": "Optimiser"}
    text, bold = (wide(printed, down, "normalise", name) for name in ("text", "best"))
    names = [titles[name] for name in text.index.names]
    chance = " ".join(dict.fromkeys(rows.about.str.replace(r", \w+ scale\.$", ".", regex=True)))
    note = (
        f"{chance} {study.floor} coresets, {study.axis.label} "
        f"{budget_texts(rows, study)[0]}. Mean ± sample standard deviation over selection "
        f"seeds, n = {numbers.n.min()}. {bold_note(study).replace('column', 'line')}"
    )
    return Table(numbers, text.rename_axis(names), bold.eq(True).rename_axis(names), note)

"""Tables of the coreset study alone: other networks, Table V, bands of SNR, scales."""

import pandas as pd

from foqus_lib.experiment.study import Study
from foqus_lib.report import compare, paper
from foqus_lib.report.blocks import (
    NONE,
    block_of,
    budget_texts,
    heads,
    in_blocks,
    in_order,
    note_on,
)
from foqus_lib.report.means import bold_note, mean_texts, spread
from foqus_lib.report.printed import Table, wide
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

    `rows` hold one block and one budget; `reported` is `paper.ablation()`. The floor, the controls
    and the ceiling stand below, in a column of their own.
    """
    blocked = in_blocks(rows, study)
    compared = blocked[blocked.method != study.ceiling]
    if len(blocked[block_of(study)].drop_duplicates()) > 1 or compared.budget.nunique() > 1:
        raise ValueError("ablation_table: expected one block and one budget; filter the rows first")
    numbers = _ways(spread(blocked, ["method"], study.metrics[0]), study)
    if numbers.column.eq(CONTROL).all() and not unfinished:
        raise ValueError(
            "ablation_table: no row is a combination such as 'F+E | as printed | tiers'; "
            f"got {sorted(numbers.method)}"
        )
    numbers = numbers.assign(best=_best_of_column(numbers, compared, study))
    printed = numbers.assign(
        text=mean_texts(numbers, study.metrics[0]), head=heads(numbers.row, study)
    )
    text = wide(printed, ["head"], "column", "text").fillna("").rename_axis("Metrics")
    bold = wide(printed, ["head"], "column", "best").eq(True).rename_axis("Metrics")
    note = f"{note_on(blocked, study, unfinished)} {bold_note(study)}"
    if reported is not None:
        text, bold, note = _beside_table_v(text, bold, note, reported)
    return Table(numbers, text, bold, note)


def table_v() -> list[tuple[str, str, str, str]]:
    """(terms, reading [A5], rule [A11], method) of each place of Table V; some share a method."""
    return [
        (terms, reading, rule, ablation_name(terms, reading, rule))
        for terms in paper.ablation().combination
        for reading in READINGS
        for rule in RULES
    ]


def _ways(mean: pd.DataFrame, study: Study) -> pd.DataFrame:
    """row, column ("as printed, tiers" or "control"), method, mean, sd, n, repeats, in order."""
    ways = [(terms, f"{reading}, {rule}", name) for terms, reading, rule, name in table_v()]
    ours = [name for _, _, name in ways]
    controls = [m for m in in_order(list(mean.method), study) if m not in ours]
    ways = [way for way in ways if way[2] in set(mean.method)]
    ways += [(name, CONTROL, name) for name in controls]
    return pd.DataFrame(ways, columns=["row", "column", "method"]).merge(mean, on="method")


def _best_of_column(numbers: pd.DataFrame, compared: pd.DataFrame, study: Study) -> list[bool]:
    best = {CONTROL: []}
    for column, group in numbers[numbers.column != CONTROL].groupby("column"):
        rows = compared[compared.method.isin(group.method)]
        best[column] = compare.not_worse_than_best(rows, study)
    return [row.method in best[row.column] for row in numbers.itertuples()]


def _beside_table_v(
    text: pd.DataFrame, bold: pd.DataFrame, note: str, reported: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    theirs = reported.set_index("combination").reindex(text.index)
    text = text.assign(**{
        "paper": [f"{x:.4f}" if x == x else "" for x in theirs.accuracy],
        "the paper's row": theirs.marks.fillna("").str.split(":").str[0].str.split(" ").str[0],
    })  # fmt: skip
    note += (
        " Column paper: Table V, RML2016.10a, CNN1D, 1 %; its tick marks are lost in the text, "
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

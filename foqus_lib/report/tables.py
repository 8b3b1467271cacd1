"""Tidy result rows -> the paper's tables, its numbers beside ours, floor and ceiling in each."""

import math

import pandas as pd

from foqus_lib.report import paper
from foqus_lib.report.blocks import ALL_DATA, BLOCK, FLOOR, in_blocks, in_order, note_on, percent
from foqus_lib.report.printed import Table, wide

HEADS = ["data", "models", "row"]


def rate_table(
    rows: pd.DataFrame, reported: pd.DataFrame | None = None, unfinished: str = ""
) -> Table:
    """Tables I-II: methods down, rates and their average across, mean ± sd, the paper beside.

    numbers: dataset, selection_model, evaluation_model, method, rate (NaN: the average over the
    rates, taken seed by seed), mean, sd, n, paper. All data stands under every rate as the ceiling.
    """
    blocked = in_blocks(rows)
    numbers = pd.concat(
        [_block_numbers(group) for _, group in blocked.groupby(BLOCK, sort=False)],
        ignore_index=True,
    )
    numbers = numbers.assign(paper=_paper_values(numbers, reported))
    note = note_on(blocked, unfinished) + _paper_note(numbers, reported)
    return Table(numbers, *_print_rates(numbers), note)


def cross_table(
    rows: pd.DataFrame, reported: pd.DataFrame | None = None, unfinished: str = ""
) -> Table:
    """Table III: as `rate_table`, for the blocks whose evaluation model is another, A → B."""
    blind = rows.selection_model == "-"
    crossed = ~blind & (rows.selection_model != rows.evaluation_model)
    wanted = rows.loc[crossed, ["dataset", "evaluation_model"]].drop_duplicates()
    shared = rows[blind].merge(wanted, on=["dataset", "evaluation_model"])
    return rate_table(pd.concat([rows[crossed], shared], ignore_index=True), reported, unfinished)


def scale_table(rows: pd.DataFrame) -> Table:
    """Networks and optimisers down, scales of the signals across, mean ± sd over seeds.

    `rows` of `scale_study.run`. Bold: the better scale of a line.
    """
    numbers = _spread(rows, ["evaluation_model", "optimiser", "normalise"]).reset_index()
    printed = numbers.assign(text=_texts(numbers))
    heads = ["evaluation_model", "optimiser"]
    text = wide(printed, heads, "normalise", "text")
    mean = wide(printed, heads, "normalise", "mean")
    names = {"evaluation_model": "Network", "optimiser": "Optimiser"}
    titles = [names[head] for head in text.index.names]
    chance = " ".join(dict.fromkeys(rows.about.str.replace(r", \w+ scale\.$", ".", regex=True)))
    note = (
        f"{chance} Uniform coresets, rate {percent(rows.rate.iloc[0])}. Mean ± sample standard "
        f"deviation over seeds, n = {numbers.n.min():.0f}."
    )
    bold = mean.eq(mean.max(axis=1), axis=0)
    return Table(numbers, text.rename_axis(titles), bold.rename_axis(titles), note)


def snr_table(by_snr: pd.DataFrame, about: str, unfinished: str = "", bands: int = 4) -> Table:
    """Accuracy by bands of SNR: methods down, bands across, mean ± sd over seeds.

    `by_snr` of `store.frame_by_snr`, one pair of networks and one rate (and All data). Bands hold
    equally many SNR labels; a band's accuracy is the mean over its labels, seed by seed.
    """
    if by_snr[by_snr.method != ALL_DATA].rate_bp.nunique() > 1:
        raise ValueError("snr_table: expected one rate; filter the rows first")
    levels = sorted(by_snr.snr.unique())
    parts = [
        levels[len(levels) * b // bands : len(levels) * (b + 1) // bands] for b in range(bands)
    ]
    names = [f"{p[0]:g} dB" if len(p) == 1 else f"{p[0]:g} to {p[-1]:g} dB" for p in parts if p]
    band_of = {
        snr: name for part, name in zip(filter(None, parts), names, strict=True) for snr in part
    }
    banded = by_snr.assign(column=by_snr.snr.map(band_of))
    by_seed = banded.groupby(["method", "column", "seed"], sort=False).accuracy.mean().reset_index()
    numbers = _spread(by_seed, ["method", "column"]).reset_index()
    order = in_order(list(dict.fromkeys(by_snr.method)), paper.methods())
    columns = list(dict.fromkeys(band_of.values()))
    numbers = numbers.sort_values(
        ["method", "column"], key=lambda c: c.map([*order, *columns].index), kind="stable"
    )
    printed = numbers.assign(row=_heads(numbers.method), text=_texts(numbers))
    text = wide(printed, ["row"], "column", "text").fillna("").rename_axis("Method")
    best = (
        numbers["mean"].where(numbers.method != ALL_DATA).groupby(numbers.column).transform("max")
    )
    bold = wide(printed.assign(best=numbers["mean"] == best), ["row"], "column", "best")
    n = "n = " + " to ".join(f"{count:.0f}" for count in sorted({numbers.n.min(), numbers.n.max()}))
    [rate] = by_snr[by_snr.method != ALL_DATA].rate_bp.unique()
    note = (
        f"{about} Rate {percent(rate / 10_000)}. Mean ± sample standard deviation over seeds, {n}."
    )
    if unfinished:
        note += f" The grid is not finished: {unfinished}."
    return Table(numbers, text, bold.eq(True).rename_axis("Method"), note)


def ablation_table(
    rows: pd.DataFrame, reported: pd.DataFrame | None = None, unfinished: str = ""
) -> Table:
    """Table V: the seven combinations of F, E, Q under both readings [A5] and both rules [A11].

    `rows` hold one block and one rate; `reported` is `paper.ablation()`. Uniform, All data and the
    controls stand below; a control without a reading stands under every column of its rule.
    """
    blocked = in_blocks(rows)
    if len(blocked[BLOCK].drop_duplicates()) > 1 or blocked[_selected(blocked)].rate.nunique() > 1:
        raise ValueError("ablation_table: expected one block and one rate; filter the rows first")
    mean = _spread(blocked, ["method"])
    combinations = list(paper.ablation().combination)
    controls = [
        m for m in in_order(list(mean.index), [FLOOR]) if m.split(" | ")[0] not in combinations
    ]
    found = []
    for row in [*combinations, *controls]:
        for reading in paper.READINGS:
            for rule in paper.RULES:
                name = f"{row} | {reading} | {rule}" if row in combinations else row
                if " | " in row and rule != "tiers":
                    continue
                if name in mean.index:
                    found.append([row, reading, rule, *mean.loc[name]])
    numbers = pd.DataFrame(found, columns=["row", "reading", "rule", "mean", "sd", "n"])
    if not numbers.row.isin(combinations).any():
        raise ValueError(
            "ablation_table: no row is a combination such as 'F+E | as printed | tiers'; "
            f"got {sorted(mean.index)}"
        )
    printed = numbers.assign(
        column=numbers.reading + ", " + numbers.rule, text=_texts(numbers), row=_heads(numbers.row)
    )
    text = wide(printed, ["row"], "column", "text").fillna("").rename_axis("Metrics")
    bold = wide(printed, ["row"], "column", "mean").rename_axis("Metrics")
    best = bold.loc[[row for row in combinations if row in bold.index]].max()
    bold = bold.eq(best) & bold.index.isin(combinations)[:, None]
    if reported is not None:
        theirs = reported.set_index("combination").reindex(text.index)
        text["paper"] = [f"{x:.4f}" if x == x else "" for x in theirs.accuracy]
        text["the paper's row"] = (
            theirs.marks.fillna("").str.split(":").str[0].str.split(" ").str[0]
        )
        bold[["paper", "the paper's row"]] = False
    note = note_on(blocked, unfinished)
    if reported is not None:
        note += (
            " Column paper: Table V, RML2016.10a, CNN1D, 1 %; its tick marks are lost in the text, "
            "so two rows are certain and five inferred from the usual order."
        )
    return Table(numbers, text, bold, note)


def _selected(rows: pd.DataFrame) -> pd.Series:
    return rows.method != ALL_DATA


def _spread(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """mean, sample sd (NaN for one run) and n of accuracy over seeds."""
    found = rows.groupby(keys, sort=False).accuracy.agg(["mean", "std", "count"])
    return found.rename(columns={"std": "sd", "count": "n"})


def _block_numbers(block: pd.DataFrame) -> pd.DataFrame:
    """mean, sd, n of each method of one block: at each rate, then averaged over the rates."""
    rates = sorted(block[_selected(block)].rate.unique()) or [1.0]
    ceiling = block[~_selected(block)]
    block = pd.concat([block[_selected(block)], *(ceiling.assign(rate=rate) for rate in rates)])
    at_rate = _spread(block, ["method", "rate"]).reset_index()
    by_seed = block.pivot(index=["method", "seed"], columns="rate", values="accuracy").dropna()
    average = by_seed.mean(axis=1).rename("accuracy").reset_index()
    overall = _spread(average, ["method"]).reset_index().assign(rate=math.nan)
    numbers = pd.concat([at_rate, overall] if len(rates) > 1 else [at_rate])
    order = in_order(list(block.method), paper.methods())
    numbers = numbers.assign(place=numbers.method.map(order.index)).sort_values(
        ["place", "rate"], kind="stable"
    )
    first = block.iloc[0]
    return numbers.assign(**{name: first[name] for name in BLOCK})[
        [*BLOCK, "method", "rate", "mean", "sd", "n"]
    ]


def _paper_values(numbers: pd.DataFrame, reported: pd.DataFrame | None) -> list[float]:
    """The paper's accuracy of each row; its average is taken over the same rates as ours."""
    if reported is None:
        return [math.nan] * len(numbers)
    keys = [*BLOCK, "method"]
    theirs = reported.pivot(index=keys, columns="rate", values="accuracy")
    rates = [rate for rate in numbers.rate.unique() if rate == rate]
    found = []
    for *key, rate in numbers[[*keys, "rate"]].itertuples(index=False, name=None):
        key[0] = key[0].removesuffix("-like")
        if tuple(key) not in theirs.index:
            found.append(math.nan)
        elif rate != rate:
            found.append(theirs.loc[tuple(key)].reindex(rates).mean(skipna=False))
        else:
            found.append(theirs.loc[tuple(key)].get(rate, math.nan))
    return found


def _paper_note(numbers: pd.DataFrame, reported: pd.DataFrame | None) -> str:
    if reported is None:
        return ""
    if numbers.paper.isna().all():
        return " The paper prints no such table."
    names = numbers.dataset.str.removesuffix("-like")
    sources = reported[reported.dataset.isin(set(names))].merge(
        numbers[BLOCK].assign(dataset=names).drop_duplicates(), on=BLOCK
    )
    where = ", ".join(dict.fromkeys(sources.source))
    theirs = set(sources.source.str.split(" of ").str[1])
    ours = sorted(set(numbers.dataset) - theirs)
    other = f", not our data ({', '.join(ours)})" if ours else ""
    return f" Columns headed paper: the mean of three runs printed in {where}{other}."


def _texts(numbers: pd.DataFrame) -> list[str]:
    """ "0.512 ± 0.021", with n where n differs within the table, "± –" for one run."""
    several = numbers.n.nunique() > 1
    return [
        f"{mean:.3f} ± "
        + (f"{sd:.3f}" if sd == sd else "–")
        + (f" (n = {n:.0f})" if several else "")
        for mean, sd, n in zip(numbers["mean"], numbers.sd, numbers.n, strict=True)
    ]


def _heads(methods: pd.Series) -> pd.Series:
    return methods.replace({FLOOR: f"{FLOOR} (floor)", ALL_DATA: f"{ALL_DATA} (ceiling)"})


def _print_rates(numbers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The text and the bold cells of a rate table."""
    rate_names = [percent(rate) if rate == rate else "Avg" for rate in numbers.rate]
    printed = numbers.assign(
        data=numbers.dataset,
        models=numbers.selection_model + " → " + numbers.evaluation_model,
        row=_heads(numbers.method),
        column=rate_names,
        text=_texts(numbers),
        theirs=[f"{x:.4f}" if x == x else "" for x in numbers.paper],
    )
    columns = list(dict.fromkeys(printed.sort_values("rate", kind="stable").column))
    printed = printed.sort_values("column", key=lambda c: c.map(columns.index), kind="stable")
    printed = pd.concat([g for _, g in printed.groupby(["data", "models"], sort=False)])
    text = wide(printed, HEADS, "column", "text").fillna("")
    candidates = printed["mean"].where(printed.method != ALL_DATA)
    best = candidates.groupby([printed.data, printed.models, printed.column]).transform("max")
    bold = wide(printed.assign(best=candidates == best), HEADS, "column", "best")
    bold = bold.eq(True)
    if numbers.paper.notna().any():
        theirs = wide(printed, HEADS, "column", "theirs").fillna("")
        pairs = [name for column in columns for name in (column, f"paper {column}")]
        text = text.join(theirs.add_prefix("paper "))[pairs]
        bold = bold.reindex(columns=pairs, fill_value=False)
    names = {"data": "Data", "models": "Selection → evaluation", "row": "Method"}
    heads = [names[head] for head in text.index.names]
    return text.rename_axis(heads), bold.rename_axis(heads)

"""Result rows grouped as the paper prints them: a block is (data, selection → evaluation)."""

import pandas as pd

NONE = "-"  # selection_model of methods that look at no network
ALL_DATA = "All data"
FLOOR = "Uniform"
BLOCK = ["dataset", "selection_model", "evaluation_model"]


def in_blocks(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, with Uniform and All data repeated in every block of their data and evaluation.

    Refuses rows that one table must not mix: two fingerprints of one data set, two recipes, a cell
    given twice. Only All data may have its own recipe: that of the selection training.
    """
    _check(rows)
    blind = rows.selection_model == NONE
    blocks = rows.loc[~blind, BLOCK].drop_duplicates()
    shared = rows[blind].rename(columns={"selection_model": "none"})
    joined = shared.merge(blocks, on=["dataset", "evaluation_model"], how="left")
    joined["selection_model"] = joined["selection_model"].fillna(NONE)
    return pd.concat([rows[~blind], joined[rows.columns]], ignore_index=True)


def _check(rows: pd.DataFrame) -> None:
    if rows.empty:
        raise ValueError("no result rows: run the sweep first, or widen the filter")
    looking = rows[rows.selection_model != NONE]
    for group, keys, field in (
        (rows, ["dataset"], "fingerprint"),
        (rows[rows.method != ALL_DATA], ["dataset", "evaluation_model"], "evaluation_recipe"),
        (looking, ["dataset", "selection_model"], "selection_recipe"),
    ):
        kinds = group.groupby(keys)[field].unique()
        for key, found in kinds[kinds.map(len) > 1].items():
            raise ValueError(
                f"rows mix {len(found)} values of {field} for {'/'.join(key)}: {list(found)}. "
                "One table shows one: filter the rows first"
            )
    key = [*BLOCK, "method", "rate", "seed"]
    if (again := rows.duplicated(key)).any():
        raise ValueError(f"rows give a cell twice: {rows.loc[again, key].iloc[0].to_dict()}")


def in_order(names: list[str], order: list[str]) -> list[str]:
    """The paper's methods in the paper's order, then others as they come, All data last."""
    known = [name for name in order if name in names]
    others = [name for name in dict.fromkeys(names) if name not in [*known, ALL_DATA]]
    placed = []
    for name in known:  # "FoQuS (min-max)" stands below "FoQuS"
        placed += [name, *(other for other in others if other.startswith(f"{name} "))]
    placed += [name for name in others if name not in placed]
    return placed + [ALL_DATA] * (ALL_DATA in names)


def note_on(blocked: pd.DataFrame, unfinished: str) -> str:
    """What stands below a table: the data, n, and every cell that is missing among its like.

    `unfinished` is `Scan.note` of the grid: it also knows the cells no row hints at.
    """
    about = "; ".join(sorted({text for text in blocked.about if text}))
    counts = blocked.groupby([*BLOCK, "method", "rate"]).size()
    low, high = counts.min(), counts.max()
    seeds = f"n = {low}" if low == high else f"n = {low} to {high}, given in brackets"
    parts = [f"{about}." if about and not about.endswith(".") else about]
    parts.append(f"Mean ± sample standard deviation over seeds, {seeds}.")
    ceilings = blocked[blocked.method == ALL_DATA].evaluation_recipe.unique()
    coresets = blocked[blocked.method != ALL_DATA].evaluation_recipe.unique()
    if other := sorted(set(ceilings) - set(coresets)):
        parts.append(f"{ALL_DATA} is trained by {'; '.join(other)}.")
    if len(coresets):
        parts.append(f"Coresets are trained by {'; '.join(sorted(coresets))}.")
    if missing := _missing(blocked):
        total = len(blocked) + len(missing)
        some = ", ".join(missing[:4]) + (", ..." if len(missing) > 4 else "")
        parts.append(f"Only {len(blocked)} of {total} cells; missing: {some}.")
    if unfinished:
        parts.append(f"The grid is not finished: {unfinished}.")
    return " ".join(part for part in parts if part)


def _missing(blocked: pd.DataFrame) -> list[str]:
    """Cells (method, rate, seed) that other methods of their block have."""
    found = []
    for block, group in blocked[blocked.method != ALL_DATA].groupby(BLOCK, sort=False):
        have = set(zip(group.method, group.rate, group.seed, strict=True))
        seeds = group.groupby("rate").seed.unique()
        found += [
            f"{block[1]}→{block[2]} {method} {percent(rate)} seed {seed}"
            for method in group.method.unique()
            for rate in seeds.index
            for seed in seeds[rate]
            if (method, rate, seed) not in have
        ]
    return found


def percent(rate: float) -> str:
    """0.05 -> "5 %"."""
    return f"{100 * rate:g} %"

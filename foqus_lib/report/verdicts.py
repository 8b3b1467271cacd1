"""Is it better, and is it what the paper says? Differences with intervals, never bare means."""

import math

import pandas as pd
from scipy import stats

from foqus_lib.report import paper
from foqus_lib.report.blocks import ALL_DATA, BLOCK, FLOOR, in_blocks, in_order, note_on, percent
from foqus_lib.report.printed import Table, wide

PAPER_RUNS = 3  # "we run 3 times and report its mean"; no spread is printed
UNSHOWN = "no difference shown"


def difference_to_uniform(rows: pd.DataFrame, unfinished: str = "") -> Table:
    """Accuracy minus Uniform's of the same seed, with a 95 % t-interval over seeds and a verdict.

    Both runs of a seed share initial weights and batch order, so the pair is the sharper test.
    numbers: dataset, selection_model, evaluation_model, method, rate, difference, sd, n, low, high,
    verdict (better | worse | no difference shown | one seed: no verdict).
    """
    blocked = in_blocks(rows)
    compared = blocked[blocked.method != ALL_DATA]
    keys = [*BLOCK, "rate", "seed"]
    floor = compared[compared.method == FLOOR].set_index(keys).accuracy.rename("floor")
    if floor.empty:
        raise ValueError(f"difference_to_uniform: no row of {FLOOR}; add it to the methods")
    pairs = compared[compared.method != FLOOR].join(floor, on=keys)
    unpaired = int(pairs.floor.isna().sum())
    pairs = pairs.dropna(subset="floor").assign(difference=lambda p: p.accuracy - p.floor)
    order = in_order(list(pairs.method), paper.methods())
    found = [
        [*key, *_interval(group.difference)]
        for key, group in pairs.groupby([*BLOCK, "method", "rate"], sort=False)
    ]
    columns = [*BLOCK, "method", "rate", "difference", "sd", "n", "low", "high", "verdict"]
    numbers = pd.DataFrame(found, columns=columns)
    numbers = numbers.sort_values(
        [*BLOCK, "method", "rate"],
        key=lambda c: c.map(order.index) if c.name == "method" else c,
        ignore_index=True,
    )
    note = note_on(compared, unfinished) + (
        " Differences in points, paired by seed, with 95 % t-intervals; of 20 such intervals one "
        "misses by chance. Bold: the interval lies above 0."
    )
    if unpaired:
        note += f" {unpaired} runs have no Uniform run of their seed and are left out."
    return Table(numbers, *_print_differences(numbers), note)


def _interval(differences: pd.Series) -> tuple[float, float, int, float, float, str]:
    """mean, sd, n, low, high, verdict of paired differences."""
    n, mean, sd = len(differences), differences.mean(), differences.std()
    if n < 2:
        return mean, math.nan, n, math.nan, math.nan, "one seed: no verdict"
    half = stats.t.ppf(0.975, n - 1) * sd / math.sqrt(n)
    low, high = mean - half, mean + half
    verdict = "better" if low > 0 else "worse" if high < 0 else UNSHOWN
    return mean, sd, n, low, high, verdict


def _print_differences(numbers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    several = numbers.n.nunique() > 1
    texts = [
        f"{100 * row.difference:+.1f}"
        + (f" [{100 * row.low:+.1f}, {100 * row.high:+.1f}]" if row.n > 1 else " [one seed]")
        + (f" (n = {row.n})" if several else "")
        for row in numbers.itertuples()
    ]
    printed = numbers.assign(
        models=numbers.selection_model + " → " + numbers.evaluation_model,
        column=numbers.rate.map(percent),
        text=texts,
        better=numbers.verdict == "better",
    )
    columns = [percent(rate) for rate in sorted(numbers.rate.unique())]
    heads = ["dataset", "models", "method"]
    text = wide(printed, heads, "column", "text").fillna("")[columns]
    bold = wide(printed, heads, "column", "better")[columns].eq(True)
    names = {"dataset": "Data", "models": "Selection → evaluation", "method": "Method"}
    shown = [names[head] for head in text.index.names]
    return text.rename_axis(shown), bold.rename_axis(shown)


def paper_vs_measured(rows: pd.DataFrame, reported: pd.DataFrame) -> pd.DataFrame:
    """Every printed accuracy beside ours: data, mean, sd, n, difference, margin, verdict.

    The paper's number is a mean of 3 runs without spread. If its runs scatter as ours do, the
    difference of the two means stays within t(0.975, n-1) sd sqrt(1/n + 1/3) in 95 of 100 cases:
    the `margin`. Verdicts: within, above, below (ours, of the paper's), one run, not run yet.
    """
    blocked = in_blocks(rows) if len(rows) else rows
    keys = [*BLOCK, "method", "rate"]
    ours = blocked.groupby(keys, sort=False).accuracy.agg(["mean", "std", "count"]).reset_index()
    ours = ours.rename(columns={"std": "sd", "count": "n"})
    ours = ours.assign(data=ours.dataset, dataset=ours.dataset.str.removesuffix("-like"))
    both = reported.rename(columns={"accuracy": "paper"}).merge(ours, on=keys, how="left")
    both = both.assign(n=both.n.fillna(0).astype("int64"), data=both.data.fillna(""))
    difference = both["mean"] - both.paper
    margin = [
        stats.t.ppf(0.975, n - 1) * sd * math.sqrt(1 / n + 1 / PAPER_RUNS) if n > 1 else math.nan
        for n, sd in zip(both.n, both.sd, strict=True)
    ]
    verdict = [_verdict(n, d, m) for n, d, m in zip(both.n, difference, margin, strict=True)]
    both = both.assign(difference=difference, margin=margin, verdict=verdict)
    order = ["paper", "data", "mean", "sd", "n", "difference", "margin", "verdict"]
    return both[["table", *keys, *order]]


def _verdict(n: int, difference: float, margin: float) -> str:
    if n == 0:
        return "not run yet"
    if n == 1:
        return "one run"
    if abs(difference) <= margin:
        return "within"
    return "above" if difference > 0 else "below"

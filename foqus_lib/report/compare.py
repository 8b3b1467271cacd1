"""Is one row better than another? The selection seeds are the n; every number knows its interval.

A difference is taken seed by seed, each row by the mean of the repeats that it has: repeats lower
the noise of a seed, they are no further seeds.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray
from scipy import optimize, stats

from foqus_lib.experiment.settings import LEAST
from foqus_lib.experiment.study import Metric, Study
from foqus_lib.report.blocks import block_of, compared_of, in_blocks

PAIRED: bool = True
"""Whether a seed is set against the floor's of its own number; else Welch's test.

Decided once for the whole project, on a pilot of Uniform draws (real RML2016.04C, CNN1D) that was
taken before orders and streams were named by data and role, and is in no committed row: trials that
start from the same weights correlated by 0.2 at 1 % and 0.5 at 5 %. On the first five seeds of
fifteen methods at 1 % after that, looked at once more, it was 0.31. It stays, whatever later rows
show: a test that is chosen by its data holds no level. `pairing` prints from committed rows what it
gains or costs (book/results/*/derived/pairing.csv).
"""

LEVEL, POWER = 0.05, 0.8
WORTH = 0.02  # two points: a difference that a reader would act on
SHUFFLES = 9999
UNSHOWN = "no difference shown"
COLUMNS = ["difference", "sd", "n", "low", "high", "p"]


# ---- two rows ------------------------------------------------------------------------------------


def paired(ours: pd.Series, theirs: pd.Series) -> tuple[float, float, int, float, float]:
    """Mean difference, its sd over seeds, n, standard error, degrees of freedom: one a seed.

    Both series hold a metric by (seed, repeat); a seed that only one of them has is left out.
    """
    each = seed_differences(ours, theirs)
    n, sd = len(each), each.std()
    return each.mean(), sd, n, sd / math.sqrt(n) if n else math.nan, n - 1


def welch(ours: pd.Series, theirs: pd.Series) -> tuple[float, float, int, float, float]:
    """As `paired`, for independent seeds of unequal variance; n is the smaller number of seeds."""
    one, two = (series.groupby(level="seed").mean() for series in (ours, theirs))
    n = min(len(one), len(two))
    difference, sd = one.mean() - two.mean(), math.sqrt(one.var() + two.var())
    if n == 0:
        return math.nan, math.nan, 0, math.nan, math.nan
    a, b = one.var() / len(one), two.var() / len(two)
    bottom = a**2 / (len(one) - 1) + b**2 / (len(two) - 1)
    return difference, sd, n, math.sqrt(a + b), (a + b) ** 2 / bottom if bottom else n - 1


def seed_differences(ours: pd.Series, theirs: pd.Series) -> pd.Series:
    """Ours less theirs seed by seed, each the mean of its repeats, which may be more or fewer.

    Where both have the same repeats, that is the mean of the differences repeat by repeat.
    """
    one, two = (series.groupby(level="seed").mean() for series in (ours, theirs))
    return (one - two).dropna()


def compare(ours: pd.Series, theirs: pd.Series, verdict_from: int = LEAST) -> dict:
    """difference, sd, n, low, high (95 %), p, and what `judged` needs: error, freedom, each.

    Without LEAST seeds there is no interval and no p: NaN. From there to verdict_from an interval
    stands alone.
    """
    difference, sd, n, error, freedom = (paired if PAIRED else welch)(ours, theirs)
    found = {"difference": difference, "sd": sd, "n": n, "low": math.nan, "high": math.nan}
    found |= {"p": math.nan, "error": error, "freedom": freedom}
    if n >= LEAST:
        half = stats.t.ppf(1 - LEVEL / 2, freedom) * error
        found |= {"low": difference - half, "high": difference + half}
    if n >= max(LEAST, verdict_from):
        found["p"] = _p_value(difference, error, freedom)
    return found | {"each": tuple(seed_differences(ours, theirs))}


def _p_value(difference: float, error: float, freedom: float) -> float:
    """Two-sided; without any spread a difference is certain and none is none."""
    if error == 0:
        return float(difference == 0)
    return float(2 * stats.t.sf(abs(difference) / error, freedom))


# ---- many of them --------------------------------------------------------------------------------


def holm(p: Float[ndarray, " m"]) -> Float[ndarray, " m"]:
    """Holm's adjusted p: the least level at which the step-down procedure rejects each."""
    order, m = np.argsort(p), len(p)
    steps = np.maximum.accumulate((m - np.arange(m)) * p[order])
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(steps, 1)
    return adjusted


def judged(found: pd.DataFrame, family: Sequence[str], metric: Metric) -> pd.DataFrame:
    """Adds p_holm, detectable and verdict; each value of the columns `family` is one family.

    detectable: the smallest true difference that the test at the strictest step (0.05 over the
    size of the family) would show in 80 of 100 cases, given the spread and n at hand. The steps
    after it are less strict, so Holm's procedure shows it at least as often.
    """
    found = found.assign(p_holm=math.nan, detectable=math.nan)
    for _, rows in found[found.p.notna()].groupby(list(family), sort=False):
        found.loc[rows.index, "p_holm"] = holm(rows.p.to_numpy())
        found.loc[rows.index, "detectable"] = [
            _detectable(row.error, row.freedom, LEVEL / len(rows)) for row in rows.itertuples()
        ]
    verdicts = [_verdict(row, metric) for row in found.itertuples()]
    return found.assign(verdict=verdicts).drop(columns=["error", "freedom"])


def _detectable(error: float, freedom: float, level: float) -> float:
    """The difference at which the noncentral t exceeds the critical value with chance POWER."""
    bar = stats.t.ppf(1 - level / 2, freedom)

    def lacking(shift: float) -> float:
        return stats.nct.sf(bar, freedom, shift) - POWER

    return error * optimize.brentq(lacking, 0, 3 * bar + 10)


def seeds_that_show(size: float, sd: float, comparisons: int) -> int:
    """How many selection seeds show a true difference of that size in 80 of 100 cases or more.

    sd: of the seeds' differences. comparisons: the size of the family, for the strictest step.
    """

    def enough(n: int) -> bool:
        return _detectable(sd / math.sqrt(n), n - 1, LEVEL / comparisons) <= size

    most = 4
    while not enough(most):
        most *= 2
    return bisect_left(range(most), True, lo=2, key=enough)


def _verdict(row, metric: Metric) -> str:
    if row.p != row.p:
        return f"n = {row.n}: no verdict"
    if row.p_holm >= LEVEL:
        return UNSHOWN
    return "better" if (row.difference > 0) == metric.higher_is_better else "worse"


def by_trial(rows: pd.DataFrame, metric: Metric) -> pd.Series:
    """The metric by (seed, repeat): what `compare` takes two of."""
    return rows[["seed", "repeat", metric.name]].set_index(["seed", "repeat"])[metric.name]


def not_worse_than_best(rows: pd.DataFrame, study: Study) -> list[str]:
    """The methods that are not shown to be worse than the one of the highest mean.

    `rows` of one column of a table, which is one family of Holm's adjustment. A method with fewer
    seeds than study.verdict_from is never named.
    """
    metric = study.metrics[0]
    rows = rows[rows[metric.name].notna()]
    seeds = rows.groupby("method", sort=False).seed.nunique()
    there = seeds.index[seeds >= study.verdict_from]
    series = {m: by_trial(rows[rows.method == m], metric) for m in there}
    if not series:
        return []
    means = {m: one.groupby(level="seed").mean().mean() for m, one in series.items()}
    best = (max if metric.higher_is_better else min)(means, key=means.get)
    lines = [
        {"method": m, "column": 0} | compare(one, series[best])
        for m, one in series.items() if m != best
    ]  # fmt: skip
    if not lines:
        return [best]
    found = judged(pd.DataFrame(lines), ["column"], metric)
    worse = set(found.method[found.verdict == "worse"])
    return [m for m in series if m not in worse]


# ---- is pairing worth it? ------------------------------------------------------------------------


def pairing(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """How far the floor's trials vary with those of the same seed and repeat: what PAIRED gains.

    One row a (block, budget), over its methods: the correlation with the floor over seeds (of their
    means) and over (seed, repeat), mean and range over methods, and the root mean square over
    methods of the sd of a difference taken seed by seed (paired) or between strangers (unpaired).
    break_even: the ratio of these below which pairs give the narrower interval; strictest: the same
    at the level of the first step of Holm's adjustment, over the block's methods and budgets.
    shuffled: how often (of 1) the floor's seeds, shuffled, correlate as much.
    """
    blocked = in_blocks(rows, study)
    compared = compared_of(blocked, study)
    keys = [*block_of(study), "budget"]
    found = []
    for key, group in compared.groupby(keys, sort=True):
        series = {m: by_trial(g, study.metrics[0]) for m, g in group.groupby("method", sort=False)}
        floor = series.pop(study.floor, None)
        if floor is not None and series:
            found.append(dict(zip(keys, key, strict=True)) | _pairs(list(series.values()), floor))
    found = pd.DataFrame(found)
    if found.empty:
        return found
    family = found.groupby(block_of(study)).methods.transform("sum")
    strictest = [break_even(n, LEVEL / size) for n, size in zip(found.seeds, family, strict=True)]
    return found.assign(strictest=strictest)


def _pairs(methods: Sequence[pd.Series], floor: pd.Series) -> dict:
    each = []
    for series in methods:
        pair = pd.concat([series, floor], axis=1, keys=["method", "floor"])
        both, seeds = pair.dropna(), pair.groupby(level="seed").mean().dropna()
        each.append({
            "n": len(seeds), "trials": len(both),
            "over_trials": _correlation(both), "over_seeds": _correlation(seeds),
            "paired": (seeds.method - seeds.floor).var(), "unpaired": seeds.var().sum(min_count=2),
        })  # fmt: skip
    table = pd.DataFrame(each)
    paired_sd, unpaired_sd = math.sqrt(table.paired.mean()), math.sqrt(table.unpaired.mean())
    return {
        "methods": len(table), "seeds": int(table.n.min()), "trials": int(table.trials.min()),
        "correlation_seeds": table.over_seeds.mean(),
        "lowest": table.over_seeds.min(), "highest": table.over_seeds.max(),
        "correlation_repeats": table.over_trials.mean(), "shuffled": _shuffled(methods, floor),
        "paired_sd": paired_sd, "unpaired_sd": unpaired_sd,
        "ratio": paired_sd / unpaired_sd if unpaired_sd else math.nan,
        "break_even": break_even(int(table.n.min())),
    }  # fmt: skip


def break_even(n: int, level: float = LEVEL) -> float:
    """t of 2n - 2 degrees of freedom over t of n - 1: what pairs lose by having half as many.

    At a stricter level it is lower.
    """
    if n < 2:
        return math.nan
    strangers, pairs = (stats.t.ppf(1 - level / 2, freedom) for freedom in (2 * n - 2, n - 1))
    return float(strangers / pairs)


def _shuffled(methods: Sequence[pd.Series], floor: pd.Series) -> float:
    """One-sided p of the mean correlation with the floor over the seeds that all rows have."""
    means = [one.groupby(level="seed").mean() for one in (floor, *methods)]
    seeds = pd.concat(means, axis=1).dropna().to_numpy()
    if len(seeds) < LEAST:
        return math.nan
    with np.errstate(invalid="ignore"):  # a row that does not vary correlates with nothing
        scores = np.nan_to_num((seeds - seeds.mean(0)) / seeds.std(0))
    mine, mean = scores[:, 0], scores[:, 1:].mean(1)  # correlations are linear in these

    def alike(floor: ndarray, axis: int) -> ndarray | float:
        return (floor * mean).sum(axis)

    found = stats.permutation_test(
        (mine,), alike, permutation_type="pairings", alternative="greater",
        n_resamples=SHUFFLES, rng=0, vectorized=True,
    )  # fmt: skip
    return float(found.pvalue)


def _correlation(both: pd.DataFrame) -> float:
    """NaN where a column does not vary or fewer than three rows are there."""
    if len(both) < 3 or (both.nunique() < 2).any():
        return math.nan
    return both.method.corr(both.floor)

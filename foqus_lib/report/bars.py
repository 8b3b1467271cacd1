"""Bars of the specification, judged by rows: one function for the tables of all chapters.

met, not met    shown by a t-test of the seeds' numbers against the bar, after Holm's adjustment
                over all bars of the table; a guard is met if every seed keeps it. Where the best
                of several methods is taken, p that it meets the bar counts once for each of them
                (it was picked by its mean), and not met takes that each misses it
not shown       neither; beside it stands what the mean says
no verdict      fewer seeds than the study's verdict_from; below LEAST no interval either
not measured    no rows
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from foqus_lib.experiment.study import Bar
from foqus_lib.report.compare import LEAST, LEVEL, holm, seed_differences

PLAIN = "accuracy"  # what a bar is about unless it says so
MET, NOT_MET, NOT_SHOWN = "met", "not met", "not shown"
NO_VERDICT, NOT_MEASURED = "no verdict", "not measured"


@dataclass(frozen=True)
class Measured:
    """One number a seed beside its bar; no number: not measured."""

    bar: Bar
    each: tuple[float, ...]  # of the best of its methods
    others: tuple[tuple[float, ...], ...]  # of the rest of them


def judge(
    bars: Sequence[Bar], rows: Mapping[str, pd.DataFrame], verdict_from: int = LEAST
) -> pd.DataFrame:
    """bar, says, measured, n, verdict: one line a bar, all of them one family; `rows` by file."""
    lines = [_measured(bar, rows.get(bar.file)) for bar in bars]
    tested = [
        line for line in lines
        if not line.bar.always and min(map(len, (line.each, *line.others))) >= verdict_from
    ]  # fmt: skip
    sides = [_sides(line) for line in tested]
    adjusted = holm(np.array([min(1.0, 2 * min(both)) for both in sides]))
    shown = {
        id(line): (MET if met < missed else NOT_MET) if p < LEVEL else NOT_SHOWN
        for line, (met, missed), p in zip(tested, sides, adjusted, strict=True)
    }
    return pd.DataFrame([
        {
            "bar": line.bar.number, "says": line.bar.says, "measured": _text(line.bar, line.each),
            "n": str(len(line.each)), "verdict": _verdict(line, shown.get(id(line))),
        }
        for line in lines
    ])  # fmt: skip


def _measured(bar: Bar, rows: pd.DataFrame | None) -> Measured:
    """The seeds' means of a metric, or of its differences to another method; the best of `ours`."""
    found = {}
    if rows is not None:
        for name, value in bar.where.items():
            rows = rows[rows[name] == value]
        every = {name: _each(rows, bar, name) for name in bar.ours}
        found = {name: each for name, each in every.items() if each}
    order = sorted(found, key=lambda name: -np.mean(found[name]))
    if len(bar.ours) > 1 and order:
        bar = replace(bar, says=f"{bar.says} (here {order[0]})")
    if bar.unit is None:
        bar = replace(bar, unit="points" if bar.theirs else "%")
    each, *others = [found[name] for name in order] or [()]
    return Measured(bar, each, tuple(others))


def _each(rows: pd.DataFrame, bar: Bar, method: str) -> tuple[float, ...]:
    """What each seed has of the metric, less what it has by the other method if there is one."""
    ours, theirs = (
        rows[rows.method == name].set_index("seed")[bar.metric or PLAIN].dropna()
        for name in (method, bar.theirs)
    )
    return tuple(seed_differences(ours, theirs if bar.theirs else ours * 0))


def _sides(line: Measured) -> tuple[float, float]:
    """p that the bar is met and that it is missed: by the best method, and by all of them."""
    (met, _), *_ = sides = [_one_sided(line.bar, each) for each in (line.each, *line.others)]
    return len(sides) * met, max(missed for _, missed in sides)


def _one_sided(bar: Bar, each: tuple[float, ...]) -> tuple[float, float]:
    """One-sided p that the true mean keeps the bar, and that it misses it."""
    gaps = [bar.least - np.array(each)] if bar.least > -math.inf else []
    gaps += [np.array(each) - bar.most] if bar.most < math.inf else []
    below = [_below(gap) for gap in gaps]  # a gap above 0 is a miss
    return max(below), min(1 - p for p in below)


def _below(gap: np.ndarray) -> float:
    """One-sided p of a t-test that the true gap is not below 0; without spread it is certain."""
    error = gap.std(ddof=1) / math.sqrt(len(gap))
    if error < 1e-12:
        return 0.0 if gap.mean() <= 1e-12 else 1.0
    return float(stats.t.cdf(gap.mean() / error, len(gap) - 1))


def _verdict(line: Measured, shown: str | None) -> str:
    bar, each = line.bar, line.each
    if not each:
        return NOT_MEASURED
    if bar.always:
        return MET if all(bar.least <= x <= bar.most for x in each) else NOT_MET
    if shown is None:
        return NO_VERDICT
    if shown != NOT_SHOWN:
        return shown
    meets = bar.least <= float(np.mean(each)) <= bar.most
    return f"{NOT_SHOWN} (the mean {'meets' if meets else 'misses'} it)"


def _text(bar: Bar, each: tuple[float, ...]) -> str:
    """The mean with its interval; of a guard the seed that is nearest to breaking it."""
    if not each:
        return "–"
    scale, digits = (100, 1) if bar.unit in ("points", "%") else (1, 3)
    form = f"{'+' if bar.unit in ('points', 'nats') else ''}.{digits}f"
    unit = f" {bar.unit}" if bar.unit else ""
    if bar.always:
        worst = min(each, key=lambda x: min(x - bar.least, bar.most - x))
        return f"{scale * worst:{form}}{unit}"
    seeds = scale * np.array(each)
    text = f"{seeds.mean():{form}}{unit}"
    if len(seeds) >= LEAST:
        half = stats.t.ppf(1 - LEVEL / 2, len(seeds) - 1) * seeds.std(ddof=1)
        half /= math.sqrt(len(seeds))
        text += f" ({seeds.mean() - half:{form}} to {seeds.mean() + half:{form}})"
    return text

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

import numpy as np
import pandas as pd
from scipy import stats

from foqus_lib.experiment.bar import Bar, Measured
from foqus_lib.report.compare import LEAST, LEVEL, holm, seed_differences

PLAIN = "accuracy"  # what a bar is about unless it says so
MET, NOT_MET, NOT_SHOWN = "met", "not met", "not shown"
NO_VERDICT, NOT_MEASURED = "no verdict", "not measured"


def judge(
    bars: Sequence[Bar], rows: Mapping[str, pd.DataFrame], verdict_from: int = LEAST
) -> pd.DataFrame:
    """One line a bar; `rows` by file."""
    return judged([measured(bar, rows.get(bar.file)) for bar in bars], verdict_from)


def measured(bar: Bar, rows: pd.DataFrame | None) -> Measured:
    """The seeds' means of a metric, or of its differences to another method; the best of `ours`."""
    unit = bar.unit or ("points" if bar.theirs else "%")
    found = {}
    if rows is not None:
        for name, value in bar.where.items():
            rows = rows[rows[name] == value]
        every = {name: _each(rows, bar, name) for name in bar.ours}
        found = {name: each for name, each in every.items() if each}
    order = sorted(found, key=lambda name: -np.mean(found[name]))
    says = bar.says + (f" (here {order[0]})" if len(bar.ours) > 1 and order else "")
    each, *others = [found[name] for name in order] or [()]
    return Measured(bar.number, says, each, bar.least, bar.most, unit, others=tuple(others))


def _each(rows: pd.DataFrame, bar: Bar, method: str) -> tuple[float, ...]:
    """What each seed has of the metric, less what it has by the other method if there is one."""
    ours, theirs = (
        rows[rows.method == name].set_index(["seed", "repeat"])[bar.metric or PLAIN].dropna()
        for name in (method, bar.theirs)
    )
    return tuple(seed_differences(ours, theirs if bar.theirs else ours * 0))


def judged(lines: Sequence[Measured], verdict_from: int = LEAST) -> pd.DataFrame:
    """bar, says, measured, n, verdict: one line each, which are one family of comparisons."""
    tested = [
        line for line in lines
        if not line.always and min(map(len, (line.each, *line.others))) >= verdict_from
    ]  # fmt: skip
    sides = [_sides(line) for line in tested]
    adjusted = holm(np.array([min(1.0, 2 * min(both)) for both in sides]))
    shown = {
        id(line): (MET if met < missed else NOT_MET) if p < LEVEL else NOT_SHOWN
        for line, (met, missed), p in zip(tested, sides, adjusted, strict=True)
    }
    return pd.DataFrame([
        {
            "bar": line.number, "says": line.says, "measured": _text(line),
            "n": str(len(line.each)), "verdict": _verdict(line, shown.get(id(line))),
        }
        for line in lines
    ])  # fmt: skip


def _sides(line: Measured) -> tuple[float, float]:
    """p that the bar is met and that it is missed: by the best method, and by all of them."""
    (met, _), *_ = sides = [_one_sided(each, line) for each in (line.each, *line.others)]
    return len(sides) * met, max(missed for _, missed in sides)


def _one_sided(each: tuple[float, ...], line: Measured) -> tuple[float, float]:
    """One-sided p that the true mean keeps the bar, and that it misses it."""
    gaps = [line.least - np.array(each)] if line.least > -math.inf else []
    gaps += [np.array(each) - line.most] if line.most < math.inf else []
    below = [_below(gap) for gap in gaps]  # a gap above 0 is a miss
    return max(below), min(1 - p for p in below)


def _below(gap: np.ndarray) -> float:
    """One-sided p of a t-test that the true gap is not below 0; without spread it is certain."""
    error = gap.std(ddof=1) / math.sqrt(len(gap))
    if error < 1e-12:
        return 0.0 if gap.mean() <= 1e-12 else 1.0
    return float(stats.t.cdf(gap.mean() / error, len(gap) - 1))


def _verdict(line: Measured, shown: str | None) -> str:
    if not line.each:
        return NOT_MEASURED
    if line.always:
        return MET if all(line.least <= x <= line.most for x in line.each) else NOT_MET
    if shown is None:
        return NO_VERDICT
    if shown != NOT_SHOWN:
        return shown
    meets = line.least <= float(np.mean(line.each)) <= line.most
    return f"{NOT_SHOWN} (the mean {'meets' if meets else 'misses'} it)"


def _text(line: Measured) -> str:
    """The mean with its interval; of a guard the seed that is nearest to breaking it."""
    if not line.each:
        return "–"
    of_fraction = line.unit in ("points", "%")
    scale, digits = (100, 1) if of_fraction else (1, 3)
    form = f"{'+' if line.unit in ('points', 'nats') else ''}.{digits}f"
    unit = f" {line.unit}" if line.unit else ""
    if line.always:
        worst = min(line.each, key=lambda x: min(x - line.least, line.most - x))
        return f"{scale * worst:{form}}{unit}"
    each = scale * np.array(line.each)
    text = f"{each.mean():{form}}{unit}"
    if len(each) >= LEAST:
        half = stats.t.ppf(1 - LEVEL / 2, len(each) - 1) * each.std(ddof=1) / math.sqrt(len(each))
        text += f" ({each.mean() - half:{form}} to {each.mean() + half:{form}})"
    return text

"""Bars of the specification, judged by rows: met, not met, or not shown."""

from collections.abc import Mapping, Sequence

import pandas as pd

from foqus_lib.experiment.bar import Bar
from foqus_lib.report.compare import LEAST, compare

PLAIN = "accuracy"  # what a bar is about unless it says so
MET, NOT_MET, NOT_SHOWN = "met", "not met", "not shown"


def judge(bars: Sequence[Bar], rows: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One line a bar. `rows` by file; means decide, and below LEAST seeds nothing is shown."""
    return pd.DataFrame([_line(bar, rows.get(bar.file)) for bar in bars])


def _line(bar: Bar, rows: pd.DataFrame | None) -> dict[str, str]:
    found = None if rows is None else _measured(bar, rows)
    if found is None:
        return {
            "bar": bar.number,
            "says": bar.says,
            "measured": "–",
            "n": "0",
            "verdict": NOT_SHOWN,
        }
    value, low, high, n, error = (found[name] for name in ("value", "low", "high", "n", "error"))
    passed = bar.least <= value <= bar.most and value >= bar.errors * error
    verdict = (MET if passed else NOT_MET) if n >= LEAST else NOT_SHOWN
    unit = " points" if bar.theirs else " %" if bar.metric != "move" else ""
    scale, form = (1, ".3f") if bar.metric == "move" else (100, "+.1f" if bar.theirs else ".1f")
    text = f"{scale * value:{form}}{unit}"
    if low == low:
        text += f" ({scale * low:{form}} to {scale * high:{form}})"
    says = bar.says + (f" (here {found['method']})" if len(bar.ours) > 1 else "")
    return {"bar": bar.number, "says": says, "measured": text, "n": str(n), "verdict": verdict}


def _measured(bar: Bar, rows: pd.DataFrame) -> dict | None:
    """value, its 95 % interval, n, standard error, and which method; None without rows."""
    for name, value in bar.where.items():
        rows = rows[rows[name] == value]
    by_method = {
        name: group.set_index(["seed", "repeat"])[bar.metric or PLAIN].dropna()
        for name, group in rows.groupby("method")
    }
    ours = {name: by_method[name] for name in bar.ours if len(by_method.get(name, ()))}
    if not ours or (bar.theirs and not len(by_method.get(bar.theirs, ()))):
        return None
    method = max(ours, key=lambda name: ours[name].mean())
    theirs = by_method[bar.theirs] if bar.theirs else ours[method] * 0
    found = compare(ours[method], theirs)
    error = found["error"] if found["error"] == found["error"] else 0.0
    return found | {"value": found["difference"], "error": error, "method": method}

"""What benchmarks/selection.py measured, arranged for pages."""

from pathlib import Path

import pandas as pd

from foqus_lib.report.paper import percent
from foqus_lib.report.printed import write_json, write_plain


def selectors(rows: pd.DataFrame, folder: Path) -> None:
    """Ours and the plain form of each selector in one line."""
    keys = ["selector", "pools", "signals", "rates"]
    ours, plain = (rows[rows.formulation == name].set_index(keys) for name in ("ours", "plain"))
    plain = plain.loc[ours.index]
    table = pd.DataFrame(
        {
            "CPU s": ours.cpu_s,
            "plain form, CPU s": plain.cpu_s,
            "ratio": ours.ratio.map("{:.1f}".format),
            "MB more": ours.peak_mb,
            "plain form, MB more": plain.peak_mb,
            "same picks": (100 * ours.same_picks).map("{:.1f} %".format),
            "rounds": ours.rounds,
        }
    ).reset_index()
    table["rates"] = [_rates(text) for text in table.rates.astype(str)]
    heads = {"selector": "Selector", "pools": "Pools", "signals": "N", "rates": "Rates"}
    write_plain(table.rename(columns=heads), folder / "selectors.csv")
    at = {
        f"{row.selector} {row.pools} {row.signals} {_rates(str(row.rates))}": {
            "ratio": float(row.ratio), "cpu_s": float(row.cpu_s), "peak_mb": int(row.peak_mb),
        }
        for row in rows[rows.formulation == "ours"].itertuples()
    }  # fmt: skip
    write_json(folder / "selectors.json", {"_about": {"machine": rows.machine.iloc[0]}, "at": at})


def selectors_largest(rows: pd.DataFrame, folder: Path) -> None:
    """Seconds and memory at the size of RML2018.01a."""
    table = pd.DataFrame(
        {
            "Selector": rows.selector,
            "CPU s": rows.cpu_s.map("{:.1f}".format),
            "seconds": rows.wall_s.map("{:.1f}".format),
            "GB, whole process": (rows.process_mb / 1024).map("{:.1f}".format),
        }
    )
    write_plain(table, folder / "selectors_largest.csv")


def selector_growth(rows: pd.DataFrame, folder: Path) -> None:
    """CPU seconds along N, k, D and T: one line a selector and axis, the values in order."""
    column = {"N": "signals", "k": "rates", "D": "width", "T": "epochs"}
    found = []
    for (axis, selector), group in rows.groupby(["axis", "selector"], sort=False):
        values = group[column[axis]]
        names = [_rates(str(v)) if axis == "k" else f"{v:,}" for v in values]
        found.append(
            {
                "Grows": axis,
                "Selector": selector,
                "values": ", ".join(name.replace(",", " ") for name in names),
                "CPU s": ", ".join(f"{s:.2f}" for s in group.cpu_s),
            }
        )
    write_plain(pd.DataFrame(found), folder / "selector_growth.csv")


def selector_bars(rows: pd.DataFrame, folder: Path) -> None:
    """The selectors that have a bar, on embeddings of full rank and of the rank CNN1D's have.

    Machine by machine: what a bar was set for may be what another processor lacks.
    """
    keys = ["machine", "selector", "rates", "rank"]
    ours, plain = (rows[rows.formulation == name].set_index(keys) for name in ("ours", "plain"))
    plain = plain.loc[ours.index]
    table = pd.DataFrame(
        {
            "CPU s": ours.cpu_s.map("{:.2f}".format),
            "plain form, CPU s": plain.cpu_s.map("{:.1f}".format),
            "ratio": ours.ratio.map("{:.1f}".format),
            "bar": ["none" if bar != bar else f"{bar:g}" for bar in ours.bar],
            "same picks": (100 * ours.same_picks).map("{:.1f} %".format),
            "rounds": ours.rounds,
        }
    ).reset_index()
    table["rates"] = [_rates(str(rate)) for rate in table.rates]
    table["machine"] = table.machine.map(_processor)
    heads = {"machine": "Processor", "selector": "Selector", "rates": "Rate", "rank": "Rank"}
    write_plain(table.rename(columns=heads), folder / "selector_bars.csv")
    barred = ours[ours.bar.notna()]
    met = (barred.ratio >= barred.bar).groupby(level="machine", sort=False)
    parts = [f"{sum(each)} of {len(each)} on {_processor(name)}" for name, each in met]
    numbers = {"met": "; ".join(parts), "signals": int(rows.signals.iloc[0])}
    write_json(folder / "selector_bars.json", {"found": numbers})


def _processor(machine: str) -> str:
    """ "AMD EPYC (AVX-512)" of what `measure.machine` says."""
    return machine.partition(",")[0].replace("(R)", "")


def _rates(text: str) -> str:
    """ "0.01+0.05" -> "1 %, 5 %"."""
    return ", ".join(percent(float(rate)) for rate in text.split("+"))

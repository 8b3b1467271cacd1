"""What benchmarks/ measured, arranged for pages. The measured CSVs stay as they were written."""

from pathlib import Path

import pandas as pd

from foqus_lib.report.paper import percent
from foqus_lib.report.printed import write_json, write_plain


def derive(measured: Path, folder: Path) -> None:
    """Each table whose measurements lie in `measured`."""
    for name, arrange in ARRANGED.items():
        if (source := measured / f"{name}.csv").exists():
            arrange(pd.read_csv(source), folder)


def sim_to_real(rows: pd.DataFrame, folder: Path) -> None:
    """Trained on simulated or real frames, tested on both: mean and sd over seeds, and the gap."""
    keys = ["fading", "trained_on", "tested_on"]
    found = rows.groupby(keys, sort=False).accuracy.agg(["mean", "std", "count"]).reset_index()
    pairs = zip(found["mean"], found["std"], strict=True)
    texts = [f"{mean:.3f} ± {sd:.3f}" if sd == sd else f"{mean:.3f}" for mean, sd in pairs]
    names = ["Fading", "Trained on", "Tested on"]
    table = found[keys].set_axis(names, axis=1).assign(accuracy=texts, seeds=found["count"])
    write_plain(table, folder / "sim_to_real.csv")
    where = rows.assign(on=rows.tested_on.where(rows.tested_on == "real", "simulated"))
    simulated = where[where.trained_on != "real"]
    both = simulated.pivot(index=["fading", "seed"], columns="on", values="accuracy")
    gaps = (both["real"] - both["simulated"]).groupby(level="fading", sort=False)
    numbers = {
        "_about": {"network": rows.network.iloc[0], "epochs": int(rows.epochs.iloc[0])},
        "gap": {name: {"mean": float(gap.mean()), "n": len(gap)} for name, gap in gaps},
    }
    write_json(folder / "sim_to_real.json", numbers)


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


def reading(rows: pd.DataFrame, folder: Path) -> None:
    """Seconds and memory of each way to read a cut of RML2018.01a."""
    table = pd.DataFrame(
        {
            "Way": rows.variant,
            "CPU s": [
                f"{row.cpu_s:.2f} ({row.cpu_s_least:.2f} to {row.cpu_s_most:.2f})"
                for row in rows.itertuples()
            ],
            "seconds": rows.wall_s.map("{:.2f}".format),
            "times less CPU": rows.times_less_cpu.map("{:.1f}".format),
            "peak / result": rows.peak_over_result.map("{:.2f}".format),
            "file, GB": rows.file_gb,
            "rounds": rows.rounds,
        }
    )
    write_plain(table, folder / "reading.csv")


def _rates(text: str) -> str:
    """ "0.01+0.05" -> "1 %, 5 %"."""
    return ", ".join(percent(float(rate)) for rate in text.split("+"))


ARRANGED = {
    "reading": reading,
    "sim_to_real": sim_to_real,
    "selectors": selectors,
    "selectors_largest": selectors_largest,
    "selector_growth": selector_growth,
}

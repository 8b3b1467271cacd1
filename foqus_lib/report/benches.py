"""What benchmarks/ measured, arranged for pages. The measured CSVs stay as they were written."""

import string
from pathlib import Path

import pandas as pd

from foqus_lib.datasets.simulated import channel
from foqus_lib.report.bench_companions import companions
from foqus_lib.report.bench_selectors import (
    selector_bars,
    selector_growth,
    selectors,
    selectors_largest,
)
from foqus_lib.report.compare import LEAST
from foqus_lib.report.printed import write_json, write_plain


def derive(measured: Path, folder: Path) -> None:
    """Each table whose measurements lie in `measured`."""
    for name, arrange in ARRANGED.items():
        if (source := measured / f"{name}.csv").exists():
            arrange(pd.read_csv(source), folder)
    companions(measured, folder)


def sim_to_real(rows: pd.DataFrame, folder: Path) -> None:
    """Trained on simulated or real frames, tested on both: sizes, mean and sd over seeds, gaps."""
    rows = rows.assign(source=_sources(rows), on=_tested(rows))
    found = rows.groupby(["source", "on"], sort=False).agg(
        n_train=("n_train", _count), n=("n", _count), mean=("accuracy", "mean"),
        sd=("accuracy", "std"), seeds=("accuracy", "size"),
    ).reset_index()  # fmt: skip
    table = pd.DataFrame(
        {
            "Trained on": found.source,
            "Training signals": found.n_train,
            "Tested on": found.on,
            "Test signals": found.n,
            "Mean recall": [
                f"{row.mean:.3f} ± {row.sd:.3f}" if row.sd == row.sd else f"{row.mean:.3f}"
                for row in found[["mean", "sd"]].itertuples(index=False)
            ],
            "Seeds": found.seeds,
        }
    )
    write_plain(table, folder / "sim_to_real.csv")
    write_json(folder / "sim_to_real.json", _sim_to_real_numbers(rows))


CHOSEN, OTHER, RECORDED = "the chosen fading", "another fading", "recordings"


def _sources(rows: pd.DataFrame) -> list[str]:
    """What a network learned from; which draws of the fading were chosen says `channel`."""
    chosen = " ".join(map(str, channel.DRAWS))
    others = [name for name in dict.fromkeys(rows.fading) if name not in (chosen, "recorded")]
    names = {chosen: f"simulated, {CHOSEN}", "recorded": RECORDED}
    for letter, name in zip(string.ascii_lowercase, others, strict=False):
        names[name] = f"simulated, {OTHER} ({letter})"
    return [names[name] for name in rows.fading]


def _tested(rows: pd.DataFrame) -> pd.Series:
    return rows.tested_on.map(lambda name: RECORDED if name == "real" else "simulated")


def _count(sizes: pd.Series) -> str:
    """12000, 12000 -> "12,000"; sizes that differ from seed to seed are told to the nearest ten."""
    low, high = int(sizes.min()), int(sizes.max())
    return f"{low:,}" if low == high else f"about {round(sizes.mean(), -1):,.0f}"


def _sim_to_real_numbers(rows: pd.DataFrame) -> dict:
    """Recorded accuracy and gap of each kind of training set, and a sentence of what follows."""
    kinds = {
        "chosen": rows[rows.source.str.contains(CHOSEN)],
        "other": rows[rows.source.str.contains(OTHER)],
        "recordings": rows[rows.source == RECORDED],
    }
    numbers = {}
    for name, group in kinds.items():
        real = group[group.on == RECORDED].set_index(["source", "seed"]).accuracy
        made = group[group.on == "simulated"].set_index(["source", "seed"]).accuracy
        gap = (real - made).dropna()
        numbers[name] = {
            "real": float(real.mean()) if len(real) else None,
            "gap": float(gap.mean()) if len(gap) else None,
            "n": len(real),
            "fadings": int(group.source.nunique()),
            "n_train": _count(group.n_train) if len(group) else None,
        }
    about = {"network": rows.network.iloc[0], "epochs": int(rows.epochs.iloc[0])}
    return {"_about": about, **numbers, "sentence": _what_follows(numbers)}


def _what_follows(numbers: dict) -> str | None:
    """None where a kind of training set was not measured."""
    chosen, other, real = (numbers[name] for name in ("chosen", "other", "recordings"))
    if None in (chosen["gap"], other["gap"], real["real"]):
        return None
    by_fading, by_source = chosen["real"] - other["real"], chosen["real"] - real["real"]
    seeds = min(one["n"] / one["fadings"] for one in (chosen, other, real))
    fadings = f"{other['fadings']} other fading" + "s" * (other["fadings"] > 1)
    own = " and ".join(f"{one['real'] - one['gap']:.3f}" for one in (chosen, other))
    moves = " and ".join(f"{100 * one['gap']:+.1f}" for one in (chosen, other))
    return (
        f"On the recordings networks that learned the chosen fading ({chosen['n']}) are "
        f"{_ahead(by_fading)} those that learned another ({other['n']}, of {fadings}), and "
        f"{_ahead(by_source)} those that learned {real['n_train']} recorded signals instead of "
        f"{chosen['n_train']} simulated ones ({real['n']}). That fading was chosen for being near "
        f"these very frames. On simulated signals of their own the two kinds reach {own}; from "
        f"there to the recordings they move by {moves} points."
        + (f" Below {LEAST} seeds of a fading no interval is given." if seeds < LEAST else "")
    )


def _ahead(difference: float) -> str:
    """0.093 -> "9.3 points better than"."""
    return f"{100 * abs(difference):.1f} points {'better' if difference >= 0 else 'worse'} than"


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


def tiers_by_epochs(rows: pd.DataFrame, folder: Path) -> None:
    """Share of signals whose tier does not change if Eq. 8 is replaced by the mean loss, by T."""
    keys = ["dataset", "selection_model", "epochs"]
    found = rows.groupby(keys, sort=False).same_tier.agg(["mean", "std", "count"]).reset_index()
    spread = ["" if sd != sd else f" ± {100 * sd:.1f}" for sd in found["std"]]
    table = pd.DataFrame(
        {
            "Data": found.dataset,
            "Network": found.selection_model,
            "Epochs T": found.epochs,
            "Same tier, %": [
                f"{100 * mean:.1f}{sd}" for mean, sd in zip(found["mean"], spread, strict=True)
            ],
            "Seeds": found["count"],
        }
    )
    write_plain(table, folder / "tiers_by_epochs.csv")
    shares = ", ".join(
        f"{100 * row.mean:.0f} % at T = {row.epochs}"
        for row in found[["epochs", "mean"]].itertuples(index=False)
    )
    about = f"{rows.dataset.iloc[0]}, {rows.selection_model.iloc[0]}, n = {found['count'].min()}"
    numbers = {"_about": {"data": about}, "sentence": f"{shares} ({about})"}
    write_json(folder / "tiers_by_epochs.json", numbers)


def accuracy(rows: pd.DataFrame, folder: Path) -> None:
    """What difference to the plain loop the interval of each variant leaves open, in points."""
    others = rows[rows["95 % interval"].notna()].rename(columns={"95 % interval": "interval"})
    left_open = {
        data: {
            row.variant: {"interval": row.interval, "n": row.seeds} for row in group.itertuples()
        }
        for data, group in others.groupby("dataset", sort=False)
    }
    about = {"network": "CNN1D", "epochs": ", ".join(map(str, rows.epochs.unique()))}
    write_json(folder / "accuracy.json", {"_about": about, "less_plain": left_open})


def executors(rows: pd.DataFrame, folder: Path) -> None:
    """What a job costs beyond its work, where it is computed elsewhere."""
    table = pd.DataFrame(
        {
            "Executor": rows.variant,
            "ms a job (range)": [
                f"{row.ms_per_job:.2f} ({row.ms_least:.2f} to {row.ms_most:.2f})"
                for row in rows.itertuples()
            ],
            "first job done, s": rows.start_s.map("{:.0f}".format),
            "MB of a worker's own": rows.own_mb_of_a_worker,
            "data, MB": rows.bench_mb,
            "jobs": rows.jobs,
            "rounds": rows.rounds,
        }
    )
    write_plain(table, folder / "executors.csv")


def bookkeeping(rows: pd.DataFrame, folder: Path) -> None:
    """What the engine costs around a training."""
    at = rows.set_index("what").cpu_ms
    table = pd.DataFrame(
        {
            "What": rows.what,
            "CPU ms (range)": [
                f"{row.cpu_ms:.3g} ({row.least:.3g} to {row.most:.3g})" for row in rows.itertuples()
            ],
            "counted": rows["count"].map("{:,}".format),
            "rounds": rows.rounds,
        }
    )
    write_plain(table, folder / "bookkeeping.csv")
    numbers = {
        "around": at["around it"],
        "table": 100 * at["a row of a table"],
    }
    about = {"machine": rows.machine.iloc[0]}
    write_json(folder / "bookkeeping.json", {"_about": about, "cpu": numbers})


ARRANGED = {
    "accuracy": accuracy,
    "executors": executors,
    "reading": reading,
    "tiers_by_epochs": tiers_by_epochs,
    "sim_to_real": sim_to_real,
    "bookkeeping": bookkeeping,
    "selectors": selectors,
    "selector_bars": selector_bars,
    "selectors_largest": selectors_largest,
    "selector_growth": selector_growth,
}

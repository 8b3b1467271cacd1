"""Committed rows -> the tables and numbers that the book's pages print. Nobody types a number.

    book/results/reported/             the paper's tables -> what a check of them shows
    book/results/<layer>/main.csv      rows of a grid like Tables I-II
    book/results/<layer>/ablation.csv  rows of a grid like Table V
    book/results/benchmarks/*.csv      what benchmarks/ measured: see `benches`

Every derived file goes to a folder `derived` beside its source; a test derives all again.
"""

from pathlib import Path

import pandas as pd

from foqus_lib.experiment.rows import load_rows
from foqus_lib.report import benches, paper, tables, verdicts
from foqus_lib.report.blocks import ALL_DATA, FLOOR, percent
from foqus_lib.report.printed import write_csv, write_json, write_plain

RESULTS = paper.REPORTED.parent
MODELS = "Selection → evaluation"


def derive(results: Path = RESULTS, target: Path | None = None) -> list[Path]:
    """Write every derived file below `target` (default: where they belong); says which."""
    target = target or results
    _audit(target / "reported" / "derived")
    for folder in sorted(path.parent for path in results.glob("*/main.csv")):
        _layer(folder, target / folder.name / "derived")
    benches.derive(results / "benchmarks", target / "benchmarks" / "derived")
    return sorted(path for path in target.glob("*/derived/*") if path.is_file())


def _audit(folder: Path) -> None:
    """What the paper's own numbers say when they are checked (Tables I-V)."""
    reported = paper.tables()
    averages, pairs = paper.check_averages(reported), paper.uniform_pairs(reported)
    winners, falls = paper.winners(reported), paper.not_monotone(reported)
    gains = paper.gain_over_uniform(reported)
    by_method = paper.profile(reported)
    for name, table in {
        "averages": averages[~averages.agrees].drop(columns="agrees"),
        "uniform_pairs": pairs,
        "gain": gains,
        "falls": falls,
        "profile": by_method,
        "ablation": paper.check_ablation(reported),
    }.items():
        write_plain(_in_words(table, HEADS[name]), folder / f"{name}.csv")
    wins = winners[winners.best == "FoQuS"]
    worst = pairs.loc[pairs.difference.abs().idxmax()]
    write_json(folder / "summary.json", {
        "_about": {"from": "the numbers printed in the paper"},
        "averages": {"all": len(averages), "agree": int(averages.agrees.sum())},
        "uniform": {"largest": abs(float(worst.difference)), "rate": percent(worst.rate)},
        "wins": {"of": len(winners), "foqus": len(wins),
                 "below_a_point": int((wins.lead < 0.01).sum()),
                 "median_lead": float(winners.lead.median())},
        "rows_that_fall": len(falls.drop_duplicates(["table", "dataset", "selection_model",
                                                     "evaluation_model", "method"])),
        "table_V": dict(zip(paper.ablation().combination, paper.ablation().accuracy, strict=True)),
        "gain": {str(row.rate): {"table_I": row.against_table_I, "table_III": row.against_table_III}
                 for row in gains.itertuples()},
    })  # fmt: skip


# The columns of each audit as a page heads them, in their order there.
HEADS = {
    "averages": {"table": "Table", "dataset": "Data", "models": MODELS, "method": "Method",
                 "printed": "Average, printed", "mean": "Mean of the five rates",
                 "difference": "Difference"},
    "uniform_pairs": {"dataset": "Data", "rate": "Rate", "place_one": "Printed in",
                      "one": "Accuracy there", "place_two": "Printed again in",
                      "two": "Accuracy again", "difference": "Difference"},
    "gain": {"rate": "Rate", "against_table_I": "Against Uniform of Table I",
             "against_table_III": "Against Uniform of Table III"},
    "falls": {"table": "Table", "dataset": "Data", "models": MODELS, "method": "Method",
              "from_rate": "From rate", "before": "Accuracy there", "rate": "To rate",
              "accuracy": "Accuracy then", "fall": "Fall"},
    "profile": {"method": "Method", "difference": "Mean difference to Uniform",
                "cells": "Cells of the tables"},
    "ablation": {"order": "Row", "combination": "Metrics", "accuracy": "Accuracy",
                 "to_full": "Minus F+E+Q", "same_as": "Same number in Table I",
                 "marks": "Tick marks"},
}  # fmt: skip


def _in_words(table: pd.DataFrame, heads: dict[str, str]) -> pd.DataFrame:
    """A frame of `paper` as a page shows it: A → B in one column, rates in per cent."""
    if "selection_model" in table:
        table = table.assign(models=table.selection_model + " → " + table.evaluation_model)
    rates = {
        name: ["average" if rate == "avg" else percent(rate) for rate in table[name]]
        for name in ("rate", "from_rate")
        if name in table
    }
    places = {  # on one line
        name: table[name].str.replace(" ", "\N{NO-BREAK SPACE}")
        for name in ("models", "place_one", "place_two")
        if name in table
    }
    return table.assign(**rates, **places)[list(heads)].rename(columns=heads)


def _layer(source: Path, folder: Path) -> None:
    """Tables of one layer of measured rows, and the numbers its page quotes."""
    rows = load_rows(source / "main.csv")
    [dataset] = rows.dataset.unique()
    reported = paper.beside(paper.tables(), paper.set_of(dataset), dataset)
    main, differences = tables.rate_table(rows, reported), verdicts.difference_to_uniform(rows)
    write_csv(main, folder / "main.csv")
    write_csv(differences, folder / "differences.csv")
    write_plain(against_paper(differences.numbers, reported), folder / "against_paper.csv")
    numbers = {
        "_about": _about(rows),
        "note": {"main": main.note, "differences": differences.note},
        "runs": {"cells": len(rows), "hours": rows.seconds.sum() / 3600},
        "accuracy": _by_rate(main.numbers, ["mean", "sd", "n"]),
        "difference": _by_rate(differences.numbers, ["difference", "low", "high", "n", "verdict"]),
        "verdicts": _verdicts(differences.numbers),
    }
    if (source / "ablation.csv").exists():
        parts = load_rows(source / "ablation.csv")
        ablation = tables.ablation_table(parts, paper.ablation())
        controls = verdicts.difference_to_uniform(parts)
        write_csv(ablation, folder / "ablation.csv")
        write_csv(controls, folder / "ablation_differences.csv")
        numbers["ablation"] = {
            "note": ablation.note,
            "rate": percent(parts.rate[parts.method == FLOOR].iloc[0]),
            "difference": _by_rate(controls.numbers, ["difference", "low", "high", "n", "verdict"]),
            "verdicts": _verdicts(controls.numbers),
            "by_rule": _by_rule(controls.numbers),
        }
    write_json(folder / "summary.json", numbers)


def against_paper(differences: pd.DataFrame, reported: pd.DataFrame) -> pd.DataFrame:
    """Difference to Uniform in points: ours with its interval, beside the paper's two values.

    The paper prints Uniform of RML2016.10a by CNN1D twice, and the two disagree; so a method of
    Table I has two differences. Data differ, so only the differences can be compared at all.
    """
    table_one = reported[(reported.selection_model == reported.evaluation_model)]
    other = reported[(reported.method == FLOOR) & (reported.table == "III")]
    found = []
    for ours in differences.itertuples():
        block = table_one[
            (table_one.evaluation_model == ours.evaluation_model) & (table_one.rate == ours.rate)
        ].set_index("method")
        if ours.method not in block.index or ours.selection_model != ours.evaluation_model:
            continue
        theirs = block.accuracy[ours.method]
        again = other[
            (other.evaluation_model == ours.evaluation_model) & (other.rate == ours.rate)
        ].accuracy
        found.append({
            "Method": ours.method,
            "Rate": percent(ours.rate),
            "ours": f"{100 * ours.difference:+.1f} [{100 * ours.low:+.1f}, {100 * ours.high:+.1f}]",
            "n": ours.n,
            "paper, Uniform of Table I": f"{100 * (theirs - block.accuracy[FLOOR]):+.1f}",
            "paper, Uniform of Table III": f"{100 * (theirs - again.iloc[0]):+.1f}" if len(again)
            else "",
        })  # fmt: skip
    return pd.DataFrame(found)


def _by_rate(numbers: pd.DataFrame, columns: list[str]) -> dict:
    """{method: {"1 %": {column: value}}}, for {res}; the average over rates is left out."""
    numbers = numbers[numbers.rate.notna()]
    return {
        method: {
            percent(row.rate): {column: _json_value(getattr(row, column)) for column in columns}
            for row in group.itertuples()
        }
        for method, group in numbers.groupby("method", sort=False)
    }


def _verdicts(numbers: pd.DataFrame) -> dict:
    """{"1 %": {"better": 2, "worse": 1, "no difference shown": 8}}: how many methods."""
    kinds = ("better", "worse", verdicts.UNSHOWN)
    return {
        percent(rate): {kind: int((group.verdict == kind).sum()) for kind in kinds}
        for rate, group in numbers.groupby("rate")
    }


def _by_rule(numbers: pd.DataFrame) -> dict:
    """{"tiers": {"of": 16, "better": 0, "worse": 0}, "top-k": ...}: rows of the ablation."""
    rule = numbers.method.str.rpartition(" | ")[2]
    return {
        name: {"of": len(group)}
        | {kind: int((group.verdict == kind).sum()) for kind in ("better", "worse")}
        for name, group in numbers.groupby(rule)
        if name in paper.RULES
    }


def _about(rows: pd.DataFrame) -> dict:
    """Where the numbers come from, shown beside each of them."""
    facts = {name: sorted(set(rows[name])) for name in ("about", "device", "torch", "git")}
    coresets = rows[rows.method != ALL_DATA]
    return {name: "; ".join(values) for name, values in facts.items()} | {
        "recipe": "; ".join(sorted(set(coresets.evaluation_recipe)))
    }


def _json_value(value: object) -> object:
    """JSON has no NaN and no numpy: null prints as "not run yet"."""
    if isinstance(value, str):
        return value
    return None if value != value else int(value) if value == int(value) else float(value)

"""The paper against itself: what its own numbers say when they are checked, as pages show it."""

from pathlib import Path

import pandas as pd

from foqus_lib.report import paper
from foqus_lib.report.printed import write_json, write_plain

MODELS = "Selection → evaluation"


def derive(folder: Path) -> None:
    """What the paper's own numbers say when they are checked (Tables I-V)."""
    reported = paper.tables()
    averages, pairs = paper.check_averages(reported), paper.uniform_pairs(reported)
    winners, falls = paper.winners(reported), paper.not_monotone(reported)
    gains, most = paper.gain_over_uniform(reported), paper.largest_gain(reported)
    by_method = paper.profile(reported)
    ours = by_method.set_index("method").loc["FoQuS"]
    for name, table in {
        "averages": averages[~averages.agrees].drop(columns="agrees"),
        "uniform_pairs": pairs,
        "gain": gains,
        "falls": falls,
        "profile": by_method,
        "ablation": paper.check_ablation(reported),
    }.items():
        write_plain(in_words(table, HEADS[name]), folder / f"{name}.csv")
    wins = winners[winners.best == "FoQuS"]
    worst = pairs.loc[pairs.difference.abs().idxmax()]
    write_json(folder / "summary.json", {
        "_about": {"from": "the numbers printed in the paper"},
        "averages": {"all": len(averages), "agree": int(averages.agrees.sum())},
        "uniform": {"largest": abs(float(worst.difference)), "rate": paper.percent(worst.rate)},
        "wins": {"of": len(winners), "foqus": len(wins),
                 "below_a_point": int((wins.lead < 0.01).sum()),
                 "median_lead": float(wins.lead.median())},
        "at_one_percent": {"of": len(most)} | {
            name: int((most[name] == 0.01).sum())
            for name in ("over_uniform", "relative", "over_best")
        },
        "elsewhere": {"points": float(100 * ours.difference), "cells": int(ours.cells),
                      "above": int(ours.above)},
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
                "cells": "Cells of the tables", "above": "Above Uniform in"},
    "ablation": {"order": "Row", "combination": "Metrics", "accuracy": "Accuracy",
                 "to_full": "Minus F+E+Q", "same_as": "Same number in Table I",
                 "marks": "Tick marks"},
}  # fmt: skip


def in_words(table: pd.DataFrame, heads: dict[str, str]) -> pd.DataFrame:
    """A frame of `paper` as a page shows it: A → B in one column, rates in per cent."""
    if "selection_model" in table:
        table = table.assign(models=table.selection_model + " → " + table.evaluation_model)
    rates = {
        name: ["average" if rate == "avg" else paper.percent(rate) for rate in table[name]]
        for name in ("rate", "from_rate")
        if name in table
    }
    places = {  # on one line
        name: table[name].str.replace(" ", "\N{NO-BREAK SPACE}")
        for name in ("models", "place_one", "place_two")
        if name in table
    }
    return table.assign(**rates, **places)[list(heads)].rename(columns=heads)

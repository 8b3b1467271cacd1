"""The paper's printed numbers (Tables I-V) and what a check of them shows.

Accuracies are fractions. Every audit takes the frame of `tables()` and returns a frame to show.
"""

from functools import cache
from pathlib import Path

import pandas as pd

REPORTED = Path(__file__).resolve().parents[2] / "book" / "results" / "reported"
OLDER = ("RML2016.04C", "rml2016_04c_8cls")  # a release before RML2016.10a, and our rows of it
BLOCK = ["table", "dataset", "selection_model", "evaluation_model"]
ROW = [*BLOCK, "method"]
TABLE_V = 100  # its rate, in basis points


def tables() -> pd.DataFrame:
    """Tables I-IV: table, dataset, models, method, rate, accuracy, budget (bp), source."""
    rows = _read("reported_tables.csv", [*ROW, "rate", "accuracy"])
    rows = rows[rows.rate != "avg"].astype({"rate": float})
    rows = rows.assign(budget=(10_000 * rows.rate).round().astype("int64"))
    return rows.assign(source="Table " + rows.table + " of " + rows.dataset).reset_index(drop=True)


def averages() -> pd.DataFrame:
    """The Avg column of Tables I-IV as printed, one row a method and block."""
    rows = _read("reported_tables.csv", [*ROW, "rate", "accuracy"])
    return rows[rows.rate == "avg"].drop(columns="rate").reset_index(drop=True)


def ablation() -> pd.DataFrame:
    """Table V (RML2016.10a, CNN1D, 1 %): combination, accuracy, how sure its marks are."""
    names = {"forgetting": "F", "persistent_error": "E", "quality": "Q"}
    rows = _read("reported_ablation.csv", ["order", *names, "accuracy", "marks"])
    combination = [
        "+".join(short for name, short in names.items() if row[name])
        for row in rows.to_dict("records")
    ]
    return rows.assign(combination=combination)[["order", "combination", "accuracy", "marks"]]


def cells() -> pd.DataFrame:
    """Tables I-V in one form: a row of Table V has its combination as the method."""
    five = ablation()[["combination", "accuracy"]].rename(columns={"combination": "method"})
    five = five.assign(
        table="V", dataset="RML2016.10a", selection_model="CNN1D", evaluation_model="CNN1D",
        rate=TABLE_V / 10_000, budget=TABLE_V, source="Table V of RML2016.10a",
    )  # fmt: skip
    return pd.concat([tables(), five], ignore_index=True)


def _read(name: str, columns: list[str]) -> pd.DataFrame:
    path = REPORTED / name
    if not path.exists():
        raise ValueError(
            f"{path}: not found. The paper's numbers lie in the project's book/ folder"
        )
    rows = pd.read_csv(path)
    if list(rows.columns) != columns:
        raise ValueError(f"{path}: expected columns {columns}, got {list(rows.columns)}")
    return rows


@cache  # every table asks for the order
def methods() -> tuple[str, ...]:
    """The eleven methods in the order in which Table I prints them."""
    return tuple(dict.fromkeys(tables().method))


def beside(ours: str) -> pd.DataFrame | None:
    """The paper's rows to stand beside accuracies on `ours`: a set of the paper, or one "-like" it.

    None for all other data: an accuracy on other signals is no other measurement of the same thing.
    """
    theirs, reported = ours.removesuffix("-like"), tables()
    found = reported[reported.dataset == theirs]
    return found.assign(dataset=ours) if len(found) else None


def set_of(ours: str) -> str | None:
    """The paper's set that `ours` is, imitates, or is comparable with by differences; else None.

    RML2016.04C is an older release of RML2016.10a's generator: its accuracies cannot be compared,
    but the difference of two methods can.
    """
    name = ours.removesuffix("-like")
    if name in set(tables().dataset):
        return name
    return "RML2016.10a" if ours in OLDER else None


# ---- the audit -----------------------------------------------------------------------------------


def check_averages(reported: pd.DataFrame) -> pd.DataFrame:
    """Printed averages beside the mean of their five rates; `agrees` allows for rounding.

    Five values and their average are each rounded to 4 digits: together at most 0.0001 apart.
    """
    mean = reported.groupby(ROW, sort=False).accuracy.mean().rename("mean").reset_index()
    both = averages().rename(columns={"accuracy": "printed"}).merge(mean, on=ROW)
    difference = both.printed - both["mean"]
    return both.assign(difference=difference, agrees=difference.abs() <= 0.0001 + 1e-12)


def uniform_pairs(reported: pd.DataFrame) -> pd.DataFrame:
    """Uniform printed twice: it uses no selection model, so both must agree within noise.

    One row a (data, evaluation model, rate) with the two printed values and their difference.
    """
    uniform = reported[reported.method == "Uniform"]
    keys = ["dataset", "evaluation_model", "rate"]
    found = []
    for key, group in uniform.groupby(keys, sort=False):
        if len(group) == 2:
            places = group.table + ", " + group.selection_model + " → " + group.evaluation_model
            one, two = group.accuracy
            found.append([*key, *places, one, two, two - one])
    columns = [*keys, "place_one", "place_two", "one", "two", "difference"]
    return pd.DataFrame(found, columns=columns)


def gain_over_uniform(reported: pd.DataFrame) -> pd.DataFrame:
    """FoQuS minus Uniform where it contradicts itself: against Table I's row and Table III's.

    RML2016.10a, CNN1D, Table I; the mean over the five rates stands last, as rate "avg".
    """
    models = (reported.dataset == "RML2016.10a") & (reported.evaluation_model == "CNN1D")

    def row(table: str, selection_model: str, method: str) -> pd.Series:
        here = models & (reported.table == table) & (reported.method == method)
        return reported[here & (reported.selection_model == selection_model)].set_index("rate")[
            "accuracy"
        ]

    foqus = row("I", "CNN1D", "FoQuS")
    gains = pd.DataFrame(
        {
            "against_table_I": foqus - row("I", "CNN1D", "Uniform"),
            "against_table_III": foqus - row("III", "CNN2D", "Uniform"),
        }
    )
    return pd.concat([gains, gains.mean().to_frame("avg").T]).rename_axis("rate").reset_index()


def largest_gain(reported: pd.DataFrame) -> pd.DataFrame:
    """The rate at which FoQuS gains most in each block of Table I.

    over_uniform in points, relative as a share of Uniform's accuracy, over_best in points over the
    best other method.
    """
    found = []
    for key, group in reported[reported.table == "I"].groupby(BLOCK, sort=False):
        wide = group.pivot(index="rate", columns="method", values="accuracy")
        over_best = wide.FoQuS - wide.drop(columns="FoQuS").max(axis=1)
        over, relative = wide.FoQuS - wide.Uniform, wide.FoQuS / wide.Uniform
        found.append([*key, over.idxmax(), relative.idxmax(), over_best.idxmax()])
    return pd.DataFrame(found, columns=[*BLOCK, "over_uniform", "relative", "over_best"])


def winners(reported: pd.DataFrame) -> pd.DataFrame:
    """Best and second of each (data, models, rate) of Tables I-III, and the lead between them."""
    found = []
    compared = reported[reported.table.isin(["I", "II", "III"])]
    for key, group in compared.groupby([*BLOCK, "rate"], sort=False):
        first, second = group.nlargest(2, "accuracy").to_dict("records")
        lead = first["accuracy"] - second["accuracy"]
        found.append([*key, first["method"], first["accuracy"], second["method"], lead])
    return pd.DataFrame(found, columns=[*BLOCK, "rate", "best", "accuracy", "second", "lead"])


def profile(reported: pd.DataFrame) -> pd.DataFrame:
    """Mean difference to Uniform of each method over the cells outside the suspect block.

    The block left out is Table I, RML2016.10a, CNN1D, where Uniform contradicts Table III. This
    profile, not the absolute numbers, is what a reproduction on other data can compare. `above`: in
    how many of the cells the method is printed above Uniform.
    """
    compared = reported[reported.table.isin(["I", "II", "III"])]
    suspect = (compared.table == "I") & (compared.dataset == "RML2016.10a")
    compared = compared[~(suspect & (compared.evaluation_model == "CNN1D"))]
    wide = compared.pivot(index=[*BLOCK, "rate"], columns="method", values="accuracy")
    difference = wide.drop(columns="Uniform").sub(wide["Uniform"], axis=0)
    found = pd.DataFrame({
        "difference": difference.mean(), "cells": difference.count(),
        "above": difference.gt(0).sum(),
    })  # fmt: skip
    return found.sort_values("difference", ascending=False).reset_index()


def not_monotone(reported: pd.DataFrame) -> pd.DataFrame:
    """Rows in which more data gave less: the fall between two neighbouring rates, largest first."""
    ordered = reported.sort_values("rate", kind="stable")
    step = ordered.groupby(ROW, sort=False)[["rate", "accuracy"]].shift()
    falls = ordered.assign(
        from_rate=step.rate, before=step.accuracy, fall=step.accuracy - ordered.accuracy
    )
    falls = falls[falls.fall > 0].sort_values("fall", ascending=False, kind="stable")
    return falls[[*ROW, "from_rate", "before", "rate", "accuracy", "fall"]].reset_index(drop=True)


def check_ablation(reported: pd.DataFrame) -> pd.DataFrame:
    """Table V beside Table I at 1 %: which row of Table I prints the same, and what is lost to all.

    `to_full` is the row minus the full method; `same_as` names the method of Table I, if any.
    """
    first = reported[
        (reported.table == "I")
        & (reported.dataset == "RML2016.10a")
        & (reported.selection_model == "CNN1D")
        & (reported.rate == 0.01)
    ]
    same = first.set_index("accuracy")["method"]
    rows = ablation()
    full = rows.set_index("combination").accuracy["F+E+Q"]
    return rows.assign(
        to_full=rows.accuracy - full, same_as=[same.get(value, "") for value in rows.accuracy]
    )


def percent(rate: float) -> str:
    """0.05 -> "5 %"."""
    return f"{100 * rate:g} %"

"""The guard: how far synthetic sets moved, and what a table may then say of them."""

import re

import pandas as pd

from foqus_lib.studies.distillation.ways import steps_on_s

# Where a set's move should end. Below nothing happened, above its signals are destroyed.
LEAST, MOST = 0.05, 0.35
# The longest step for each signal of a class that the specification has (2.2): of one, of several.
LONGEST = 0.001, 0.002


def guard(rows: pd.DataFrame) -> pd.DataFrame:
    """How far the synthetic sets moved, what that says, and the share of their loss that went."""
    made = _sets(rows).groupby(["method", "budget"], sort=False)
    found = made.agg(
        move=("move", "mean"), largest=("move", "max"), fall=("fall", "mean"), n=("move", "size")
    )
    steps = [steps_on_s(sets.distillation_recipe.iloc[0], key[1]) for key, sets in made]
    found.insert(0, "steps", steps)
    found = found.assign(fate=[_fate(sets) or "–" for _, sets in made]).reset_index()
    found.columns = [
        "Method", "signals per class", "steps on S", "move", "largest move", "loss taken away", "n",
        "guard",
    ]  # fmt: skip
    return found


def marked(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows; a method with sets beyond the guard says so in its name.

    It also says at how many signals per class, where that is not so of all its sizes.
    """
    names = {}
    for method, sets in _sets(rows).groupby("method"):
        fates = {budget: _fate(some) for budget, some in sets.groupby("budget")}
        told = [f"at {budget}: {fate}" for budget, fate in fates.items() if fate]
        if len(set(fates.values())) == 1:
            told = [fate for fate in fates.values() if fate][:1]
        names[method] = f"{method} ({'; '.join(told)})" if told else method
    return rows.assign(method=rows.method.map(lambda name: names.get(name, name)))


def not_destroyed(rows: pd.DataFrame) -> pd.DataFrame:
    """Without a method at a number of signals per class at which one of its sets was destroyed.

    All seeds go: those that are left would have been picked.
    """
    return rows[~(rows.groupby(["method", "budget"]).move.transform("max") > MOST)]


def long_steps(rows: pd.DataFrame) -> str:
    """Which steps are longer than the specification has them, and where they were chosen."""
    sets = _sets(rows)
    longest = sets.budget.map(lambda budget: LONGEST[budget > 1])
    long = sets.assign(longest=longest)[sets.step > longest]
    lines = []
    for (method, step), some in long.groupby(["method", "step"], sort=False):
        there = some.drop_duplicates("budget").sort_values("budget")
        limits = ", ".join(f"{row.longest:g} at {row.budget}" for row in there.itertuples())
        chosen = _chosen_at(some.distillation_recipe.iloc[0])
        lines.append(f"{method}: step {step:g}{chosen}; the specification's longest is {limits}")
    return "\n".join(lines) or "no step is longer than the specification has it"


def _chosen_at(recipe: str) -> str:
    found = re.search(r"best on val at (\d+) a class", recipe)
    return f", chosen at {found[1]} signals per class" if found else ""


def _sets(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a synthetic set, however many networks were trained on it."""
    return rows[rows.move.notna()].drop_duplicates(["method", "budget", "seed"])


def _fate(sets: pd.DataFrame) -> str:
    """ "destroyed", "1 of 2 destroyed"; "" where all moved as far as they should."""
    counts = {"destroyed": (sets.move > MOST).sum(), "hardly moved": (sets.move < LEAST).sum()}
    return ", ".join(
        word if count == len(sets) else f"{count} of {len(sets)} {word}"
        for word, count in counts.items()
        if count
    )

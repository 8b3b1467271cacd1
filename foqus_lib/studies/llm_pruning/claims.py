"""What the rows say of the paper's claims: differences order by order, their sign, and a bar.

Nothing here is typed in: a claim that the rows do not hold reads "not met", one whose rows are not
there "not run".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from foqus_lib.companions.llm_pruning import tuning
from foqus_lib.companions.llm_pruning.scores import SCORES
from foqus_lib.experiment.study import Study
from foqus_lib.studies.llm_pruning.options import (
    CONTROL,
    FIRST,
    KEEP_LAST,
    NONE,
    RANDOM,
    REVERSE,
    WHOLE,
)

MET, NOT_MET, NOT_RUN = "met", "not met", "not run"
KEYS = ["dataset", "model", "cut", "tuning", "method", "budget", "seed"]


def mean_of_draws(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the draws of Random as one row an order of text: their mean, as repeat 0."""
    how = {
        name: "mean" if rows[name].dtype == float else "first"
        for name in rows.columns
        if name not in KEYS
    }
    found = rows.sort_values("repeat", kind="stable").groupby(KEYS, sort=False).agg(how)
    return found.reset_index()[list(rows.columns)]


def by_tuning(rows: pd.DataFrame, rules: Sequence[str]) -> pd.DataFrame:
    """Rows with the tuning as the method and the rule as a setting: for a table of tunings."""
    kept = rows[rows.method.isin(rules)]
    return kept.rename(columns={"method": "rule", "tuning": "method"})


def study_of_tunings(study: Study) -> Study:
    """The study as `by_tuning` turns it: tunings are the methods, a rule is a block."""
    settings = tuple(sorted({*study.settings, "rule"} - {"tuning"}))
    return replace(
        study, settings=settings, block=("model", "cut", "rule"), floor="lm_head", ceiling=None
    )


@dataclass(frozen=True)
class Side:
    """One row of the table."""

    rule: str
    tuning: str = tuning.PARTIAL


def values(rows: pd.DataFrame, side: Side, cut: str, budget: int, metric: str) -> pd.Series:
    """By order of text, the mean over draws; a row without cut fits every cut."""
    at = rows[(rows.method == side.rule) & (rows.tuning == side.tuning)]
    at = at[at.cut.isin([cut, NONE]) & (at.budget == budget)]
    return at.groupby("seed")[metric].mean()


def best_metric(rows: pd.DataFrame, cut: str, budget: int) -> str | None:
    """Of the rules that compute something, the one of least mean loss."""
    means = {rule: values(rows, Side(rule), cut, budget, "loss").mean() for rule in SCORES}
    known = {rule: mean for rule, mean in means.items() if mean == mean}
    return min(known, key=known.get) if known else None


def judged(rows: pd.DataFrame, cut: str, budget: int) -> pd.DataFrame:
    """The bar of the specification (5.7, points 3 to 5) at one cut and number of tokens.

    difference: ours less theirs in nats, mean over orders, with its least and greatest; of the last
    row the ratio of bits a byte to the whole model's, less one. It must not exceed `at_most`.
    """
    ours, best = Side(REVERSE), best_metric(rows, cut, budget)
    pairs = [
        (f"{REVERSE} within 0.01 of the best metric ({best})", Side(best or ""), 0.01),
        (f"{REVERSE} no worse than {RANDOM}", Side(RANDOM), 0.0),
        (f"{REVERSE} better than {FIRST} by 0.05", Side(FIRST), -0.05),
        (f"{REVERSE} no worse than {KEEP_LAST}", Side(KEEP_LAST), 0.0),
        ("head + last 3 no worse than lm_head alone", Side(REVERSE, "lm_head"), 0.0),
        ("head + last 3 no worse than LoRA", Side(REVERSE, tuning.LORA), 0.0),
    ]
    found = []
    for claim, theirs, bar in pairs:
        each = values(rows, ours, cut, budget, "loss") - values(rows, theirs, cut, budget, "loss")
        found.append(_line(claim, each.dropna(), bar))
    whole = rows[rows.method == WHOLE].bits.mean()
    ratio = values(rows, ours, cut, budget, "bits") / whole - 1
    found.append(_line("within 3 % of the whole model, bits a byte", ratio.dropna(), 0.03))
    control = values(rows, Side(CONTROL), cut, budget, "bits")
    ratio = values(rows, ours, cut, budget, "bits") / control - 1
    found.append(_line("the same, the whole model tuned as long", ratio.dropna(), 0.03))
    return pd.DataFrame(found)


def _line(claim: str, each: pd.Series, bar: float) -> dict:
    verdict = NOT_RUN if each.empty else MET if each.mean() <= bar else NOT_MET
    return {
        "claim": claim, "difference": each.mean(), "least": each.min(), "greatest": each.max(),
        "n": len(each), "at_most": bar, "verdict": verdict,
    }  # fmt: skip


def gaps(rows: pd.DataFrame, cut: str, how: str = tuning.PARTIAL) -> pd.DataFrame:
    """How far Reverse order is behind each other rule, by tokens: mean, least, greatest of orders.

    `of_cut` is the gap before any tuning, `left` what share of it is left.
    """
    found = []
    here = rows[(rows.tuning == how) & (rows.cut == cut)]
    for rule in dict.fromkeys(here.method[here.method != REVERSE]):
        for budget in sorted(map(int, here.budget[here.method == rule].unique())):
            one, two = (
                [values(here, Side(name, how), cut, budget, metric) for name in (REVERSE, rule)]
                for metric in ("loss", "before")
            )
            each, before = (one[0] - one[1]).dropna(), (two[0] - two[1]).dropna()
            if len(each):
                found.append({
                    "rule": rule, "budget": budget, "gap": each.mean(), "least": each.min(),
                    "greatest": each.max(), "n": len(each), "of_cut": before.mean(),
                    "left": each.mean() / before.mean() if before.mean() else float("nan"),
                })  # fmt: skip
    names = ["rule", "budget", "gap", "least", "greatest", "n", "of_cut", "left"]
    return pd.DataFrame(found, columns=names)


def caught_up(found: pd.DataFrame) -> pd.DataFrame:
    """Of each rule: after how many tokens Reverse order is level in every order of text, if ever.

    "level" at a gap of 0 or less in all orders; else the last gap, and whether it is shrinking.
    """
    rows = []
    for rule, one in found.groupby("rule", sort=False):
        level = one[one.greatest <= 0].budget
        first, last = one.iloc[0], one.iloc[-1]
        shrinking = len(one) > 1 and last.gap < first.gap
        rows.append({
            "rule": rule,
            "level from": int(level.min()) if len(level) else "not within this run",
            "last gap": last.gap,
            "tokens": int(last.budget),
            "gap shrinks": "yes" if shrinking else "no" if len(one) > 1 else "one budget only",
        })  # fmt: skip
    return pd.DataFrame(rows)

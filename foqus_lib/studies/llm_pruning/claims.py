"""What the rows say of the paper's claims: differences order by order, their sign, and a bar.

Nothing here is typed in: `report.bars` judges what the rows measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from foqus_lib.companions.llm_pruning import tuning
from foqus_lib.companions.llm_pruning.scores import SCORES
from foqus_lib.experiment.bar import Measured
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


def of_rules(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows tuned as the paper tunes, and the whole model: what a table of rules compares."""
    return rows[rows.tuning.isin([tuning.PARTIAL, NONE])]


def where_tunings_differ(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of each rule, cut and budget at which several tunings were tried."""
    tried = rows.groupby(["method", "cut", "budget"]).tuning.transform("nunique")
    return rows[tried > 1]


def by_tuning(rows: pd.DataFrame, rules: Sequence[str]) -> pd.DataFrame:
    """Rows with the tuning as the method and the rule as a setting: for a table of tunings."""
    kept = rows[rows.method.isin(rules)]
    return kept.rename(columns={"method": "rule", "tuning": "method"})


def study_of_tunings(study: Study) -> Study:
    """The study as `by_tuning` turns it: tunings are the methods, a rule is a block."""
    settings = tuple(sorted({*study.settings, "rule"} - {"tuning"}))
    return replace(
        study,
        settings=settings,
        block=("model", "cut", "rule"),
        floor="lm_head",
        ceiling=None,
        drawn=(),
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


def bars(rows: pd.DataFrame, cut: str, budget: int) -> list[Measured]:
    """Points 3 to 5 of the specification's 5.7 at one cut and number of tokens, order by order.

    Ours less theirs in nats; of the last two the bits a byte above the whole model's, as a share.
    """
    ours, best = Side(REVERSE), best_metric(rows, cut, budget)
    pairs = [
        ("5.7.3", f"{REVERSE} within 0.01 of the best metric ({best})", Side(best or ""), 0.01),
        ("5.7.3", f"{REVERSE} no worse than {RANDOM}", Side(RANDOM), 0.0),
        ("5.7.3", f"{REVERSE} better than {FIRST} by 0.05", Side(FIRST), -0.05),
        ("5.7.3", f"{REVERSE} no worse than {KEEP_LAST}", Side(KEEP_LAST), 0.0),
        ("5.7.4", "head + last 3 no worse than lm_head alone", Side(REVERSE, "lm_head"), 0.0),
        ("5.7.4", "head + last 3 no worse than LoRA", Side(REVERSE, tuning.LORA), 0.0),
    ]
    found = []
    for number, says, theirs, most in pairs:
        each = values(rows, ours, cut, budget, "loss") - values(rows, theirs, cut, budget, "loss")
        found.append(Measured(number, says, tuple(each.dropna()), most=most, unit="nats"))
    whole = rows[rows.method == WHOLE].bits.mean()
    control = values(rows, Side(CONTROL), cut, budget, "bits")
    for says, other in (
        ("within 3 % of the whole model, bits a byte", whole),
        ("the same, the whole model tuned as long", control),
    ):
        ratio = (values(rows, ours, cut, budget, "bits") / other - 1).dropna()
        found.append(Measured("5.7.5", says, tuple(ratio), most=0.03, unit="%"))
    return found


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

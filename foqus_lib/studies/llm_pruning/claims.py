"""What the rows say of the paper's claims: differences order by order, their sign, and a bar.

Nothing here is typed in: `report.bars` judges what the rows measured.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from foqus_lib.companions.llm_pruning import tuning
from foqus_lib.companions.llm_pruning.scores import SCORES
from foqus_lib.experiment.key import NONE
from foqus_lib.experiment.study import Bar, Study
from foqus_lib.studies.llm_pruning.options import (
    CONTROL,
    FIRST,
    KEEP_LAST,
    RANDOM,
    REVERSE,
    WHOLE,
)

# As tables call the whole model. Not tuned it stands under each budget, and may be passed.
CEILING, REFERENCE = f"{CONTROL} (ceiling)", f"{WHOLE}, not tuned (reference)"


def tabled(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as tables show them: the whole model tuned as long is the ceiling, budget by budget."""
    return rows.assign(method=rows.method.replace(CONTROL, CEILING))


def of_rules(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows tuned as the paper tunes, and the whole model: what a table of rules shows."""
    return tabled(rows[rows.tuning.isin([tuning.PARTIAL, NONE])])


def reference(rows: pd.DataFrame) -> float:
    """Nats a token of the whole model as it was given; NaN without such a row."""
    return rows[rows.method == WHOLE].loss.mean()


def reference_in_words(rows: pd.DataFrame) -> str:
    """What the whole model loses as it was given, and what is tuned to a mean below that."""
    whole = reference(rows)
    tuned = rows[rows.method != WHOLE]
    means = tuned.groupby(["method", "tuning", "budget"], sort=False).loss.mean()
    below = dict.fromkeys((rule, how) for rule, how, _ in means.index[means < whole])
    passed = ", ".join(f"{rule} ({how})" for rule, how in below)
    return (
        f"{WHOLE}, not tuned: {whole:.3f} nats a token, a reference and no ceiling. "
        f"Below it at some budget: {passed or 'nothing'}."
    )


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
        reference="",
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


def tuned_by(rows: pd.DataFrame, cut: str, budget: int, how: str) -> list[str]:
    """The rules after which that tuning was tried; Reverse order if after none."""
    tried = rows[(rows.cut == cut) & (rows.budget == budget) & (rows.tuning == how)]
    return list(dict.fromkeys(tried.method)) or [REVERSE]


def judged_by(rows: pd.DataFrame, cut: str, budget: int) -> dict[str, pd.DataFrame]:
    """The rows of one cut and number of tokens, the tuning in the method's name, for `bars`.

    over_whole, over_control: bits a byte above those of the whole model, as a share: as it was
    given, and tuned as long on the same order of text.
    """
    here = rows[rows.cut.isin([cut, NONE]) & (rows.budget == budget)]
    control = here.seed.map(values(rows, Side(CONTROL), cut, budget, "bits"))
    here = here.assign(
        method=[_named(one.method, one.tuning) for one in here.itertuples()],
        over_whole=here.bits / rows[rows.method == WHOLE].bits.mean() - 1,
        over_control=here.bits / control - 1,
    )
    return {"rows": here}


def _named(rule: str, how: str = tuning.PARTIAL) -> str:
    return f"{rule}, {how}"


def bars(rows: pd.DataFrame, cut: str, budget: int) -> list[Bar]:
    """Points 3 to 5 of the specification's 5.7 at one cut and number of tokens, order by order.

    Ours less theirs in nats, of 5.7.4 a line for each rule after which both tunings were tried; of
    the last two the bits a byte above the whole model's, as a share.
    """
    ours, best = (_named(REVERSE),), best_metric(rows, cut, budget)
    of_rules = [
        (f"{REVERSE} within 0.01 of the best metric ({best})", best or "", 0.01),
        (f"{REVERSE} no worse than {RANDOM}", RANDOM, 0.0),
        (f"{REVERSE} better than {FIRST} by 0.05", FIRST, -0.05),
        (f"{REVERSE} no worse than {KEEP_LAST}", KEEP_LAST, 0.0),
    ]
    return [
        *(
            Bar("5.7.3", says, ours, _named(rule), "loss", most=most, unit="nats")
            for says, rule, most in of_rules
        ),
        *(
            Bar("5.7.4", f"{rule}: {tuning.PARTIAL} no worse than {how}", (_named(rule),),
                _named(rule, how), "loss", most=0.0, unit="nats")
            for how in ("lm_head", tuning.LORA)
            for rule in tuned_by(rows, cut, budget, how)
        ),
        Bar("5.7.5", "within 3 % of the whole model, bits a byte", ours, None, "over_whole",
            most=0.03),
        Bar("5.7.5", "the same, the whole model tuned as long", ours, None, "over_control",
            most=0.03),
    ]  # fmt: skip


def rates_in_words(rows: pd.DataFrame, cut: str, budget: int) -> str:
    """Where the rates of LoRA and of the paper's tuning stand among those tried, rule by rule."""
    lines = []
    for rule in tuned_by(rows, cut, budget, tuning.LORA):
        for how in (tuning.LORA, tuning.PARTIAL):
            at = (rows.method == rule) & (rows.tuning == how)
            here = rows[at & (rows.cut == cut) & (rows.budget == budget)]
            if len(here):
                lines.append(f"{rule}, {how}: {_place(here.lr.median(), here.recipe.iloc[0])}")
    return "\n".join(lines)


def _place(rate: float, recipe: str) -> str:
    """ "learning rate 0.001, the largest tried of 0.0003, 0.001"."""
    tried = sorted(map(float, re.search(r"lr (.+?) by", recipe)[1].split(" or ")))
    ends = {tried[0]: "the smallest tried of", tried[-1]: "the largest tried of"}
    if len(tried) == 1:
        ends = {tried[0]: "the only one tried of"}
    where = [words for end, words in ends.items() if math.isclose(rate, end)]
    listed = ", ".join(f"{one:g}" for one in tried)
    return f"learning rate {rate:g}, {where[0] if where else 'between the ends of'} {listed}"


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


def across_cuts(found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Of `gaps` by cut, two of them, at equal tokens: mean and range, and what becomes of the gap.

    It "grows" or "shrinks" from the first to the second where the ranges over orders do not meet.
    """
    (first, less), (second, more) = found.items()
    rows = [
        {
            "rule": one.rule, "tokens": one.budget,
            first: _span(one.gap_x, one.least_x, one.greatest_x),
            second: _span(one.gap_y, one.least_y, one.greatest_y),
            "the gap": "grows" if one.least_y > one.greatest_x
            else "shrinks" if one.greatest_y < one.least_x else "ranges meet",
        }
        for one in less.merge(more, on=["rule", "budget"]).itertuples()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["rule", "tokens", first, second, "the gap"])


def _span(mean: float, least: float, greatest: float) -> str:
    return f"{mean:+.3f} ({least:+.3f} to {greatest:+.3f})"


def places(rows: pd.DataFrame, cut: str, budget: int, rules: Sequence[str]) -> str:
    """These rules from the least mean loss up."""
    means = {rule: values(rows, Side(rule), cut, budget, "loss").mean() for rule in rules}
    return ", ".join(sorted(means, key=means.get))


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

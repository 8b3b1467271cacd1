"""What the paper claims, beside what the committed rows show: a verdict is computed, never typed.

book/claims.yml (`claims_file`) holds each claim as data; a rule (`claim_rules`) makes a verdict:

    holds            shown, after Holm's adjustment over all comparisons of the claim
    does not hold    the contrary is shown
    not shown        neither, or shown for a part of its budgets; the smallest difference the rows
                     could have shown stands beside
    not tested       no committed rows, or nothing that rows could test
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from foqus_lib.experiment.study import Metric, Study
from foqus_lib.report import compare, paper
from foqus_lib.report.blocks import block_names, in_blocks
from foqus_lib.report.claim_rules import (
    HOLDS,
    NO_ROWS,
    RULES,
    UNSHOWN,
    UNTESTED,
    VERDICTS,
    Finding,
    Rows,
)
from foqus_lib.report.claims_file import FILE, OURS, PAPERS, WHOSE, Claim, Printed, read_claims
from foqus_lib.report.differences import difference_text
from foqus_lib.report.drawn import claim_figure, write_figure
from foqus_lib.report.means import AVERAGE, laid_out, value_text
from foqus_lib.report.printed import write_json, write_plain
from foqus_lib.report.svg import write_svg

Layers = Mapping[str, Mapping[str, pd.DataFrame]]  # {"rml2016_04c_8cls": {"main": rows}}


def finding(claim: Claim, layers: Layers, studies: Mapping[str, Study]) -> Finding:
    """The claim's rule on its rows; "not tested" with the reason where there are none."""
    tested = claim.tested
    if tested is None:
        return Finding(UNTESTED, claim.reason)
    rows = layers.get(tested.layer, {}).get(tested.rows)
    if rows is None or rows.empty:
        return Finding(UNTESTED, NO_ROWS)
    study = studies[tested.rows]
    laid = laid_out(in_blocks(rows, study), study)
    seen = Rows(laid[laid.column != AVERAGE].astype({"budget": "int64"}), study, tested)
    for patterns in (tested.methods, tested.against):
        if patterns and not seen.names(patterns):
            return Finding(UNTESTED, f"{NO_ROWS} of {', '.join(patterns)}")
    if not seen.budgets:
        wanted = ", ".join(map(study.axis.text, tested.budgets))
        return Finding(UNTESTED, f"{NO_ROWS} at {wanted}")
    found = RULES[claim.rule](seen)
    if found.verdict != UNTESTED and found.comparisons.empty:
        return Finding(UNTESTED, f"{NO_ROWS} of a pair to compare")
    verdict, words = found.verdict, found.ours
    lacking = [study.axis.text(budget) for budget in tested.budgets if budget not in seen.budgets]
    lacking += [name for name in (*tested.methods, *tested.against) if not seen.names((name,))]
    lacking += _not_run(seen)
    if lacking:
        words += f"; not run: {', '.join(lacking)}"
        verdict = UNSHOWN if verdict == HOLDS else verdict  # a part of the claim was not looked at
    return Finding(verdict, words, _data(seen), found.comparisons)


def _not_run(rows: Rows) -> list[str]:
    """Methods that have rows, but none at a budget of the claim: "Margin at 5 %"."""
    names = rows.names((*rows.tested.methods, *rows.tested.against))
    return [
        f"{name} at {rows.at(key, budget)}"
        for key in rows.blocks
        for budget in rows.budgets
        for name in names
        if rows.series(key, name, budget).empty
    ]


def _data(rows: Rows) -> str:
    """Which data, networks and budgets."""
    sets = ", ".join(dict.fromkeys(rows.frame.dataset))
    models = ", ".join(dict.fromkeys(block_names(rows.frame, rows.study)))
    budgets = ", ".join(map(rows.study.axis.text, rows.budgets))
    return ", ".join(part for part in (sets, models, budgets) if part)


def paper_text(claim: Claim, study: Study | None = None) -> str:
    """What the paper prints, "label: +25.0 at 1 %, +24.8 at 5 %", by selection from its cells."""
    metric = study.metrics[0] if study else Metric("accuracy", "accuracy", points=True)
    told = []
    for printed in claim.paper:
        values = _values(printed, claim)
        form = difference_text if printed.less is not None else value_text
        numbers = [f"{form(value, metric)} at {budget / 100:g} %" for budget, value in values]
        told.append(f"{printed.label}: {', '.join(numbers)}")
    return "; ".join(told)


def _values(printed: Printed, claim: Claim) -> list[tuple[int, float]]:
    """(budget, value or difference) in the order of budgets, those of the claim alone."""
    cells = paper.cells()
    if claim.tested:
        cells = cells[cells.budget.isin(claim.tested.budgets)]
    ours = _cells(cells, printed.cell, claim).groupby("budget").accuracy.max()
    if printed.less is not None:
        theirs = (
            cells if "method" in printed.less else cells[cells.method != printed.cell["method"]]
        )
        ours = ours - _cells(theirs, printed.less, claim).groupby("budget").accuracy.max()
    return [(budget, value) for budget, value in ours.items() if not math.isnan(value)]


def _printed_differences(claim: Claim) -> list[float]:
    """All differences (fractions) that the paper prints of the claim: what ours are set beside."""
    found = []
    for printed in claim.paper:
        if printed.less is not None:
            values = dict(_values(printed, claim))
            if claim.rule == "largest_at_first":  # it compares leads, not methods
                first = values.pop(claim.tested.budgets[0])
                values = {budget: first - lead for budget, lead in values.items()}
            found += values.values()
    return found


def _cells(cells: pd.DataFrame, wanted: Mapping[str, object], claim: Claim) -> pd.DataFrame:
    found = cells
    for name, value in wanted.items():
        found = found[found[name] == value]
    if found.empty:
        raise ValueError(
            f"{FILE.name}, {claim.id}: the paper prints no cell {dict(wanted)}; "
            "compare with book/results/reported/"
        )
    return found


def derive(
    layers: Layers, studies: Mapping[str, Study], folder: Path, path: Path = FILE
) -> pd.DataFrame:
    """claims.csv and .html for the page, .svg for README, .json for {res}; returns the table."""
    lines, numbers, all_found = [], {}, []
    for claim in read_claims(path):
        found = finding(claim, layers, studies)
        all_found.append((claim, found))
        ours = found.ours
        lines.append({
            "Claim": f"{claim.claim} ({claim.shown})",
            "Whose": {PAPERS: "the paper's", OURS: "ours"}[claim.whose],
            "Verdict": found.verdict,
            "Ours": ours,
            "The paper": paper_text(claim) or "no number",
            "Data": found.data or "–",
        })  # fmt: skip
        numbers[claim.id] = _numbers(claim, found)
    table = pd.DataFrame(lines)
    write_plain(table, folder / "claims.csv")
    printed = {claim.id: _printed_differences(claim) for claim, _ in all_found}
    drawn = [(claim, one) for claim, one in all_found if _in_points(claim, studies)]
    figure = claim_figure(drawn, printed)
    label = "Each tested claim: our differences with 95 % intervals, and the paper's"
    write_figure(figure, label, folder / "claims.html")
    counts = {whose: _counts(all_found, [whose]) for whose in WHOSE}
    titled = claim_figure(drawn, printed, _title(counts, all_found))
    write_svg(titled, label, folder / "claims.svg")
    write_json(folder / "claims.json", {
        "_about": {"from": "book/claims.yml and the committed rows"},
        "counts": _counts(all_found, WHOSE),
        "whose": counts,
        "one_family": _as_one_family([one for _, one in all_found]),
        "test": _test(),
        "claims": numbers,
    })  # fmt: skip
    return table


def _in_points(claim: Claim, studies: Mapping[str, Study]) -> bool:
    """Whether its differences are of accuracies: the figure has one axis."""
    study = studies.get(claim.tested.rows) if claim.tested else None
    return study is not None and study.metrics[0].points


def _counts(found: Sequence[tuple[Claim, Finding]], whose: Sequence[str]) -> dict[str, int]:
    """How many claims, in all and by verdict."""
    verdicts = [one.verdict for claim, one in found if claim.whose in whose]
    return {kind: verdicts.count(kind) for kind in VERDICTS} | {"all": len(verdicts)}


def _as_one_family(found: Sequence[Finding]) -> dict[str, int]:
    """Holm's adjustment over the comparisons of all claims: how many of those that hold, would.

    A claim counts if all of its comparisons are still shown.
    """
    tested = [one for one in found if one.comparisons.size and one.comparisons.p.notna().any()]
    p = [one.comparisons.p.dropna().to_numpy() for one in tested]
    adjusted = compare.holm(np.concatenate(p)) if p else np.empty(0)
    parts = np.split(adjusted, np.cumsum([len(one) for one in p])[:-1]) if p else []
    holds = [
        one.verdict == HOLDS and bool((part < compare.LEVEL).all())
        for one, part in zip(tested, parts, strict=True)
    ]
    return {"comparisons": len(adjusted), "holds": sum(holds)}


def _title(counts: Mapping[str, Mapping[str, int]], found: Sequence[tuple[Claim, Finding]]) -> str:
    """ "12 claims of the paper: 0 hold, ... / 6 questions of ours: ..., and below them the data."""
    lines = [
        f"{counts[whose]['all']} {what}: "
        + ", ".join(f"{counts[whose][kind]} {kind}" for kind in VERDICTS)
        for whose, what in ((PAPERS, "claims of the paper"), (OURS, "in a form of ours"))
    ]
    data = dict.fromkeys(one.data.partition(",")[0] for _, one in found if one.data)
    return "\n".join([*lines, f"Rows of {', '.join(data)}"])


def _numbers(claim: Claim, found: Finding) -> dict:
    """One claim for {res}: verdict, what is printed, and the ends of n and detectable."""
    tested, smallest, largest = found.comparisons, None, None
    if len(tested):
        tested = tested[tested.low.notna()]
        if tested.detectable.notna().any():
            smallest, largest = float(tested.detectable.min()), float(tested.detectable.max())
    return {
        "claim": claim.claim, "shown": claim.shown, "rule": claim.rule, "verdict": found.verdict,
        "paper": paper_text(claim), "ours": found.ours, "data": found.data,
        "comparisons": len(found.comparisons), "detectable": {"from": smallest, "to": largest},
        "n": None if tested.empty else int(tested.n.min()),
    }  # fmt: skip


def _test() -> str:
    """How the verdicts were reached, for the note below the table."""
    how = "paired seed by seed" if compare.PAIRED else "by Welch's test"
    return (
        f"Differences in points (of a distance: in logits), {how}; a seed is the mean of its "
        "repeats, the seeds are the n; in brackets 95 % t-intervals, unadjusted. A verdict needs "
        f"{compare.LEAST} seeds or more and p below {compare.LEVEL} after Holm's adjustment over "
        "all comparisons of the claim. "
        "'Loses less than a margin' is judged by intervals: it holds if each of them lies within "
        "the margin, it does not hold if one lies wholly beyond it even when widened after "
        "Bonferroni. "
        "Behind n stands the smallest difference that the test shows in "
        f"{100 * compare.POWER:g} of 100 cases at the strictest step of the adjustment, so at "
        "least as often after it."
    )

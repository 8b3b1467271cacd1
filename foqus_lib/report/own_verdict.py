"""Does a coreset of one's own help? The sentence that an evaluation's rows allow.

The judge is `differences.difference_to_floor`: n is the seeds, p adjusted over the rates.
"""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from foqus_lib.experiment.study import Study
from foqus_lib.report.compare import LEAST, POWER, UNSHOWN
from foqus_lib.report.differences import comparison_text, difference_text, difference_to_floor
from foqus_lib.report.printed import Table


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What an evaluation left: one method against the floor, in one block."""

    rows: pd.DataFrame  # one a finished trial
    study: Study
    method: str
    asked: int  # the budget that the coreset of this page has
    unfinished: str = ""  # what is missing and why

    @cached_property
    def compared(self) -> Table | None:
        """The method less the floor, a line a budget; None where nothing was measured."""
        if not {self.method, self.study.floor} <= set(self.rows.method):
            return None
        return difference_to_floor(self.rows, self.study, self.unfinished)

    def lines(self) -> list:
        """Of the comparison, those with a seed at least."""
        if self.compared is None:
            return []
        return [row for row in self.compared.numbers.itertuples() if row.n]


def verdict(of: Evaluated) -> str:
    """The first sentence: a gain with its interval, or that none is shown and what could have been.

    It is about the budget that was asked for; the others follow in a word each.
    """
    floor, axis = of.study.floor, of.study.axis
    here = [row for row in of.lines() if row.budget == of.asked]
    at = f"at {axis.text(of.asked)}"
    if not here:
        why = f" {of.unfinished.rstrip('.')}." if of.unfinished else ""
        return f"Not measured: {of.method} and {floor} have no result {at}.{why}"
    [row] = here
    if row.n < LEAST:
        return (
            f"Too few seeds for a verdict: {at} there are n = {row.n}, and {LEAST} are needed. "
            f"{of.method} less {floor} there, seed by seed: {_each(row, of)} points. "
            f"--evaluate {LEAST} goes on from what is stored."
        )
    first = (_unshown if row.verdict == UNSHOWN else _shown)(row, of, at)
    others = [one for one in of.lines() if one.budget != of.asked]
    words = [f"at {axis.text(int(one.budget))} {one.verdict}" for one in others]
    return first + (f" Other rates: {'; '.join(words)}." if words else "")


def _shown(row, of: Evaluated, at: str) -> str:
    """ "FoQuS is 2.1 points better than Uniform at 5 % [+0.4, +3.8], n = 5"."""
    points = difference_text(abs(row.difference), of.study.metrics[0])[1:]
    advice = f" Keep {of.study.floor}'s choice." if row.verdict == "worse" else ""
    return (
        f"{of.method} is {points} points {row.verdict} than {of.study.floor} on your data {at} "
        f"{_interval(row, of)}, n = {row.n}.{advice}"
    )


def _unshown(row, of: Evaluated, at: str) -> str:
    could = difference_text(row.detectable, of.study.metrics[0])[1:]
    return (
        f"No gain shown on your data: {at} {of.method} less {of.study.floor} is "
        f"{difference_text(row.difference, of.study.metrics[0])} points {_interval(row, of)}, "
        f"n = {row.n}. "
    ) + (
        f"The smallest difference these runs could have shown is {could} points "
        f"(in {100 * POWER:g} of 100 cases)."
        if row.sd > 0
        else "Every seed gave the same difference: what these runs could have shown is not known."
    )


def _interval(row, of: Evaluated) -> str:
    return comparison_text(row, of.study.metrics[0]).partition(" ")[2]


def _each(row, of: Evaluated) -> str:
    return ", ".join(difference_text(one, of.study.metrics[0]) for one in row.each)

"""Tidy result rows of any study -> its two tables: every method, and every method less the floor.

The tables know a study's axis, metrics, floor, ceiling and block, nothing else of it. `means` and
`differences` make them.
"""

from foqus_lib.report.differences import comparison_text, difference_text, difference_to_floor
from foqus_lib.report.means import (
    AVERAGE,
    PAIRS,
    bold_note,
    budget_table,
    laid_out,
    mean_texts,
    spread,
    value_text,
)

__all__ = [
    "AVERAGE", "PAIRS", "bold_note", "budget_table", "comparison_text", "difference_text",
    "difference_to_floor", "laid_out", "mean_texts", "spread", "value_text",
]  # fmt: skip

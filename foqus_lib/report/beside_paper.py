"""Our differences to the floor beside the paper's, whose floor is printed twice and differs."""

import pandas as pd

from foqus_lib.experiment.study import Study
from foqus_lib.report import paper
from foqus_lib.report.differences import comparison_text

PRINTED = {"table_I": "Table I", "table_III": "Table III"}  # where the paper prints a floor


def paper_differences(numbers: pd.DataFrame, study: Study, theirs: str) -> pd.DataFrame:
    """Ours less the floor beside the paper's two values: numbers + table_I, table_III (fractions).

    The paper prints Uniform of RML2016.10a by CNN1D twice, and the two disagree; so a method of
    Table I has two differences. Data differ, so only the differences can be compared at all.
    """
    reported = paper.tables()
    reported = reported[reported.dataset == theirs]
    own = reported[reported.table.isin(["I", "II"])]
    again = reported[(reported.table == "III") & (reported.method == study.floor)]
    at = ["evaluation_model", "budget"]
    floors = {
        "table_I": own[own.method == study.floor].set_index(at).accuracy,
        "table_III": again.groupby(at).accuracy.first(),
    }
    ours = numbers[numbers.selection_model == numbers.evaluation_model]
    both = ours.merge(own[["method", *at, "accuracy"]], on=["method", *at])
    for name, floor in floors.items():
        both = both.join(floor.rename(name), on=at)
        both[name] = both.accuracy - both[name]
    return both


def against_paper(both: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Difference to the floor in points: ours with its interval, beside the paper's two values."""
    return pd.DataFrame({
        "Method": both.method,
        "Rate": both.column,
        "ours": [comparison_text(row, study.metrics[0]) for row in both.itertuples()],
        "n": both.n,
        **{f"paper, {study.floor} of {title}":
           [f"{100 * x:+.1f}" if x == x else "" for x in both[name]]
           for name, title in PRINTED.items()},
    })  # fmt: skip


def excluded(both: pd.DataFrame, study: Study, method: str = "FoQuS") -> dict:
    """Which of the paper's gains of a method lie outside our intervals: numbers and a sentence."""
    rows = both[(both.method == method) & both.low.notna()]
    if rows.empty:
        return {"sentence": None}
    found, words = {}, []
    for row in rows.itertuples():
        gains = {name: getattr(row, name) for name in PRINTED}
        gains = {name: gain for name, gain in gains.items() if gain == gain}
        outside = {name: not row.low <= gain <= row.high for name, gain in gains.items()}
        found[row.column] = {
            "ours": row.difference, "low": row.low, "high": row.high, "n": row.n,
            "gain": gains, "excluded": outside,
        }  # fmt: skip
        told = [
            f"{'does not contain' if outside[name] else 'contains'} {100 * gain:+.1f} "
            f"({PRINTED[name]})"
            for name, gain in gains.items()
        ]
        words.append(
            f"at {row.column} the interval {comparison_text(row, study.metrics[0])} "
            f"(n = {row.n}) {' and '.join(told)}"
        )
    sentence = (
        f"{method} less {study.floor}, in points, beside the paper's gain against either of its "
        f"two rows of {study.floor}: {'; '.join(words)}. The paper's numbers are of other signals, "
        "those of RML2016.10a with eleven classes, and it prints no spread: gains stand side by "
        "side here, and none of them is tested."
    )
    return {"at": found, "sentence": sentence}

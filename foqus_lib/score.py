"""`foqus score team.csv`: a submission on both tracks of its board, beside the rows there are."""

import argparse
from pathlib import Path

import pandas as pd

from foqus_lib.report import compare
from foqus_lib.report.committed import committed
from foqus_lib.report.standing import NO_ROWS, printed, standing
from foqus_lib.say import say


def score(args: argparse.Namespace) -> int:
    """Both tracks of a submission, printed beside the board's rows; 1 if a trial failed."""
    from foqus_lib.studies import catalog  # torch: two seconds, so only when asked
    from foqus_lib.studies.leaderboard import submission

    if args.seeds < compare.LEAST:
        raise ValueError(f"--seeds: expected {compare.LEAST} or more, got {args.seeds}")
    [board, *others] = dict.fromkeys(one.board for one in submission.read(Path(args.submission)))
    assert not others, "a file names one set"
    given = {
        "profile": args.profile, "board": board, "submissions": [args.submission],
        "key": args.key, "methods": [], "rates": [], "ceiling": 0, "seeds": args.seeds,
        "device": args.device,
    }  # fmt: skip
    chapter = catalog.opened(
        "leaderboard", given | ({"results": args.results} if args.results else {})
    )
    say(chapter.task.about)
    found = chapter.run(say)
    if found.missing:
        say(f"foqus: {found.note}. The same command tries again")
        return 1
    study, rows = chapter.study, chapter.rows()
    known = committed(study, "rows").get("rows")
    if known is None:
        say(NO_ROWS)
    table = printed(standing(beside(rows, known), study), study)
    print(table.to_string(index=False))
    return 0


def beside(rows: pd.DataFrame, known: pd.DataFrame | None) -> pd.DataFrame:
    """The rows with those committed ones that the same recipe gave on the same tests and rates.

    Of a trial that stands in both, the one computed here counts: the team's was, too.
    """
    if known is None:
        return rows
    same = known.apply(_training, axis=1).isin(set(rows.apply(_training, axis=1)))
    at_rate = known.budget.isin(set(rows.budget)) | (known.budget == 10_000)
    own = known.seed.isin(set(rows.seed)) & ~known.method.isin(set(rows.method))
    return pd.concat([rows, known[same & at_rate & own]], ignore_index=True)


def _training(row: pd.Series) -> tuple:
    """Test, recipe and network of a row, and the versions of the code that trains."""
    trains = "fit=", f"{row.model}="
    versions = [one for one in row.versions.split() if one.startswith(trains)]
    return row.fingerprint, row.evaluation_recipe, row.model, *versions

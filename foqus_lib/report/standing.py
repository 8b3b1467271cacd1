"""A board's order: the gain over the floor with its interval, and places that groups share.

Going down from the best mean, a row shares the place of the first of its group as long as the 95 %
interval of their difference holds 0. Places are of the rows at one rate on one track.
"""

from pathlib import Path

import pandas as pd

from foqus_lib.experiment.study import Study
from foqus_lib.report import compare
from foqus_lib.report.committed import committed
from foqus_lib.report.differences import comparison_text, difference_text
from foqus_lib.report.printed import write_plain

STEM = "leaderboard/rows"  # of book/results
TRACKS = "public", "hidden"
NO_ROWS = (
    "no rows yet: foqus sweep leaderboard --profile overnight --export "
    "book/results/leaderboard/rows.csv makes them"
)


def standing(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """track, budget, place, method, accuracy, sd, n, difference, low, high; best first.

    rows: finished trials. Seeds meet their own: a difference is taken seed by seed. The ceiling
    stands under each rate, without a place.
    """
    metric, found = study.metrics[0], []
    ceilings = rows[rows.method == study.ceiling]
    for (track, budget), group in rows[rows.method != study.ceiling].groupby(["track", "budget"]):
        series = {name: compare.by_trial(one, metric) for name, one in group.groupby("method")}
        if study.floor not in series:
            raise ValueError(f"{track}, {study.axis.text(budget)}: no row of {study.floor}")
        floor = series[study.floor]
        sign = 1 if metric.higher_is_better else -1
        order = sorted(series, key=lambda name: (-sign * _by_seed(series[name]).mean(), name))
        places = _places([sign * series[name] for name in order])
        entries = list(zip(places, order, strict=True))
        here = ceilings[ceilings.track == track]
        if len(here):
            series |= {study.ceiling: compare.by_trial(here, metric)}
            entries = [(None, study.ceiling), *entries]
        for place, name in entries:
            gain = compare.compare(series[name], floor)
            one = _by_seed(series[name])  # the seeds are the n
            found.append(
                {"track": track, "budget": budget, "place": place, "method": name,
                 "accuracy": one.mean(), "sd": one.std(), "n": len(one)}
                | {key: gain[key] for key in ("difference", "low", "high", "each")}
            )  # fmt: skip
    return pd.DataFrame(found)


def _by_seed(trials: pd.Series) -> pd.Series:
    return trials.groupby(level="seed").mean()


def _places(series: list[pd.Series]) -> list[int]:
    """Of rows from the highest mean down: 1, 1, 3 where the first two are not told apart."""
    places, first = [], 0
    for at, one in enumerate(series):
        if at and _below(one, series[first]):
            first = at
        places.append(first + 1)
    return places


def _below(one: pd.Series, other: pd.Series) -> bool:
    """Whether the interval of their difference lies below 0; without an interval nobody's does."""
    return bool(compare.compare(one, other)["high"] < 0)


def printed(found: pd.DataFrame, study: Study) -> pd.DataFrame:
    """As a page or a terminal shows it, accuracies in percent and gains in points."""
    metric = study.metrics[0]
    return pd.DataFrame(
        {
            "Track": found.track,
            "Rate": [study.axis.text(int(budget)) for budget in found.budget],
            "Place": ["" if p != p else f"{p:g}" for p in found.place.astype(float)],
            "Row": found.method,
            "Accuracy, %": [
                f"{100 * row.accuracy:.1f} ± {100 * row.sd:.1f}" for row in found.itertuples()
            ],
            "n": found.n,
            f"Gain over {study.floor}, points": [
                "0" if row.method == study.floor
                else difference_text(row.difference, metric) if row.method == study.ceiling
                else comparison_text(row, metric)
                for row in found.itertuples()
            ],
        }
    )  # fmt: skip


def derive(study: Study, results: Path, target: Path) -> None:
    """<target>/leaderboard/derived/public.csv and hidden.csv; without rows they say so."""
    rows = committed(study, "rows", results=results).get("rows")
    for track in TRACKS:
        table = pd.DataFrame({"Place": [""], "Row": [NO_ROWS]})
        if rows is not None:
            found = standing(rows[rows.track.str.startswith(track)], study)
            table = printed(found, study).drop(columns="Track")
        write_plain(table, target / study.name / "derived" / f"{track}.csv")

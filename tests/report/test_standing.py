"""The board's order and its printed table, worked by hand."""

from dataclasses import replace

import pandas as pd
import pytest

from foqus_lib.report import standing
from tests.report.made_up import STUDY, rows


def board(of, track="public", **how):
    """Accuracies of each method seed by seed, at 1 %; the ceiling's too."""
    return rows(lambda m, b, s, r: of[m][s], methods=list(of), budgets=[100],
                **({"repeats": [0]} | how)).assign(track=track)  # fmt: skip


def flat(value):
    return [value] * 5


RISING = [0.60, 0.61, 0.62, 0.63, 0.64]  # mean 0.62, sd 0.0158
OF = {"Uniform": flat(0.5), "A": RISING, "All data": flat(0.9)}


def test_the_printed_table_by_hand():
    table = standing.printed(standing.standing(board(OF), STUDY), STUDY)
    assert table.to_dict("split")["data"] == [
        ["public", "1 %", "", "All data", "90.0 ± 0.0", 5, "+40.0"],
        ["public", "1 %", "1", "A", "62.0 ± 1.6", 5, "+12.0 [+10.0, +14.0]"],
        ["public", "1 %", "2", "Uniform", "50.0 ± 0.0", 5, "0"],
    ]


def test_a_place_is_shared_with_the_first_of_a_group_not_with_a_neighbour():
    """B is told apart from neither A nor C, but A and C are 2 points apart without spread."""
    wide = [0.70, 0.74, 0.72, 0.74, 0.70]
    of = {"Uniform": flat(0.5), "A": flat(0.73), "B": wide, "C": flat(0.71)}
    found = standing.standing(board(of), STUDY).set_index("method")
    assert found.place.to_dict() == {"A": 1, "B": 1, "C": 3, "Uniform": 4}


def test_where_less_is_better_the_lowest_stands_first():
    error = replace(STUDY, metrics=(replace(STUDY.metrics[0], higher_is_better=False),))
    of = {"Uniform": flat(0.5), "A": RISING, "B": [0.63, 0.62, 0.62, 0.64, 0.62]}
    found = standing.standing(board(of), error)
    assert list(zip(found.place, found.method, strict=True)) == [
        (1, "Uniform"), (2, "A"), (2, "B")
    ]  # fmt: skip
    assert found.difference[1] == pytest.approx(0.12)  # signs stay as measured


def test_without_an_interval_all_share_the_first_place():
    few = board({"Uniform": flat(0.5), "A": flat(0.9)}, seeds=range(4))
    assert list(standing.standing(few, STUDY).place) == [1, 1]


def test_the_order_is_that_of_the_seeds_whatever_their_repeats():
    data = board({"Uniform": flat(0.6), "A": [0.5] * 4 + [0.9]}, repeats=range(9))
    data = data[(data.repeat == 0) | ((data.method == "A") & (data.seed == 4))]
    assert data.groupby("method").accuracy.mean()["A"] > 0.6
    assert list(standing.standing(data, STUDY).method) == ["Uniform", "A"]


def test_each_track_has_its_own_floor_and_ceiling():
    hidden = {"Uniform": flat(0.4), "A": flat(0.6), "All data": flat(0.8)}
    both = pd.concat([board(OF), board(hidden, "hidden")])
    found = standing.standing(both, STUDY).set_index(["track", "method"])
    assert found.accuracy["hidden", "All data"] == pytest.approx(0.8)
    assert found.difference["hidden", "A"] == pytest.approx(0.2)
    assert found.n.eq(5).all()
    with pytest.raises(ValueError, match="hidden, 1 %: no row of Uniform"):
        standing.standing(both[(both.track == "public") | (both.method != "Uniform")], STUDY)


def test_a_table_is_of_one_track(tmp_path, monkeypatch):
    both = pd.concat([board(OF), board(OF, "hidden")])
    monkeypatch.setattr(standing, "committed", lambda *_, **__: {"rows": both})
    standing.derive(STUDY, tmp_path, tmp_path)
    for track in standing.TRACKS:
        table = pd.read_csv(tmp_path / "coreset" / "derived" / f"{track}.csv")
        assert list(table.Row) == ["All data", "A", "Uniform"]

"""`foqus score`: what a submission may be, what it is compared with, who shares a place."""

import json

import numpy as np
import pandas as pd
import pytest

from foqus_lib import cli, score
from foqus_lib.experiment.store import frame
from foqus_lib.report import standing
from foqus_lib.selection.catalog import CATALOG
from foqus_lib.studies import catalog
from foqus_lib.studies.leaderboard import STUDY, boards, grid, submission

BOARD = boards.board_named("board-tiny")
HEAD = "# name: Team Herring\n# set: board-tiny\n"
N = 220  # 11 classes x 5 SNRs x 4 frames
GOOD = [20 * c + j for c in range(11) for j in (0, 7)]  # two of each class: 10 %


def written(folder, text, name="team.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def csv(rows=GOOD, head=HEAD, rate="0.1"):
    return head + "rate,index\n" + "".join(f"{rate},{row}\n" for row in rows)


def changed(place, value):
    return csv([value if at == place else row for at, row in enumerate(GOOD)])


def test_the_three_formats_are_one_submission(tmp_path):
    said = {"name": "Team Herring", "set": "board-tiny", "rate": 0.1, "indices": GOOD}
    txt = HEAD + "# rate: 0.1\n" + "\n".join(map(str, reversed(GOOD)))
    files = [
        written(tmp_path, csv()),
        written(tmp_path, txt, "team.txt"),
        written(tmp_path, json.dumps(said), "team.json"),
    ]
    found = [one for path in files for one in submission.read(path)]
    assert len(found) == 3 and len({one.digest for one in found}) == 1
    assert all(one.rows.tolist() == GOOD and one.points == 1000 for one in found)
    assert found[0].name == "Team Herring"


@pytest.mark.parametrize(
    "text, says",
    [
        (changed(3, 220), "line 7: row 220: board-tiny has rows 0 to 219"),
        (changed(3, 0), "line 7: row 0 stands in line 4 too"),
        (csv([*GOOD, 1]), "line 26: expected 22 rows, 10 % of 220, got 23"),
        (csv(GOOD[:-1]), "line 24: expected 22 rows, 10 % of 220, got 21"),
        (csv([*GOOD[:-2], 1, 2]), "line 25: no signal of class AM-DSB"),
        (changed(0, "NaN"), "line 4: expected a whole row number, got 'NaN'"),
        (changed(0, "3.0"), "line 4: expected a whole row number, got '3.0'"),
        (changed(0, "-1"), "line 4: expected a whole row number, got '-1'"),
        (changed(0, "1e2"), "line 4: expected a whole row number"),
        (changed(0, "٣"), "line 4: expected a whole row number"),
        (csv(rate="nan"), "line 4: rate: expected a number such as 0.05"),
        (csv(rate="1.5"), "line 4: rate: expected 0 < "),
        (csv(head=HEAD.replace("tiny", "huge")), "set: unknown benchmark set 'board-huge'"),
        (csv(head="# set: board-tiny\n"), "name: expected 1 to 40 letters"),
        (csv(head=HEAD.replace("Team Herring", "foqus")), "foqus is a row of the board"),
        (csv(head=HEAD.replace("Team Herring", "<b>me</b>")), "name: expected 1 to 40 letters"),
        (HEAD + "rate,index\n0.1,1,2\n", "line 4: expected rate,index, got '0.1,1,2'"),
        (HEAD + "0.1,1\n", "line 3: expected the columns rate,index"),
        (HEAD + "rate,index\n", "no row number in it"),
        (csv() + "\n" * 100_001, "expected at most 100,000 lines"),
        (csv() + " " * 2**20, "expected at most 1,048,576 bytes"),
    ],
)  # fmt: skip
def test_what_is_no_coreset_is_refused_with_its_line(tmp_path, capsys, text, says):
    path = written(tmp_path, text)
    assert cli.main(["score", str(path)]) == 2
    told = capsys.readouterr().err
    assert says.rstrip() in told and str(path) in told


@pytest.mark.parametrize("bad", ["NaN", '"7"x', "1.5", "[1]", "true"])
def test_json_is_read_as_strictly(tmp_path, bad):
    items = ",\n".join([str(row) for row in GOOD[:-1]] + [bad])
    text = f'{{"name": "T", "set": "board-tiny", "rate": 0.1,\n"indices": [\n{items}]}}'
    with pytest.raises(ValueError, match=r"line 2\d?: (expected a whole row|not JSON)"):
        submission.read(written(tmp_path, text, "team.json"))


def test_json_beside_other_fields_is_read_and_a_name_is_text(tmp_path):
    said = {"name": "T", "set": "board-tiny", "rate": 0.1, "indices": GOOD}
    more = json.dumps(said | {"about": {"indices": len(GOOD)}})
    [one] = submission.read(written(tmp_path, more, "team.json"))
    assert one.rows.tolist() == GOOD
    with pytest.raises(ValueError, match="line 1: name: expected text, got 'None'"):
        submission.read(written(tmp_path, json.dumps(said | {"name": None}), "team.json"))


def test_a_rate_that_the_pool_cannot_fill_is_refused_before_any_training(tmp_path):
    given = {"profile": "smoke", "board": "board-tiny", "rates": [0.001], "results": str(tmp_path)}
    with pytest.raises(ValueError, match="rate: 0.001 of 220 signals keeps none"):
        _ = catalog.opened("leaderboard", given).bench


def test_a_text_without_a_rate_is_told_the_line_to_write(tmp_path):
    with pytest.raises(ValueError, match="line 3: rate: missing. Write `# rate: 0.05` above"):
        submission.read(written(tmp_path, HEAD + "17\n", "team.txt"))


def test_bytes_and_links_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "team.csv"
    path.write_bytes(b"# name: a\n\xff\xfe")
    with pytest.raises(ValueError, match="line 2: expected UTF-8"):
        submission.read(path)
    with pytest.raises(ValueError, match="no such file"):
        submission.read(tmp_path / "none.csv")


def test_the_tracks_share_the_pool_and_nothing_else(tmp_path):
    public = boards.task(BOARD)
    hidden = boards.task(BOARD, boards.HIDDEN)
    other = boards.task(BOARD, boards.HIDDEN, "another key of enough letters")
    assert public.train is hidden.train and len(public.train) == N
    tests = [one.test.iq for one in (public, hidden, other)]
    assert not any(np.array_equal(tests[i], tests[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert len({one.fingerprint for one in (public, hidden, other)}) == 3
    key = written(tmp_path, "0123456789abcdef0123\n", "key.txt")
    assert boards.key_in(str(key)) == "0123456789abcdef0123"
    with pytest.raises(ValueError, match="expected a key of 20 to 1000"):
        boards.key_in(str(written(tmp_path, "short", "key.txt")))


@pytest.mark.parametrize(
    ("name", "value"),
    [("dataset", "x.h5"), ("frames", 3), ("snr_min", -20.0), ("split", "random"),
     ("normalise", "native"), ("train_share", 0.5), ("val_share", 0.1), ("data_seed", 1)],
)  # fmt: skip
def test_other_signals_are_refused_and_not_ignored(name, value):
    said = f"^{name}: leaderboard takes none, got {value!r}: its boards are fixed"
    with pytest.raises(ValueError, match=said):
        catalog.opened("leaderboard", {"profile": "smoke", name: value})


def test_a_trial_says_the_commitment_of_a_key_never_the_key(tmp_path):
    key = written(tmp_path, "0123456789abcdef0123", "key.txt")
    given = {"profile": "smoke", "key": str(key), "results": str(tmp_path / "store")}
    text = str([trial.key for trial in catalog.opened("leaderboard", given).trials])
    assert "0123456789abcdef0123" not in text
    assert f"hidden (key {boards.commitment('0123456789abcdef0123')})" in text


def test_a_track_is_read_once_for_all_of_its_trials(tmp_path, monkeypatch):
    read, real = [], grid.task
    monkeypatch.setattr(grid, "task", lambda *given: read.append(given) or real(*given))
    given = {"profile": "smoke", "results": str(tmp_path / "store"), "seeds": 3}
    assert len(catalog.opened("leaderboard", given).trials) > len(read) == 2


def test_scoring_prints_both_tracks_and_resumes(tmp_path, capsys):
    path = written(tmp_path, csv())
    words = ["score", str(path), "--profile", "smoke", "--results", str(tmp_path / "store")]
    assert cli.main(words) == 0
    first = capsys.readouterr()
    for word in ("public", "hidden (open key)", "Team Herring", "Uniform", "10 %"):
        assert word in first.out
    assert first.err.count("20 trials are stored") == 1
    assert "[" in first.out  # five seeds have an interval
    assert cli.main(words) == 0
    again = capsys.readouterr()
    assert again.out == first.out and again.err.count("all 20 trials are stored") == 1


def test_fewer_than_five_evaluations_are_refused(tmp_path, capsys):
    assert cli.main(["score", str(written(tmp_path, csv())), "--seeds", "4"]) == 2
    assert "--seeds: expected 5 or more" in capsys.readouterr().err


def test_the_whole_catalog_has_rows():
    whole = catalog.opened("leaderboard", {"profile": "overnight"})
    methods = {trial.method for trial in whole.trials}
    assert methods == {*CATALOG, "All data"}


def test_uniform_over_snrs_looks_at_no_record(tmp_path):
    asked = {"methods": ["Uniform | SNR-balanced"], "results": str(tmp_path / "store")}
    chapter = catalog.opened("leaderboard", {"profile": "smoke"} | asked)
    trials = [one for one in chapter.trials if one.method != "All data"]
    assert {one["selection_recipe"] for one in trials} == {"-"}
    assert not any("collect" in one["versions"] for one in trials)
    assert chapter.study.jobs(chapter.bench, trials)[0] == []  # no training of the whole pool


def rows_of(means, track="public", sd=0.01):
    noise = sd * np.array([-1.0, 1, 0, 2, -2])
    return pd.DataFrame([
        {"track": track, "budget": 500, "method": method, "seed": seed, "repeat": 0,
         "accuracy": mean + noise[(seed + place) % 5], "fingerprint": "f",
         "evaluation_recipe": "r", "model": "m",
         "versions": f"fit=1 m=1 method={place}"}
        for place, (method, mean) in enumerate(means.items()) for seed in range(5)
    ])  # fmt: skip


def test_who_is_not_told_apart_shares_a_place():
    found = standing.standing(
        rows_of({"Uniform": 0.5, "B": 0.72, "A": 0.73, "C": 0.1}), STUDY
    ).set_index("method")
    assert found.place.to_dict() == {"A": 1, "B": 1, "Uniform": 3, "C": 4}
    assert found.loc["A", "low"] > 0 > found.loc["C", "high"]


def test_repeats_are_no_further_seeds():
    once = rows_of({"Uniform": 0.5, "A": 0.73})
    twice = pd.concat([once, once.assign(repeat=1, accuracy=once.accuracy + 0.02)])
    found = standing.standing(twice, STUDY).set_index("method")
    assert set(found.n) == {5} and found.accuracy["A"] == pytest.approx(0.74)
    alone = standing.standing(once, STUDY).set_index("method")
    assert found.sd["A"] == pytest.approx(alone.sd["A"])


def test_only_committed_rows_of_the_same_recipe_stand_beside():
    mine = rows_of({"Uniform": 0.5, "Team": 0.6})
    known = rows_of({"Uniform": 0.4, "FoQuS": 0.3})
    both = score.beside(mine, known)
    assert set(both.method) == {"Uniform", "Team", "FoQuS"} and len(both) == 15
    assert len(score.beside(mine, known.assign(evaluation_recipe="other"))) == 10
    older = known.assign(versions="fit=0 m=1 method=1")  # as before the training was changed
    assert len(score.beside(mine, older)) == 10
    assert score.beside(mine, None) is mine


def test_without_rows_the_page_says_so(tmp_path):
    standing.derive(STUDY, tmp_path, tmp_path)
    for track in ("public", "hidden"):
        assert "no rows yet" in (tmp_path / f"leaderboard/derived/{track}.csv").read_text()


@pytest.mark.slow
def test_exported_rows_become_the_table(tmp_path):
    from foqus_lib.experiment import rows

    given = {"profile": "smoke", "results": str(tmp_path / "store"), "seeds": 2}
    chapter = catalog.opened("leaderboard", given)
    chapter.run(lambda text: None)
    rows.export(chapter.common.store, STUDY, chapter.trials, tmp_path / "leaderboard/rows.csv")
    standing.derive(STUDY, tmp_path, tmp_path)
    table = pd.read_csv(tmp_path / "leaderboard/derived/hidden.csv")
    assert set(table.Row) == {"Uniform", "FoQuS", "All data"}
    assert len(frame(chapter.common.store, STUDY, chapter.trials)) == 12

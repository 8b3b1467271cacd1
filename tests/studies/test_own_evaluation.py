"""`foqus select --evaluate`: method against Uniform on a part of the user's file held out."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest

from foqus_lib import cli, own_coreset
from foqus_lib.experiment import store
from foqus_lib.studies.coreset import own, own_evaluation, records, run


@pytest.fixture
def data(tones, tmp_path):
    path = tmp_path / "my.npz"
    np.savez(path, X=tones.iq, y=tones.label, snr=tones.snr, classes=np.array(tones.classes))
    return path


def command(data, out, *more):
    return cli.main(["select", "--data", str(data), "--rate", "0.25", "--out", str(out),
                     "--results", str(data.parent / "store"), "--epochs", "2", "--batch", "32",
                     *more])  # fmt: skip


@pytest.fixture
def no_training(monkeypatch):
    def never(*given, **more):
        raise AssertionError("trained")

    monkeypatch.setattr(records, "collect", never)


@pytest.mark.slow
def test_a_killed_evaluation_goes_on_and_the_coreset_is_that_of_all_signals(
    data, tmp_path, monkeypatch, capsys
):
    real, done = store.publish, []

    def publish(root, trial, *given):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(trial)
        return real(root, trial, *given)

    monkeypatch.setattr(store, "publish", publish)
    asked = ["--evaluate", "2", "--rates", "0.5"]
    assert command(data, tmp_path / "a", *asked) == 130
    assert not (tmp_path / "a").exists()
    monkeypatch.setattr(store, "publish", lambda *given: done.append(given[1]) or real(*given))
    monkeypatch.setattr(records, "collect", None)  # all records are there
    assert command(data, tmp_path / "a", *asked) == 0
    assert len(done) == len(set(done)) == 2 * (2 * 2 + 1)  # seeds x (methods x rates + All data)
    assert {one.budget for one in done} == {2500, 5000, 10_000}
    said, progress = capsys.readouterr()
    assert "Too few seeds for a verdict: at 25 % there are n = 2" in said
    assert "3 of 10 results are stored" in progress and "left" in progress
    assert re.search(r"To do: .* in \d+ groups, about \d+ s with 1 worker", progress)
    page = (tmp_path / "a/report.html").read_text(encoding="utf-8")
    assert "Too few seeds for a verdict" in page and "78 train and 18 test signals" in page
    assert "chosen from all 96 signals" in page and "--evaluate 2 \\\n  --split random" in page
    assert command(data, tmp_path / "b") == 0
    plain, rows = (own.read(tmp_path / name)[0] for name in "ba")
    assert np.array_equal(plain, rows) and len(rows) == 24
    table = pd.read_csv(tmp_path / "a/scores.csv")
    for name, group in table.groupby("class"):
        assert re.search(rf"{name}</th><td>32</td><td>{group.kept.sum()}</td>", page)


def test_the_plan_says_seconds_and_memory_and_makes_nothing(data, tmp_path, capsys, no_training):
    assert command(data, tmp_path / "a", "--evaluate", "--plan") == 0
    held_out, first, read, second = capsys.readouterr().out.splitlines()
    assert "split random: 78 train and 18 test signals of 64 samples" in held_out
    assert "96 signals of 64 samples, 3 classes" in read
    size = 2**29 + 2 * 96 * 2 * 64 * 4
    for line, what in ((first, "evaluation"), (second, "choice")):
        assert re.match(rf"expected for the {what}: about \d+ s of training on cpu, \d+ MiB", line)
    assert f"{size / 2**20:.0f} MiB" in first and first.endswith("0 of 35 results are stored")
    assert not (tmp_path / "a").exists()


def test_a_choice_by_chance_needs_no_training_and_the_plan_says_so(data, tmp_path, capsys):
    assert command(data, tmp_path / "a", "--method", "Uniform", "--plan") == 0
    assert "\nexpected for the choice: no training on cpu" in capsys.readouterr().out


def test_a_plan_whose_probe_fails_says_that_the_time_was_not_measured(
    data, tmp_path, capsys, monkeypatch
):
    def fails(*given):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(run, "seconds_a_visit", fails)
    assert command(data, tmp_path / "a", "--plan") == 0
    assert "expected for the choice: time not measured on cpu" in capsys.readouterr().out


@pytest.mark.parametrize(
    "more",
    [[], ["--method", "GraNd", "--early-runs", "3"], ["--scores", "--snr-min", "-12.3456789"],
     ["--evaluate", "--rates", "0.01", "0.0005", "--split", "blocks"]],
)  # fmt: skip
def test_the_command_on_the_page_asks_for_the_same(more):
    words = ["select", "--data", "my file's.npz", "--rate", "0.05", "--out", "a b", *more]
    args = cli.parser().parse_args(words)
    program, *again = shlex.split(own_coreset.spelled(args).replace("\\\n", " "))
    assert program == "foqus" and cli.parser().parse_args(again) == args


def request(**change):
    plain = {"data": "my.npz", "model": "CNN1D", "method": "FoQuS", "rate": 0.1, "seed": 0,
             "snr_min": -1000.0, "normalise": "rms", "collection": own.Collection()}  # fmt: skip
    return own.Request(**plain | change)


@pytest.mark.parametrize(
    ("rate", "others", "wanted"),
    [
        (0.1, (), (0.05, 0.1, 0.2)),
        (0.01, (), (0.01, 0.02)),  # half of it would be a signal for two classes
        (0.6, (), (0.3, 0.6)),  # double of it is more than there is
        (0.1, (0.3, 0.1), (0.1, 0.3)),
    ],
)
def test_the_rates_are_half_and_double_where_every_class_can_fill_them(rate, others, wanted):
    assert own_evaluation._rates(np.repeat([0, 1], 145), rate, others) == wanted


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--evaluate", "0"], "--evaluate: expected 1 seed or more, got 0. 5 or more give a"),
        (["--evaluate", "1000000", "--plan"], "--evaluate: expected at most 1000, got 1000000"),
        (["--evaluate", "--method", "Uniform"], "compares a method with Uniform, got --method"),
        (["--evaluate", "--rate", "1"], "a rate of 1 keeps everything. Name rates below 1"),
        (["--evaluate", "--split", "blcoks"], "did you mean 'blocks'"),
        (["--evaluate", "--workers", "0"], "workers: expected 1 or more, got 0"),
        (["--rates", "0.5"], "--rates: are those of --evaluate"),
        (["--evaluate", "--rates", "0.02"], "0.02 of the 78 training signals is 2 for 3 classes: "
         "one would have none. Raise the rate to 0.0321 or more"),
        (["--evaluate", "--rates", "0.00001"], "rate: expected whole basis points"),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_is_refused_before_any_training(
    more, message, data, tmp_path, capsys, no_training
):
    assert command(data, tmp_path / "a", *more) == 2
    assert message in capsys.readouterr().err.strip().splitlines()[-1]
    assert not (tmp_path / "a").exists()


def test_a_class_without_a_test_signal_is_named_with_the_mend(tones, tmp_path, capsys, no_training):
    few = np.concatenate([np.arange(64), [64, 65]])  # 32, 32 and 2 signals
    np.savez(tmp_path / "my.npz", X=tones.iq[few], y=tones.label[few], snr=tones.snr[few],
             classes=np.array(tones.classes))  # fmt: skip
    assert command(tmp_path / "my.npz", tmp_path / "a", "--evaluate") == 2
    said = capsys.readouterr().err
    assert "class high has no test signal left" in said and "Add signals of that class" in said

"""The capstone's study: every row pays what it says, and the marks are those of a brute force."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from foqus_lib.experiment import artifacts, store, sweep
from foqus_lib.report import pareto
from foqus_lib.report.bars import judge
from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.frontier import networks, sets
from foqus_lib.studies.frontier.bars import bars_of, crossed
from foqus_lib.studies.frontier.bench import bench as made_bench
from foqus_lib.studies.frontier.options import (
    CUT,
    DISTILLED,
    FLOOR,
    FOQUS,
    FRESH,
    GRID,
    METHODS,
    MIXED,
    RESNET,
    SHORT,
    WHOLE,
    Options,
)
from foqus_lib.studies.frontier.steps import gradient_steps, steps_in_words
from foqus_lib.studies.frontier.study import STUDY
from foqus_lib.studies.frontier.trials import trials
from tests.studies import tiny

OPTIONS = Options(
    rates=(0.5,), networks=(RESNET,), keep=4, epochs=1, all_epochs=1, batch=16,
    selection_epochs=2, iterations=2, batch_real=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def done(task, tmp_path_factory):
    common = tiny.common(seeds=1, results=str(tmp_path_factory.mktemp("store")))
    made, wanted = made_bench(common, OPTIONS, task), trials(common, OPTIONS, task)
    assert sweep.sweep(STUDY, made, wanted, 1, lambda text: None).note == ""
    return made, wanted, store.frame(made.root, STUDY, wanted)


def one(rows, method, network="CNN1D", form=WHOLE):
    here = rows[(rows.method == method) & (rows.network == network)]
    [found] = here[here.form.str.startswith(form)].to_dict("records")
    return found


def test_every_row_is_there_once(done):
    _, wanted, rows = done
    assert len(rows) == len(wanted) == len(METHODS) + 2 * len(GRID) + 3
    assert not rows.duplicated(["network", "form", "method", "budget", "seed"]).any()


def test_what_is_stored_is_counted(done, task):
    _, _, rows = done
    everything = len(task.train) * 2 * task.train.length
    for method in (FLOOR, FOQUS, FLOOR + MIXED):
        assert one(rows, method)["floats"] == everything / 2, method
    classes = len(task.train.classes)  # what is made is as much of each class
    made = len(task.train) // 2 // classes * classes
    assert one(rows, DISTILLED)["floats"] == made * 2 * task.train.length
    for method in (FRESH, SHORT, ALL_DATA):
        assert one(rows, method)["floats"] == everything, method


def test_who_looks_pays(done):
    """The record and the made signals have a price; what chooses nothing has none worth a word."""
    made, _, rows = done
    record = float(sets._found(made, sets.price_key(made, 0))["seconds"])
    assert record > 0
    assert one(rows, FOQUS)["seconds_choosing"] >= record
    assert one(rows, FOQUS, RESNET, CUT)["seconds_choosing"] >= record
    assert one(rows, DISTILLED)["seconds_choosing"] > 0
    assert one(rows, FRESH)["seconds_choosing"] == one(rows, SHORT)["seconds_choosing"] == 0
    assert (rows.seconds_all > rows.seconds_choosing).all()


def test_a_record_that_was_there_is_timed_again(done, task, tmp_path):
    from foqus_lib.studies.coreset.records import collect_evidence

    common = tiny.common(seeds=1, results=str(tmp_path))
    made = made_bench(common, OPTIONS, task)
    collect_evidence(made.records, "CNN1D", [0])
    sets.record_and_price(made, 0)
    assert float(sets._found(made, sets.price_key(made, 0))["seconds"]) > 0


def test_a_record_that_a_killed_sweep_had_begun_is_timed_again(task, tmp_path, monkeypatch):
    """What is left of its training is not its price."""
    made = made_bench(tiny.common(seeds=1, results=str(tmp_path)), OPTIONS, task)
    artifacts.partial(made.root, [made.records.evidence_key("CNN1D", 0)]).mkdir(parents=True)
    timed, real = [], sets.collect
    monkeypatch.setattr(sets, "collect", lambda *a, **k: timed.append(a[2]) or real(*a, **k))
    sets.record_and_price(made, 0)
    assert len(timed) == 1 and sets._found(made, sets.price_key(made, 0))["seconds"] > 0


def test_made_signals_whose_making_raises_tell_the_trials_why(task, tmp_path, monkeypatch):
    def broken(*given, **more):
        raise RuntimeError("a bug in MDM")

    monkeypatch.setattr(sets, "distil", broken)
    common = tiny.common(seeds=1, results=str(tmp_path))
    wanted = [one for one in trials(common, OPTIONS, task) if one.method == DISTILLED]
    found = sweep.sweep(STUDY, made_bench(common, OPTIONS, task), wanted, 1, lambda text: None)
    assert found.missing == wanted and "a bug in MDM" in found.note


def test_a_cut_network_is_smaller_and_saw_no_more(done, task, monkeypatch):
    made, wanted, rows = done
    whole, cut = (one(rows, FOQUS, RESNET, form) for form in (WHOLE, CUT))
    assert cut["parameters"] < whole["parameters"] and cut["floats"] == whole["floats"]
    seen, real = [], networks.fit

    def noting(build, signals, coresets, *rest, **more):
        seen.append(set(coresets[0].tolist()))
        return real(build, signals, coresets, *rest, **more)

    monkeypatch.setattr(networks, "fit", noting)
    trial = next(t for t in wanted if t["form"] != WHOLE and t.method == FOQUS)
    stock = sets.stock_of(made, trial)
    networks.trained(made, trial, stock)
    assert seen == [set(stock.rows.tolist())] * 2  # once whole, once what is left


def test_rows_of_a_rate_take_as_many_steps(task):
    steps = {
        method: recipe.epochs * -(-rows // recipe.batch)
        for method, rows in ((FLOOR, 32), (SHORT, 64), (FRESH, 32))
        for recipe in [replace(OPTIONS, epochs=10).recipe(0.5, method)]
    }
    assert set(steps.values()) == {20}
    assert OPTIONS.recipe(0.01, SHORT).epochs == 1  # never none: more than a coreset's


def test_a_fresh_draw_is_of_all_signals_and_new_each_time(done, task):
    made, _, _ = done
    change = networks._fresh_draw(made, task.train)
    rngs = [np.random.default_rng(0)]
    seen = set()
    for _ in range(40):
        x, y = change(torch.zeros(16, 1, 2, task.train.length), torch.zeros(16, 1).long(), rngs)
        assert x.shape == (16, 1, 2, task.train.length) and y.shape == (16, 1)
        for signal, label in zip(x[:, 0].numpy(), y[:, 0].numpy(), strict=True):
            row = int(np.flatnonzero((task.train.iq == signal).all((1, 2)))[0])
            assert task.train.label[row] == label
            seen.add(row)
    assert seen == set(range(len(task.train)))


def test_refusals_name_what_and_the_mend(task):
    common = tiny.common()
    with pytest.raises(ValueError, match=r"method.*FoQuS"):
        Options(methods=("FoQus",))
    with pytest.raises(ValueError, match="alpha: expected a finite number of 0 or more, got -1"):
        Options(alpha=-1.0)
    with pytest.raises(ValueError, match="step: expected a finite number above 0, got 0"):
        Options(step=0.0)
    with pytest.raises(ValueError, match=r"keep: expected 3 to 8 blocks of ResNet20, got 9"):
        made_bench(common, replace(OPTIONS, keep=9), task)
    with pytest.raises(ValueError, match=r"rates: .*keeps 3; .*Raise the rate"):
        made_bench(common, replace(OPTIONS, rates=(0.04,)), task)


# ---- reading -------------------------------------------------------------------------------------


def made_up(accuracies, **costs):
    table = pd.DataFrame({"mean": accuracies, **costs})
    return table.set_index(np.arange(len(table)) + 7)  # any index


def test_the_front_by_hand():
    table = made_up([0.5, 0.6, 0.6, 0.4], floats=[1, 2, 3, 1])
    marked = pareto.on_front(table, ["floats"], STUDY.metrics[0])
    assert list(marked.floats) == [True, True, False, False]


@pytest.mark.parametrize("seed", range(5))
def test_the_front_by_brute_force(seed):
    rng = np.random.default_rng(seed)
    table = made_up(rng.integers(0, 5, 12) / 5, floats=rng.integers(0, 5, 12))
    marked = pareto.on_front(table, ["floats"], STUDY.metrics[0]).floats
    for at, (value, cost) in enumerate(zip(table["mean"], table.floats, strict=True)):
        beaten = any(
            other >= value and price <= cost and (other > value or price < cost)
            for other, price in zip(table["mean"], table.floats, strict=True)
        )
        # one as good at the same price beats nobody; a better one at the same price does
        assert marked.iloc[at] != beaten


def test_steps_by_hand_and_what_takes_more_than_a_set_is_told():
    """53 signals are two batches of 32, thirty times; 2,640 are 83, once. A draw is no set."""
    said = "Adam lr=0.001 step=6 gamma=0.8 batch=32 epochs={} bf16"
    rows = pd.DataFrame(
        [(FLOOR, 200, 53, 30), (DISTILLED, 200, 70, 30), (SHORT, 200, 2640, 1),
         (FRESH, 200, 2640, 30), (FLOOR, 1000, 264, 30), (ALL_DATA, 10_000, 2640, 12)],
        columns=["method", "budget", "kept", "epochs"],
    )  # fmt: skip
    rows = rows.assign(recipe=[said.format(epochs) for epochs in rows.epochs])
    assert steps_in_words(rows) == (
        f"Gradient steps of one training. 2 %: 60 to 90 on a set, 83 of {SHORT}; "
        "10 %: 270 on a set; All data: 996"
    )


def test_the_steps_of_real_rows_are_those_that_were_taken(done, monkeypatch):
    made, wanted, rows = done
    taken = []
    real = torch.optim.Adam.step
    monkeypatch.setattr(torch.optim.Adam, "step", lambda *of: taken.append(1) or real(*of))
    for method in (FLOOR, SHORT, DISTILLED):
        [trial] = [one for one in wanted if one.method == method and one["network"] == "CNN1D"]
        taken.clear()
        networks.trained(made, trial, sets.stock_of(made, trial))
        here = rows[(rows.method == method) & (rows.network == "CNN1D")]
        assert gradient_steps(here).tolist() == [len(taken)], method


def test_table_and_figure_of_real_rows(done):
    _, _, rows = done
    prices = ["floats", "seconds_all", "parameters"]
    table = pareto.frontier_table(rows, STUDY, prices)
    assert len(table) == len(rows) and (table.n == 1).all()
    assert table["Stored floats"].str.startswith(pareto.MARK).any()
    assert len(pareto.frontier_figure(rows, STUDY, prices).axes) == 3


@pytest.mark.parametrize(
    ("gap", "share", "seeds", "verdicts"),
    [(-0.01, 0.2, 6, ["met", "met"]), (-0.2, 0.2, 6, ["not met", "met"]),
     (-0.01, 0.2, 3, ["no verdict"] * 2), (-0.01, 0.5, 6, ["met", "not met"])],
)  # fmt: skip
def test_the_bar(gap, share, seeds, verdicts):
    common = {"network": RESNET, "budget": 1000, "repeat": 0}
    rows = pd.DataFrame([
        {**common, "form": form, "method": method, "seed": seed,
         "accuracy": 0.6 + 0.001 * seed + (gap if form != WHOLE else 0.0005 * (seed % 2)),
         "parameters": 100 * (share if form != WHOLE else 1)}
        for form, method in ((WHOLE, FOQUS), ("cut to 4 blocks", FOQUS + MIXED))
        for seed in range(seeds)
    ])  # fmt: skip
    both = crossed(rows)
    found = judge(bars_of(both, STUDY.axis.text), {"rows": both})
    assert list(found["verdict"]) == verdicts

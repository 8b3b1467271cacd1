"""The capstone's study: every row pays what it says, and the marks are those of a brute force."""

import time
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pandas as pd
import pytest
import torch

from foqus_lib.companions.cuttable import NETWORKS
from foqus_lib.companions.layer_pruning import selection, similarity
from foqus_lib.experiment import artifacts, sweep
from foqus_lib.experiment.rows import load_rows
from foqus_lib.experiment.settings import ROOT
from foqus_lib.experiment.store import frame
from foqus_lib.models.copies import taken
from foqus_lib.report import pareto
from foqus_lib.report.bars import judge
from foqus_lib.seeds import rng_for
from foqus_lib.signals import Signals
from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.frontier import networks, sets
from foqus_lib.studies.frontier.bars import (
    CONTROL,
    PLAIN,
    SHARE,
    bars,
    crossed,
    legal_shares,
    shares_in_words,
)
from foqus_lib.studies.frontier.bench import bench as made_bench
from foqus_lib.studies.frontier.options import (
    AS_LONG,
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
from foqus_lib.studies.frontier.partners import mixed_shares
from foqus_lib.studies.frontier.steps import epochs_in_words, gradient_steps, steps_in_words
from foqus_lib.studies.frontier.study import STUDY
from foqus_lib.studies.frontier.trials import VERSION, trials
from foqus_lib.training import fit
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
    return made, wanted, frame(made.root, STUDY, wanted)


def one(rows, method, network="CNN1D", form=WHOLE):
    here = rows[(rows.method == method) & (rows.network == network)]
    told = here.form.str.startswith("cut to") if form == CUT else here.form == form
    [found] = here[told].to_dict("records")
    return found


def test_every_row_is_there_once(done):
    _, wanted, rows = done
    assert len(rows) == len(wanted) == len(METHODS) + 3 * len(GRID) + 4
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


def test_what_was_made_says_when_it_began_whatever_its_cpu_seconds(task, tmp_path, monkeypatch):
    made = made_bench(tiny.common(seeds=1, results=str(tmp_path)), OPTIONS, task)
    monkeypatch.setattr(sets, "time", tiny.slow_clock())
    before = int(time.time())
    sets.record_and_price(made, 0)
    sets.make_set(made, 5000, 0)
    for key in (sets.price_key(made, 0), sets.set_key(made, 5000, 0)):
        facts = artifacts.provenance_of(artifacts.find_arrays(made.root, key))
        assert tiny.began(facts) >= before


def test_a_record_that_is_gone_is_made_again_though_its_price_was_kept(task, tmp_path):
    common = tiny.common(seeds=1, results=str(tmp_path))
    made, wanted = made_bench(common, OPTIONS, task), trials(common, OPTIONS, task)
    first, second = [one for one in wanted if one.method.startswith(FOQUS)][:2]
    assert sweep.sweep(STUDY, made, [first], 1, lambda text: None).note == ""
    artifacts.find_arrays(tmp_path, made.records.evidence_key("CNN1D", 0)).unlink()
    assert sweep.sweep(STUDY, made, [second], 1, lambda text: None).note == ""


def test_made_signals_whose_making_raises_tell_the_trials_why(task, tmp_path, monkeypatch):
    said = []

    def broken(*given, **more):
        raise ValueError("samples: not finite (made up)")

    monkeypatch.setattr(sets, "distil", broken)
    common = tiny.common(seeds=1, results=str(tmp_path))
    wanted = [one for one in trials(common, OPTIONS, task) if one.method == DISTILLED]
    found = sweep.sweep(STUDY, made_bench(common, OPTIONS, task), wanted, 1, said.append)
    assert found.missing == wanted and "not finite (made up)" in found.note
    assert any("failed: samples: not finite" in text for text in said)


def test_a_cut_network_is_smaller_and_saw_no_more(done, task, monkeypatch):
    made, wanted, rows = done
    whole, cut = (one(rows, FOQUS, RESNET, form) for form in (WHOLE, CUT))
    assert cut["parameters"] < whole["parameters"] and cut["floats"] == whole["floats"]
    seen, real = [], fit.fit

    def noting(build, signals, coresets, *rest, **more):
        seen.append(set(coresets[0].tolist()))
        return real(build, signals, coresets, *rest, **more)

    monkeypatch.setattr(fit, "fit", noting)
    trial = of_form(wanted, "cut to 4 blocks", FOQUS)
    stock = sets.stock_of(made, trial)
    networks.trained(made, trial, stock)
    assert seen == [set(stock.rows.tolist())] * 2  # once whole, once what is left


def of_form(wanted, form, method):
    return next(t for t in wanted if (t["form"], t.method) == (form, method))


def test_the_control_of_a_cut_is_the_same_two_trainings_without_the_cut(done, monkeypatch):
    """The second begins from what the first left, on the same signals in the same batches."""
    made, wanted, rows = done
    calls, real = [], fit.fit

    def noting(build, signals, coresets, names, *rest, start, **more):
        found = real(build, signals, coresets, names, *rest, start=start, **more)
        calls.append((coresets[0].tolist(), names, start, taken(found.networks[0], 0)))
        return found

    monkeypatch.setattr(fit, "fit", noting)
    for form in (AS_LONG, "cut to 4 blocks"):
        trial = of_form(wanted, form, FLOOR + MIXED)
        networks.trained(made, trial, sets.stock_of(made, trial))
    first, second, before_cut, after_cut = calls
    assert first[:2] == before_cut[:2] and second[:2] == after_cut[:2] and first[0] == second[0]
    assert first[2] is None and all(torch.equal(x, first[3][n]) for n, x in second[2][0].items())
    longer, whole = (one(rows, FLOOR, RESNET, form) for form in (AS_LONG, WHOLE))
    assert all(longer[name] == whole[name] for name in ("parameters", "floats", "recipe"))


def test_without_its_control_a_sweep_asks_for_what_it_always_did(task):
    common = tiny.common(seeds=2)
    every = trials(common, OPTIONS, task)
    plain = trials(common, replace(OPTIONS, control=0), task)
    assert set(plain) == {one for one in every if one["form"] != AS_LONG}
    assert len(every) - len(plain) == 2 * (len(GRID) + 1)


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
    rows = rows.assign(recipe=[said.format(epochs) for epochs in rows.epochs], form=WHOLE)
    told = (
        f"Gradient steps of one training. 2 %: 60 to 90 on a set, 83 of {SHORT}; "
        "10 %: 270 on a set; All data: 996"
    )
    assert steps_in_words(rows) == told
    twice = rows.assign(form=[WHOLE, AS_LONG, "cut to 4 blocks", WHOLE, WHOLE, WHOLE])
    assert steps_in_words(twice) == (
        f"{told}; two trainings, so twice as many: {AS_LONG} | cut to 4 blocks"
    )


def test_epochs_and_iterations_by_hand():
    rows = pd.DataFrame(
        [(FLOOR, "epochs=30 ", "-", "-"), (FOQUS, "epochs=30 ", "epochs=12 early=0x5", "-"),
         (SHORT, "epochs=1 ", "-", "-"), (SHORT, "epochs=3 ", "-", "-"),
         (ALL_DATA, "epochs=9 ", "-", "-"), (DISTILLED, "epochs=30 ", "-", "MDM K=25 CNN1D")],
        columns=["method", "recipe", "selection_recipe", "distillation_recipe"],
    )  # fmt: skip
    told = "Epochs: 30 on a set, 1 and 3 of Fewer epochs on all data, 9 of All data, "
    told += "12 of the training that scores"
    assert epochs_in_words(rows) == f"{told}. MDM: K = 25 iterations."
    longer = rows.assign(distillation_recipe="MDM of steps; K=200 batch_real=32")
    assert epochs_in_words(rows, longer).endswith("the chapter on distillation have K = 200.")
    assert epochs_in_words(rows[:-1]) == f"{told}."


def test_who_can_be_mixed_by_hand(done, task, tmp_path):
    """Half of 64 signals in 6 groups of class and SNR: nobody is alone. Of 4, all may be."""
    made, wanted, _ = done
    found = mixed_shares(made, wanted)
    assert found.method.tolist() == [FLOOR + MIXED, FOQUS + MIXED]
    assert found["without a partner"].tolist() == ["0%"] * 2
    assert found["changed in an epoch"].tolist() == ["50%"] * 2
    common = tiny.common(seeds=3, results=str(tmp_path))
    few = replace(OPTIONS, rates=(4 / 64,))
    asked = trials(common, few, task)
    found = mixed_shares(made_bench(common, few, task), asked).set_index("method")
    assert found.coresets.tolist() == [3, 0] and found.signals[FOQUS + MIXED] == "no record here"
    assert found["without a partner"][FLOOR + MIXED] != "0%"


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
    assert len(table.text) == len(table.numbers) == len(rows) and (table.numbers.n == 1).all()
    assert table.text["Stored floats"].str.startswith(pareto.MARK).any()
    assert "epochs=1" in table.note and "K=2" in table.note  # what it was trained by
    assert len(pareto.frontier_figure(rows, STUDY, prices).axes) == 3


LEGAL = legal_shares(269_499, 4)


def made_up_rows(gap, shares, seeds, forms=(WHOLE,)):
    """FoQuS whole in these forms, the longer one better; with n-RM and cut, `gap` from the best."""
    common = {"network": RESNET, "budget": 1000, "repeat": 0}
    whole = [(form, FOQUS, 0.6 + 0.05 * at) for at, form in enumerate(forms)]
    cut = [("cut to 4 blocks", FOQUS + MIXED, whole[-1][2] + gap)]
    return pd.DataFrame([
        {**common, "form": form, "method": method, "seed": seed,
         "accuracy": level + 0.001 * seed + (0.0005 * (seed % 2) if form == WHOLE else 0),
         "parameters": 269_499 * (1 if method == FOQUS else shares[seed % len(shares)])}
        for form, method, level in whole + cut
        for seed in range(seeds)
    ])  # fmt: skip


def verdicts_on(rows):
    both = crossed(rows)
    found = judge(bars(both), {"rows": both})
    return list(found["verdict"]), list(found["says"]), list(found["measured"])


@pytest.mark.parametrize(
    ("gap", "seeds", "verdict"),
    [(-0.01, 6, "met"), (-0.2, 6, "not met"), (-0.01, 3, "no verdict")],
)
def test_the_bar_on_accuracy(gap, seeds, verdict):
    [found, _], [says, _], _ = verdicts_on(made_up_rows(gap, LEGAL, seeds))
    assert found == verdict and says.endswith(f"{PLAIN}, in half the steps")


def test_the_bar_is_set_against_the_control_where_there_is_one():
    rows = made_up_rows(-0.04, LEGAL, 6, (WHOLE, AS_LONG))
    [found, _], [says, _], _ = verdicts_on(rows)
    assert found == "not met" and says.endswith(f"{CONTROL}, in as many steps")
    [found, _], [says, _], _ = verdicts_on(rows[rows.form != AS_LONG])
    assert found == "met" and says.endswith(f"{PLAIN}, in half the steps")


@pytest.mark.parametrize(
    ("shares", "verdict", "largest"),
    [([LEGAL[0], LEGAL[-1]], "not met", "55.3 %"), ([LEGAL[0]], "not met", "29.6 %"),
     (legal_shares(269_499, 3), "not met", "27.9 %"), ([0.2, 0.25], "met", "25.0 %"),
     ([0.2, 0.3], "not met", "30.0 %")],
)  # fmt: skip
def test_the_bar_on_parameters_is_asked_of_every_seed(shares, verdict, largest):
    """Which networks are left is counted: no test of a mean, however few the seeds."""
    for seeds in (2, 6):
        [_, found], _, [_, text] = verdicts_on(made_up_rows(0.0, shares, seeds))
        assert (found, text) == (verdict, largest)


def test_legal_shares_are_those_of_the_networks_themselves():
    """For any number of classes; and every committed cut is one of them."""
    cut = NETWORKS[RESNET]()
    for classes in (2, 11):
        sizes = [
            sum(p.numel() for p in cut.build(classes, 128, depths, cut.width).parameters())
            for depths in (cut.depths, (2, 1, 1), (1, 2, 1), (1, 1, 2))
        ]
        assert legal_shares(sizes[0], 4) == pytest.approx([x / sizes[0] for x in sizes[1:]])
    rows = crossed(load_rows(ROOT / "book" / "results" / "frontier" / "rows.csv", STUDY))
    left = rows.parameters_left[rows.form == "cut to 4 blocks"].to_numpy()
    assert np.isclose(left[:, None], LEGAL, rtol=1e-9).any(1).all()


def test_the_least_share_is_said_and_lies_above_the_bar():
    [least] = legal_shares(269_499, 3)
    assert least > SHARE
    assert shares_in_words(crossed(made_up_rows(0.0, LEGAL, 2))) == (
        "ResNet20 keeps a block of every stage. Blocks left, and what that leaves of its "
        "parameters: 3, 27.9 %; 4, 29.6 to 55.3 %. So no cut can meet the bar of 25 %."
    )


# ---- versions ------------------------------------------------------------------------------------

# Of `digest` below, by the study's VERSION. Samples are whole numbers, and what a network computes
# of them is left out: the bytes are the same anywhere.
DIGESTS = {1: "8b8a94a406cbd6f18edc33c1248dc3f8465bcf6db6d1d8784dc5164dbc0e1284"}
CHANGED = {
    "CHANCE": 0.6, "RATIO": 0.25, "PIECES": 3, "COMPARED": 64, "BATCHES": 4, "SEGMENTS": 4,
    "SUBSETS": 50,
}  # fmt: skip


def digest(task, monkeypatch):
    """SHA-256 of what n-RM makes of a batch, and of all that a cut compares, scores and leaves."""
    iq = np.random.default_rng(0).integers(-50, 50, size=(300, 2, 64)).astype(np.float32)
    label = np.arange(300) % 3
    train = Signals(iq, label, (np.arange(300) % 2).astype(np.float32), task.train.classes)
    task = replace(task, train=train, train_rows=np.arange(300))
    stock, found = sets.Stock(train, np.arange(300), 0.0, 300), sha256()
    made = made_bench(tiny.common(), OPTIONS, task)
    change = networks.training_of(made, FLOOR + MIXED, stock).change
    rows = torch.arange(0, 300, 5)[:, None]
    children, _ = change(torch.from_numpy(iq)[rows], rows, [np.random.default_rng(1)])
    found.update(children.numpy().tobytes())

    alike = {4: np.zeros((10, 10)), 8: np.diag(2.0 ** np.arange(10))}  # one segment; one a block
    for keep, matrix in alike.items():
        monkeypatch.setattr(similarity, "activations", lambda network, x: [x])
        monkeypatch.setattr(
            similarity, "cka_matrix",
            lambda layers, matrix=matrix: found.update(layers[0].numpy().tobytes()) or matrix,
        )  # fmt: skip
        monkeypatch.setattr(
            selection, "contribution",
            lambda *given: found.update(str(given[3]).encode()) or float(rng_of(given[3])),
        )  # fmt: skip
        asked = replace(OPTIONS, keep=keep)
        made = made_bench(tiny.common(), asked, task)
        trial = of_form(trials(tiny.common(), asked, task), f"cut to {keep} blocks", FLOOR)
        cut = NETWORKS[RESNET]()
        whole = networks._built(cut, cut.depths)(3, 64)
        depths, _ = networks._cut(made, trial, stock, whole)
        found.update(str(depths).encode())
    return found.hexdigest()


def rng_of(kept):
    """A score of these blocks like no other's."""
    return rng_for("score", *kept).integers(1_000_000)


def test_another_cut_or_another_mixing_needs_a_raised_version(task, monkeypatch):
    found = digest(task, monkeypatch)
    words = f"raise VERSION in studies/frontier/trials.py and note the digest: {found}"
    assert DIGESTS.get(VERSION) == found, words


@pytest.mark.parametrize("name", CHANGED)
def test_the_digest_knows_every_constant_that_stands_in_no_key(name, task, monkeypatch):
    monkeypatch.setattr(networks, name, CHANGED[name])
    assert digest(task, monkeypatch) not in DIGESTS.values()

"""The layer-pruning study on the tones: what is refused, what is kept, what rows start from."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from foqus_lib.companions import layer_pruning as pruning
from foqus_lib.companions import signal_resnet
from foqus_lib.experiment import artifacts, store, sweep
from foqus_lib.experiment.key import name_of
from foqus_lib.experiment.store import frame, frame_by
from foqus_lib.models.summary import flops, parameters
from foqus_lib.report import means, scatters
from foqus_lib.report.bars import judge
from foqus_lib.report.blocks import in_blocks, mean_of_draws
from foqus_lib.studies import catalog, layer_pruning
from foqus_lib.studies.layer_pruning import (
    CHANNELS,
    FULL,
    LARGEST,
    LAST,
    METHODS,
    OURS,
    RANDOM,
    SCRATCH,
    STUDY,
    Options,
    base,
    choice,
    run,
)
from foqus_lib.studies.layer_pruning.bars import bars, with_unpruned
from foqus_lib.training import fit
from tests.studies import tiny

OPTIONS = Options(
    width=4, keep=(4,), draws=(2,), base_epochs=2, epochs=1, batch=16, compared=16, batches=2
)


def trials(task, options=OPTIONS, seeds=1):
    return layer_pruning.trials(tiny.common(seeds=seeds), options, task)


@pytest.fixture(scope="module")
def bench(task, tmp_path_factory):
    """With the base network of seed 0."""
    made = layer_pruning.Bench(task, OPTIONS, tmp_path_factory.mktemp("store"), "cpu")
    base.train_base(made, OPTIONS.named, 0)
    return made


@pytest.fixture(scope="module")
def rows(bench):
    found = sweep.sweep(STUDY, bench, trials(bench.task))
    assert not found.note
    return frame(bench.root, STUDY, trials(bench.task))


# ---- what is refused before anything is trained --------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"network": "CNN2D"}, "the layers of CNN2D cannot be cut: .* ResNet20, ResNet56"),
        ({"network": "ResNet65"}, "unknown network 'ResNet65'; did you mean 'ResNet56'"),
        ({"keep": (2,)}, r"keep: expected numbers of blocks from 3, one a stage, to 8 of the 9"),
        ({"keep": (0,), "network": "CNN1D"}, "numbers of blocks from 1 to 11 of the 12 of CNN1D"),
        ({"others": ("CNN1D", "SigNet")}, "the layers of SigNet cannot be cut"),
        ({"rates": (1.5,)}, "rate: expected 0 < "),
        ({"model": "CNN1"}, "did you mean 'CNN1D'"),
        ({"keep": (9,)}, r"to 8 of the 9 of ResNet20, got \[9\]"),
        ({"keep": ()}, r"got \[\]"),
        ({"draws": (1, 2, 3)}, "draws: expected 1 number, or 1 as there are in keep"),
        ({"draws": (0,)}, "draws: expected 1 or more, got 0"),
        ({"compared": 3}, "compared: expected 4 or more, got 3"),
        ({"methods": ()}, "methods: expected at least one, got .."),
        ({"methods": ("Layer prunin",)}, "did you mean 'Layer pruning'"),
        ({"epochs": 0}, "recipe.epochs: expected more than 0"),
    ],
)
def test_options_are_refused_with_a_reason(given, words):
    with pytest.raises(ValueError, match=words):
        Options(**given)


def test_the_notebook_refuses_them_before_it_makes_data():
    with pytest.raises(ValueError, match="10_layer_pruning in profile smoke: network: the layers"):
        catalog.opened("10_layer_pruning", {"profile": "smoke", "network": "LSTM"})


def test_too_few_signals_are_refused(task):
    few = replace(task, train=task.train[np.arange(3)])
    with pytest.raises(ValueError, match="train: expected 4 signals or more .*, got 3"):
        layer_pruning.bench(tiny.common(), OPTIONS, few)


@pytest.mark.parametrize(
    ("network", "length", "words"),
    [("CNN1D", 32, "CNN1D can read, got 32 samples"), ("Transformer12", 60, "multiple of 8")],
)
def test_signals_that_a_network_cannot_read_are_refused(task, network, length, words):
    cut = replace(task.train, iq=np.ascontiguousarray(task.train.iq[:, :, :length]))
    options = replace(OPTIONS, others=(network,))
    with pytest.raises(ValueError, match=words):
        layer_pruning.bench(tiny.common(), options, replace(task, train=cut))


# ---- the trials ----------------------------------------------------------------------------------


def test_trials_by_hand(task):
    """Two draws of random keep, one of each other method, the full network: 2 + 7 + 1 a seed."""
    found = trials(task, seeds=3)
    assert len(found) == len(set(found)) == 3 * 10
    assert {one.budget for one in found if one.method == FULL} == {9}
    assert {one.repeat for one in found if one.method == RANDOM} == {0, 1}
    alike = {one.method: one["similarity"] for one in found}
    assert alike[RANDOM] == alike[LAST] == "-" and alike[OURS] == alike[SCRATCH] != "-"


def test_draws_may_differ_from_keep_to_keep(task):
    found = trials(task, replace(OPTIONS, keep=(4, 6), draws=(3, 1)))
    drawn = [(one.budget, one.repeat) for one in found if one.method == RANDOM]
    assert drawn == [(4, 0), (4, 1), (4, 2), (6, 0)]


def test_a_raised_version_asks_for_the_base_network_again(bench, monkeypatch):
    named = OPTIONS.named
    assert not run.base_jobs(bench, [(named, 0)])
    [job] = run.base_jobs(bench, [(named, 1)])
    assert job.arguments == (named, 1) and job.cost == pytest.approx(64 * 2 * 4 / 3)
    monkeypatch.setattr(signal_resnet, "VERSION", 99)
    assert len(run.base_jobs(bench, [(named, 0)])) == 1


# ---- what is kept --------------------------------------------------------------------------------


def test_every_method_keeps_what_it_is_told_in_every_stage(bench):
    for method in METHODS:
        for keep in (3, 5, 8):
            kept = layer_pruning.kept_blocks(bench, method, keep, seed=0)
            assert len(kept) == keep and min(pruning.kept_depths((3, 3, 3), kept)) >= 1
            assert kept == layer_pruning.kept_blocks(bench, method, keep, seed=0)


def test_the_two_directions_are_the_ends_of_one_list(bench):
    scored = layer_pruning.scored(bench, 0, 4)
    score = {kept: value for part in scored for value, kept in part}
    budgets = layer_pruning.parted(bench, 0, 4)[1]

    def total(method):
        kept, parts = layer_pruning.kept_blocks(bench, method, 4, 0), []
        for size in budgets:
            parts, kept = [*parts, kept[:size]], kept[size:]
        return sum(score[part] for part in parts)

    assert total(OURS) < total(LARGEST)


def test_draws_differ_and_are_named_by_the_data(bench):
    drawn = [layer_pruning.kept_blocks(bench, RANDOM, 4, 0, repeat) for repeat in range(8)]
    assert len(set(drawn)) > 3
    other = replace(bench, task=replace(bench.task, fingerprint="1" * 64))
    assert drawn != [layer_pruning.kept_blocks(other, RANDOM, 4, 0, r) for r in range(8)]


def test_channels_cost_no_more_than_the_blocks_and_nearly_as_much(bench):
    wide = replace(bench, options=replace(OPTIONS, width=16))
    for depths in ((1, 1, 1), (2, 1, 3), (3, 3, 3)):
        inner = choice.equal_flops(wide, depths)
        asked = flops(wide.build(depths), 64)
        found = flops(wide.build((3, 3, 3), inner), 64)
        assert 0.93 * asked < found <= asked
    assert inner == [16] * 3 + [32] * 3 + [64] * 3


# ---- how it is run -------------------------------------------------------------------------------


@pytest.fixture
def seen(monkeypatch):
    """What `fit` is asked for: [(seed name, weights to begin from)]."""
    found, real = [], fit.fit

    def noting(build, signals, coresets, seeds, *rest, start=None, **more):
        found.extend(zip(seeds, start or [None], strict=True))
        return real(build, signals, coresets, seeds, *rest, start=start, **more)

    monkeypatch.setattr(fit, "fit", noting)
    return found


def by_method(task, *methods):
    return [next(t for t in trials(task) if t.method == method) for method in methods]


def test_what_is_left_begins_from_the_base_and_all_train_on_one_stream(bench, tmp_path, seen):
    """Nothing wipes the kept weights, nor zeroes their biases, between the cut and the training."""
    task, base = bench.task, layer_pruning.base_weights(bench, 0)
    again = replace(bench, root=tmp_path)
    artifacts.save_arrays(
        tmp_path, bench.base_key(0), {f"network.{n}": v.numpy() for n, v in base.items()}, {}
    )
    for trial in by_method(task, LAST, FULL, SCRATCH, CHANNELS):
        run.run_one(again, trial)
    (one, last), (two, full), (three, scratch), (four, channels) = seen
    assert one == two == three == four and "tune" in one
    assert all(torch.equal(full[f"network.{name}"], value) for name, value in base.items())
    for place, block in enumerate((0, 1, 3, 6)):
        for name in ("conv1.weight", "norm1.bias", "norm2.running_var"):
            there = base[f"blocks.{block}.{name}"]
            assert torch.equal(last[f"network.blocks.{place}.{name}"], there)
    assert torch.equal(last["network.last.bias"], base["last.bias"]) and base["last.bias"].any()
    assert not torch.equal(scratch["network.stem.0.weight"], base["stem.0.weight"])
    assert torch.equal(channels["network.stem.0.weight"], base["stem.0.weight"])


def test_base_and_fine_tuning_share_no_stream(bench):
    names = {bench.name("base", 0), bench.name("blank", 0), bench.name("tune", 0, 0),
             bench.name("tune", 0, 1), bench.name("tune", 1, 0)}  # fmt: skip
    assert len(names) == 5 and all(bench.task.fingerprint in name for name in names)


def test_rows_have_every_metric_and_the_score_where_blocks_were_chosen(rows):
    assert len(rows) == 10 and rows.accuracy.between(0, 1).all()
    no_choice = rows.method.isin([CHANNELS, SCRATCH])
    assert rows.score[no_choice].isna().all() and rows.score[~no_choice].notna().all()
    assert (rows[["latency_1", "latency_128", "parameters", "flops"]] > 0).all(axis=None)
    full = rows[rows.method == FULL].iloc[0]
    assert full.parameters == parameters(signal_resnet.SignalResNet(3, 64, width=4))
    others = rows[rows.method != FULL]
    assert (others.flops < full.flops).all() and (others.parameters < full.parameters).all()
    at = {row.method: row for row in rows.itertuples()}
    assert at[SCRATCH].flops == at[OURS].flops >= at[CHANNELS].flops


def test_blocks_that_were_kept_are_in_the_rows(bench, rows):
    kept = frame_by(bench.root, STUDY, trials(bench.task), "kept", "block")
    assert set(kept[kept.method == LAST].block) == {0, 1, 3, 6}
    assert len(kept[kept.method == FULL]) == 9 and CHANNELS not in set(kept.method)
    shares = layer_pruning.kept_shares(kept)
    assert list(shares.columns) == list("012345678") and SCRATCH not in shares.index.levels[0]
    assert shares.sum(axis=1).tolist() == [budget for _, budget in shares.index]
    assert shares.loc[(LAST, 4)].tolist() == [1, 1, 0, 1, 0, 0, 1, 0, 0]
    assert set(shares.loc[(RANDOM, 4)]) <= {0, 0.5, 1}


def test_a_base_says_when_it_began_whatever_its_cpu_seconds(bench, tmp_path, monkeypatch):
    alone, before = replace(bench, root=tmp_path), int(time.time())
    monkeypatch.setattr(base, "time", tiny.slow_clock())
    base.train_base(alone, OPTIONS.named, 0)
    path = artifacts.find_arrays(tmp_path, alone.base_key(0))
    assert tiny.began(artifacts.provenance_of(path)) >= before


def test_the_same_trial_alone_and_in_a_sweep(bench, rows, tmp_path):
    alone = replace(bench, root=tmp_path)
    base.train_base(alone, OPTIONS.named, 0)
    [trial] = by_method(bench.task, OURS)
    run.run_one(alone, trial)
    timed = ("latency_1", "latency_128")
    one, two = (
        {k: v for k, v in store.read(root, trial)["metrics"].items() if k not in timed}
        for root in (bench.root, tmp_path)
    )
    assert one == two


def test_a_base_that_diverged_says_so_in_every_row_that_needs_it(task, tmp_path, monkeypatch):
    wild = layer_pruning.Bench(task, replace(OPTIONS, methods=(LAST,)), tmp_path, "cpu")

    def nothing(*given):
        raise ValueError("loss: not finite from epoch 1 (made up)")

    monkeypatch.setattr(base, "recorded", nothing)
    wanted = trials(task, wild.options)
    found = sweep.sweep(STUDY, wild, wanted)
    assert len(found.missing) == 2
    assert all("no base network of seed 0" in why for why in found.failed.values())
    assert "loss: not finite from epoch 1" in found.note
    for key in wild.base_keys(0):  # noted once, by the sweep
        assert len(list((tmp_path / "failures" / name_of(key)).iterdir())) == 1


def test_nan_activations_are_refused(bench, monkeypatch):
    broken = base.base_network(bench, 0)
    broken.blocks[3].conv1.weight.data[0, 0, 1, 1] = float("nan")
    monkeypatch.setattr(choice, "base_network", lambda *given: broken)
    with pytest.raises(ValueError, match="finite activations, layer 4 has NaN"):
        choice.similarity.__wrapped__(bench, 0)


def test_two_networks_in_one_study_each_by_its_own_blocks(task, tmp_path):
    both = replace(OPTIONS, others=("CNN1D",), methods=(OURS, CHANNELS), scatter=3, draws=(1,))
    made = layer_pruning.Bench(task, both, tmp_path, "cpu")
    wanted = trials(task, both)
    assert [t["versions"].split()[-1] for t in wanted[:: len(wanted) - 1]] == [
        "resnet=1",
        "cnn1d=1",
    ]
    assert not sweep.sweep(STUDY, made, wanted).note
    found = frame(tmp_path, STUDY, wanted)
    assert set(found.network) == {"ResNet20 width 4", "CNN1D width 4"} and len(found) == 2 * 3
    whole = found[found.method == FULL].set_index("network")
    assert whole.budget.to_dict() == {"ResNet20 width 4": 9, "CNN1D width 4": 12}
    drawn = layer_pruning.trials(tiny.common(seeds=2), replace(both, methods=(RANDOM,)), task)
    assert sum(t.method == RANDOM for t in drawn) == 2 * (3 + 1)


# ---- what the page shows -------------------------------------------------------------------------


def test_the_draws_become_one_row_a_seed(rows):
    averaged = mean_of_draws(rows, STUDY)
    drawn = rows[rows.method == RANDOM]
    one = averaged[averaged.method == RANDOM]
    assert len(one) == 1 and one.repeat.item() == 0 and len(averaged) == len(rows) - 1
    assert one.accuracy.item() == pytest.approx(drawn.accuracy.mean())
    assert list(averaged.columns) == list(rows.columns)


def test_rank_correlation_by_hand(rows):
    drawn = rows[rows.method == RANDOM]
    four = drawn.iloc[[0, 0, 0, 0]].assign(
        repeat=range(4), score=[1.0, 2, 3, 4], accuracy=[0.1, 0.3, 0.2, 0.4]
    )
    found = layer_pruning.rank_correlation(four)
    assert found.chance.item() == 1 and found.network.item() == OPTIONS.named
    assert found.draws.item() == 4 and found.rho.item() == pytest.approx(1 - 6 * 2 / (4 * 15))
    alike = layer_pruning.rank_correlation(four.assign(accuracy=0.5))
    assert alike.rho.isna().all()


def test_bars_name_the_half_of_the_flops_and_the_deepest_cut(rows):
    laid = means.laid_out(in_blocks(rows, STUDY), STUDY)
    found = judge(bars(laid), {"rows": with_unpruned(laid)})
    assert len(found) == 4 and set(found["verdict"]) == {"no verdict"}  # one seed shows nothing
    assert "of its FLOPs" in found.says[0] and "4 blocks" in found.says[1]
    assert found.measured.str.contains("points").all()


def test_the_unpruned_network_is_the_base_before_any_training_on(rows):
    """Training on took 10 points from the whole network, which pruning lost too: no bar is met."""
    at = {OURS: (0.5, 0.2), FULL: (0.5, 0.6)}
    for method, (after, before) in at.items():
        of = rows.method == method
        rows = rows.assign(
            accuracy=rows.accuracy.mask(of, after),
            accuracy_before=rows.accuracy_before.mask(of, before),
        )
    laid = means.laid_out(in_blocks(rows, STUDY), STUDY)
    found = judge(bars(laid), {"rows": with_unpruned(laid)})
    assert found.bar[:2].tolist() == ["4.6.3"] * 2 and "unpruned" in found.says[0]
    assert found.measured[:2].tolist() == ["-10.0 points"] * 2


def test_bars_of_rows_that_lack_a_method_are_those_that_can_be_judged(rows):
    for gone, count in ((RANDOM, 4), (SCRATCH, 4), (FULL, 0), (OURS, 0)):
        laid = means.laid_out(in_blocks(rows[rows.method != gone], STUDY), STUDY)
        found = judge(bars(laid), {"rows": with_unpruned(laid)})
        assert len(found) == count and (count == 0 or (found.verdict == "not measured").sum() == 1)


def test_words_say_what_training_on_did_to_the_whole_network(rows):
    whole = rows[rows.method == FULL]
    three = whole.loc[whole.index.repeat(3)].assign(
        seed=range(3), accuracy=[0.5, 0.6, 0.4], accuracy_before=[0.52, 0.61, 0.46]
    )
    said = layer_pruning.tuning_of_whole(three)
    assert f"-3.0 points for {OPTIONS.named} (mean of 3 seeds)" in said
    assert layer_pruning.tuning_of_whole(rows[rows.method != FULL]) == "No rows of Full."


def test_the_scatter_holds_the_draws_and_what_was_chosen(rows):
    shown = layer_pruning.with_score(rows)
    assert set(shown.method) == {RANDOM, OURS, LARGEST} and (shown.seed == 0).all()
    labels = ("score", "accuracy")
    ax = scatters.scatter(shown, "score", "accuracy", "network", "method", labels).axes[0]
    assert len(ax.collections[0].get_offsets()) == len(shown)
    with pytest.raises(ValueError, match="scatter: expected rows with score and accuracy"):
        scatters.scatter(shown.assign(score=np.nan), "score", "accuracy", "seed", "method", labels)


def test_the_scatter_shows_what_there_is(rows):
    """A network without draws, and no rows at all."""
    chosen = layer_pruning.with_score(rows[rows.method != RANDOM])
    assert set(chosen.method) == {OURS, LARGEST} and len(chosen) == 2
    other = rows.assign(network="CNN1D width 4")
    both = layer_pruning.with_score(pd.concat([rows, other[other.method != RANDOM]]))
    assert both.network.value_counts().tolist() == [4, 2]
    none = layer_pruning.with_score(rows[:0])
    assert none.empty and list(none.columns) == list(rows.columns)
    assert layer_pruning.rank_correlation(rows[:0]).empty
    assert layer_pruning.draws_in_words(rows[:0]) == "No draws."


def test_draws_may_repeat_and_words_count_the_distinct_ones(rows):
    drawn = rows[rows.method == RANDOM].iloc[[0, 0, 1]].assign(repeat=range(3))
    said = layer_pruning.draws_in_words(drawn.assign(score=[1.0, 1.0, 2.0]))
    assert said == f"{OPTIONS.named}: 3 draws, 2 distinct sets of blocks"


def test_shares_of_the_whole_networks_costs_by_hand(rows):
    def row(method, budget, network, parameters, flops):
        return rows.iloc[:1].assign(
            method=method, budget=budget, network=network, parameters=parameters, flops=flops
        )

    made = pd.concat([
        row(LAST, 3, "A", 40.0, 88.0), row(OURS, 3, "A", 40.0, 45.0),
        row(RANDOM, 3, "A", 36.0, 27.0), row(OURS, 5, "A", 50.0, 60.0),
        row(FULL, 9, "A", 100.0, 100.0), row(OURS, 3, "B", 5.0, 5.0), row(LAST, 3, "B", 5.0, 6.0),
        row(FULL, 9, "B", 10.0, 10.0), row(OURS, 3, "C", 5.0, 5.0),
    ])  # fmt: skip
    shares = layer_pruning.cost_shares(made)
    assert shares.loc[("A", LAST, 3)].tolist() == pytest.approx([0.4, 0.88])
    assert shares.loc[("B", OURS, 3)].tolist() == [0.5, 0.5] and ("A", FULL, 9) not in shares.index
    assert shares.loc[("C", OURS, 3)].isna().all()
    order = [method for network, method, _ in shares.index if network == "A"]
    assert order == [RANDOM, OURS, OURS, LAST]  # as the page has them
    said = layer_pruning.widest_apart(shares)
    assert "the rows of A at 3 blocks" in said
    assert "27% (Random keep), 45% (Layer pruning), 88% (Last blocks dropped)" in said
    none = layer_pruning.cost_shares(rows[:0])
    assert none.empty and "No rows" in layer_pruning.widest_apart(none)


def test_costs_by_method_have_no_score(rows):
    costs = layer_pruning.costs_by_method(rows)
    assert len(costs) == 9 and "score" not in costs
    assert costs.loc[(OPTIONS.named, FULL, 9), "flops"] > 0

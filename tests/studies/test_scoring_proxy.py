"""The scoring proxy on the tones: what is recorded, what is compared, and with what."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from foqus_lib.experiment import store, sweep
from foqus_lib.experiment.store import frame
from foqus_lib.report.means import budget_table
from foqus_lib.selection.foqus import foqus_score
from foqus_lib.studies import layer_pruning, scoring_proxy
from foqus_lib.studies.coreset import borrowed
from foqus_lib.studies.layer_pruning import Options, base
from foqus_lib.studies.scoring_proxy import METHODS, STUDY, UNIFORM, WHOLE, partners, records, run
from foqus_lib.studies.scoring_proxy.records import ANEW, TUNED
from tests.studies import tiny

OPTIONS = Options(
    width=4, keep=(4,), base_epochs=3, epochs=2, batch=16, compared=16, batches=2, subsets=10,
    rates=(0.25,), model_epochs=1,
)  # fmt: skip


def trials(task, seeds=1):
    return scoring_proxy.trials(tiny.common(seeds=seeds), OPTIONS, task)


@pytest.fixture(scope="module")
def bench(task, tmp_path_factory):
    return layer_pruning.Bench(task, OPTIONS, tmp_path_factory.mktemp("store"), "cpu")


@pytest.fixture(scope="module")
def rows(bench):
    found = sweep.sweep(STUDY, bench, trials(bench.task))
    assert not found.note
    return frame(bench.root, STUDY, trials(bench.task)).set_index("method")


def test_trials_by_hand(task):
    found = trials(task, seeds=2)
    assert len(found) == len(set(found)) == 2 * 4
    assert {one.method for one in found} == set(METHODS) and {one.budget for one in found} == {2500}


def test_signals_too_short_for_the_network_on_the_coresets_are_refused(task):
    cut = replace(task.train, iq=np.ascontiguousarray(task.train.iq[:, :, :32]))
    with pytest.raises(ValueError, match="CNN1D needs signals of 64 samples or more"):
        trials(replace(task, train=cut))


def test_a_rate_that_keeps_nothing_is_refused_before_any_training(task):
    with pytest.raises(ValueError, match="rate: 0.005 of 64 signals keeps none"):
        scoring_proxy.trials(tiny.common(), replace(OPTIONS, rates=(0.005,)), task)


def test_one_seed_needs_a_second_base_network_to_compare_with(bench):
    bases, proxies, last = run.jobs(replace(bench, root=bench.root / "e"), trials(bench.task))
    assert [job.arguments for job in bases] == [(OPTIONS.named, 0), (OPTIONS.named, 1)]
    assert [job.arguments for job in proxies] == [(ANEW, 0), (TUNED, 0)]
    assert len(last) == 4 and proxies[1].cost < proxies[0].cost < bases[0].cost


def test_a_record_has_room_where_it_is_made_and_two_where_they_are_compared(bench):
    long = replace(bench, root=bench.root / "e", options=replace(OPTIONS, base_epochs=20_000))
    wanted = scoring_proxy.trials(tiny.common(), long.options, bench.task)
    bases, proxies, last = run.jobs(long, wanted)
    one = 13 * 20_000 * len(bench.task.train)
    assert all(job.memory > one for job in (*bases, *proxies))
    assert all(job.memory > 2 * one for job in last)


def test_chance_needs_no_base_network(bench):
    alone = [one for one in trials(bench.task, seeds=3) if one.method == UNIFORM]
    bases, proxies, last = run.jobs(replace(bench, root=bench.root / "e"), alone)
    assert not bases and not proxies and len(last) == 3


# ---- the yardstick: another seed of the whole network --------------------------------------------


def whole(task, seeds):
    return [one for one in trials(task, seeds) if one.method == WHOLE]


def test_seeds_are_compared_in_a_cycle_so_that_no_pair_counts_twice(task):
    for seeds in range(1, 7):
        found = [partners.partner(seed, seeds) for seed in range(seeds)]
        assert found == [partners.compared_with(one) for one in whole(task, seeds)]
        assert all(one != seed for seed, one in enumerate(found))
        if seeds > 2:
            assert len({frozenset(pair) for pair in enumerate(found)}) == seeds
    assert partners.partner(0, 1) == 1 and found == [5, 0, 1, 2, 3, 4]


def test_only_the_first_seed_of_the_whole_network_has_a_key_that_knows_how_many_seeds(task):
    two, four, five = (trials(task, seeds) for seeds in (2, 4, 5))
    assert set(two) - set(five) == set(two) - set(four) == {whole(task, 1)[0]}
    assert set(four) - set(five) == {whole(task, 4)[0]}
    recipe = str(OPTIONS.base_recipe)
    assert whole(task, 5)[0]["base_recipe"] == f"{recipe}, compared with seed 4"
    assert {one["base_recipe"] for one in five} - {whole(task, 5)[0]["base_recipe"]} == {recipe}


def test_a_trial_asks_for_the_base_network_its_key_names(bench):
    """Alone as well, as a part of the grid has it, or a store that lacks but this one."""
    empty = replace(bench, root=bench.root / "e")
    for seeds, wanted in ((1, [0, 1]), (2, [0, 1]), (3, [0, 2]), (5, [0, 4])):
        bases, _, _ = run.jobs(empty, whole(bench.task, seeds)[:1])
        assert [job.arguments for job in bases] == [(OPTIONS.named, seed) for seed in wanted]


def test_another_number_of_seeds_gives_the_first_seed_another_rho(bench, rows):
    for seed in (1, 2):
        base.train_base(bench, OPTIONS.named, seed)
    one, three = (run.agreement(bench, whole(bench.task, seeds)[0])["rho"] for seeds in (1, 3))
    assert one == rows.rho[WHOLE] and three != one


def test_a_table_holds_the_first_seeds_key_beside_the_others(bench, rows):
    keyed = [one.key for one in whole(bench.task, 3)]
    three = rows.loc[[WHOLE] * 3].reset_index().assign(
        seed=[0, 1, 2], base_recipe=[key["base_recipe"] for key in keyed]
    )  # fmt: skip
    note = budget_table(three, STUDY).note
    assert "compared with seed 2 (1 rows: FoQuS by the whole network)" in note


# ---- the rows ------------------------------------------------------------------------------------


def test_records_are_as_long_as_their_training(bench, rows):
    for method, epochs in ((WHOLE, 3), (TUNED, 2), (ANEW, 3)):
        record, seconds = scoring_proxy.record_of(bench, method, 0)
        assert record.correct.shape == (epochs, 64) and seconds > 0
        assert len(np.unique(scoring_proxy.scores(record))) > 1


def test_rows_say_how_far_scores_agree(bench, rows):
    assert rows.accuracy.between(0, 1).all() and (rows.kept == 16).all()
    assert np.isnan(rows.rho[UNIFORM]) and rows.selection_seconds[UNIFORM] == 0
    assert rows.rho.drop(UNIFORM).between(-1, 1).all()
    whole, again = (scoring_proxy.record_of(bench, WHOLE, seed)[0] for seed in (0, 1))
    a, b = (foqus_score(one.correct, one.loss) for one in (whole, again))
    assert rows.rho[WHOLE] == records.rank_correlation(a, b)
    assert "shared" not in rows  # draws inside tiers agree by chance, whatever the scores


def test_a_record_that_is_not_there_says_so(bench, rows):
    with pytest.raises(ValueError, match="no record of FoQuS by the whole network, seed 7"):
        scoring_proxy.record_of(bench, WHOLE, 7)


def test_a_base_that_diverged_says_so_in_every_row_that_looks(bench, tmp_path, monkeypatch):
    def nothing(*given):
        raise ValueError("loss: not finite from epoch 1 (made up)")

    monkeypatch.setattr(base, "recorded", nothing)
    wanted = [one for one in trials(bench.task) if one.method != UNIFORM]
    found = sweep.sweep(STUDY, replace(bench, root=tmp_path), wanted)
    assert len(found.failed) == 3
    assert all("not finite from epoch 1" in why for why in found.failed.values())


def test_a_selector_computes_where_the_bench_says(bench, rows, monkeypatch):
    seen = []

    def noting(*asked):
        seen.append(torch.get_default_device().type)
        return [np.arange(3)]

    for module in (records, borrowed):
        monkeypatch.setattr(module, "draw", noting)
    on_another = replace(bench, device="meta")
    for method in (UNIFORM, WHOLE):
        records.coreset(on_another, method, 2500, 0)
    grid = SimpleNamespace(records=on_another, root=bench.root, device="cpu", memory=0)
    borrowed.coreset_of(grid, "Uniform", "-", 0.25, 0)  # of all other chapters
    assert seen == ["meta"] * 3


def test_the_same_trial_alone_and_in_a_sweep(bench, rows, tmp_path):
    alone = replace(bench, root=tmp_path)
    for seed in (0, 1):
        base.train_base(alone, OPTIONS.named, seed)
    records.train_proxy(alone, TUNED, 0)
    [trial] = [one for one in trials(bench.task) if one.method == TUNED]
    records.coreset.cache_clear()
    run.run_one(alone, trial)
    one, two = (store.read(root, trial)["metrics"] for root in (bench.root, tmp_path))
    assert one | {"selection_seconds": 0} == two | {"selection_seconds": 0}


def test_one_seed_on_a_slower_machine_moves_neither_seconds_nor_what_is_saved(rows):
    """Three seeds: 4 of 10 seconds; in one all take three times as long but the whole network."""
    kept = rows.loc[[WHOLE, TUNED]].reset_index()
    three = pd.concat([kept.assign(seed=seed, rho=seed / 10) for seed in range(3)])
    three["selection_seconds"] = [10.0, 4.0, 10.0, 4.0, 10.0, 12.0]
    found = scoring_proxy.agreement(three).loc[(TUNED, 2500)]
    assert found.to_dict() == pytest.approx({"rho": 0.1, "selection_seconds": 4, "saved": 0.6})


def test_agreement_is_the_mean_over_seeds_and_saved_is_a_share(bench, rows):
    found = scoring_proxy.agreement(rows.reset_index())
    assert found.loc[(WHOLE, 2500), "saved"] == 0 and found.loc[(UNIFORM, 2500), "saved"] == 1
    assert found.loc[(TUNED, 2500), "rho"] == rows.rho[TUNED]


@pytest.mark.parametrize("gone", METHODS)
def test_agreement_shows_the_rows_there_are(rows, gone):
    found = scoring_proxy.agreement(rows.drop(gone).reset_index())
    assert len(found) == 3 and found.saved.isna().all() == (gone == WHOLE)
    assert scoring_proxy.agreement(rows[:0].reset_index()).empty


def test_a_score_that_is_the_same_everywhere_has_no_rho(monkeypatch, bench):
    monkeypatch.setattr(run, "record_of", lambda *_: (None, 2.0))
    monkeypatch.setattr(run, "scores", lambda _: np.full(4, 0.5))
    [trial] = [trial for trial in trials(bench.task) if trial.method == TUNED]
    assert run.agreement(bench, trial) == {"selection_seconds": 2.0}


def test_rank_correlation_by_hand():
    one = np.array([1.0, 2, 3, 4])
    assert records.rank_correlation(one, one**3) == pytest.approx(1)
    assert records.rank_correlation(one, -one) == pytest.approx(-1)

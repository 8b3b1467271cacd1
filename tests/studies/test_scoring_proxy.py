"""The scoring proxy on the tones: what is recorded, what is compared, what is shared."""

from dataclasses import replace

import numpy as np
import pytest

from foqus_lib.experiment import store, sweep
from foqus_lib.selection.foqus import foqus_score
from foqus_lib.studies import layer_pruning, scoring_proxy
from foqus_lib.studies.layer_pruning import Options, base
from foqus_lib.studies.scoring_proxy import METHODS, STUDY, UNIFORM, WHOLE, records, run
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
    return store.frame(bench.root, STUDY, trials(bench.task)).set_index("method")


def test_trials_by_hand(task):
    found = trials(task, seeds=2)
    assert len(found) == len(set(found)) == 2 * 4
    assert {one.method for one in found} == set(METHODS) and {one.budget for one in found} == {2500}


def test_signals_too_short_for_the_network_on_the_coresets_are_refused(task):
    cut = replace(task.train, iq=np.ascontiguousarray(task.train.iq[:, :, :32]))
    with pytest.raises(ValueError, match="CNN1D needs signals of 64 samples or more"):
        trials(replace(task, train=cut))


def test_one_seed_needs_a_second_base_network_to_compare_with(bench):
    bases, proxies, last = run.jobs(replace(bench, root=bench.root / "e"), trials(bench.task))
    assert [job.arguments for job in bases] == [(OPTIONS.named, 0), (OPTIONS.named, 1)]
    assert [job.arguments for job in proxies] == [(ANEW, 0), (TUNED, 0)]
    assert len(last) == 4 and proxies[1].cost < proxies[0].cost < bases[0].cost
    assert [records.partner(seed) for seed in range(3)] == [1, 0, 1]


def test_records_are_as_long_as_their_training(bench, rows):
    for method, epochs in ((WHOLE, 3), (TUNED, 2), (ANEW, 3)):
        record, seconds = scoring_proxy.record_of(bench, method, 0)
        assert record.correct.shape == (epochs, 64) and seconds > 0
        assert len(np.unique(scoring_proxy.scores(record))) > 1


def test_rows_say_how_far_scores_and_coresets_agree(bench, rows):
    assert rows.accuracy.between(0, 1).all() and (rows.kept == 16).all()
    assert np.isnan(rows.rho[UNIFORM]) and rows.selection_seconds[UNIFORM] == 0
    assert rows.rho.drop(UNIFORM).between(-1, 1).all()
    whole, again = (scoring_proxy.record_of(bench, WHOLE, seed)[0] for seed in (0, 1))
    a, b = (foqus_score(one.correct, one.loss) for one in (whole, again))
    assert rows.rho[WHOLE] == records.rank_correlation(a, b)
    one, two = (set(records.coreset(bench, m, 2500, 0)) for m in (TUNED, WHOLE))
    assert rows.shared[TUNED] == len(one & two) / 16


def test_a_record_that_is_not_there_says_so(bench, rows):
    with pytest.raises(ValueError, match="no record of FoQuS by the whole network, seed 7"):
        scoring_proxy.record_of(bench, WHOLE, 7)


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


def test_agreement_is_the_mean_over_seeds_and_saved_is_a_share(bench, rows):
    found = scoring_proxy.agreement(rows.reset_index())
    assert found.loc[(WHOLE, 2500), "saved"] == 0 and found.loc[(UNIFORM, 2500), "saved"] == 1
    assert found.loc[(TUNED, 2500), "rho"] == rows.rho[TUNED]


def test_a_score_that_is_the_same_everywhere_has_no_rho(monkeypatch, bench):
    monkeypatch.setattr(run, "record_of", lambda *_: (None, 2.0))
    monkeypatch.setattr(run, "scores", lambda _: np.full(4, 0.5))
    monkeypatch.setattr(run, "coreset", lambda *_: np.array([0, 1]))
    [trial] = [trial for trial in trials(bench.task) if trial.method == TUNED]
    assert run.agreement(bench, trial) == {"shared": 1.0, "selection_seconds": 2.0}


def test_rank_correlation_by_hand():
    one = np.array([1.0, 2, 3, 4])
    assert records.rank_correlation(one, one**3) == pytest.approx(1)
    assert records.rank_correlation(one, -one) == pytest.approx(-1)

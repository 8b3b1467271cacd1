"""Verdicts: paired by seed, with the t-interval computed by scipy's own test as twin."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from foqus_lib.report import paper
from foqus_lib.report.verdicts import difference_to_uniform, paper_vs_measured
from tests.report.made_up import by_method, rows

REPORTED = paper.tables()


def test_interval_equals_scipys_paired_t_test():
    data = rows(by_method, seeds=range(5))
    numbers = difference_to_uniform(data).numbers
    for row in numbers.itertuples():
        at = data[data.rate == row.rate].pivot(index="seed", columns="method", values="accuracy")
        twin = stats.ttest_rel(at[row.method], at["Uniform"]).confidence_interval(0.95)
        assert (row.low, row.high) == pytest.approx((twin.low, twin.high))
        assert row.difference == pytest.approx((at[row.method] - at["Uniform"]).mean())
        assert row.n == 5


def test_verdicts_by_hand():
    table = difference_to_uniform(rows(by_method))
    verdicts = table.numbers.set_index(["method", "rate"]).verdict
    assert verdicts["FoQuS", 0.01] == "better"
    assert verdicts["Herding", 0.01] == "no difference shown"
    flipped = rows(lambda *key: 1 - by_method(*key))
    assert difference_to_uniform(flipped).numbers.set_index("method").verdict["FoQuS"][
        0:1
    ].tolist() == ["worse"]
    assert table.text.loc["FoQuS", "1 %"] == "+2.0 [+1.9, +2.2]"
    assert table.bold.loc["FoQuS"].all() and not table.bold.loc["Herding"].any()
    assert "All data" not in set(table.numbers.method)


def test_one_seed_gives_no_verdict():
    table = difference_to_uniform(rows(by_method, seeds=(0,)))
    assert set(table.numbers.verdict) == {"one seed: no verdict"}
    assert table.text.loc["FoQuS", "1 %"] == "+2.0 [one seed]"


def test_seeds_without_a_uniform_run_are_counted_not_used():
    data = rows(by_method)
    lacking = data[~((data.method == "Uniform") & (data.seed == 2) & (data.rate == 0.01))]
    table = difference_to_uniform(lacking)
    assert set(table.numbers[table.numbers.rate == 0.01].n) == {2}
    assert "2 runs have no Uniform run of their seed" in table.note
    assert table.text.loc["FoQuS", "1 %"].endswith("(n = 2)")
    with pytest.raises(ValueError, match="no row of Uniform"):
        difference_to_uniform(data[data.method != "Uniform"])


def test_paper_vs_measured_lists_every_printed_number():
    everything = pd.concat([REPORTED, paper.ablation_rows()], ignore_index=True)
    found = paper_vs_measured(rows(by_method), everything)
    assert len(found) == 158 * 5 + 7 * 4
    assert (found.verdict == "not run yet").sum() == len(found) - 6  # three methods, two rates
    uniform = found[(found.method == "Uniform") & (found.n > 0) & (found.rate == 0.01)].iloc[0]
    assert (uniform.table, uniform.data, uniform.n) == ("I", "RML2016.10a-like", 3)
    # sd 0.01, n = 3: t(0.975, 2) = 4.303 from any printed t table, sqrt(1/3 + 1/3) = 0.8165
    assert uniform.margin == pytest.approx(4.303 * 0.01 * 0.8165, rel=1e-3)
    assert uniform.verdict == "above"  # 0.420 of 0.2907
    assert set(paper_vs_measured(rows(by_method)[:0], everything).verdict) == {"not run yet"}


def test_verdict_within_and_one_run():
    near = rows(lambda s, e, m, r, seed: 0.29 + 0.01 * seed, rates=(0.01,))
    found = paper_vs_measured(near, REPORTED)
    assert found[(found.method == "Uniform") & (found.n > 0)].verdict.tolist() == ["within"]
    found = paper_vs_measured(near[near.seed == 0], REPORTED)
    assert set(found[found.n > 0].verdict) == {"one run"}
    assert np.isnan(found.margin).all()

"""The rows behind a claim: what is published of a record, and that none is made twice."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from foqus_lib.experiment import sweep
from foqus_lib.experiment.store import frame
from foqus_lib.report.claim_rules import HOLDS, RULES, Rows, Scope
from foqus_lib.selection.boundary import FORGOTTEN, KNOWN, NEVER, UNKNOWN
from foqus_lib.studies import boundary
from foqus_lib.studies.coreset import records
from foqus_lib.studies.coreset.records import evidence_of
from tests.studies import tiny


@pytest.fixture
def made(task, tmp_path):
    return tiny.bench(task, tmp_path, replace(tiny.OPTIONS, selection_epochs=4))


def rows_of(bench, task):
    options = replace(tiny.OPTIONS, selection_epochs=4)
    wanted = boundary.trials(tiny.common(seeds=2), options, task)
    found = sweep.sweep(boundary.STUDY, bench, wanted, 1, lambda text: None)
    assert not found.missing, found.note
    return frame(bench.root, boundary.STUDY, wanted)


def test_rows_say_what_the_record_holds(made, task):
    rows = rows_of(made, task)
    assert len(rows) == 4 * 2 and set(rows.budget) == {4}
    record = evidence_of(made, "CNN1D", 1)
    c = record.correct
    forgotten = (c[:-1] & ~c[1:]).any(axis=0)
    [one] = rows[(rows.method == FORGOTTEN) & (rows.seed == 1)].itertuples()
    assert one.share == forgotten.mean() and 0 < one.share < 1
    assert one.distance == pytest.approx(np.abs(record.margin[-1][forgotten]).mean())
    by_group = rows[rows.seed == 1].set_index("method").share
    assert by_group[FORGOTTEN] + by_group[NEVER] == pytest.approx(1)
    assert by_group[KNOWN] + by_group[UNKNOWN] == pytest.approx(by_group[NEVER])


def test_a_group_of_nobody_has_a_share_and_no_distance(made, task, monkeypatch):
    nobody = {FORGOTTEN: np.zeros(len(task.train), bool)}
    whole = {name: np.ones(len(task.train), bool) for name in (NEVER, KNOWN, UNKNOWN)}
    monkeypatch.setattr(boundary, "groups", lambda c: nobody | whole)
    rows = rows_of(made, task).set_index("method")
    assert (rows.loc[FORGOTTEN].share == 0).all() and rows.loc[FORGOTTEN].distance.isna().all()


def test_the_grid_s_records_are_used_again(made, task, monkeypatch):
    for seed in (0, 1):
        records.collect_evidence(made, "CNN1D", [seed])
    monkeypatch.setattr(records, "collect", None)
    assert len(rows_of(made, task)) == 8


def test_nearer_is_what_the_claim_asks_for(made, task):
    """Where the forgotten lie at half the distance in each of five seeds, the claim holds."""
    rows = rows_of(made, task)
    one = rows[rows.seed == 0]
    five = [
        one.assign(seed=seed, distance=np.where(one.method == FORGOTTEN, 1 + seed / 100, 2.0))
        for seed in range(5)
    ]
    frame = pd.concat(five, ignore_index=True)
    frame["column"] = "T = 4"
    scope = Scope("any", "boundary", (FORGOTTEN,), (4,), (NEVER,))
    assert RULES["above_floor"](Rows(frame, boundary.STUDY, scope)).verdict == HOLDS

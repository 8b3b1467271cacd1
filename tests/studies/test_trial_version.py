"""A trial of the coreset grid that ends otherwise is another version of what changed in it.

Networks, methods and records have digests of their own (tests/models, tests/selection); this one
holds what stands between them: names of random streams, the draw, the training and its measure.
"""

import json

import numpy as np
import pytest

from foqus_lib.models import VERSIONS
from foqus_lib.selection.catalog import version_of
from foqus_lib.studies.coreset import run
from foqus_lib.studies.coreset.draw import select
from foqus_lib.studies.coreset.grid import CORESET
from foqus_lib.studies.coreset.records import evidence_of
from foqus_lib.training import collect, fit
from tests.models.test_versions import NUMBERS, complaint
from tests.studies import tiny

METHODS = "Uniform", "FoQuS"
WHERE = (
    "what changed: CORESET.version in studies/coreset/grid.py (streams of evaluations, draw, "
    "measure), VERSION in training/fit.py, or that in training/collect.py, which records have in "
    "their key too (what a record holds, the stream select_name)"
)


@pytest.fixture(scope="module")
def numbers(task, tmp_path_factory):
    """Of the record, the picks, the logits on the test signals, and what is published of them."""
    bench = tiny.bench(task, tmp_path_factory.mktemp("store"))
    trials = tiny.trials(task, methods=METHODS, rates=(0.5,), epochs=6)
    bench = tiny.bench(task, bench.root, tiny.replace(tiny.OPTIONS, epochs=6))
    seen, real = [], run.measure
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run, "measure", lambda *given: seen.append(given) or real(*given))
        tiny.run(bench, trials)
    found = [float(evidence_of(bench, "CNN1D", 0).loss.mean(dtype=np.float64))]
    for rows in select(bench, trials):
        found.append(float(np.arange(1, len(rows) + 1) @ np.sort(rows)))  # of these and no others
    for logits, *_ in seen:
        found.append(float(abs(logits).mean(dtype=np.float64)))
        top = np.sort(logits, 1)
        assert (top[:, -1] - top[:, -2]).min() > 1e-3  # no class hangs on rounding
    for metrics in (real(*given) for given in seen):
        found += [metrics["accuracy"], *metrics["accuracy_by_snr"].values(), metrics["kept"]]
    return found


def test_a_trial_that_ends_otherwise_has_a_raised_version(numbers):
    parts = f"fit v{fit.VERSION} collect v{collect.VERSION} CNN1D v{VERSIONS['CNN1D']}"
    methods = " ".join(f"{name} v{version_of(name)}" for name in METHODS)
    key = f"trials of {CORESET.name} v{CORESET.version} {parts} {methods}"
    words = complaint("a trial", WHERE, key, numbers, json.loads(NUMBERS.read_text()))
    assert not words, words

"""The explorer's script picks what the library picks, at any setting; its data fit a page."""

import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from foqus_lib.evidence import Evidence
from foqus_lib.report import explorer
from foqus_lib.report.explorer import Setting
from foqus_lib.selection.catalog import READINGS
from foqus_lib.signals import Signals

SCRIPT = Path(__file__).resolve().parents[2] / "book/_assets/explorer_scores.js"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node on PATH")


def made(rng, sizes, epochs=9, length=16):
    """Signals and a record with ties, classes of these sizes."""
    n, label = sum(sizes), np.repeat(np.arange(len(sizes)), sizes)
    signals = Signals(
        rng.standard_normal((n, 2, length), dtype=np.float32),
        label,
        rng.choice([0, 10], n).astype(np.float32),
        tuple(f"class {y}" for y in range(len(sizes))),
    )
    loss = rng.exponential(size=(epochs, n)).astype(np.float32).round(1)
    blank = np.zeros((n, len(sizes)), np.float32)
    record = Evidence(
        label, signals.snr, rng.random((epochs, n)) < 0.6, loss, blank, blank, blank[None],
        np.zeros((1, n), np.float32),
    )  # fmt: skip
    return signals, record


def in_node(spec, settings):
    text = (
        f"const s = require({json.dumps(str(SCRIPT))});"
        "const d = JSON.parse(require('fs').readFileSync(0));"
        "console.log(JSON.stringify(d.settings.map(how => s.coreset(d.spec, how))));"
    )
    given = json.dumps({"spec": spec, "settings": [asdict(one) for one in settings]})
    done = subprocess.run(["node", "-e", text], input=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_node
@pytest.mark.parametrize("sizes", [(12, 12, 12), (3, 20, 7, 1)], ids=["equal", "unequal"])
def test_the_script_scores_and_picks_as_the_library_does(sizes):
    rng = np.random.default_rng(3)
    signals, record = made(rng, sizes)
    settings = [*explorer.SHOWN] + [
        Setting(reading, beta, parts, percent)
        for reading in READINGS
        for beta in (0.0, 0.35, 1.0)
        for parts in ((1, 1, 1), (0, 0, 1), (7, 2, 9))
        for percent in (3, 10, 50)
    ]
    spec = explorer.spec(signals, record, "made up")
    for how, found in zip(settings, in_node(spec, settings), strict=True):
        score = READINGS[how.reading](record.correct, record.loss, beta=how.beta)
        np.testing.assert_allclose(found["score"], score, rtol=0, atol=1e-12)
        assert found["picks"] == explorer.picks(record, how).tolist(), how


@needs_node
def test_the_script_rounds_a_budget_as_the_library_does():
    """29 % of 50 is 14.5, so 15; 0.29 * 50 is less in floating point."""
    signals, record = made(np.random.default_rng(4), (25, 25))
    settings = [Setting(percent=percent) for percent in range(1, 51)]
    found = in_node(explorer.spec(signals, record, "made up"), settings)
    kept = [len(one["picks"]) for one in found]
    assert kept == [len(explorer.picks(record, how)) for how in settings] and kept[28] == 15


@needs_node
def test_what_is_expected_stands_in_the_data():
    signals, record = made(np.random.default_rng(0), (20, 20))
    spec = explorer.spec(signals, record, "made up")
    found = in_node(spec, explorer.SHOWN)
    assert [one["picks"] for one in found] == [one["picks"] for one in spec["expected"]]
    assert len({tuple(one["picks"]) for one in found}) == len(explorer.SHOWN)


def test_many_signals_are_cut_to_what_a_page_can_hold():
    signals, record = made(np.random.default_rng(1), (300, 300, 300), epochs=50, length=200)
    few, less = explorer.few(signals, record)
    assert np.bincount(few.label).tolist() == [explorer.MOST // 3] * 3
    assert (less.label == few.label).all() and less.correct.shape == (50, len(few))
    html = explorer.widget(signals, record, "it's <made> up").data
    assert len(html.partition('<div class="svgfig"')[0]) < 200_000
    assert "it&#39;s &lt;made> up" in html


def test_few_signals_are_all_there():
    signals, record = made(np.random.default_rng(1), (5, 5))
    assert explorer.few(signals, record) == (signals, record)
    assert [row["signals"] for row in explorer.summary(record).values()] == [1, 1, 3]

"""The score explorer: all that a browser needs to draw FoQuS coresets as this library does.

Scores are computed twice, here and in `book/_assets/explorer_scores.js`. Chance is drawn once,
here: what `tiers` draws depends on the sizes of the classes and never on a score, so the draws
travel as positions, and the browser's picks are the library's, row for row. `expected` holds
the library's picks at three settings; a test in the browser compares.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from IPython.display import HTML
from jaxtyping import Int64
from numpy import ndarray

from foqus_lib.evidence import SAMPLE_AXIS, Evidence
from foqus_lib.report import widgets
from foqus_lib.report.maps import snr_histogram
from foqus_lib.seeds import rng_for
from foqus_lib.selection import foqus
from foqus_lib.selection.budget import budget_of
from foqus_lib.selection.catalog import READINGS
from foqus_lib.selection.methods import coresets
from foqus_lib.selection.tiers import equal_counts, tiers
from foqus_lib.signals import Signals

MOST = 440  # signals: more would not fit into 200 kB
SAMPLES = 128  # of each signal, for the picture


@dataclass(frozen=True)
class Setting:
    """What the controls say."""

    reading: str = "as printed"
    beta: float = 0.1
    parts: tuple[int, int, int] = (4, 4, 2)  # of the top, middle and bottom tier
    percent: int = 10  # the rate


SHOWN = (Setting(), Setting("min-max", 0.5, (10, 0, 1), 5), Setting("as printed", 0, (0, 1, 3), 25))


def few(signals: Signals, record: Evidence, most: int = MOST) -> tuple[Signals, Evidence]:
    """At most `most` signals, the same number of each class, drawn by lot; or all."""
    if len(signals) <= most:
        return signals, record
    rng, classes = rng_for("explorer", "few"), np.unique(signals.label)
    each = most // len(classes)
    drawn = [rng.permutation(np.flatnonzero(signals.label == y))[:each] for y in classes]
    rows = np.sort(np.concatenate(drawn))
    parts = {f.name: getattr(record, f.name) for f in fields(record) if f.name in SAMPLE_AXIS}
    cut = {
        name: array.take(rows, axis=SAMPLE_AXIS[name])
        for name, array in parts.items()
        if array is not None
    }
    return signals[rows], replace(record, **cut)


def picks(record: Evidence, how: Setting) -> Int64[ndarray, " k"]:
    """The library's coreset at these settings, rows in ascending order."""
    method = tiers(
        lambda e: READINGS[how.reading](e.correct, e.loss, beta=how.beta),
        tuple(part / sum(how.parts) for part in how.parts),
    )
    budget = budget_of(how.percent / 100, len(record))
    return np.sort(coresets(method, record, [budget], _rng())[0])


def spec(signals: Signals, record: Evidence, about: str) -> dict:
    """Names, labels, records, the draws, the samples as bytes, and `expected`."""
    return {
        "about": about,
        "classes": list(signals.classes),
        "label": signals.label.tolist(),
        "snr": signals.snr.tolist(),
        "right": ["".join("01"[bit] for bit in row) for row in record.correct.T.astype(int)],
        "loss": foqus.accumulated_loss(record.loss).tolist(),
        "draws": draws(record.label),
        "samples": min(SAMPLES, signals.length),
        "iq": _bytes(signals),
        "expected": [
            vars(how) | {"picks": picks(record, how).tolist()} for how in SHOWN
        ],
    }  # fmt: skip


def draws(label: Int64[ndarray, " N"]) -> list[dict]:
    """Class by class what `tiers` draws from its rng, as positions: the shuffle, then each tier."""
    rng, found = _rng(), []
    for y in np.unique(label):
        rows = np.flatnonzero(label == y)
        shuffle = rng.permutation(len(rows))
        ends = [0, *equal_counts(np.zeros(len(rows))), len(rows)]
        inside = [rng.permutation(size).tolist() for size in np.diff(ends).tolist()]
        found.append({"rows": rows.tolist(), "shuffle": shuffle.tolist(), "tiers": inside})
    return found


def widget(signals: Signals, record: Evidence, about: str) -> HTML:
    """The explorer as part of a page; without script, a picture of its first setting."""
    signals, record = few(signals, record)
    first = picks(record, SHOWN[0])
    kept = np.isin(np.arange(len(signals)), first)
    figure = snr_histogram(signals.snr, signals.label, kept, signals.classes)
    words = f"Signals kept by class and SNR at {_words(SHOWN[0])}"
    return widgets.widget("explorer", spec(signals, record, about), figure, words)


def summary(record: Evidence, settings: Sequence[Setting] = SHOWN) -> Mapping[str, dict]:
    """What a table says of the coreset of each setting: counts and means of what was kept."""
    c, found = record.correct, {}
    for how in settings:
        rows = picks(record, how)
        found[_words(how)] = {
            "signals": len(rows),
            "mean SNR (dB)": float(record.snr[rows].mean()),
            "right (share of epochs)": float(c[:, rows].mean()),
            "mean loss (nats)": float(record.loss[:, rows].mean()),
        }
    return found


def _words(how: Setting) -> str:
    shares = " : ".join(map(str, how.parts))
    return f"Eq. 8 {how.reading}, beta {how.beta:g}, shares {shares}, rate {how.percent} %"


def _rng() -> np.random.Generator:
    return rng_for("explorer", "draw")


def _bytes(signals: Signals) -> str:
    """Each signal scaled to its own peak, see `in_bytes`."""
    iq = signals.iq[:, :, :SAMPLES].astype(np.float64)
    peak = np.abs(iq).max(axis=(1, 2), keepdims=True)
    return widgets.in_bytes(iq, np.where(peak > 0, peak, 1))

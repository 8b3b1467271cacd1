"""The SNR slider: a signal of each class at each SNR label, as a network is given it. Simulated."""

import numpy as np
from IPython.display import HTML

from foqus_lib.datasets.catalog import DATASETS
from foqus_lib.report import widgets
from foqus_lib.report.signal_figures import snr_ladder
from foqus_lib.signals import Signals, rms

SET, LOWEST, FRAMES = "RML2016.10a-like", -20.0, 6  # dB; the first frames may begin in silence
SHOWN, STILL = "QPSK", (18, 8, 0, -8, -20)  # the class and the labels of the picture


def ladder() -> Signals:
    """One signal of each class and label, labels rising inside a class; mean power 1."""
    made = rms(DATASETS[SET](LOWEST, FRAMES, 0))
    pairs = np.stack([made.label, made.snr.astype(np.int64)], axis=1)[::-1]
    last = np.unique(pairs, axis=0, return_index=True)[1]
    return made[len(made) - 1 - last]


def spec(signals: Signals) -> dict:
    """Names, labels (dB) and samples: classes by labels by I and Q by time."""
    levels = np.unique(signals.snr)
    return {
        "classes": list(signals.classes),
        "shown": SHOWN,
        "levels": levels.tolist(),
        "samples": signals.length,
        "iq": widgets.in_bytes(signals.iq, float(np.abs(signals.iq).max())),
    }


def slider() -> HTML:
    """The slider as part of a page; without script, the class SHOWN at the labels STILL."""
    signals = ladder()
    figure = snr_ladder(signals, signals.classes.index(SHOWN), STILL)
    labels = ", ".join(map(str, STILL))
    words = f"{SHOWN} at the SNR labels {labels} dB: I and Q over time, and the I/Q plane"
    return widgets.widget("snr", spec(signals), figure, words)

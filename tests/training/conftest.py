import numpy as np
import pytest

from foqus_lib.signals import Signals


@pytest.fixture(scope="session")
def tones() -> Signals:
    """96 signals of 3 classes that differ in frequency: a network learns them in seconds."""
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(3), 32)
    phase = 2 * np.pi * (label[:, None] + 1) * np.arange(64) / 16 + rng.uniform(0, 7, (96, 1))
    noise = 0.3 * rng.standard_normal((96, 2, 64))
    iq = np.stack([np.cos(phase), np.sin(phase)], axis=1) + noise
    snr = np.tile([10.0, 18.0], 48)
    return Signals(iq.astype(np.float32), label, snr.astype(np.float32), ("low", "mid", "high"))

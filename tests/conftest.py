"""Shapes and dtypes in signatures are checked while the suite runs, and only then."""

import sys

import numpy as np
import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
install_import_hook("foqus_lib", CHECKER)

settings.register_profile("suite", deadline=None)  # a busy machine breaks no law
settings.load_profile("suite")


def pytest_runtest_setup(item):
    if "torch" in sys.modules:  # a test that draws without a seed draws the same every time
        sys.modules["torch"].manual_seed(0)
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")


@pytest.fixture(scope="session")
def tones():
    """96 signals of 3 classes that differ in frequency: a network learns them in seconds."""
    from foqus_lib.signals import Signals

    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(3), 32)
    phase = 2 * np.pi * (label[:, None] + 1) * np.arange(64) / 16 + rng.uniform(0, 7, (96, 1))
    noise = 0.3 * rng.standard_normal((96, 2, 64))
    iq = np.stack([np.cos(phase), np.sin(phase)], axis=1) + noise
    snr = np.tile([10.0, 18.0], 48)
    return Signals(iq.astype(np.float32), label, snr.astype(np.float32), ("low", "mid", "high"))


@pytest.fixture(scope="session")
def task(tones):
    """The tones, two thirds to train on and one third to test on."""
    from foqus_lib.datasets.catalog import Task

    rows = np.arange(96)
    train, test = rows[rows % 3 > 0], rows[rows % 3 == 0]
    return Task("tones", True, tones[train], tones[test], train, "0" * 64, "Tones (simulated).")

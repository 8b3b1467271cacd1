"""The statistics of frames, by hand and against published numbers of real recordings."""

from pathlib import Path

import numpy as np
import pytest
from reference import REAL_04C

from foqus_lib import signals as sig
from foqus_lib.datasets.own import npz
from foqus_lib.datasets.statistics import (
    STATISTICS,
    class_statistics,
    frame_statistics,
    phase_resultant,
)

REAL_FILE = Path(__file__).parents[3] / "shared/data/rml2016_04c_8cls.npz"


def frames(*rows):
    z = np.array(rows)
    return np.stack([z.real, z.imag], axis=1).astype(np.float32)


def test_a_pure_tone_by_hand():
    tone = 3 * np.exp(1j * 2 * np.pi / 16 * np.arange(128))
    got = dict(zip(STATISTICS, frame_statistics(frames(tone))[0], strict=True))
    wanted = {"sd|z|": 0, "E|z|^4": 1, "|Ez2|": 0, "|Ez4|": 0, "r1": 1, "r4": 1, "r8": 1}
    for name, value in wanted.items():
        lags = {"r1": 1, "r4": 4, "r8": 8}
        assert got[name] == pytest.approx(value, abs=1e-6), (name, lags)
    assert got["dphi"] == pytest.approx(2 * np.pi / 16)


def test_alternating_signs_by_hand():
    """+1, -1, ...: real, so z^2 = 1; every step turns the phase by pi."""
    got = frame_statistics(frames((-1.0) ** np.arange(128) + 0j))[0]
    np.testing.assert_allclose(got, [0, 1, 1, 1, 1, 1, 1, np.pi], atol=1e-6)


def test_statistics_do_not_depend_on_scale_or_carrier_phase():
    rng = np.random.default_rng(0)
    z = rng.standard_normal(128) + 1j * rng.standard_normal(128)
    one, other = frame_statistics(frames(z, 0.01 * z * np.exp(1j)))
    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_resultant_of_equal_and_of_opposite_carriers():
    carrier = np.ones(128) + 0j
    assert phase_resultant(frames(carrier, 2 * carrier)) == pytest.approx(1)
    assert phase_resultant(frames(carrier, -carrier)) == pytest.approx(0)


@pytest.mark.skipif(not REAL_FILE.exists(), reason="needs the real RML2016.04C recordings")
def test_real_recordings_give_the_published_numbers():
    """datasets.md 4.4, test 5: table 4.1 of the real set to the printed digits."""
    signals, _ = npz.load(REAL_FILE)
    high = sig.at_least(signals, 10)
    got = dict(zip(high.classes, class_statistics(high), strict=True))
    for modulation, wanted in REAL_04C.items():
        np.testing.assert_allclose(got[modulation], wanted, atol=0.00051, err_msg=modulation)

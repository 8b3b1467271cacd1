"""Pulses and modulators of many frames at once: by hand, against slow twins, and their spectra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foqus_lib.datasets.simulated import constellations, modulators, pulses, waveforms

N, LENGTH = 20, 512


def rng(seed=0):
    return np.random.default_rng(seed)


def power(z):
    return np.mean(np.abs(z) ** 2)


def share_within(z, cycles):
    """Share of the power at frequencies (cycles per sample) of at most this magnitude."""
    spectrum = np.abs(np.fft.fft(z * np.hanning(z.shape[1]), axis=1)) ** 2
    return spectrum[:, np.abs(np.fft.fftfreq(z.shape[1])) <= cycles].sum() / spectrum.sum()


# Pulses.


@given(rolloff=st.floats(0.01, 1))
@settings(max_examples=30, deadline=None)
def test_root_raised_cosine_has_unit_energy_and_a_nyquist_square(rolloff):
    """For every roll-off, also where the formula reads 0 / 0: t = 0 and |t| = 1 / (4 rolloff)."""
    t = np.arange(-400 * 8, 400 * 8 + 1) / 8
    h = pulses.root_raised_cosine(t, rolloff)
    assert np.isfinite(h).all()
    correlation = [np.sum(h[8 * k :] * h[: len(h) - 8 * k]) / 8 for k in range(4)]
    np.testing.assert_allclose(correlation, [1, 0, 0, 0], atol=2e-3)


def test_root_raised_cosine_where_its_formula_is_undefined():
    """h(0) = 1 - b + 4 b / pi and the textbook limit at 1 / (4 b)."""
    for b in (0.25, 0.35, 0.5):
        got = pulses.root_raised_cosine(np.array([0, 1 / 4 / b, -1 / 4 / b]), b)
        s, c = np.sin(np.pi / 4 / b), np.cos(np.pi / 4 / b)
        edge = b / np.sqrt(2) * ((1 + 2 / np.pi) * s + (1 - 2 / np.pi) * c)
        np.testing.assert_allclose(got, [1 - b + 4 * b / np.pi, edge, edge], atol=1e-4)


def test_the_gaussian_pulse_has_area_one_and_tends_to_a_rectangle():
    t = np.arange(-4, 4, 1 / 64)
    assert pulses.gaussian_frequency(t, 0.3).sum() / 64 == pytest.approx(1)
    wide = pulses.gaussian_frequency(np.array([-0.6, -0.4, 0, 0.4, 0.6]), 50.0)
    np.testing.assert_allclose(wide, [0, 1, 1, 1, 0], atol=1e-6)


@pytest.mark.parametrize("late", [0.0, 0.3, 0.999])
def test_times_cover_the_pulse_whatever_the_timing(late):
    """Every sample sees each whole period of a pulse of four symbols: 32 instants, or the 33rd."""
    t = pulses.times(np.array([late]), 4, 8)[0]
    seen = np.sort(t[np.abs(t) <= 2])
    assert 32 <= len(seen) <= 33 and np.ptp(seen) > 3.8
    np.testing.assert_allclose(np.diff(seen), 1 / 8)


def test_a_train_is_a_sum_of_pulses():
    """Against the definition; symbol k is due at sample 8 (k - span / 2) + 8 late."""
    symbols, late, span = rng().standard_normal((3, 10)), np.array([0, 0.4, 0.9]), 4

    def pulse(t):
        return np.exp(-(t**2)) * (np.abs(t) < 10)

    got = pulses.train(symbols, pulse(pulses.times(late, span, 8)))
    assert got.shape == (3, 6 * 8)
    for row in range(3):
        for sample in (0, 7, 20, 47):
            wanted = sum(
                symbols[row, k] * pulse(sample / 8 - (k - span // 2) - late[row])
                for k in range(sample // 8, sample // 8 + span + 1)
            )
            assert got[row, sample] == pytest.approx(wanted)


# Modulators.


@pytest.mark.parametrize("name", ["BPSK", "8PSK", "QAM64", "PAM4"])
def test_linear_frames_have_unit_power_and_the_width_of_their_pulse(name):
    """(1 + rolloff) / 16 cycles per sample on either side; truncation leaks a little."""
    z = waveforms.linear(modulators.CONSTELLATIONS[name], LENGTH, np.full(200, 0.35), 22, rng())
    assert z.shape == (200, LENGTH)
    assert power(z) == pytest.approx(1, rel=0.05)
    assert share_within(z, 1.35 / 16) > 0.995
    assert 0.4 < share_within(z, 0.5 / 16) < 0.65


def test_a_wider_rolloff_is_a_wider_spectrum():
    def outside(rolloff):
        z = waveforms.linear(constellations.psk(4), LENGTH, np.full(100, rolloff), 16, rng())
        return 1 - share_within(z, 1 / 16)

    assert (np.diff([outside(b) for b in (0.1, 0.4, 0.7, 1.0)]) > 0.005).all()


def test_the_matched_filter_finds_the_points_again():
    """QPSK through a second pulse, sampled at the one moment that is nobody else's."""
    n, rolloff, span = 10, 0.5, 16
    z = waveforms.linear(constellations.psk(4), LENGTH, np.full(n, rolloff), span, rng(1))
    t = np.arange(-8 * 8, 8 * 8 + 1) / 8
    pulse = pulses.root_raised_cosine(t, rolloff) / 8
    for row in z:
        clean = np.convolve(row, pulse, mode="valid")
        fine = np.interp(np.arange(0, len(clean) - 1, 1 / 8), np.arange(len(clean)), np.abs(clean))
        spread = [np.std(fine[start::64]) for start in range(64)]  # over symbols, at each timing
        assert min(spread) < 0.03 < 0.15 < max(spread)


def test_timing_differs_between_frames_and_covers_a_symbol():
    z = waveforms.linear(constellations.psk(2), LENGTH, np.full(400, 1.0), 16, rng())
    turn = np.exp(2j * np.pi * np.arange(LENGTH) / 8)  # |z|^2 beats at the symbol rate
    late = np.angle(np.mean(np.abs(z) ** 2 * turn, axis=1)) / (2 * np.pi) % 1
    assert np.histogram(late, bins=4, range=(0, 1))[0].min() > 60


def test_offset_qpsk_avoids_zero_and_qpsk_does_not():
    rolloff = np.full(N, 0.5)
    offset = waveforms.offset_qpsk(LENGTH, rolloff, 16, rng())
    plain = waveforms.linear(constellations.psk(4), LENGTH, rolloff, 16, rng())
    assert power(offset) == pytest.approx(1, rel=0.05)
    assert np.abs(offset).min() > 0.3 > 0.1 > np.abs(plain).min()
    turn = np.exp(2j * np.pi * np.arange(LENGTH) / 8)  # of I^2 and Q^2 at the symbol rate
    for z, half in [(offset, 0.5), (plain, 0.0)]:
        i, q = (np.mean(part**2 * turn, axis=1) for part in (z.real, z.imag))
        behind = np.angle(np.sum(i * q.conj())) / (2 * np.pi)
        assert abs(behind) == pytest.approx(half, abs=0.05)


@pytest.mark.parametrize("m", [2, 4, 8])
def test_fsk_is_m_tones_of_constant_envelope(m):
    z = waveforms.fsk(m, 0.5, LENGTH, N, rng())
    np.testing.assert_allclose(np.abs(z), 1)
    steps = np.angle(z[:, 1:] * z[:, :-1].conj()) / (2 * np.pi) * 8  # symbol rates
    tones = (np.arange(m) - (m - 1) / 2) / 2
    on_a_tone = np.isclose(steps[..., None], tones, atol=1e-9).any(axis=2)
    assert on_a_tone.mean() > 0.85  # a step across a border between symbols is in between
    assert np.abs(steps).max() <= tones.max() + 1e-9
    for tone in tones:
        assert np.isclose(steps, tone, atol=1e-9).mean() == pytest.approx(0.9 / m, rel=0.25)


def test_gmsk_turns_a_quarter_each_symbol():
    z = waveforms.gmsk(0.3, LENGTH, N, rng())
    np.testing.assert_allclose(np.abs(z), 1)
    steps = np.angle(z[:, 1:] * z[:, :-1].conj())
    assert np.abs(steps).max() <= np.pi / 16 + 1e-6
    long = waveforms.gmsk(50.0, LENGTH, N, rng())  # hardly filtered: MSK, whole quarters
    over_a_symbol = np.abs(np.angle(long[:, 8:] * long[:, :-8].conj())).reshape(N, -1, 8)
    off = np.abs(over_a_symbol - np.pi / 2).max(axis=1)  # for each of eight timings
    assert np.median(off.min(axis=1)) < 1e-6
    assert off.min(axis=1).max() < np.pi / 16 + 1e-6  # where a border meets a sample
    assert (off.max(axis=1) > 1).all()  # between symbols a turn may cancel
    assert share_within(z, 0.5 / 8) > 0.98 > share_within(long, 0.5 / 8)


def test_a_message_is_low_pass_with_peak_one():
    m = waveforms.message(LENGTH, N, 0.05, rng())
    np.testing.assert_allclose(np.abs(m).max(axis=1), 1)
    assert share_within(m, 0.055) > 0.99 > 0.8 > share_within(m, 0.03)


def test_analogue_modulators_by_hand():
    m = waveforms.message(LENGTH, N, 0.05, rng())
    np.testing.assert_array_equal(waveforms.am(0, m), m)
    np.testing.assert_array_equal(waveforms.am(1, 0.5 * m), 1 + 0.5 * m)
    side = waveforms.one_sideband(m)
    np.testing.assert_allclose(side.real, m, atol=1e-12)
    spectrum = np.abs(np.fft.fft(side, axis=1)) ** 2
    assert spectrum[:, LENGTH // 2 + 1 :].sum() < 1e-20 * spectrum.sum()
    z = waveforms.fm(m, 0.1)
    steps = np.angle(z[:, 1:] * z[:, :-1].conj()) / (2 * np.pi)
    np.testing.assert_allclose(steps, 0.1 * m[:, 1:], atol=1e-9)


@pytest.mark.parametrize("snr", [-20, 0, 10, 30])
def test_the_label_is_the_true_snr(snr):
    """The noise is what differs from the noiseless frame; 20 frames of 512 give it to 0.2 dB."""
    z = 7 * waveforms.fsk(2, 0.5, LENGTH, N, rng())
    offset, phase = np.linspace(-0.2, 0.2, N), np.linspace(-3, 3, N)
    clean = waveforms.on_air(z, 300.0, offset, phase, rng())
    assert power(clean) == pytest.approx(1)
    noisy = waveforms.on_air(z, float(snr), offset, phase, rng())
    assert -10 * np.log10(power(noisy - clean)) == pytest.approx(snr, abs=0.2)


def test_the_carrier_turns_as_told():
    offset, phase = np.array([0.1, -0.2]), np.array([1.0, -2.0])
    z = waveforms.on_air(np.full((2, 50), 3 + 0j), 300.0, offset, phase, rng())
    t = np.arange(50)
    wanted = np.exp(1j * (2 * np.pi * offset[:, None] * t + phase[:, None]))
    np.testing.assert_allclose(z, wanted, atol=1e-9)

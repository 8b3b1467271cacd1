"""The simulated set: its laws, each switch, and its statistics against real recordings."""

import numpy as np
import pytest
from reference import REAL_04C, REAL_10B

from foqus_lib.datasets.simulated import channel, like_rml2016, modulators
from foqus_lib.datasets.simulated.like_rml2016 import CLASSES, LENGTH, Quirks, generate
from foqus_lib.datasets.statistics import (
    STATISTICS,
    as_complex,
    class_statistics,
    frame_statistics,
    phase_resultant,
)

HIGH = (18, 16, 14, 12, 10)


def only(signals, modulation):
    return signals.iq[signals.label == signals.classes.index(modulation)]


@pytest.fixture(scope="module")
def high():
    return generate(HIGH, 400, seed=0)


@pytest.fixture(scope="module")
def loud():
    """The same without the last step: un-normalised."""
    return generate(HIGH, 100, seed=0, quirks=Quirks(normalise="none"))


# Laws (acceptance test 1 of the data sheet).


def test_shapes_order_and_scale(high):
    assert high.classes == CLASSES and len(high) == 11 * 5 * 400
    assert high.iq.shape[1:] == (2, LENGTH)
    np.testing.assert_array_equal(high.label, np.repeat(np.arange(11), 5 * 400))
    np.testing.assert_array_equal(high.snr.reshape(11, 5, 400), np.tile(HIGH, (11, 1))[..., None]
                                  * np.ones(400))  # fmt: skip
    np.testing.assert_allclose(np.abs(as_complex(high.iq)).sum(axis=1), 1, atol=1e-5)


def test_same_seed_same_bytes_other_seed_other_bytes():
    one, again, other = (generate((10,), 5, seed).iq.tobytes() for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize("channel", ["frozen", "per pass"])
def test_a_pair_depends_on_no_other_pair_and_on_no_later_frame(channel):
    quirks = Quirks(channel=channel)
    many = generate((18, 12, -4), 60, 3, quirks).iq.reshape(11, 3, 60, 2, LENGTH)
    few = generate((12,), 45, 3, quirks).iq.reshape(11, 45, 2, LENGTH)
    np.testing.assert_array_equal(many[:, 1, :45], few)


def test_no_frame_twice(high):
    assert len(np.unique(high.iq.reshape(len(high), -1), axis=0)) == len(high)


def test_frames_of_a_pass_never_overlap():
    for seed in range(20):
        start = like_rml2016.cut(40_000, np.random.default_rng(seed))
        assert 50 <= start[0] <= 500
        assert (np.diff(start) >= LENGTH).all() and (np.diff(start) <= 2000).all()
        assert start[-1] + LENGTH < 40_000 <= start[-1] + LENGTH + 2000
        assert 28 <= len(start) <= 48


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channel": "frozn"}, r"Quirks.channel: expected one of \('frozen'.*got 'frozn'"),
        ({"noise": "none"}, "Quirks.noise"),
        ({"normalise": "L1"}, "Quirks.normalise"),
        ({"fading": (1, 2)}, r"Quirks.fading: expected the draws of three rays, got \(1, 2\)"),
    ],
)
def test_unknown_switch_values_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Quirks(**changes)


def test_empty_requests_are_refused():
    with pytest.raises(ValueError, match="frames: expected 1 or more"):
        generate((10,), 0, seed=0)
    with pytest.raises(ValueError, match="snrs: expected distinct"):
        generate((10, 10), 1, seed=0)


# Against real recordings (acceptance tests 2 to 4).


@pytest.mark.parametrize("snr", [-20, -8, 0, 10, 18])
def test_am_ssb_is_noise_of_the_quirky_amplitude(snr):
    noise = only(generate((snr,), 300, 0, Quirks(normalise="none")), "AM-SSB")
    rms = np.sqrt(np.mean(np.abs(as_complex(noise)) ** 2))
    assert rms == pytest.approx(10 ** (-snr / 10), rel=0.03)
    r1, r4, r8 = frame_statistics(noise).mean(axis=0)[4:7]
    assert max(r1, r4, r8) <= 0.1


# Relative tolerance for each of STATISTICS; None: the data sheet asks nothing.
LINEAR = (0.10, 0.10, 0.10, 0.25, 0.10, 0.10, 0.25, 0.25)
FSK = (0.10, 0.05, 0.15, None, 0.05, 0.05, 0.05, 0.10)  # CPFSK's |Ez4| is half the real 0.039
AM = (0.10, None, None, None, None, None, None, 0.10)
TOLERANCE = (
    dict.fromkeys(("BPSK", "QPSK", "8PSK", "PAM4", "QAM16", "QAM64"), LINEAR)
    | dict.fromkeys(("CPFSK", "GFSK"), FSK)
    | dict.fromkeys(("WBFM", "AM-DSB"), AM)
)


@pytest.mark.parametrize("modulation", TOLERANCE)
def test_statistics_are_those_of_real_recordings(high, modulation):
    got = frame_statistics(only(high, modulation)).mean(axis=0)
    real = (REAL_04C | REAL_10B)[modulation]
    for name, value, wanted, tolerance in zip(
        STATISTICS, got, real, TOLERANCE[modulation], strict=True
    ):
        if tolerance is not None:
            assert value == pytest.approx(wanted, rel=tolerance), name


def test_wbfm_is_mostly_a_bare_carrier(high):
    wbfm = dict(zip(STATISTICS, frame_statistics(only(high, "WBFM")).mean(axis=0), strict=True))
    assert 0.8 <= wbfm["|Ez2|"] <= 0.95
    assert wbfm["r8"] > 0.97


def at(second):
    return round(second * modulators.FS / channel.GRID)


def test_the_frozen_fading_is_as_strong_as_the_real_one():
    """A real carrier's |gain| rises from 1.43 to 2.00 within 0.2 s; RML2016.04C, AM-DSB."""
    gain = np.abs(channel.frozen_fading().sum(axis=1))[: at(0.2)]
    assert gain[0] == pytest.approx(1.43, rel=0.03) == gain.min()
    assert gain.max() == pytest.approx(2.0, rel=0.03)
    assert gain.argmax() > at(0.15)


def test_the_fading_favours_positive_frequencies_as_the_real_one_does():
    """CPFSK's two tones, 0.06 cycles a sample off, over the carrier: really 0.72 and 1.14."""
    taps = channel.frozen_fading()[at(0.015)]
    lower, upper = (
        np.abs(taps @ np.exp(-2j * np.pi * cycles * np.arange(channel.TAPS)) / taps.sum())
        for cycles in (-0.06, 0.06)
    )
    assert 0.7 < lower < 0.85 and upper == pytest.approx(1.14, rel=0.03)


def test_each_ray_of_the_frozen_fading_is_a_numbered_draw_of_its_own():
    """On the first delay, 0 samples, a ray reaches tap 0 only."""
    taps = channel.frozen_fading((3, 1, 4))
    changed = channel.frozen_fading((2, 1, 4)) - taps
    assert np.abs(changed[:, 0]).max() > 0.1 and np.abs(changed[:, 1:]).max() < 1e-12
    for other in [(3, 0, 4), (3, 1, 3)]:
        assert np.abs(channel.frozen_fading(other) - taps)[:, 1].max() > 0.02


def test_the_frozen_fading_is_that_of_its_numbers():
    quirks = Quirks(fading=(0, 0, 0), normalise="none")
    chosen, other = (generate((18,), 5, 0, q) for q in (Quirks(normalise="none"), quirks))
    assert np.abs(only(chosen, "QPSK") - only(other, "QPSK")).max() > 0.1
    np.testing.assert_array_equal(only(chosen, "AM-SSB"), only(other, "AM-SSB"))  # noise only


def test_two_passes_share_the_fading_but_not_the_carrier():
    """Phases start together and drift apart as a walk's integral does: 2.1 rad after 0.25 s."""
    drifts = [channel.drift(np.random.default_rng(seed)) for seed in range(400)]
    phase = np.stack([drift.phase for drift in drifts])
    delay = np.stack([drift.delay for drift in drifts])
    wanted = 2 * np.pi * 0.01 * np.sqrt(50_000**3 / 3) / modulators.FS
    assert wanted == pytest.approx(2.03, abs=0.01)
    assert phase[:, at(0.25)].std() == pytest.approx(wanted, rel=0.1)
    assert delay[:, at(0.25)].std() == pytest.approx(wanted / (2 * np.pi), rel=0.1)
    assert np.abs(phase[:, 0]).max() < 1e-3 and np.abs(phase.mean(axis=0)).max() < 0.5
    assert np.abs(np.corrcoef(phase[:, at(0.25)], delay[:, at(0.25)])[0, 1]) < 0.15


def test_the_carrier_phase_is_shared_by_frames_unless_it_is_drawn(high):
    """0.79 in RML2016.04C, 0.82 in 10b."""
    assert 0.6 < phase_resultant(only(high, "AM-DSB")) < 0.85
    uniform = generate((18,), 400, seed=0, quirks=Quirks(uniform_phase=True))
    assert phase_resultant(only(uniform, "AM-DSB")) < 0.1


# Every other switch.


def test_constellations_have_their_published_power(loud):
    """Received power is constellation power times a squared gain of 1.4^2 to 2.4^2."""
    for modulation, power in {"QPSK": 1, "PAM4": 5, "QAM16": 10, "QAM64": 42}.items():
        received = np.mean(np.abs(as_complex(only(loud, modulation))) ** 2)
        assert 0.9 * 1.4**2 * power < received < 1.1 * 2.4**2 * power
    unit = generate(HIGH, 50, 0, Quirks(normalise="none", constellation_power="unit"))
    for modulation in ("QPSK", "PAM4", "QAM16", "QAM64"):
        received = np.mean(np.abs(as_complex(only(unit, modulation))) ** 2)
        assert 0.85 * 1.4**2 < received < 1.15 * 2.4**2


@pytest.mark.parametrize(("noise", "snr_db"), [("amplitude", None), ("power", 10)])
def test_power_noise_gives_the_snr_of_the_label(noise, snr_db):
    """AM-DSB's silent half is a carrier: what varies inside a frame is noise."""
    quirks = Quirks(noise=noise, normalise="none")
    z = as_complex(only(generate((10,), 400, 0, quirks), "AM-DSB"))
    carrier = z.mean(axis=1, keepdims=True)
    power = np.median(np.abs(carrier) ** 2)
    noise_power = np.median(np.mean(np.abs(z - carrier) ** 2, axis=1)) * LENGTH / (LENGTH - 1)
    got = 10 * np.log10(power / noise_power)
    # The original: noise amplitude 10^-1, power 10^-2, whatever the channel gain.
    wanted = snr_db if snr_db is not None else 10 * np.log10(power / 1e-2)
    assert got == pytest.approx(wanted, abs=0.7)


def test_analytic_am_ssb_has_a_signal():
    quirks = Quirks(am_ssb="analytic", audio="noise", normalise="none")
    r1 = frame_statistics(only(generate((18,), 100, 0, quirks), "AM-SSB")).mean(axis=0)[4]
    assert r1 > 0.5


def test_low_pass_audio_leaves_no_bare_carrier(high):
    loud_audio = generate(HIGH, 40, 0, Quirks(audio="noise"))
    for modulation in ("WBFM", "AM-DSB"):
        quiet, speech = (class_statistics(s)[CLASSES.index(modulation)] for s in (high, loud_audio))
        assert speech[STATISTICS.index("dphi")] > quiet[STATISTICS.index("dphi")] * 0.9
    wbfm = CLASSES.index("WBFM")
    assert class_statistics(loud_audio)[wbfm][6] < class_statistics(high)[wbfm][6]  # r8


def test_a_new_channel_for_each_pass_spreads_the_phase(high):
    free = generate((18,), 400, 0, Quirks(channel="per pass"))
    frozen = phase_resultant(only(high, "AM-DSB"))
    assert phase_resultant(only(free, "AM-DSB")) < frozen - 0.2


@pytest.mark.parametrize("transient", [True, False])
def test_linear_streams_start_empty_unless_trimmed(transient):
    quirks = Quirks(transient=transient)
    for modulation in modulators.CONSTELLATIONS:
        stream = like_rml2016.one_pass(modulation, np.random.default_rng(0), quirks)
        usual = np.mean(np.abs(stream[2000:]) ** 2)
        start = np.mean(np.abs(stream[:256]) ** 2)
        assert start < 0.01 * usual if transient else start > 0.3 * usual


def test_streams_have_the_published_lengths():
    wanted = {"BPSK": 80_000, "QPSK": 40_000, "PAM4": 40_000, "8PSK": 26_664, "QAM16": 40_000,
              "QAM64": 40_000, "GFSK": 80_000, "CPFSK": 80_000, "WBFM": 50_000,
              "AM-DSB": 45_351, "AM-SSB": 45_351}  # fmt: skip
    for modulation, samples in wanted.items():
        stream = like_rml2016.one_pass(modulation, np.random.default_rng(0), like_rml2016.REAL)
        assert stream.shape == (samples,), modulation


def test_pulse_keeps_the_power_and_has_no_intersymbol_interference():
    pulse = modulators.rrc()
    assert np.sum(pulse**2) == pytest.approx(8)
    matched = np.convolve(pulse, pulse)[:: modulators.SPS]  # two of them: Nyquist
    peak = len(matched) // 2
    np.testing.assert_allclose(matched / matched[peak], np.arange(len(matched)) == peak, atol=0.005)


def test_frequency_modulators_by_hand():
    rng = np.random.default_rng
    steps = np.angle(modulators.cpfsk(rng(0))[1:] / modulators.cpfsk(rng(0))[:-1])
    np.testing.assert_allclose(np.abs(steps), np.pi / 16)
    gfsk = modulators.gfsk(rng(0))
    np.testing.assert_allclose(np.abs(gfsk), 0.999)
    assert np.abs(np.angle(gfsk[1:] / gfsk[:-1])).max() == pytest.approx(0.1, rel=0.01)
    carrier = modulators.wbfm(np.zeros(modulators.AUDIO_SAMPLES))
    np.testing.assert_array_equal(carrier, np.ones(50_000))


def test_the_audio_is_silence_and_a_decaying_chord():
    """As in real 04C streams: rms 0.031 at the loudest, a tenth of it 4,000 samples later."""
    audio = modulators.rml_audio()
    assert not audio[:5450].any()
    rms = np.sqrt(np.mean(audio[5472 : 5472 + 9 * 492].reshape(9, 492) ** 2, axis=1))
    assert rms.max() == pytest.approx(0.031, rel=0.1)
    assert (np.diff(rms[1:]) < 0).all() and rms[-1] / rms.max() == pytest.approx(0.11, rel=0.15)


def still(phase=0.0, delay=0.0):
    """Oscillators that stand still."""
    grid = len(channel.SECONDS)
    return channel.Drift(np.full(grid, phase), np.full(grid, delay))


def test_fading_is_a_filter_that_follows_its_course():
    """Against the definition, sample by sample, with taps held over a frame."""
    fading = channel.random_fading(np.random.default_rng(0))
    stream = like_rml2016.one_pass("QPSK", np.random.default_rng(1), like_rml2016.REAL)
    start = np.array([700, 20_000])
    drift = still(phase=0.3, delay=-channel.OFFSET)  # on the samples: no interpolation
    got = channel.received(stream, start, LENGTH, fading, drift)
    for row, s in enumerate(start):
        taps = fading[(s + 64) // channel.GRID]
        for t in (0, 5, 127):
            wanted = sum(taps[k] * stream[s + t - k] for k in range(8)) * np.exp(0.3j)
            assert got[row, t] == pytest.approx(wanted)


@pytest.mark.parametrize("cycles", [0.0, 0.05, -0.1])
@pytest.mark.parametrize("delay", [-2.6, -0.7, 0.0, 0.45, 1.2])
def test_the_clock_delays_and_the_carrier_turns(cycles, delay):
    """A tone through one tap, so nothing but the oscillators acts; also at the stream's end."""
    n, flat = 5000, np.zeros((len(channel.SECONDS), channel.TAPS), complex)
    flat[:, 0] = 1
    tone = np.exp(2j * np.pi * cycles * np.arange(n))
    start = np.array([50, 1001, n - LENGTH - 8])
    got = channel.received(tone, start, LENGTH, flat, still(0.2, delay))
    t = start[:, None] + np.arange(LENGTH) - channel.OFFSET - delay
    np.testing.assert_allclose(got, np.exp(2j * np.pi * cycles * t + 0.2j), atol=2e-3)


def test_rays_have_unit_power_move_slowly_and_the_first_is_steadier():
    """E|H|^4 of a Rician ray is (2 + 4 K + K^2) / (1 + K)^2, 1.36 for K = 4; others' nears 2."""
    seconds = np.linspace(0, 0.4, 100)
    rng = np.random.default_rng(0)
    h = np.stack([channel._rays(seconds, [rng] * 3) for _ in range(2000)])
    np.testing.assert_allclose(np.mean(np.abs(h) ** 2, axis=(0, 1)), 1, rtol=0.05)
    first, second, third = np.mean(np.abs(h) ** 4, axis=(0, 1))
    assert first == pytest.approx(1.36, rel=0.05) and min(second, third) > 1.7
    assert np.abs(np.diff(h, axis=1)).max() < 2 * np.pi * np.sqrt(8) * 0.4 / 99 * 1.5

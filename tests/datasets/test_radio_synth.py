"""The simulated set: its laws, each switch, and its statistics against real recordings."""

import numpy as np
import pytest
from reference import REAL_04C, REAL_10B

from foqus_lib.datasets import radio_channel, radio_modulators, radio_synth
from foqus_lib.datasets.radio_synth import CLASSES, LENGTH, Quirks, generate
from foqus_lib.datasets.statistics import (
    STATISTICS,
    as_complex,
    class_statistics,
    frame_statistics,
    phase_resultant,
)
from foqus_lib.seeds import rng_for

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
        start = radio_synth.cut(40_000, np.random.default_rng(seed))
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
    quirks, rng = Quirks(normalise="none"), rng_for("test", snr)
    block = np.empty((300, 2, LENGTH), np.float32)
    radio_synth._fill(block, "AM-SSB", snr, radio_channel.frozen_path(0), rng, quirks)
    rms = np.sqrt(np.mean(np.abs(as_complex(block)) ** 2))
    assert rms == pytest.approx(10 ** (-snr / 10), rel=0.03)
    r1, r4, r8 = frame_statistics(block).mean(axis=0)[4:7]
    assert max(r1, r4, r8) <= 0.1


# Relative tolerance for each of STATISTICS; None: the data sheet asks nothing.
LINEAR = (0.10, 0.10, 0.10, 0.25, 0.10, 0.10, 0.25, 0.25)
FSK = (None, None, None, None, 0.10, 0.10, 0.10, 0.10)
AM = (0.30, None, None, None, None, None, None, 0.30)
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


@pytest.mark.parametrize("seed", range(6))
def test_the_frozen_channel_is_as_strong_and_as_steady_as_the_real_one(seed):
    gain = np.abs(radio_channel.carrier_gain(radio_channel.frozen_path(seed)))
    assert gain.min() >= 1.4 and gain.max() <= 2.4


def test_the_carrier_phase_is_shared_by_frames_unless_it_is_drawn(high):
    assert phase_resultant(only(high, "AM-DSB")) > 0.55
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


def test_replayed_channel_has_the_measured_gain():
    path = radio_channel.replayed_path()
    gain = radio_channel.carrier_gain(path)
    at = round(0.113 * radio_modulators.FS / radio_channel.GRID)
    assert np.abs(gain[at]) == pytest.approx(1.927, abs=0.002)
    assert np.angle(gain[at]) == pytest.approx(-1.262, abs=0.01)
    replayed = generate((18,), 200, 0, Quirks(channel="replay"))
    assert phase_resultant(only(replayed, "AM-DSB")) > 0.9


def test_a_new_channel_for_each_pass_spreads_the_phase(high):
    free = generate((18,), 1000, 0, Quirks(channel="per pass"))
    frozen = phase_resultant(only(high, "AM-DSB"))
    assert phase_resultant(only(free, "AM-DSB")) < frozen - 0.2


@pytest.mark.parametrize("transient", [True, False])
def test_linear_streams_start_empty_unless_trimmed(transient):
    quirks = Quirks(transient=transient)
    for modulation in radio_modulators.CONSTELLATIONS:
        stream = radio_synth.one_pass(modulation, np.random.default_rng(0), quirks)
        usual = np.mean(np.abs(stream[2000:]) ** 2)
        start = np.mean(np.abs(stream[:256]) ** 2)
        assert start < 0.01 * usual if transient else start > 0.3 * usual


def test_streams_have_the_published_lengths():
    wanted = {"BPSK": 80_000, "QPSK": 40_000, "PAM4": 40_000, "8PSK": 26_664, "QAM16": 40_000,
              "QAM64": 40_000, "GFSK": 80_000, "CPFSK": 80_000, "WBFM": 50_000,
              "AM-DSB": 45_351, "AM-SSB": 45_351}  # fmt: skip
    for modulation, samples in wanted.items():
        stream = radio_synth.one_pass(modulation, np.random.default_rng(0), radio_synth.REAL)
        assert stream.shape == (samples,), modulation


def test_pulse_keeps_the_power_and_has_no_intersymbol_interference():
    pulse = radio_modulators.rrc()
    assert np.sum(pulse**2) == pytest.approx(8)
    matched = np.convolve(pulse, pulse)[:: radio_modulators.SPS]  # two of them: Nyquist
    peak = len(matched) // 2
    np.testing.assert_allclose(matched / matched[peak], np.arange(len(matched)) == peak, atol=0.005)


def test_frequency_modulators_by_hand():
    rng = np.random.default_rng
    steps = np.angle(radio_modulators.cpfsk(rng(0))[1:] / radio_modulators.cpfsk(rng(0))[:-1])
    np.testing.assert_allclose(np.abs(steps), np.pi / 16)
    gfsk = radio_modulators.gfsk(rng(0))
    np.testing.assert_allclose(np.abs(gfsk), 0.999)
    assert np.abs(np.angle(gfsk[1:] / gfsk[:-1])).max() == pytest.approx(0.1, rel=0.01)
    carrier = radio_modulators.wbfm(np.zeros(radio_modulators.AUDIO_SAMPLES))
    np.testing.assert_array_equal(carrier, np.ones(50_000))


def test_the_audio_is_silence_and_a_decaying_chord():
    """Block rms from sample 5,472 on as measured on real 04C streams."""
    audio = radio_modulators.rml_audio()
    assert not audio[:5450].any()
    measured = [0.0253, 0.0306, 0.0222, 0.0156, 0.0113, 0.0085, 0.0066, 0.0047, 0.0034]
    blocks = audio[5472 : 5472 + 9 * 492].reshape(9, 492)
    rms = np.sqrt(np.mean(blocks**2, axis=1))
    np.testing.assert_allclose(rms[1:], measured[1:], rtol=0.1)
    np.testing.assert_allclose(rms, measured, rtol=0.25)


def test_channel_is_a_filter_that_follows_its_path():
    """Against the definition, sample by sample, with taps held over a frame."""
    path = radio_channel.random_path(np.random.default_rng(0))
    stream = radio_synth.one_pass("QPSK", np.random.default_rng(1), radio_synth.REAL)
    start = np.array([700, 20_000])
    got = radio_channel.received(stream, start, LENGTH, path)
    rotated = stream * np.exp(1j * path.phase[: len(stream)])
    for row, s in enumerate(start):
        taps = path.taps[(s + 64) // radio_channel.GRID]
        for t in (0, 5, 127):
            wanted = sum(taps[k] * rotated[s + t - k] for k in range(8))
            assert got[row, t] == pytest.approx(wanted)


def test_fading_has_unit_power_and_moves_slowly():
    seconds = np.linspace(0, 0.4, 100)
    rng = np.random.default_rng(0)
    h = np.stack([radio_channel._fader(seconds, rng) for _ in range(2000)])
    assert np.mean(np.abs(h) ** 2) == pytest.approx(1, rel=0.05)
    assert np.abs(np.diff(h, axis=1)).max() < 2 * np.pi * np.sqrt(8) * 0.4 / 99 * 1.5

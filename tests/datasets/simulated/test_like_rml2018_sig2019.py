"""The simulated RML2018.01a and Sig2019-12: one contract over both, and what each promises."""

import numpy as np
import pytest

from foqus_lib.datasets import rml2018
from foqus_lib.datasets.simulated import like_rml2018, like_sig2019
from foqus_lib.datasets.statistics import as_complex

SETS = {
    like_rml2018.NAME: (like_rml2018, rml2018.CLASSES, 1024, 25),
    like_sig2019.NAME: (like_sig2019, like_sig2019.CLASSES, 512, 50),
}


@pytest.fixture(params=SETS, scope="module")
def made(request):
    """module, classes, length, batch, and 60 frames for each class at -10 and 20 dB."""
    module, classes, length, batch = SETS[request.param]
    return module, classes, length, batch, module.generate((-10, 20), 60, seed=0)


def only(signals, modulation, snr):
    rows = (signals.label == signals.classes.index(modulation)) & (signals.snr == snr)
    return as_complex(signals.iq[rows])


def power(z):
    return np.mean(np.abs(z) ** 2)


# The contract.


def test_shapes_and_order(made):
    _, classes, length, _, signals = made
    assert signals.classes == classes and signals.length == length
    assert len(signals) == len(classes) * 2 * 60
    np.testing.assert_array_equal(signals.label, np.repeat(np.arange(len(classes)), 120))
    snr = np.tile(np.repeat(np.array([-10, 20], np.float32), 60), len(classes))
    np.testing.assert_array_equal(signals.snr, snr)


def test_a_pair_depends_on_no_other_pair_and_on_no_later_frame(made):
    module, classes, length, batch, signals = made
    assert batch < 60  # so that the later frames are of a second batch
    few = module.generate((20,), 3, seed=0)
    many = signals.iq.reshape(len(classes), 2, 60, 2, length)
    np.testing.assert_array_equal(few.iq.reshape(-1, 3, 2, length), many[:, 1, :3])


def test_same_seed_same_bytes_other_seed_other_bytes(made):
    module = made[0]
    one, again, other = (module.generate((10,), 2, seed).iq.tobytes() for seed in (1, 1, 2))
    assert one == again != other


def test_no_frame_twice(made):
    signals = made[-1]
    assert len(np.unique(signals.iq.reshape(len(signals), -1), axis=0)) == len(signals)


def test_power_is_the_signals_one_and_the_noise_of_the_label(made):
    """1 + 10^(-SNR / 10) in every class: 1.01 at 20 dB, 11 at -10 dB; sixty frames give 3 %."""
    for modulation in made[1]:
        assert power(only(made[-1], modulation, 20)) == pytest.approx(1.01, rel=0.01), modulation
        assert power(only(made[-1], modulation, -10)) == pytest.approx(11, rel=0.03), modulation


def test_empty_requests_are_refused(made):
    module = made[0]
    with pytest.raises(ValueError, match="frames: expected 1 or more"):
        module.generate((10,), 0, seed=0)
    with pytest.raises(ValueError, match="snrs: expected distinct"):
        module.generate((10, 10), 1, seed=0)


# What tells the classes apart.


def noiseless(module, **ranges):
    """Frames at 100 dB, without carrier offset."""
    return module.generate((100,), 30, 0, module.Ranges(**ranges))


def test_constant_envelopes_are_those_of_frequency_modulation():
    old = noiseless(like_rml2018, offset_sd=0.0)
    new = noiseless(like_sig2019, offset=(0.0, 0.0))
    for signals, constant in [(old, {"FM", "GMSK"}), (new, {"2FSK", "4FSK", "8FSK"})]:
        for modulation in signals.classes:
            spread = np.abs(only(signals, modulation, 100)).std(axis=1).max()
            assert (spread < 1e-3) == (modulation in constant), modulation


def test_real_modulations_keep_a_line_in_the_plane():
    """|mean of z^2| is 1 if and only if a frame lies on a line through zero."""
    old = noiseless(like_rml2018, offset_sd=0.0)
    new = noiseless(like_sig2019, offset=(0.0, 0.0))
    on_a_line = {"OOK", "4ASK", "8ASK", "BPSK", "AM-DSB-WC", "AM-DSB-SC", "4PAM", "8PAM"}
    for signals in (old, new):
        for modulation in signals.classes:
            line = np.abs(np.mean(only(signals, modulation, 100) ** 2, axis=1))
            assert (line.min() > 0.999) == (modulation in on_a_line), modulation


def test_carriers_stand_where_the_name_says():
    """Share of the power at 0 Hz: WC with, SC without a carrier."""
    signals = noiseless(like_rml2018, offset_sd=0.0)
    for modulation, carrier in [("AM-DSB-WC", True), ("AM-SSB-WC", True), ("AM-DSB-SC", False),
                                ("AM-SSB-SC", False)]:  # fmt: skip
        share = np.abs(only(signals, modulation, 100).mean(axis=1)) ** 2
        assert (share.mean() > 0.8) == carrier, modulation
        assert (share.mean() < 0.1) != carrier, modulation


def test_one_sideband_or_two():
    signals = noiseless(like_rml2018, offset_sd=0.0)
    for modulation, above in [("AM-SSB-SC", 0.98), ("AM-DSB-SC", 0.5)]:
        spectrum = np.abs(np.fft.fft(only(signals, modulation, 100), axis=1)) ** 2
        positive, negative = spectrum[:, 1:512].sum(), spectrum[:, 513:].sum()
        assert positive / (positive + negative) == pytest.approx(above, abs=0.02)


def test_the_carrier_offset_of_2019_fills_its_range():
    """Mean frequency by the phase of the lag-1 product, in cycles per sample."""
    z = only(like_sig2019.generate((30,), 400, 0), "BPSK", 30)
    offset = np.angle(np.sum(z[:, 1:] * z[:, :-1].conj(), axis=1)) / (2 * np.pi)
    assert np.abs(offset).max() == pytest.approx(0.2, abs=0.02)
    assert np.histogram(offset, bins=4, range=(-0.2, 0.2))[0].min() > 70


def test_fsk_never_aliases():
    """The outermost tone of 8FSK at the largest offset: 3.5 * 0.5 / 8 + 0.2 = 0.42 cycles."""
    high = like_sig2019.Ranges(offset=(0.2, 0.2))
    z = only(like_sig2019.generate((100,), 30, 0, high), "8FSK", 100)
    steps = np.angle(z[:, 1:] * z[:, :-1].conj()) / (2 * np.pi)
    assert steps.max() == pytest.approx(3.5 * 0.5 / 8 + 0.2, abs=1e-3)
    assert steps.min() == pytest.approx(-3.5 * 0.5 / 8 + 0.2, abs=1e-3)


def test_the_real_files_layout_takes_the_simulated_2018(tmp_path):
    signals = like_rml2018.generate((10, 12), 2, seed=0)
    rml2018.write(tmp_path / "like.hdf5", signals)
    loaded, rows = rml2018.load(tmp_path / "like.hdf5", 12)
    kept = np.flatnonzero(signals.snr == 12)
    np.testing.assert_array_equal(loaded.iq, signals.iq[kept])
    np.testing.assert_array_equal(rows, kept)


# Parameters.


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rolloff": (0.7, 0.2)}, r"Ranges.rolloff: expected \(low, high\).*got \(0.7, 0.2\)"),
        ({"rolloff": (0.0, 0.5)}, "Ranges.rolloff"),
        ({"rolloff": (0.2, float("nan"))}, "Ranges.rolloff"),
        ({"phase": (0.0, 7.0)}, "Ranges.phase"),
        ({"span": 5}, "Ranges.span: expected an even number.*got 5"),
        ({"span": 0}, "Ranges.span"),
    ],
)
@pytest.mark.parametrize("module", [like_rml2018, like_sig2019])
def test_ranges_that_mean_nothing_are_refused(module, changes, message):
    with pytest.raises(ValueError, match=message):
        module.Ranges(**changes)


@pytest.mark.parametrize(
    ("module", "changes", "message"),
    [
        (like_sig2019, {"offset": (-0.6, 0.0)}, "Ranges.offset"),
        (like_rml2018, {"depth": 1.5}, "Ranges.depth: expected 0.01 to 1, got 1.5"),
        (like_rml2018, {"bandwidth": 0.0}, "Ranges.bandwidth"),
        (like_rml2018, {"offset_sd": float("nan")}, "Ranges.offset_sd"),
    ],
)
def test_values_that_mean_nothing_are_refused(module, changes, message):
    with pytest.raises(ValueError, match=message):
        module.Ranges(**changes)

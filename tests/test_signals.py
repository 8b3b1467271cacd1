"""Signals refuse what would go wrong later, and say how to mend it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from foqus_lib import signals as sig
from foqus_lib.signals import Signals


def fields(n=6, length=8):
    rng = np.random.default_rng(0)
    return {
        "iq": rng.standard_normal((n, 2, length)).astype(np.float32),
        "label": np.arange(n) % 2,
        "snr": np.linspace(0, 10, n).astype(np.float32),
        "classes": ("BPSK", "QPSK"),
    }


def signals(n=6, length=8, **changes):
    return Signals(**fields(n, length) | changes)


def our_check(**changes):
    """Signals' own check alone: under pytest the shape checker would come first."""
    unchecked = object.__new__(Signals)
    for name, value in (fields() | changes).items():
        object.__setattr__(unchecked, name, value)
    unchecked.__post_init__()


def test_rows_are_taken_from_every_field():
    s = signals()
    part = s[np.array([4, 1])]
    assert len(part) == 2 and part.length == 8 and part.classes == s.classes
    np.testing.assert_array_equal(part.iq, s.iq[[4, 1]])
    np.testing.assert_array_equal(part.label, [0, 1])
    np.testing.assert_array_equal(part.snr, s.snr[[4, 1]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"iq": np.zeros((6, 8, 2), np.float32)}, "transpose the last two axes"),
        ({"iq": np.zeros((5, 2, 8), np.float32)}, r"wants iq \(N, 2, L\)"),
        ({"iq": np.zeros((6, 2), np.float32)}, r"wants iq \(N, 2, L\)"),
        ({"iq": np.zeros((6, 2, 8))}, r"iq: expected float32, got float64.*astype\(np.float32\)"),
        ({"label": np.zeros(6, np.int32)}, "label: expected int64, got int32"),
        ({"snr": np.zeros(6)}, "snr: expected float32, got float64"),
        ({"snr": np.zeros(5, np.float32)}, r"snr \(N,\)"),
        ({"label": np.array([0, 0, 2, 0, 3, 0])}, r"below 2; got 2 in row 2 \(2 such rows\)"),
        ({"label": np.array([0, -1, 0, 0, 0, 0])}, "0 or more; got -1 in row 1"),
        ({"snr": np.array([0, 0, 0, np.nan, 0, 0], np.float32)}, "finite dB; got nan in row 3"),
        ({"classes": ("BPSK", "BPSK")}, "distinct names"),
    ],
)
def test_bad_fields_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        our_check(**changes)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_not_finite_is_found(bad):
    iq = signals().iq.copy()
    iq[4, 1, 7] = bad
    with pytest.raises(ValueError, match=r"finite samples; got (nan|inf) in row 4 \(1 such rows\)"):
        signals(iq=iq)


def test_largest_finite_samples_are_accepted():
    signals(iq=np.full((6, 2, 8), np.finfo(np.float32).max))


def test_cut_keeps_the_limit_itself():
    s = signals()
    np.testing.assert_array_equal(sig.at_least(s, 4).snr, [4, 6, 8, 10])
    with pytest.raises(ValueError, match="no signal at 12 dB or more; labels end at 10 dB"):
        sig.at_least(s, 12)


def test_native_changes_nothing():
    s = signals()
    assert sig.native(s) is s


def test_rms_in_place_is_rms_and_leaves_what_cannot_be_written():
    ours = signals(n=3, length=16)
    wanted = sig.rms(ours).iq
    ours.iq.flags.writeable = False
    copied = sig.rms_in_place(ours)
    assert copied.iq is not ours.iq and np.array_equal(copied.iq, wanted)
    ours.iq.flags.writeable = True
    assert sig.rms_in_place(ours).iq is ours.iq and np.array_equal(ours.iq, wanted)


@given(
    arrays(np.float32, (3, 2, 16), elements=st.floats(-1, 1, width=32)),
    st.floats(2**-10, 2**10, width=32),
)
def test_rms_gives_unit_power_whatever_the_scale(iq, scale):
    iq = np.where(np.abs(iq) < 2**-12, np.float32(0), iq)
    scaled = sig.rms(signals(n=3, length=16, iq=iq * np.float32(scale))).iq
    power = np.square(scaled, dtype=float).sum(axis=1).mean(axis=1)
    np.testing.assert_allclose(power, iq.any(axis=(1, 2)), rtol=1e-5)


@pytest.mark.parametrize("size", [np.finfo(np.float32).max / 2, 1e-20])
def test_rms_of_samples_whose_squares_no_float32_holds(size):
    scaled = sig.rms(signals(iq=np.full((6, 2, 8), size, np.float32))).iq
    np.testing.assert_allclose(scaled, np.sqrt(0.5), rtol=1e-6)


def test_rms_leaves_a_frame_too_faint_to_scale_as_it_leaves_silence():
    iq = signals().iq.copy()
    ordinary = sig.rms(signals(iq=iq)).iq
    iq[2], iq[3] = 0, iq[3] * np.float32(1e-41)
    scaled = sig.rms(signals(iq=iq)).iq
    assert iq[3].any() and np.array_equal(scaled[2:4], iq[2:4])
    assert np.array_equal(np.delete(scaled, (2, 3), 0), np.delete(ordinary, (2, 3), 0))


def test_rms_does_not_depend_on_the_block(monkeypatch):
    whole = sig.rms(signals(n=7)).iq
    monkeypatch.setattr(sig, "BLOCK", 3)
    np.testing.assert_array_equal(sig.rms(signals(n=7)).iq, whole)


def test_fingerprint_sees_every_change():
    s = signals()
    flipped = s.iq.copy()
    flipped.view(np.uint32)[3, 1, 2] ^= 1
    others = [
        signals(iq=flipped),
        signals(label=s.label[::-1].copy()),
        signals(snr=s.snr + 1),
        signals(classes=("BPSK", "8PSK")),
        s[np.arange(5)],
    ]
    prints = [sig.fingerprint(other) for other in [s, *others]]
    assert len(set(prints)) == len(prints)
    assert sig.fingerprint(signals()) == prints[0]


def test_equal_frames_and_only_they_share_a_hash():
    iq = np.random.default_rng(1).standard_normal((500, 2, 16)).astype(np.float32)
    iq[300] = iq[7]
    hashes = sig.frame_hashes(iq)
    assert hashes[300] == hashes[7]
    assert len(np.unique(hashes)) == 499
    np.testing.assert_array_equal(
        sig.frame_hashes(iq[:, :, 8:])[5:6], sig.frame_hashes(iq[5:6, :, 8:])
    )


def test_snr_labels_a_rounding_apart_have_shares_of_their_own():
    near = np.float32(12.345678)
    snr = np.array([near, near, np.nextafter(near, np.float32(99)), -20, 10], np.float32)
    found = sig.shares_by_snr(np.array([True, False, False, True, True]), snr)
    assert {name: found[name] for name in ("-20", "10")} == {"-20": 1, "10": 1}
    assert len(found) == 4 and [float(np.float32(name)) for name in found] == sorted(set(snr))
    assert found[np.format_float_positional(near, trim="-")] == 0.5

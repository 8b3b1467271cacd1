"""Points of the digital modulations: numbers, powers and distances, by hand."""

import numpy as np
import pytest

from foqus_lib.datasets.simulated import constellations, like_rml2018, like_sig2019, modulators

ALL = {
    **modulators.CONSTELLATIONS,
    **like_rml2018.CONSTELLATIONS,
    **like_sig2019.CONSTELLATIONS,
}


def nearest(points):
    """Distance of each point to its nearest neighbour."""
    distance = np.abs(points[:, None] - points)
    return np.where(np.eye(len(points), dtype=bool), np.inf, distance).min(axis=1)


def count(name):
    """The number in the name; the three without one are BPSK, QPSK and OOK."""
    digits = "".join(c for c in name if c.isdigit())
    return int(digits) if digits else {"BPSK": 2, "QPSK": 4, "OOK": 2}[name]


@pytest.mark.parametrize("name", ALL)
def test_as_many_distinct_points_as_the_name_says(name):
    assert len(ALL[name]) == count(name)
    assert nearest(ALL[name]).min() > 0.05


@pytest.mark.parametrize("name", ALL)
def test_unit_power_keeps_the_shape(name):
    unit = constellations.unit(ALL[name])
    assert np.mean(np.abs(unit) ** 2) == pytest.approx(1)
    ratio = unit[np.abs(unit) > 0] / ALL[name][np.abs(unit) > 0]
    np.testing.assert_allclose(ratio, ratio[0])


@pytest.mark.parametrize("name", sorted(set(ALL) - {"OOK"}))
def test_all_but_on_off_keying_are_centred(name):
    assert abs(ALL[name].mean()) < 1e-12


@pytest.mark.parametrize(
    ("name", "power"),
    [("16QAM", 10), ("64QAM", 42), ("256QAM", 170), ("32QAM", 20), ("128QAM", 82), ("4ASK", 5),
     ("8ASK", 21), ("OOK", 0.5), ("16APSK", (4 + 12 * 4) / 16), ("32PSK", 1)],
)  # fmt: skip
def test_powers_at_unit_grid_by_hand(name, power):
    """Of square QAM 2 (M - 1) / 3, of M levels (M^2 - 1) / 3; crosses are summed by hand."""
    assert np.mean(np.abs(ALL[name]) ** 2) == pytest.approx(power)


@pytest.mark.parametrize("m", [16, 32, 64, 128, 256])
def test_qam_points_are_two_apart_on_odd_coordinates(m):
    points = constellations.qam(m)
    np.testing.assert_allclose(nearest(points), 2)
    assert (np.abs(points.real) % 2 == 1).all() and (np.abs(points.imag) % 2 == 1).all()


def test_crosses_lack_their_corners():
    assert 5 + 5j not in constellations.qam(32) and 5 + 3j in constellations.qam(32)
    missing = {11 + 11j, 11 + 9j, 9 + 11j, 9 + 9j}
    assert not missing & set(constellations.qam(128).tolist())
    assert {7 + 11j, 11 + 7j} <= set(constellations.qam(128).tolist())


@pytest.mark.parametrize("m", [2, 8, 24, 101])
def test_other_sizes_are_no_qam(m):
    with pytest.raises(ValueError, match=f"qam: expected .* got {m}"):
        constellations.qam(m)


def test_apsk_rings_by_hand():
    radius = np.abs(constellations.apsk(4, 12, 16)).round(9)
    np.testing.assert_array_equal(np.unique(radius, return_counts=True), [[1, 2, 3], [4, 12, 16]])
    np.testing.assert_allclose(np.angle(constellations.apsk(4))[0], np.pi / 4)

"""Forgotten and never forgotten signals, and how near the boundary each lies."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foqus_lib.selection import boundary, foqus


def test_distance_is_the_size_of_the_last_margin_by_hand(make):
    margin = [[9.0, 9.0, 9.0], [2.0, -3.0, 0.0]]  # ahead by 2, behind by 3, on the boundary
    c = np.array([[1, 1, 1], [1, 0, 1]], bool)
    record = make([0, 0, 1], correct=c, loss=np.ones((2, 3)), margin=margin)
    assert boundary.distance(record).tolist() == [2, 3, 0]


def test_a_record_without_margins_is_refused(evidence):
    with pytest.raises(ValueError, match="evidence.margin: expected T x N margins, got none"):
        boundary.distance(replace(evidence, margin=None))


@pytest.mark.parametrize(
    ("bits", "name"),
    [
        ("1111", boundary.KNOWN),
        ("0011", boundary.KNOWN),
        ("0000", boundary.UNKNOWN),
        ("1011", boundary.FORGOTTEN),
        ("0010", boundary.FORGOTTEN),
    ],
)
def test_groups_by_hand(bits, name):
    c = np.array([[bit == "1"] for bit in bits])
    inside = {group for group, here in boundary.groups(c).items() if here.all()}
    more = set() if name == boundary.FORGOTTEN else {boundary.NEVER}
    assert inside == {name} | more


@given(hnp.arrays(bool, st.tuples(st.integers(2, 9), st.integers(1, 9))))
def test_every_signal_is_in_one_group_and_the_never_forgotten_in_one_of_two(c):
    found = boundary.groups(c)
    assert (found[boundary.FORGOTTEN] == (foqus.forgetting_score(c) > 0)).all()
    assert (found[boundary.FORGOTTEN] ^ found[boundary.NEVER]).all()
    assert (found[boundary.NEVER] == (found[boundary.KNOWN] ^ found[boundary.UNKNOWN])).all()

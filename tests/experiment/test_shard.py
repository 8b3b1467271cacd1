"""The parts of a grid are disjoint, as equal as can be, and together the whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foqus_lib.experiment.workers.shard import shard


def test_by_hand():
    assert shard("abcdefg", "2/3") == ["b", "e"]
    assert shard(range(3), "1/1") == [0, 1, 2]
    assert shard(range(2), "3/5") == []


@given(items=st.lists(st.integers(), max_size=50), parts=st.integers(1, 60))
def test_parts_are_disjoint_and_all(items, parts):
    places = range(len(items))
    found = [shard(places, f"{part}/{parts}") for part in range(1, parts + 1)]
    assert sorted(sum(found, [])) == list(places)
    assert max(map(len, found)) - min(map(len, found)) <= 1
    for part, mine in enumerate(found, start=1):
        assert shard(items, f"{part}/{parts}") == [items[place] for place in mine]


@pytest.mark.parametrize(
    "text", ["0/5", "6/5", "a/b", "", "2", "1/0", "0/0", "-1/5", "1/2/3", "1.0/2", "²/5", "1/ 2"]
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"shard: expected i/n with i from 1 to n, .*, got "):
        shard([1, 2, 3], text)

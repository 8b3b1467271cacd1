"""The parts of a grid are disjoint, as equal as can be, and together the whole."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foqus_lib import cli
from foqus_lib.studies import catalog
from foqus_lib.studies.chapter import shard


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


@pytest.mark.parametrize("text", ["0/2", "3/2", "half"])
def test_a_sweep_refuses_a_part_that_is_none_before_the_data_are_made(text, monkeypatch, capsys):
    monkeypatch.setattr(catalog, "opened", lambda *given: pytest.fail("opened"))
    assert cli.main(["sweep", "03_main_tables", "--shard", text]) == 2
    assert f"shard: expected i/n with i from 1 to n, such as 2/5, got {text!r}" in (
        capsys.readouterr().err
    )


def test_a_part_without_a_trial_says_so(monkeypatch, capsys):
    """Not "all 0 trials are stored"."""
    task = SimpleNamespace(about="signals")
    opened = SimpleNamespace(task=task, trials=[], run=lambda say: pytest.fail("ran"))
    monkeypatch.setattr(catalog, "opened", lambda *given: opened)
    for more in ([], ["--plan"]):
        assert cli.main(["sweep", "03_main_tables", "--shard", "5/8", *more]) == 0
        assert "--shard 5/8: this part has no trials" in capsys.readouterr().out

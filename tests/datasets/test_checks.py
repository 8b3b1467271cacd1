"""What holds for signals of every format."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import in_little_memory

from foqus_lib.datasets import checks

ENTRIES = st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, float("nan"), float("inf"), -0.0])


@given(st.lists(st.lists(ENTRIES, min_size=3, max_size=3), min_size=1, max_size=9))
def test_one_hot_is_what_each_row_compared_by_hand_gives(rows):
    label, wrong = checks.one_hot(np.array(rows))
    for row, number, is_wrong in zip(rows, label, wrong, strict=True):
        assert is_wrong == (sorted(row) != [0, 0, 1])
        assert is_wrong or row[number] == 1


@pytest.mark.parametrize("name", ["ФМ2", "Ä", "-QPSK", "C" * 33, "BPSK "])
def test_a_class_name_that_is_refused_is_told_which_are_taken(name):
    with pytest.raises(ValueError, match="32 ASCII letters .* digit first, no space last; got"):
        checks.classes(Path("mine"), ["BPSK", name])


def test_more_classes_than_anything_needs_are_refused():
    checks.classes(Path("mine"), [f"c{i}" for i in range(1000)])
    with pytest.raises(ValueError, match="mine: classes: expected 1 to 1000 names, got 1001"):
        checks.classes(Path("mine"), [f"c{i}" for i in range(1001)])


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.uint64])
def test_a_class_without_a_row_is_named(kind):
    y = np.array([0, 2, 2], kind)
    checks.labels(Path("mine"), y[:1], ["A"])
    with pytest.raises(ValueError, match="mine: classes: 'B' has no row in y. Remove it"):
        checks.labels(Path("mine"), y, ["A", "B", "C"])


def test_millions_of_labels_of_many_classes_are_looked_at_once():
    y, names = np.arange(3_000_000) % 1000, [f"c{i}" for i in range(1000)]
    with in_little_memory("3 million labels", most_seconds=2):
        checks.labels(Path("mine"), y, names)

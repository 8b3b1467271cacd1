"""A name has one seed, and the same one for ever: stored rows were drawn from it."""

from enum import IntEnum, StrEnum

import numpy as np
import pytest

from foqus_lib.seeds import rng_for, seed_of


class Word(StrEnum):
    A = "a"


class Number(IntEnum):
    TWO = 2


def test_a_name_gives_the_number_it_always_gave():
    assert seed_of("a") == 1748641732165079149  # of this file's first version
    assert seed_of(2) == 10679272262950868229
    assert rng_for("a", 2).integers(2**62) == 2144190280611606386


def test_other_names_give_other_numbers():
    names = [("a",), ("a", 2), ("a", "2"), (2, "a"), ("a2",), ("a", "", 2), ()]
    assert len({seed_of(*name) for name in names}) == len(names)


@pytest.mark.parametrize("part", [0.3, True, None, np.int64(2), np.str_("a"), Word.A, Number.TWO])
def test_what_is_written_otherwise_is_refused(part):
    """np.str_("a") == "a", but it was drawn from other numbers, without notice."""
    with pytest.raises(TypeError):  # ours, or that of the checker of annotations
        seed_of("draw", part)

"""The reader of RML2016 pickles: loads what writers write, refuses the rest, executes nothing."""

import pickle
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pickle_files as files
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from foqus_lib.datasets.pickles import grammar
from foqus_lib.datasets.pickles.values import Refused

LIBRARY = Path(grammar.__file__).parents[1]
BLOCKS = files.blocks(20)
ATTACKS = files.attacks("pwned")
SMALL = files.legitimate(files.blocks(1))


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "set.pkl"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("form", files.legitimate({}))
def test_every_form_that_writers_use_loads_bit_equal(write, form):
    loaded = grammar.read(write(files.legitimate(BLOCKS)[form]))
    assert list(loaded) == list(BLOCKS)
    for key, block in BLOCKS.items():
        assert loaded[key].dtype == np.float32
        np.testing.assert_array_equal(loaded[key], block)


@pytest.mark.parametrize("protocol", range(6))
def test_fortran_order_loads_bit_equal(write, protocol):
    blocks = {("8PSK", 0): np.asfortranarray(BLOCKS["8PSK", 0])}
    loaded = grammar.read(write(pickle.dumps(blocks, protocol)))
    np.testing.assert_array_equal(loaded["8PSK", 0], blocks["8PSK", 0])


def test_big_endian_numbers_keep_their_value(write):
    number = files.dtype(b"f4", files.BIG_ENDIAN)
    pickled = files.one(files.array((1,), number, rb"S'?\x80\x00\x00'" + b"\n"))
    assert grammar.read(write(pickled))["8PSK", 0] == [1.0]


def test_there_are_sixty_attacks():
    assert len(ATTACKS) == 60


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if n == "3 million MARK" else n for n in ATTACKS],
)
def test_attacks_are_refused_in_little_memory_and_without_effect(write, name, tmp_path):
    witness = tmp_path / "witness"
    path = write(files.attacks(witness)[name])
    defaults = np._core.numeric._frombuffer.__defaults__
    tracemalloc.start()
    try:
        with pytest.raises(Refused, match=r"set\.pkl: byte \d+: ") as refusal:
            grammar.read(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50e6
    assert len(str(refusal.value)) < 500  # no object of the file is printed
    assert not witness.exists()
    assert np._core.numeric._frombuffer.__defaults__ == defaults
    assert np.dtype("f4") == np.float32 and np.dtype("f4").isnative


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("os.system", "byte 0: the file asks for 'posix.system'"),
        ("INST", "instruction INST"),
        ("PERSID", "byte 0: instruction PERSID"),
        ("objects", "dtype: expected one of f4, f8, i4, i8, got 'O8'"),
        ("BINBYTES8 8 GB", "declares 8589934592 bytes, 4 remain"),
        ("LONG_BINPUT 2^31-1", "memo place 2147483647, limit"),
        ("half of protocol 2", "truncated"),
        ("one byte short", "truncated: the file ends without STOP"),
        ("second pickle", "trailing bytes after STOP"),
        ("same key twice", "key ('8PSK', 0) stands twice"),
        ("key of three", "key: expected (modulation, snr in dB), got tuple of 3"),
        ("bool as snr", "got a bool as snr"),
    ],
)
def test_refusals_name_what_was_met(write, name, words):
    with pytest.raises(Refused, match=re.escape(words)):
        grammar.read(write(ATTACKS[name]))


def test_bytes_remembered_once_cannot_become_many_arrays(write):
    """A short file must not declare more than it holds: 100 arrays from one string of 1 kB."""
    number, text = files.dtype(b"f4") + b"p1\n", b"S'" + b"a" * 1024 + b"'\n"
    keys = [b"(S'8PSK'\nI%d\nt" % snr for snr in range(100)]
    first = files.array((256,), number, text + b"p2\n")
    again = files.array((256,), b"g1\n", b"g2\n")
    pickled = b"(d" + b"".join(
        files.entry(again if i else first, key) for i, key in enumerate(keys)
    )
    # Written out in full each entry takes about 100 bytes here, a tenth of what it declares.
    with pytest.raises(Refused, match="bytes of arrays and strings from"):
        grammar.read(write(pickled + b"."))


edits = st.lists(
    st.tuples(
        st.sampled_from(["change", "delete", "insert", "cut"]),
        st.integers(0, 700),  # mostly the structure, which stands at the start
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(form=st.sampled_from(list(SMALL)), edits=edits)
@example(form="Python 2, protocol 0", edits=[("cut", 0, b"x")])
def test_edited_files_are_refused_or_stay_well_typed(write, form, edits):
    content = bytearray(SMALL[form])
    for kind, at, new in edits:
        end = {"change": at + len(new), "delete": at + len(new), "insert": at, "cut": None}[kind]
        content[at:end] = b"" if kind == "delete" else new
    try:
        loaded = grammar.read(write(bytes(content)))
    except Refused:
        return
    for key, block in loaded.items():
        assert [type(part) for part in key] == [str, int]
        assert block.dtype.kind in "fi" and block.size > 0


def test_the_library_never_unpickles():
    """Only `pickletools`, for the names of instructions, and NumPy told not to."""
    for path in LIBRARY.rglob("*.py"):
        source = path.read_text()
        assert not re.search(r"^\s*(import|from) (c?pickle|dill|joblib)\b", source, re.M), path
        assert not re.search(r"\b(read_pickle|allow_pickle=True|weights_only=False)", source), path
        for call in re.findall(r"np\.load\([^)]*\)", source):
            assert "allow_pickle=False" in call, path

"""Hostile and broken HDF5: refused by dataset before a byte is read; and which rows are read."""

import os
import subprocess
import sys
import tracemalloc

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foqus_lib.datasets import hdf5

DATA = np.arange(24, dtype=np.float32).reshape(6, 2, 2)


def read(path, name="X"):
    with hdf5.opened(path) as file:
        return hdf5.dataset(path, file, name)[:]


@pytest.fixture
def made(tmp_path):
    def make(fill):
        path = tmp_path / "set.h5"
        with h5py.File(path, "w") as file:
            fill(file)
        return path

    return make


PLAIN = {
    "contiguous": {},
    "chunked": {"chunks": (4, 2, 2)},
    "gzip": {"chunks": (4, 2, 2), "compression": "gzip", "shuffle": True, "fletcher32": True},
    "lzf": {"chunks": (4, 2, 2), "compression": "lzf"},
    "big-endian": {"dtype": ">f4"},
    "doubles": {"dtype": "f8"},
}


@pytest.mark.parametrize("how", PLAIN)
def test_plain_datasets_are_read(made, how):
    path = made(lambda file: file.create_dataset("a/b/X", data=DATA, **PLAIN[how]))
    np.testing.assert_array_equal(read(path, "/a/b/X"), DATA)
    with hdf5.opened(path) as file:
        data = hdf5.dataset(path, file, "a/b/X")
        keep = np.array([True, False, True, True, False, True])
        rows = np.concatenate([block.copy() for block in hdf5.rows_of(data, keep)])
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, DATA[keep])


def external_link(file):
    file["X"] = h5py.ExternalLink("other.h5", "/secret")


def external_storage(file):
    file.create_dataset("X", (4,), "u1", external=[("/etc/hostname", 0, 4)])


def virtual(file):
    layout = h5py.VirtualLayout((6, 2, 2), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "secret", (6, 2, 2))
    file.create_virtual_dataset("X", layout)


def soft_link(file):
    file["real"] = DATA
    file["X"] = h5py.SoftLink("/real")


def loop(file):
    file["X"] = h5py.SoftLink("/X")


def linked_group(file):
    file["X"] = h5py.ExternalLink("other.h5", "/")


def never_written(file):
    file.create_dataset("X", (10**12, 1024, 2), "f4")


def partly_written(file):
    file.create_dataset("X", (64, 2, 2), "f4", chunks=(1, 2, 2), compression="gzip")[:9] = 1


def bomb(file):
    zeros = np.zeros((64, 1024, 64), np.float32)
    file.create_dataset("X", data=zeros, chunks=(8, 1024, 64), compression="gzip")


def one_chunk(file):
    file.create_dataset("X", (20_000, 1024), "f4", chunks=(20_000, 1024))


def foreign_filter(file):
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_chunk((6, 2, 2))
    made.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
    space = h5py.h5s.create_simple((6, 2, 2))
    h5py.h5d.create(file.id, b"X", h5py.h5t.NATIVE_FLOAT, space, made)


HOSTILE = {
    external_link: "X: expected the data in this file, got a ExternalLink to '/secret'",
    external_storage: "X: its numbers stand in other files",
    virtual: "X: its numbers stand in other files",
    soft_link: "X: expected the data in this file, got a SoftLink to '/real'",
    loop: "X: expected the data in this file, got a SoftLink to '/X'",
    linked_group: "expected the data in this file, got a ExternalLink",
    never_written: r"X: declares shape \(1000000000000, 1024, 2\).*0 are stored",
    partly_written: "X: declares shape .* are stored. The file was never finished",
    bomb: r"X: 16777216 bytes packed into \d+ are not samples",
    one_chunk: "X: chunks of 81920000 bytes; at most 67108864",
    foreign_filter: "X: packed by filter 32015.*plugins are never loaded",
}


@pytest.mark.parametrize("fill", HOSTILE, ids=lambda fill: fill.__name__)
def test_hostile_datasets_are_refused_before_they_are_read(made, tmp_path, fill):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = DATA
    path = made(fill)
    tracemalloc.start()
    with pytest.raises(ValueError, match=HOSTILE[fill]) as refusal:
        read(path, "X/secret" if fill is linked_group else "X")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(path) in str(refusal.value) and peak < 5e6


TEXT = h5py.string_dtype()
NO_NUMBERS = {
    "a group": (lambda file: file.create_group("X"), "expected a dataset, got a group"),
    "text": (lambda file: file.create_dataset("X", data=["a"], dtype=TEXT), "plain numbers"),
    "records": (lambda file: file.create_dataset("X", (3,), [("a", "f4")]), "plain numbers"),
    "complex": (lambda file: file.create_dataset("X", (3,), "c8"), "got complex64.*Store I and Q"),
    "references": (lambda file: file.create_dataset("X", (3,), h5py.ref_dtype), "plain numbers"),
    "ragged": (lambda file: file.create_dataset("X", (3,), h5py.vlen_dtype("f4")), "plain num"),
    "nothing": (lambda file: file.create_dataset("X", data=h5py.Empty("f4")), "plain numbers"),
    "another name": (lambda file: file.create_dataset("x", data=DATA), "no such dataset. / holds"),
}


@pytest.mark.parametrize("what", NO_NUMBERS)
def test_what_is_no_array_of_numbers_is_refused(made, what):
    fill, message = NO_NUMBERS[what]
    with pytest.raises(ValueError, match=message):
        read(made(fill))


def test_a_chunk_pointed_at_twice_is_more_than_the_file_holds(made):
    """What is stored cannot be larger than the file, whatever an index says."""
    path = made(lambda file: file.create_dataset("X", data=np.ones((64, 64))))
    os.truncate(path, path.stat().st_size - 8)
    with pytest.raises(ValueError, match="damaged or cut short|are stored"):
        read(path)


def test_files_that_are_none_say_so(tmp_path, made):
    whole = made(lambda file: file.create_dataset("X", data=DATA)).read_bytes()
    cases = {
        "half": (whole[: len(whole) // 2], "damaged or cut short"),
        "one byte": (whole[:-1], "damaged or cut short"),
        "empty": (b"", "not an HDF5 file"),
        "html": (b"<html>404</html>", "not an HDF5 file"),
        "signature": (hdf5.SIGNATURE, "damaged or cut short"),
    }
    for what, (content, message) in cases.items():
        path = tmp_path / f"{what}.h5"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message) as refusal:
            read(path)
        assert str(path) in str(refusal.value)
    with pytest.raises(ValueError, match=r"absent\.h5: no such file"):
        read(tmp_path / "absent.h5")
    with pytest.raises(ValueError, match="expected a file, got a folder"):
        read(tmp_path)


def test_a_file_somebody_writes_to_is_named(made):
    path = made(lambda file: file.create_dataset("X", data=DATA))
    code = f"import h5py, time; f = h5py.File({str(path)!r}, 'a'); print(1, flush=True)"
    holder = subprocess.Popen(
        [sys.executable, "-c", code + "; time.sleep(60)"], stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout.readline()
        with pytest.raises(ValueError, match="another program has it open for writing"):
            read(path)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


@given(st.lists(st.booleans(), max_size=80), st.integers(1, 9), st.integers(1, 5))
def test_pieces_cover_what_is_kept_and_skip_long_gaps(keep, rows, gap):
    keep = np.array(keep, bool)
    covered = np.zeros(len(keep), int)
    for piece in hdf5.pieces(keep, rows, gap):
        assert 0 < piece.stop - piece.start <= rows
        covered[piece] += 1
    assert covered.max(initial=0) <= 1 and covered[keep].all()
    unwanted = np.flatnonzero(covered.astype(bool) & ~keep)
    for row in unwanted:  # only inside a gap shorter than `gap`
        before, after = np.flatnonzero(keep[:row]), np.flatnonzero(keep[row:])
        assert len(before) and len(after) and (row + after[0]) - before[-1] <= gap


@given(st.lists(st.booleans(), min_size=1, max_size=80), st.integers(1, 30))
def test_bands_touch_every_chunk_once(keep, chunk):
    keep = np.array(keep)
    with h5py.File("memory", "w", driver="core", backing_store=False) as file:
        chunk = min(chunk, len(keep))
        data = file.create_dataset("X", (len(keep), 2, 4), "f4", chunks=(chunk, 1, 2))
        found = list(hdf5.bands(data, keep))
    touched = [at for rows in found for at in range(rows.start // chunk, -(-rows.stop // chunk))]
    assert len(set(touched)) == len(touched)
    assert set(touched) >= {row // chunk for row in np.flatnonzero(keep)}


def test_chunks_that_unpack_everything_for_one_row_are_refused(made):
    def columns(file):
        file.create_dataset("X", (2**21, 2, 32), "f4", chunks=(2**21, 1, 8))

    path = made(columns)
    with hdf5.opened(path) as file, pytest.raises(ValueError, match="at most 268435456 are. Write"):
        next(hdf5.rows_of(file["X"], np.ones(2**21, bool)))


def test_labels_are_bounded_however_well_they_are_packed(made):
    def many(file):
        file.create_dataset("Y", (2**21, 600), "i1", chunks=(2**17, 400), compression="gzip")
        for chunk in file["Y"].iter_chunks():
            file["Y"].id.write_direct_chunk([part.start for part in chunk], b"x\x9c")

    path = made(many)
    with (
        hdf5.opened(path) as file,
        pytest.raises(ValueError, match="Y: expected labels of at most"),
    ):
        hdf5.labels(path, file, "Y")

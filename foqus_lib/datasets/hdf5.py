"""HDF5 files of strangers: only plain stored numbers are read, and only the rows asked for.

HDF5 can point at other files (external links, external storage, virtual datasets), declare data
that were never stored (read as silent zeros), pack gigabytes into kilobytes and load native
plugins. A dataset is checked for all of these before a byte of it is read.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from foqus_lib.datasets import door

SIGNATURE = b"\x89HDF\r\n\x1a\n"
FILTERS = {
    h5py.h5z.FILTER_DEFLATE: "gzip",
    h5py.h5z.FILTER_SHUFFLE: "shuffle",
    h5py.h5z.FILTER_FLETCHER32: "fletcher32",
    h5py.h5z.FILTER_SZIP: "szip",
    h5py.h5z.FILTER_LZF: "lzf",
}
# Real recordings hardly shrink: of a receiver that says 0 in nine of ten samples, 10-fold.
MOST_PACKED = 50  # labels may shrink more, and their number is bounded by X
LARGEST_CHUNK = 64 * 2**20  # bytes; a chunk is unpacked whole for one row of it
LARGEST_BAND = 2**28  # bytes; rows are read in bands of whole chunks
LARGEST_LABELS = 2**30  # bytes, unpacked: labels may be packed at will. RML2018.01a has half of it
AT_ONCE = 2**22  # bytes to read together
ROWS, GAP = 512, 32  # rows to read at once; unwanted rows worth reading rather than seeking over


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The file for reading. ValueError naming the file if it is none, cut short or locked."""
    path = Path(path)
    door.plain_file(path)
    try:
        file = h5py.File(path, "r", locking="best-effort")  # read-only media know no locks
    except BlockingIOError:
        raise ValueError(
            f"{path}: another program has it open for writing. Close it there, then run again"
        ) from None
    except OSError as error:
        with open(path, "rb") as start:
            is_hdf5 = SIGNATURE in start.read(4096)  # a .mat has 512 bytes of its own before it
        what = "damaged or cut short" if is_hdf5 else "not an HDF5 file"
        raise ValueError(f"{path}: {what} ({error}). Copy or download it again") from None
    try:
        yield file
    finally:
        file.close()


def dataset(path: Path, file: h5py.File, name: str, packed: float = MOST_PACKED) -> h5py.Dataset:
    """The dataset `name` ("/a/b" walks groups), known to be plain numbers that stand in this file.

    packed: how many times larger than its stored bytes it may be. ValueError otherwise.
    """
    there: h5py.Group = file
    for part in name.strip("/").split("/"):
        is_name = part not in ("", ".", "..") and "\0" not in part
        inside = isinstance(there, h5py.Group) and is_name
        link = there.get(part, getlink=True) if inside else None
        if link is None:
            inside = ", ".join(sorted(there)[:12]) if isinstance(there, h5py.Group) else "no more"
            raise ValueError(f"{path}: {name}: no such dataset. {there.name} holds {inside}")
        if not isinstance(link, h5py.HardLink):
            raise ValueError(
                f"{path}: {name}: expected the data in this file, got a {type(link).__name__} to "
                f"{link.path!r}. Copy the data into one file: h5repack, or h5py's copy"
            )
        there = there[part]
    if not isinstance(there, h5py.Dataset):
        raise ValueError(f"{path}: {name}: expected a dataset, got a group. Name one inside it")
    _check_plain(path, name, there)
    _check_stored(path, name, there, packed)
    return there


def labels(path: Path, file: h5py.File, name: str) -> h5py.Dataset:
    """The dataset `name` of a number or a row of numbers for each signal, of bounded size."""
    data = dataset(path, file, name, packed=math.inf)
    if (size := data.size * data.dtype.itemsize) > LARGEST_LABELS:
        raise ValueError(
            f"{path}: {name}: expected labels of at most {LARGEST_LABELS} bytes, got {data.dtype} "
            f"of {data.shape}, {size} bytes. Store the index of the class: y.argmax(axis=1)"
        )
    door.fits(f"{path}: {name}", 32 * max(data.shape, default=0), "Give fewer rows")
    return data


def _check_plain(path: Path, name: str, data: h5py.Dataset) -> None:
    if data.is_virtual or data.external is not None:
        raise ValueError(
            f"{path}: {name}: its numbers stand in other files (a virtual dataset or external "
            "storage). Copy them into one file"
        )
    if data.dtype.kind not in "fiu" or data.shape is None or data.dtype.subdtype:
        mend = "Convert it and write the file again"
        if data.dtype.kind == "c":
            mend = "Store I and Q beside each other: np.stack([X.real, X.imag], axis=1)"
        raise ValueError(
            f"{path}: {name}: expected an array of plain numbers, got {data.dtype} of shape "
            f"{data.shape}. {mend}"
        )
    made = data.id.get_create_plist()
    used = [made.get_filter(i)[0] for i in range(made.get_nfilters())]
    if foreign := [number for number in used if number not in FILTERS]:
        raise ValueError(
            f"{path}: {name}: packed by filter {foreign[0]}; only {', '.join(FILTERS.values())} "
            "are read, plugins are never loaded. Unpack it: h5repack -f NONE"
        )
    chunk = math.prod(data.chunks or (0,)) * data.dtype.itemsize
    if chunk > LARGEST_CHUNK:
        raise ValueError(
            f"{path}: {name}: chunks of {chunk} bytes; at most {LARGEST_CHUNK} are unpacked for "
            "one row. Write it with smaller chunks: h5repack -l"
        )


def _check_stored(path: Path, name: str, data: h5py.Dataset, packed: float) -> None:
    """What is declared is also there: HDF5 fills the rest with silent zeros."""
    stored, wanted = data.id.get_storage_size(), data.size * data.dtype.itemsize
    filtered = data.id.get_create_plist().get_nfilters() > 0
    chunks = 0
    if data.chunks:
        chunks = math.prod(-(-n // c) for n, c in zip(data.shape, data.chunks, strict=True))
    absent = data.chunks and data.id.get_num_chunks() < chunks
    if absent or stored > path.stat().st_size or (not filtered and stored < wanted):
        raise ValueError(
            f"{path}: {name}: declares shape {data.shape}, {wanted} bytes; {stored} are stored. "
            "The file was never finished, or is damaged or forged: write it again"
        )
    if wanted > packed * stored:
        raise ValueError(
            f"{path}: {name}: {wanted} bytes packed into {stored} are not samples. "
            "Save real signals"
        )


def pieces(keep: Bool[ndarray, " N"], rows: int = ROWS, gap: int = GAP) -> Iterator[slice]:
    """Slices of at most `rows` rows that cover every kept row and skip gaps of `gap` or more.

    They end at multiples of `rows`, but for the ends of the runs between gaps.
    """
    at = np.flatnonzero(keep)
    if len(at) == 0:
        return
    breaks = np.flatnonzero(np.diff(at) > gap) + 1
    for run in np.split(at, breaks):
        first, stop = int(run[0]), int(run[-1]) + 1
        edges = [first, *range((first // rows + 1) * rows, stop, rows), stop]
        yield from (slice(*pair) for pair in pairwise(edges))


def bands(data: h5py.Dataset, keep: Bool[ndarray, " N"], axis: int = 0) -> Iterator[slice]:
    """Pieces along the axis of the signals that end where chunks end: none is unpacked twice."""
    row = data.size // data.shape[axis] * data.dtype.itemsize
    chunk = min(data.chunks[axis], data.shape[axis]) if data.chunks else 1
    if chunk > 1 and chunk * row > LARGEST_BAND:
        raise ValueError(
            f"{data.file.filename}: {data.name}: chunks of {data.chunks}; {chunk * row} bytes "
            f"would be unpacked for one signal, at most {LARGEST_BAND} are. Write it with chunks "
            "of a few signals: h5repack -l"
        )
    rows = max(1, AT_ONCE // (row * chunk)) * chunk
    return pieces(keep, rows, max(GAP, chunk))


def rows_of(data: h5py.Dataset, keep: Bool[ndarray, " N"]) -> Iterator[Float32[ndarray, "_ a b"]]:
    """The kept rows of a dataset (N, a, b), in order, a few megabytes at a time.

    Read as they lie, by hyperslabs into one small buffer: no second copy of the result exists.
    Each array yielded is overwritten by the next.
    """
    buffer = np.empty((0, *data.shape[1:]), np.float32)
    for rows in bands(data, keep):
        n = rows.stop - rows.start
        if n > len(buffer):
            buffer = np.empty((n, *data.shape[1:]), np.float32)
        data.read_direct(buffer, rows, np.s_[:n])
        wanted = keep[rows]
        yield buffer[:n] if wanted.all() else buffer[:n][wanted]

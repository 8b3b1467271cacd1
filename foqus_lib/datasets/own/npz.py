"""Your own recordings: one .npz that NumPy writes in a line.

    np.savez("mine.npz", X=X, y=y, snr=snr, classes=classes)

X (N, 2, L) float32 or float64, I then Q; y (N,) integers, index into classes; snr (N,) dB;
classes (C,) names; and, if the frames were cut from longer recordings, frame_index (N,) integers:
the order inside each (class, SNR) stream. Nothing is unpickled, and no array is read before the
sizes in the file agree with each other.
"""

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from numpy import ndarray
from numpy.lib import format as npy

from foqus_lib.datasets import checks, door
from foqus_lib.signals import Signals

REQUIRED = ("X", "y", "snr", "classes")
OPTIONAL = ("frame_index",)
WRITTEN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
SMALLEST_RATIO = 1 / 50  # of packed to unpacked samples, as in HDF5: see there


@dataclass(frozen=True)
class Member:
    """What a member of the .npz declares before any of it is read."""

    shape: tuple[int, ...]
    dtype: np.dtype
    packed: int  # bytes in the file
    size: int  # bytes unpacked


def load(path: Path) -> tuple[Signals, Int64[ndarray, " N"]]:
    """Signals of a user's .npz, and the row of the file each of them came from.

    Rows keep the file's order; with frame_index they are sorted by class, SNR and frame_index.
    Raises ValueError naming file, field, what came, what was wanted and how to mend it.
    """
    path = Path(path)
    door.plain_file(path)
    try:
        _check_members(path, members(path))
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise ValueError(
            f"{path}: not a readable .npz ({error}). Write it again with np.savez"
        ) from None
    return _signals(path, arrays)


def members(path: Path) -> dict[str, Member]:
    """Names, shapes and sizes of the arrays of an .npz, from its headers alone."""
    _check_ending(path)
    found: dict[str, Member] = {}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            if name in found or name not in REQUIRED + OPTIONAL:
                what = "a second one" if name in found else "an unknown one"
                raise ValueError(
                    f"{path}: member {info.filename[:60]!r}: expected {', '.join(REQUIRED)} and at "
                    f"most {', '.join(OPTIONAL)}, each once; got {what}. Write the file again "
                    "with np.savez and these arrays only"
                )
            if info.flag_bits & 1 or info.compress_type not in WRITTEN:
                what = "an encrypted one" if info.flag_bits & 1 else "one packed in another way"
                raise ValueError(
                    f"{path}: {name}: expected a member as np.savez or np.savez_compressed writes "
                    f"it, got {what}. Write the file with one of them"
                )
            with archive.open(info) as file:
                shape, dtype = _header(path, name, file)
                head = file.tell()
            if (wanted := head + math.prod(shape) * dtype.itemsize) != info.file_size:
                raise ValueError(
                    f"{path}: {name}: declares shape {shape} of {dtype}, {wanted} bytes; the "
                    f"member has {info.file_size}. The file is damaged or forged: write it again"
                )
            found[name] = Member(shape, dtype, info.compress_size, info.file_size)
    return found


def _check_ending(path: Path) -> None:
    with open(path, "rb") as file:
        start = file.read(4)
        file.seek(-min(22, path.stat().st_size), 2)
        end = file.read()
    if start != b"PK\x03\x04":
        raise ValueError(f"{path}: not an .npz (a zip archive). Write it with np.savez")
    if not end.startswith(b"PK\x05\x06"):
        raise ValueError(
            f"{path}: cut short, or something was appended: no end record of a zip archive in its "
            "last 22 bytes. Copy or write it again"
        )


def _header(path: Path, name: str, file: zipfile.ZipExtFile) -> tuple[tuple[int, ...], np.dtype]:
    try:
        version = npy.read_magic(file)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, _, dtype = read(file)
    except (ValueError, KeyError, EOFError, MemoryError, RecursionError) as error:
        why = str(error)[:200] or "its header cannot be parsed"
        raise ValueError(
            f"{path}: {name}: not a plain array ({why}). Write it again with np.savez"
        ) from None
    if dtype.hasobject or dtype.names or dtype.subdtype or min(shape, default=0) < 0:
        raise ValueError(
            f"{path}: {name}: expected an array of plain numbers or strings, got shape {shape} of "
            f"{'Python objects' if dtype.hasobject else dtype}. Objects are never unpickled: "
            f'convert it first, for instance {name}.astype("U") for names'
        )
    return shape, dtype


def _check_members(path: Path, found: dict[str, Member]) -> None:
    """The members exist and agree on N; every array that will be read has a plausible size."""

    def refuse(field: str, wanted: str, mend: str) -> None:
        got = f"{found[field].dtype} of shape {found[field].shape}" if field in found else "nothing"
        raise ValueError(f"{path}: {field}: expected {wanted}, got {got}. {mend}")

    for name in REQUIRED:
        if name not in found:
            equal = "; where it is not known, equal values will do: snr=np.zeros(len(X))"
            mend = f"Add it: np.savez(..., {name}={name}){equal * (name == 'snr')}"
            refuse(name, f"the arrays {', '.join(REQUIRED)}", mend)
    x = found["X"]
    n = x.shape[0] if x.shape else 0
    if x.dtype.newbyteorder("=") not in (np.float32, np.float64):
        parts = "np.stack([X.real, X.imag], axis=1)"
        refuse("X", "float32 or float64", parts if x.dtype.kind == "c" else "X.astype(np.float32)")
    if len(x.shape) != 3 or x.shape[1] != 2 or n == 0 or x.shape[2] == 0:
        last = len(x.shape) == 3 and x.shape[2] == 2
        mend = (
            "X = np.transpose(X, (0, 2, 1))" if last else "Stack I and Q: np.stack([I, Q], axis=1)"
        )
        refuse("X", "shape (N, 2, L) with I and Q on axis 1", mend)
    checks.length(path, "X", x.shape[2])
    if x.packed < SMALLEST_RATIO * x.size:
        refuse("X", f"samples; {x.size} bytes packed into {x.packed} are not", "Save real signals")
    door.fits(f"{path}: X", x.size, "Save fewer rows")
    for field, kinds, wanted in [
        ("y", "iu", "integers, index into classes"),
        ("snr", "iuf", "integers or floats, dB"),
        ("frame_index", "iu", "integers"),
    ]:
        if field in found and (found[field].shape != (n,) or found[field].dtype.kind not in kinds):
            mend = f"{field}.ravel()" if found[field].shape == (n, 1) else f"Mend {field}"
            if found[field].shape == ():
                mend = f"One number for all is np.full(len(X), {field})"
            if field == "y":
                mend = f"Save integers 0 to C-1, index into the C names in classes: {_whole(found)}"
            refuse(field, f"{wanted}, one for each of the {n} rows of X", mend)
    c = found["classes"]
    if c.dtype.kind != "U" or len(c.shape) != 1 or not 1 <= c.shape[0] <= checks.MOST_CLASSES:
        as_text = c.dtype.kind != "U" and len(c.shape) == 1
        mend = 'classes.astype("U")' if as_text else 'np.array(["BPSK", "QPSK"])'
        refuse("classes", f"1 to {checks.MOST_CLASSES} names as text", mend)
    if c.dtype.itemsize > 4 * 256:
        refuse("classes", "names of at most 32 characters", "Shorten them")


def _whole(found: dict[str, Member]) -> str:
    """How labels of another kind or shape become integers, one a row of X."""
    y, n = found["y"], found["X"].shape[0]
    if y.dtype.kind in "US":
        return "classes, y = np.unique(y.astype(str), return_inverse=True)"
    if len(y.shape) == 2 and y.shape[0] == n:
        return "y.argmax(1) if it is one-hot" if y.shape[1] > 1 else "y.ravel().astype(int)"
    return "y.astype(int)" if y.shape == (n,) else "one for each row of X"


def _signals(path: Path, arrays: dict[str, ndarray]) -> tuple[Signals, ndarray]:
    classes = tuple(str(name) for name in arrays["classes"])
    y = arrays["y"]
    checks.classes(path, classes)
    checks.labels(path, y, classes)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes inf, and is refused below
        iq, snr = arrays["X"].astype(np.float32, copy=False), arrays["snr"].astype(np.float32)
    checks.decibels(path, "snr", snr)
    finite = np.isfinite(iq).all(axis=(1, 2))
    checks.refuse_rows(path, "X", iq[:, 0, 0], ~finite, "finite samples")
    rows = np.arange(len(y))
    label = y.astype(np.int64)
    if "frame_index" in arrays:
        rows = np.lexsort((arrays["frame_index"], snr, label))  # stable
    signals = Signals(iq, label, snr, classes)
    ordered = np.array_equal(rows, np.arange(len(y)))
    return (signals if ordered else signals[rows]), rows.astype(np.int64)

"""Sig2019-12 in the layouts its users describe; no public file of that name is known.

*X.npy (N, 512, 2) with, beside it, either *SnrY.npy, columns (class, SNR) as in radio512 or rows
(SNR, class) as its conversion script writes, or *y.npy and *snr.npy. If the name ends in TrainX or
TestX its other half is read too, train frames before test frames in every (class, SNR) pair: the
positional split at 2/3 gives both back.

.mat (MATLAB 7.3) of the sister set HKDD_AMC12: XTrainIQ, in MATLAB (2, 512, 1, N), no labels; by
SNR, then class, 1000 frames each (XTestIQ: 500), as its README says.
"""

from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray
from numpy.lib import format as npy

from foqus_lib.datasets import checks, door, hdf5
from foqus_lib.signals import Signals

NAME, SISTER = "Sig2019-12", "HKDD_AMC12"
LENGTH = 512
SNRS = tuple(range(-20, 31, 2))  # dB
# In the label order of the sister set; that Sig2019-12 shares it is inferred.
CLASSES = (
    "BPSK", "QPSK", "8PSK", "OQPSK", "2FSK", "4FSK", "8FSK", "16QAM", "32QAM", "64QAM", "4PAM",
    "8PAM",
)  # fmt: skip
FRAMES = {"XTrainIQ": 1000, "XTestIQ": 500}  # for each class and SNR
# Which SNR labels a .mat holds, by their number: all of the sister set or of Sig2019-12, or the
# part at 10 dB and more of either.
GRIDS = {len(grid): grid for grid in
         (range(-20, 21, 2), range(-20, 31, 2), range(10, 21, 2), range(10, 31, 2))}  # fmt: skip


def load_npy(path: Path) -> tuple[Signals, Int64[ndarray, " N"]]:
    """Signals of *X.npy, in the file's order, and their rows; rows of Test count on from Train's.

    Raises ValueError naming file, row, what came, what was wanted.
    """
    path = Path(path)
    if not path.name.endswith("X.npy"):
        raise ValueError(
            f"{path}: expected the samples, a name ending in X.npy, with SnrY.npy or y.npy and "
            "snr.npy beside it. Give that file"
        )
    halves = _halves(path)
    parts = [_half(half) for half in halves]
    lengths = [len(x) for x, _, _ in parts]
    door.fits(f"{path}: X", 8 * LENGTH * sum(lengths), "Give a part of it")
    iq = np.empty((sum(lengths), 2, LENGTH), np.float32)
    for (x, _, _), end, n in zip(parts, np.cumsum(lengths), lengths, strict=True):
        for start in range(0, n, hdf5.ROWS):
            rows = slice(start, min(start + hdf5.ROWS, n))
            iq[end - n + rows.start : end - n + rows.stop] = x[rows].swapaxes(1, 2)
    label = np.concatenate([label for _, label, _ in parts])
    snr = np.concatenate([snr for _, _, snr in parts])
    checks.labels(path, label, CLASSES)
    checks.refuse_rows(path, "X", iq, ~np.isfinite(iq).all(axis=(1, 2)), "finite samples")
    return Signals(iq, label, snr, CLASSES), np.arange(len(label))


def beside(path: Path) -> list[Path]:
    """The files that may be read along with *X.npy; none for another file."""
    if not path.name.endswith("X.npy"):
        return []
    stem = path.name.removesuffix("X.npy")
    stems = [stem]
    for one, other in [("Train", "Test"), ("Test", "Train")]:
        if stem.endswith(one):
            stems.append(stem.removesuffix(one) + other)
    names = ("X.npy", "SnrY.npy", "y.npy", "snr.npy")
    return [path.with_name(stem + name) for stem in stems for name in names]


def load_mat(path: Path, frames: int = 0) -> Signals:
    """Signals of a MATLAB 7.3 file of the sister set, in the file's order: by SNR, then class.

    frames: of each class and SNR; 0 for the published number.
    """
    path = Path(path)
    _refuse_old_mat(path)
    with hdf5.opened(path) as file:
        name = next((name for name in FRAMES if name in file), "")
        if not name:
            raise ValueError(
                f"{path}: expected {' or '.join(FRAMES)}, got {', '.join(sorted(file)[:12])}. "
                "For a file of your own name its datasets in a .foqus.yaml"
            )
        x = hdf5.dataset(path, file, name)
        n = _count(path, name, x)
        label, snr = _implied(path, name, n, frames or FRAMES[name])
        door.fits(f"{path}: {name}", 8 * LENGTH * n, "Give a part of it")
        iq = np.empty((n, 2, LENGTH), np.float32)
        axis = 0 if x.shape[0] == n else 3
        for rows in hdf5.bands(x, np.ones(n, bool), axis):
            if axis == 0:  # MATLAB's axes, reversed as HDF5 reads them: (N, 1, L, 2)
                iq[rows] = x[rows][:, 0].swapaxes(1, 2)
            else:
                iq[rows] = np.moveaxis(x[:, :, 0, rows], 2, 0)
    checks.refuse_rows(path, "X", iq, ~np.isfinite(iq).all(axis=(1, 2)), "finite samples")
    return Signals(iq, label, snr, CLASSES)


def _halves(path: Path) -> list[Path]:
    """The file; or TrainX and TestX, if it is one of them and the other stands beside it."""
    for one, other in [("TrainX.npy", "TestX.npy"), ("TestX.npy", "TrainX.npy")]:
        if path.name.endswith(one):
            beside = path.with_name(path.name.removesuffix(one) + other)
            both = [path, beside] if one == "TrainX.npy" else [beside, path]
            return [half for half in both if half == path or half.exists()]
    return [path]


def _half(path: Path) -> tuple[ndarray, Int64[ndarray, " n"], Float32[ndarray, " n"]]:
    """X as it lies in the file (mapped, not read), label, SNR."""
    x = _mapped(path)
    if x.ndim != 3 or x.shape[1:] != (LENGTH, 2) or len(x) == 0 or x.dtype.kind != "f":
        raise ValueError(
            f"{path}: expected floats of shape (N, {LENGTH}, 2), got {x.dtype} of {x.shape}. "
            "For data of your own write an .npz (book/own_data.md)"
        )
    stem = path.name.removesuffix("X.npy")
    both = path.with_name(f"{stem}SnrY.npy")
    if both.exists():
        pairs = _mapped(both)
        if pairs.shape == (len(x), 2):
            label, snr = pairs[:, 0], pairs[:, 1]
        elif pairs.shape == (2, len(x)):
            snr, label = pairs
        else:
            raise ValueError(
                f"{both}: expected ({len(x)}, 2), columns class and SNR, or (2, {len(x)}), rows "
                f"SNR and class; got {pairs.shape}. It belongs to another X"
            )
    else:
        label, snr = (_mapped(path.with_name(f"{stem}{name}.npy")) for name in ("y", "snr"))
        for name, array in [("y", label), ("snr", snr)]:
            if array.shape != (len(x),):
                raise ValueError(
                    f"{path.with_name(f'{stem}{name}.npy')}: expected shape ({len(x)},), got "
                    f"{array.shape}. It belongs to another X"
                )
    label, snr = np.asarray(label), np.asarray(snr)
    checks.refuse_rows(path, "class", label, ~np.isin(label, np.arange(len(CLASSES))), "0 to 11")
    checks.refuse_rows(path, "snr", snr, ~np.isin(snr, SNRS), "an even number from -20 to 30 dB")
    return x, label.astype(np.int64), snr.astype(np.float32)


def _mapped(path: Path) -> ndarray:
    """An .npy of numbers, nothing unpickled, nothing read yet."""
    door.plain_file(path, "X.npy needs SnrY.npy, or y.npy and snr.npy")
    try:
        return npy.open_memmap(path, mode="r")
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(
            f"{path}: not a whole .npy of numbers ({error}). Write it again with np.save"
        ) from None


def _refuse_old_mat(path: Path) -> None:
    door.plain_file(path)
    with open(path, "rb") as file:
        if file.read(10) == b"MATLAB 5.0":
            raise ValueError(
                f"{path}: a MATLAB 5 file; only 7.3 is read. In MATLAB: save(..., '-v7.3')"
            )


def _count(path: Path, name: str, x: h5py.Dataset) -> int:
    """N, from (N, 1, L, 2), as MATLAB's (2, L, 1, N) arrives, or from (2, L, 1, N)."""
    shape = x.shape
    if x.dtype.kind == "f" and len(shape) == 4:
        if shape[1:] == (1, LENGTH, 2):
            return shape[0]
        if shape[:3] == (2, LENGTH, 1):
            return shape[3]
    raise ValueError(
        f"{path}: {name}: expected floats of shape (2, {LENGTH}, 1, N) in MATLAB, which HDF5 reads "
        f"as (N, 1, {LENGTH}, 2); got {x.dtype} of {shape}"
    )


def _implied(path: Path, name: str, n: int, frames: int) -> tuple[ndarray, ndarray]:
    """Label and SNR of every row: `frames` of a class, all classes, then the next SNR."""
    levels, rest = divmod(n, frames * len(CLASSES))
    if rest or levels not in GRIDS:
        raise ValueError(
            f"{path}: {name}: expected {frames} frames of {len(CLASSES)} classes at "
            f"{', '.join(map(str, sorted(GRIDS)))} SNRs, got {n} frames: no label can be told. "
            "Name the labels in a .foqus.yaml"
        )
    label = np.tile(np.repeat(np.arange(len(CLASSES)), frames), levels)
    snr = np.repeat(np.array(GRIDS[levels], np.float32), frames * len(CLASSES))
    return label.astype(np.int64), snr

"""Your own recordings in an HDF5 file: a .foqus.yaml says which dataset is what."""

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from foqus_lib.datasets import checks, door, hdf5
from foqus_lib.datasets.own.sidecar import Hdf5Arrays
from foqus_lib.signals import Signals


def load(named: Hdf5Arrays, snr_min: float = -np.inf) -> tuple[Signals, Int64[ndarray, " N"]]:
    """Signals of SNR snr_min (dB) or more, in the file's order, and the row of each in the file.

    Only the rows kept are read. Raises ValueError naming file, dataset, what came, what was wanted.
    """
    path = named.file
    checks.classes(named.path, named.classes)
    with hdf5.opened(path) as file:
        x = hdf5.dataset(path, file, named.x)
        length_axis = _length_axis(named, x)
        checks.length(path, named.x, x.shape[length_axis])
        n = len(x)
        label = _labels(named, file, n)
        checks.labels(path, label, named.classes)
        snr = _snr(named, file, n)
        keep = snr >= snr_min
        if not keep.any():
            raise ValueError(
                f"{path}: {named.snr}: no signal at {snr_min:g} dB or more; labels end at "
                f"{snr.max():g} dB. Lower the cut"
            )
        rows, done = np.flatnonzero(keep), 0
        size = (8 * x.shape[length_axis] + 32) * len(rows)  # with label, SNR and row
        door.fits(f"{path}: {named.x}", size, "Raise the SNR cut or give fewer rows")
        iq = np.empty((len(rows), 2, x.shape[length_axis]), np.float32)
        for block in hdf5.rows_of(x, keep):
            iq[done : done + len(block)] = block if length_axis == 2 else block.swapaxes(1, 2)
            finite = np.isfinite(block).all(axis=(1, 2))
            if not finite.all():
                raise ValueError(
                    f"{path}: {named.x}: expected finite samples, got NaN or infinity in row "
                    f"{rows[done + int(finite.argmin())]}. Mend or drop this row"
                )
            done += len(block)
    return Signals(iq, label[keep], snr[keep], named.classes), rows


def _length_axis(named: Hdf5Arrays, x) -> int:
    """2 for (N, 2, L), 1 for (N, L, 2); where both fit, I and Q are on axis 1."""
    floats = x.dtype.newbyteorder("=") in (np.float32, np.float64)
    if len(x.shape) != 3 or 2 not in x.shape[1:] or 0 in x.shape or not floats:
        raise ValueError(
            f"{named.file}: {named.x}: expected float32 or float64 of shape (N, 2, L) or "
            f"(N, L, 2), got {x.dtype} of {x.shape}. Convert it and write the file again"
        )
    return 2 if x.shape[1] == 2 else 1


def _labels(named: Hdf5Arrays, file, n: int) -> Int64[ndarray, " N"]:
    path, classes = named.file, len(named.classes)
    y = hdf5.labels(path, file, named.y)
    if y.shape == (n,) and y.dtype.kind in "iu":
        label = y[:]
        checks.refuse_labels(path, named.y, label, classes)
        return label.astype(np.int64)  # what uint64 has beyond int64 is refused above
    if y.shape != (n, classes):
        raise ValueError(
            f"{path}: {named.y}: expected integers of shape ({n},), index into classes, or one-hot "
            f"({n}, {classes}), got {y.dtype} of {y.shape}. Name another dataset or mend classes"
        )
    label = np.empty(n, np.int64)
    for rows in hdf5.bands(y, np.ones(n, bool)):
        one_hot = y[rows]
        label[rows], wrong = checks.one_hot(one_hot)
        wanted = "one 1 among zeros in every row"
        checks.refuse_rows(path, named.y, one_hot, wrong, wanted, rows.start)
    return label


def _snr(named: Hdf5Arrays, file, n: int) -> Float32[ndarray, " N"]:
    if isinstance(named.snr, float):
        return np.full(n, named.snr, np.float32)
    path = named.file
    snr = hdf5.labels(path, file, named.snr)
    if snr.shape not in [(n,), (n, 1)]:
        raise ValueError(
            f"{path}: {named.snr}: expected dB of shape ({n},) or ({n}, 1), got {snr.dtype} of "
            f"{snr.shape}. Name another dataset, or give one number for all"
        )
    with np.errstate(over="ignore"):
        values = snr[:].reshape(n).astype(np.float32)
    checks.decibels(path, named.snr, values)
    return values

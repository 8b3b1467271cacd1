"""Signals: labelled baseband recordings, the type every dataset becomes (Sec. III-A: D and S)."""

import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt64
from numpy import ndarray

BLOCK = 4096  # signals looked at together
SILENT = float(np.finfo(np.float32).tiny) ** 2  # mean power; the scale of less is no float32


@dataclass(frozen=True, eq=False)
class Signals:
    """N labelled signals of L complex samples. Checked once, here; nothing downstream checks again.

    Rows of one (class, SNR) pair stand in recording order: `splits` relies on it.
    """

    iq: Float32[ndarray, "N 2 L"]  # channel 0 in phase (I), channel 1 quadrature (Q)
    label: Int64[ndarray, " N"]  # index into classes
    snr: Float32[ndarray, " N"]  # dB, the label in the file, not a measurement
    classes: tuple[str, ...]  # modulation names, in the order label counts them

    def __post_init__(self) -> None:
        n = len(self.label)
        for field, dtype in [("iq", np.float32), ("label", np.int64), ("snr", np.float32)]:
            if (got := getattr(self, field).dtype) != dtype:
                raise ValueError(
                    f"Signals.{field}: expected {np.dtype(dtype)}, got {got}. "
                    f"Convert it: {field}.astype(np.{np.dtype(dtype)})"
                )
        if self.iq.ndim != 3 or self.iq.shape[:2] != (n, 2) or self.snr.shape != (n,):
            raise ValueError(
                f"Signals wants iq (N, 2, L), label (N,), snr (N,); got iq {self.iq.shape}, "
                f"label {self.label.shape}, snr {self.snr.shape}. "
                "Data stored as (N, L, 2): transpose the last two axes"
            )
        if len(set(self.classes)) != len(self.classes):
            raise ValueError(f"classes: expected distinct names, got {self.classes}")
        _refuse(self.label < 0, "label", self.label, "0 or more")
        _refuse(self.label >= len(self.classes), "label", self.label, f"below {len(self.classes)}")
        _refuse(~np.isfinite(self.snr), "snr", self.snr, "finite dB")
        # One pass and no array of iq's size: a row's energy is finite only if its samples are.
        energy = np.einsum("ncl,ncl->n", self.iq, self.iq)
        suspect = np.flatnonzero(~np.isfinite(energy))
        finite = np.ones(n, bool)
        finite[suspect] = np.isfinite(self.iq[suspect]).all(axis=(1, 2))
        _refuse(~finite, "iq", energy, "finite samples")

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, rows: ndarray) -> "Signals":
        return Signals(self.iq[rows], self.label[rows], self.snr[rows], self.classes)

    @property
    def length(self) -> int:
        """Samples per signal, L."""
        return self.iq.shape[2]


def _refuse(bad: ndarray, field: str, values: ndarray, wanted: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"{field}: expected {wanted}; got {values[row]} in row {row} "
            f"({int(bad.sum())} such rows). Mend or drop these rows"
        )


def at_least(signals: Signals, snr_db: float) -> Signals:
    """The signals whose SNR label is snr_db or more; the paper's "high SNR" is 10 dB [A22].

    ValueError if there are none.
    """
    rows = np.flatnonzero(signals.snr >= snr_db)
    if len(rows) == 0:
        raise ValueError(
            f"snr: no signal at {snr_db:g} dB or more; labels end at {signals.snr.max():g} dB. "
            "Lower the cut"
        )
    return signals if len(rows) == len(signals) else signals[rows]


def native(signals: Signals) -> Signals:
    """As in the file: for RML2016.10a every frame has a sum of magnitudes of 1 [A21]."""
    return signals


def rms(signals: Signals) -> Signals:
    """Each signal scaled to unit mean power; one of zeros, or below SILENT, stays as it is."""
    iq = signals.iq * _to_unit_power(signals)
    return Signals(iq, signals.label, signals.snr, signals.classes)


def rms_in_place(signals: Signals) -> Signals:
    """The same, written over the signals if their memory can be: for who has no other use for them.

    A file that is mapped for reading is copied.
    """
    if not signals.iq.flags.writeable:
        return rms(signals)
    np.multiply(signals.iq, _to_unit_power(signals), out=signals.iq)
    return signals


def _to_unit_power(signals: Signals) -> Float32[ndarray, "N 1 1"]:
    power = np.empty(len(signals))
    for first in range(0, len(signals), BLOCK):  # in float64, and no array of iq's size
        some = np.square(signals.iq[first : first + BLOCK], dtype=np.float64)
        power[first : first + BLOCK] = some.sum(axis=1).mean(axis=1)
    scale = 1 / np.sqrt(np.where(power >= SILENT, power, 1))
    return scale[:, None, None].astype(np.float32)


NORMALISATIONS = {"native": native, "rms": rms}
IN_PLACE = {"native": native, "rms": rms_in_place}


def frame_hashes(iq: Float32[ndarray, "N 2 L"]) -> UInt64[ndarray, " N"]:
    """64 bits a signal, equal for equal signals: to find copies among many without a loop."""
    words = np.ascontiguousarray(iq).reshape(len(iq), -1).view(np.uint32)
    odd = np.random.default_rng(0).integers(2**63, size=words.shape[1], dtype=np.uint64) * 2 + 1
    return np.einsum("nw,w->n", words, odd, dtype=np.uint64)


def fingerprint(signals: Signals) -> str:
    """SHA-256 of every array and name: equal if and only if the data are equal, bit for bit."""
    digest = hashlib.sha256(repr(signals.classes).encode())
    for array in (signals.iq, signals.label, signals.snr):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def shares_by_snr(right: Bool[ndarray, " N"], snr: Float32[ndarray, " N"]) -> dict[str, float]:
    """The share that is right at each SNR label (dB), by the shortest text that tells it apart."""
    levels = {np.format_float_positional(level, trim="-"): level for level in np.unique(snr)}
    return {text: float(right[snr == level].mean()) for text, level in levels.items()}

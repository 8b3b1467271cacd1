"""Evidence: all a selector may look at. What one full training left behind, and no model."""

import zlib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class Evidence:
    """T recorded epochs of one network on N training signals (Algorithm 1, lines 1-6).

    Logits, not probabilities: a float32 softmax has exact zeros, and every KL then becomes NaN.
    """

    label: Int64[ndarray, " N"]  # 0 to C - 1
    snr: Float32[ndarray, " N"]  # dB
    correct: Bool[ndarray, "T N"]  # c_i^(t), Eq. 3, after epoch t in eval mode [A3]
    loss: Float32[ndarray, "T N"]  # cross-entropy in nats, so p_y = exp(-loss) [A4]
    logits: Float32[ndarray, "N C"]  # after the last epoch
    embedding: Float32[ndarray, "N D"]  # input of the last linear layer, after the last epoch
    logits_early: Float32[ndarray, "R N C"]  # R short independent trainings [A17]
    embedding_norm_early: Float32[ndarray, "R N"]  # ||h||_2 of the same; GraNd needs no more of h
    margin: Float32[ndarray, "T N"] | None = None  # z_y - max_{c != y} z_c; older files lack it
    drift: Float32[ndarray, "T-1 N"] | None = None  # of all probabilities since the epoch before
    early_lost: str = ""  # why there are no early trainings though they were asked for

    def __post_init__(self) -> None:
        n = len(self.label)
        for field, axis in SAMPLE_AXIS.items():
            array = getattr(self, field)
            if array is None:
                continue
            if array.ndim <= axis or array.shape[axis] != n:
                raise ValueError(
                    f"evidence.{field}: expected {n} signals on axis {axis}, got {array.shape}"
                )
            # Finite numbers have a finite sum, and it takes no array of the embedding's size.
            with np.errstate(over="ignore", invalid="ignore"):  # then the sum is not finite
                finite = array.dtype.kind != "f" or np.isfinite(array.sum(dtype=np.float64))
            if not finite:
                bad = ~np.isfinite(array)
                first = tuple(int(i) for i in np.argwhere(bad)[0])
                raise ValueError(
                    f"evidence.{field}: expected finite numbers, got {int(bad.sum())} that are "
                    f"not, first at {first}. The selection training diverged: lower its lr"
                )
        if self.correct.shape != self.loss.shape:
            raise ValueError(
                f"evidence: correct {self.correct.shape}, loss {self.loss.shape} differ"
            )
        epochs, classes = len(self.loss), self.logits.shape[-1]
        for field, rows in (("margin", epochs), ("drift", epochs - 1)):
            array = getattr(self, field)
            if array is not None and len(array) != rows:
                raise ValueError(
                    f"evidence.{field}: expected {rows} rows for {epochs} epochs, got {array.shape}"
                )
        if n and not 0 <= self.label.min() <= self.label.max() < classes:
            raise ValueError(
                f"evidence.label: expected 0 to {classes - 1}, as logits have {classes} columns; "
                f"got {self.label.min()} to {self.label.max()}"
            )

    def __len__(self) -> int:
        return len(self.label)


SAMPLE_AXIS = {
    "label": 0, "snr": 0, "correct": 1, "loss": 1, "logits": 0, "embedding": 0,
    "logits_early": 1, "embedding_norm_early": 1, "margin": 1, "drift": 1,
}  # fmt: skip


def to_arrays(evidence: Evidence) -> dict[str, ndarray]:
    """Plain arrays for an .npz; correctness takes one bit."""
    given = {f.name: getattr(evidence, f.name) for f in fields(evidence)}
    arrays = {name: array for name, array in given.items() if array is not None}
    arrays["early_lost"] = np.array(evidence.early_lost)
    arrays["correct"] = np.packbits(evidence.correct, axis=1, bitorder="little")
    return arrays | {"schema": np.int64(SCHEMA)}


def from_npz(path: Path) -> Evidence:
    """Read an .npz of `to_arrays`; never unpickles. Broken files raise ValueError with the path.

    A field that was added later, with a default, may be missing in an older file.
    """
    names = {f.name for f in fields(Evidence)} | {"schema"}
    later = {f.name for f in fields(Evidence) if f.default is not MISSING}
    needed = names - later
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            given = set(file.files)
            if missing := needed - given:
                raise ValueError(f"expected arrays {sorted(needed)}, missing {sorted(missing)}")
            if (lost := later - given) and (strange := given - names):  # older has none, newer all
                raise ValueError(f"expected arrays {sorted(lost)}, got {sorted(strange)} instead")
            arrays = {name: file[name] for name in names & given}
    except (OSError, ValueError, EOFError, KeyError, RuntimeError, BadZipFile, zlib.error) as error:
        raise ValueError(
            f"{path}: not a readable evidence file ({error}). Delete it to collect anew"
        ) from error
    try:
        newer = int(arrays.pop("schema")) > SCHEMA
        if "early_lost" in arrays:
            arrays["early_lost"] = str(arrays["early_lost"])
        n, packed = len(arrays["label"]), arrays["correct"]
        arrays["correct"] = np.unpackbits(packed, axis=1, count=n, bitorder="little").astype(bool)
        if not newer:
            return Evidence(**arrays)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}. Delete it to collect anew") from error
    raise ValueError(f"{path}: written by a newer foqus_lib than this. Update the library")

"""Which reader reads a file or folder: by its ending, and by what is in it."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from foqus_lib.datasets import cache, checks, door, rml2016, rml2016_text, rml2018, sig2019
from foqus_lib.datasets.own import hdf5, npz, raw, sidecar, sigmf
from foqus_lib.signals import Signals

CACHE = Path(__file__).resolve().parents[2] / ".foqus" / "cache"
KINDS = {
    ".npz": "your own arrays",
    ".foqus.yaml": "names the parts of your own HDF5 file, SigMF folder or raw recordings",
    ".pkl": "RML2016",
    ".dat": "RML2016",
    ".h5": "RML2018.01a",
    ".hdf5": "RML2018.01a",
    ".npy": "Sig2019-12",
    ".mat": "HKDD_AMC12",
    "a folder": "RML2016 as text files",
}

# Sets that a reader knows by their layout; "-like" ones are simulated. No file is one by its name.
PUBLISHED = (
    rml2016.RML2016_10A.name, rml2016.RML2016_10B.name, rml2016.RML2016_04C.name, rml2018.NAME,
    sig2019.NAME, sig2019.SISTER,
)  # fmt: skip
RAW = {f".{kind}": kind for kind in sidecar.RAW_FORMATS}  # usual endings
RAW |= {f".{name}": kind for name, kind in sidecar.ALSO.items()}


@dataclass(frozen=True, eq=False)
class Loaded:
    """What a file holds."""

    name: str  # of the data set by its layout, else of the file, marked if it is a set's name
    origin: str  # for the caption
    signals: Signals
    rows: Int64[ndarray, " N"]  # row of each in the file; frame of each in a SigMF folder


def load(path: Path, snr_min: float = -np.inf, cached: Path | None = CACHE) -> Loaded:
    """The signals of a file or folder; readers of large files read only snr_min (dB) and more.

    cached: where cuts of RML2018.01a are kept; None reads them into memory each time.
    The same signals in the same order are the same data, bit for bit, as .npz, HDF5 or SigMF. Rows
    stand as in the file (of recordings: by name, then time), with frame_index in an .npz by class,
    SNR and that index. Classes stand as listed; where no list is wanted, by the alphabet.
    Raises ValueError naming file, field, what came, what was wanted and how to mend it, and nothing
    else whatever the file holds.
    """
    path = Path(path)
    if path.name.endswith(sidecar.ENDINGS):
        loaded = _described(path, snr_min)
    else:
        with door.reading(path, *sig2019.beside(path)):
            is_folder = path.is_dir() and path.suffix not in KINDS
            loaded = _folder(path) if is_folder else _file(path, snr_min, cached)
    checks.varied(path, loaded.signals)
    return loaded


def _file(path: Path, snr_min: float, cached: Path | None) -> Loaded:
    match path.suffix:
        case ".npz":
            signals, rows = npz.load(path)
            return Loaded(_own_name(path.stem), _sha256(path), signals, rows)
        case ".pkl" | ".dat":
            signals, name = rml2016.load(path)
        case ".h5" | ".hdf5":
            signals, rows = rml2018.load(path, snr_min, cached)
            return Loaded(rml2018.NAME, _sampled_sha256(path), signals, rows)
        case ".npy":
            signals, rows = sig2019.load_npy(path)
            return Loaded(sig2019.NAME, _sha256(path), signals, rows)
        case ".mat":
            signals, name = sig2019.load_mat(path), sig2019.SISTER
        case _:
            door.plain_file(path)
            _refuse_raw(path)
            kinds = ", ".join(f"{ending} ({what})" for ending, what in KINDS.items())
            raise ValueError(
                f"{path}: expected {kinds}; got {path.suffix or 'no suffix'!r}. Rename it"
            )
    return Loaded(name, _sha256(path), signals, np.arange(len(signals)))


def is_path(source: str) -> bool:
    """Whether the source can only be meant as a file or folder."""
    if not source.strip():  # Path("") is the folder one stands in
        return False
    if source.endswith((*KINDS, *sidecar.ENDINGS)):
        return True
    try:
        return Path(source).exists()
    except OSError:  # longer than a name may be
        return False


def _described(path: Path, snr_min: float) -> Loaded:
    with door.reading(path):
        described = sidecar.read(path)
    name = _own_name(path.name.rpartition(".foqus.")[0] or path.stem)
    if isinstance(described, sidecar.Hdf5Arrays):
        with door.reading(described.file, path):
            signals, rows = hdf5.load(described, snr_min)
            return Loaded(name, _sampled_sha256(described.file), signals, rows)
    if isinstance(described, sidecar.RawRecordings):
        files = [path.parent / one for one in described.recordings]
        with door.reading(path, *files):
            signals = raw.load(described)
        origin = f"{len(files)} recordings in {described.format}"
        return Loaded(name, origin, signals, np.arange(len(signals)))
    with door.reading(described.folder, path):
        cut = sigmf.load(described)
    return Loaded(name, cut.report, cut.signals, np.arange(len(cut.signals)))


def _folder(path: Path) -> Loaded:
    if door.below(path, sigmf.META):
        raise ValueError(
            f"{path}: SigMF recordings need a few words: write mine.foqus.yaml with "
            f"`folder: {path.resolve().name}`, `length: 128` and `snr: 20` beside it and "
            "give that file"
        )
    signals, name = rml2016_text.load(path)
    return Loaded(name, "text files", signals, np.arange(len(signals)))


def _refuse_raw(path: Path) -> None:
    """ValueError for a recording without a header, by its ending: what describes it."""
    if kind := RAW.get(path.suffix.lower()):
        raise ValueError(
            f"{path}: a recording without a header needs a few words: write mine.foqus.yaml with "
            f"`recordings: [{path.name}, ...]`, `labels: [BPSK, ...]`, one a recording, `snr: 20`, "
            f"`format: {kind}` and `length: 128` beside it and give that file"
        )


def _own_name(stem: str) -> str:
    """Of one's own data: the file's name, fit for a page, and never that of another set."""
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", stem)
    of_another = name.casefold().removesuffix("-like") in map(str.casefold, PUBLISHED)
    return f"{name} (own file)" if of_another else name


def _sha256(path: Path) -> str:
    return f"file with SHA-256 {rml2016.file_sha256(path)[:12]}"


def _sampled_sha256(path: Path) -> str:
    """Of 20 GB only samples are hashed; the Task's fingerprint covers what was read."""
    facts = cache.identity(path)
    return f"file of {facts['bytes']:,} bytes, sampled SHA-256 {facts['sampled_sha256'][:12]}"

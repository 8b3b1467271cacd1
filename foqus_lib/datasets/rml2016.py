"""RML2016.10a, 10b and 04C as published: pickles of {(modulation, snr): (n, 2, 128) float32}.

Data (c) 2016 DeepSig Inc., CC BY-NC-SA 4.0; cite O'Shea and West, GRCon 2016. Never commit them.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from foqus_lib.datasets import door
from foqus_lib.datasets.pickles import grammar
from foqus_lib.datasets.pickles.grammar import Blocks
from foqus_lib.errors import unknown
from foqus_lib.signals import Signals, frame_hashes

LENGTH = 128
SNRS = tuple(range(18, -21, -2))  # dB
# Label order and block order of the arrays the authors' group trains on; never the dict's order.
CLASSES = (
    "WBFM", "QPSK", "QAM64", "QAM16", "PAM4", "GFSK", "CPFSK", "BPSK", "8PSK", "AM-SSB", "AM-DSB"
)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """What one of the published sets holds."""

    name: str
    classes: tuple[str, ...]
    frames: int  # per (class, SNR); 0: it varies


RML2016_10A = Layout("RML2016.10a", CLASSES, 1000)
RML2016_10B = Layout("RML2016.10b", tuple(c for c in CLASSES if c != "AM-SSB"), 0)
RML2016_04C = Layout("RML2016.04C", CLASSES, 0)


def load(path: Path, sha256: str = "") -> tuple[Signals, str]:
    """Signals in the published order, class-major then SNR falling, and the name of the set.

    With `sha256` the file must have that checksum: no other check sees a flipped bit in a number.
    Raises ValueError naming file, key, what was wanted, what came.
    """
    path = Path(path)
    refuse_other_formats(path)
    if sha256 and (got := file_sha256(path)) != sha256.lower():
        raise ValueError(f"{path}: expected SHA-256 {sha256}, got {got}. Download the file again")
    return assembled(path, grammar.read(path))


def assembled(path: Path, blocks: Blocks) -> tuple[Signals, str]:
    """Signals of the blocks read from `path`, which are used up, and the name of the set.

    Keys may be spelt as anybody likes; all of them, and distinct finite frames, must be there.
    """
    blocks = _with_known_names(path, blocks)
    layout = layout_of(blocks)
    _check_keys(path, blocks, layout)
    keys = [(modulation, snr) for modulation in layout.classes for snr in SNRS]
    frames = [len(_checked(path, key, blocks[key], layout.frames)) for key in keys]
    iq = np.empty((sum(frames), 2, LENGTH), np.float32)
    for key, end, n in zip(keys, np.cumsum(frames), frames, strict=True):
        iq[end - n : end] = blocks.pop(key)  # frees one block at a time
    label = np.array([layout.classes.index(modulation) for modulation, _ in keys])
    snr = np.array([snr for _, snr in keys], np.float32)
    _refuse_repeated_frames(path, iq, np.repeat(np.arange(len(keys)), frames), keys)
    return (
        Signals(iq, np.repeat(label, frames), np.repeat(snr, frames), layout.classes),
        layout.name,
    )


def layout_of(blocks: Blocks) -> Layout:
    """Which published set: 10b lacks AM-SSB, 10a has 1000 frames a key, 04C other numbers."""
    if all(modulation != "AM-SSB" for modulation, _ in blocks):
        return RML2016_10B
    (commonest, _), *_ = Counter(len(block) for block in blocks.values()).most_common(1)
    return RML2016_10A if commonest == RML2016_10A.frames else RML2016_04C


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _with_known_names(path: Path, blocks: Blocks) -> Blocks:
    """Keys with the names of CLASSES: qam16, Am_Dsb and AM-DSB are one name each."""
    known = {_folded(name): name for name in CLASSES}
    renamed: Blocks = {}
    for (modulation, snr), block in blocks.items():
        if (name := known.get(_folded(modulation))) is None:
            raise ValueError(f"{path}: {unknown('modulation', modulation, CLASSES)}")
        if (name, snr) in renamed:
            raise ValueError(f"{path}: key {(name, snr)} stands twice, in two spellings")
        renamed[name, snr] = block
    return renamed


def _folded(name: str) -> str:
    return "".join(character for character in name.upper() if character.isalnum())


def _check_keys(path: Path, blocks: Blocks, layout: Layout) -> None:
    wanted = {(modulation, snr) for modulation in layout.classes for snr in SNRS}
    missing, extra = sorted(wanted - set(blocks)), sorted(set(blocks) - wanted)
    if missing or extra:
        raise ValueError(
            f"{path}: {layout.name} has {len(wanted)} keys (modulation, snr); "
            f"missing here: {_some(missing)}; not part of it: {_some(extra)}. "
            "Download the whole file again"
        )


def _some(keys: list) -> str:
    more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
    return (", ".join(map(str, keys[:5])) or "none") + more


def _checked(path: Path, key: tuple[str, int], block: ndarray, frames: int) -> ndarray:
    wanted = (frames or "n", 2, LENGTH)
    n = frames or len(block)
    if block.shape != (n, 2, LENGTH) or block.dtype.kind != "f":
        raise ValueError(
            f"{path}: key {key}: expected float32 of shape ({', '.join(map(str, wanted))}), "
            f"got {block.dtype.name} of {block.shape}. Download the file again"
        )
    largest = np.finfo(np.float32).max
    finite = (np.abs(block) <= largest).all(axis=(1, 2))  # False for NaN too
    if not finite.all():
        raise ValueError(
            f"{path}: key {key}: expected finite numbers, got {int((~finite).sum())} frames that "
            f"are not, first in frame {int(finite.argmin())}. Download the file again"
        )
    return block


def _refuse_repeated_frames(
    path: Path, iq: Float32[ndarray, "N 2 L"], key_index: ndarray, keys: list
) -> None:
    hashes = frame_hashes(iq)
    order = np.argsort(hashes, kind="stable")
    again = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
    if len(again):
        first, second = order[again[0]], order[again[0] + 1]
        raise ValueError(
            f"{path}: expected distinct frames, got {len(again)} repeated ones: keys "
            f"{keys[key_index[first]]} and {keys[key_index[second]]} share one. "
            "Download the file again"
        )


def refuse_other_formats(path: Path) -> None:
    """ValueError that says what a file is if it is no pickle, and what to do about it."""
    door.plain_file(path, WHERE)
    with open(path, "rb") as file:
        head = file.read(512)
    for start, (what, advice) in LOOKS_LIKE.items():
        if head.startswith(start):
            raise ValueError(f"{path}: expected a pickle, got {what}. {advice}")
    if not head.strip():
        raise ValueError(f"{path}: expected a pickle, got an empty file. {WHERE}")
    if head.lstrip()[:1] == b"<":
        raise ValueError(f"{path}: expected a pickle, got a web page (HTML or XML). {WHERE}")
    if head[257:262] == b"ustar":
        raise ValueError(f"{path}: expected a pickle, got a tar archive. {_UNPACK}")


WHERE = (
    "Request RML2016.10a at https://www.deepsig.ai/datasets, unpack it, and give the path of "
    "RML2016.10a_dict.pkl; or use the source 'RML2016.10a-like', which needs no file"
)
_UNPACK = "Unpack it (tar -xf FILE) and give the path of the .pkl or .dat inside"
LOOKS_LIKE = {
    b"version https://git-lfs": (
        "a git-lfs pointer, not the data", "Run `git lfs pull` in that repository"
    ),
    b"\x1f\x8b": ("a gzip archive", _UNPACK),
    b"BZh": ("a bzip2 archive", _UNPACK),
    b"PK\x03\x04": (
        "a zip archive or .npz", "Unpack it, or give an .npz of your own the suffix .npz"
    ),
    b"\x89HDF": ("an HDF5 file", "This reader is for RML2016 pickles only"),
}  # fmt: skip

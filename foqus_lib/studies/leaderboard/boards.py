"""The sets that are scored on: one pool to choose from, and two test sets nobody chooses from.

A pool is simulated from a public seed, so there is nothing to download, and its fingerprint says
that two people have the same. The tests are other draws of the same simulator:

    public    its seed stands below
    hidden    its seed is a hash of a key. The open key stands below, in an open repository: it is
              hidden from a submission's indices, not from a reader. A course keeps a key of its
              own, publishes `commitment` of it at the start and the key itself at the end.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from foqus_lib import signals
from foqus_lib.datasets import door
from foqus_lib.datasets.catalog import Task
from foqus_lib.datasets.simulated import like_rml2016
from foqus_lib.errors import unknown
from foqus_lib.signals import Signals

PUBLIC, HIDDEN = "public", "hidden"
TRACKS = PUBLIC, HIDDEN
OPEN_KEY = "foqus: the open key of the hidden track"
SHORTEST_KEY, LONGEST_KEY = 20, 1000  # characters: shorter ones can be guessed
SNRS = (18, 16, 14, 12, 10)  # dB: the paper's high SNR
POOL_SEED, PUBLIC_SEED = 0, 1


@dataclass(frozen=True)
class Board:
    """Sizes of a board; everybody's are the same."""

    name: str
    frames: int  # of the pool, for each class and SNR
    tests: int  # of each test set


BOARDS = {one.name: one for one in (Board("board-1", 40, 40), Board("board-tiny", 4, 4))}


def board_named(name: str) -> Board:
    """ValueError with the nearest name if there is none."""
    if name not in BOARDS:
        raise unknown("benchmark set", name, BOARDS)
    return BOARDS[name]


def key_in(path: str) -> str:
    """The key in a file; of the path "" the open one."""
    if not path:
        return OPEN_KEY
    door.plain_file(Path(path))
    with door.reading(Path(path)):
        text = Path(path).read_text(encoding="utf-8")[: LONGEST_KEY + 2].strip()
    if not SHORTEST_KEY <= len(text) <= LONGEST_KEY:
        raise ValueError(
            f"{path}: expected a key of {SHORTEST_KEY} to {LONGEST_KEY} characters, got "
            f"{len(text)}. Write a random one: python -c 'import secrets; "
            "print(secrets.token_hex(32))'"
        )
    return text


def commitment(key: str) -> str:
    """What is published at the start: SHA-256 of the key, 16 digits; "open" of the open key."""
    return "open" if key == OPEN_KEY else sha256(key.encode()).hexdigest()[:16]


def track_name(track: str, key: str) -> str:
    """As it stands in a trial: "public", "hidden (open key)", "hidden (key 0f3a...)"."""
    if track == PUBLIC:
        return PUBLIC
    said = commitment(key)
    return f"{HIDDEN} ({said} key)" if said == "open" else f"{HIDDEN} (key {said})"


def _seed(track: str, key: str) -> int:
    if track == PUBLIC:
        return PUBLIC_SEED
    return 2 + int.from_bytes(sha256(f"test {key}".encode()).digest()[:4], "big")


@lru_cache(maxsize=4)
def _drawn(frames: int, seed: int) -> Signals:
    return signals.rms(like_rml2016.generate(SNRS, frames, seed))


def pool(board: Board) -> Signals:
    """What is chosen from: rows 0 to N - 1, class by class, in each by SNR from 18 dB down."""
    return _drawn(board.frames, POOL_SEED)


def task(board: Board, track: str = PUBLIC, key: str = OPEN_KEY) -> Task:
    """The pool to train on, and the test set of a track."""
    train, test = pool(board), _drawn(board.tests, _seed(track, key))
    prints = signals.fingerprint(train) + signals.fingerprint(test)
    return Task(
        name=f"{board.name} {track}",  # one name, one fingerprint
        simulated=True,
        train=train,
        test=test,
        train_rows=np.arange(len(train)),
        fingerprint=sha256(prints.encode()).hexdigest(),
        about=(
            f"{board.name} (simulated, {like_rml2016.NAME}), {SNRS[-1]} to {SNRS[0]} dB, "
            f"{len(train.classes)} classes: {len(train):,} signals to choose from, {len(test):,} "
            f"of another draw to test on, rms scale."
        ),
    )

"""Train and test rows of a data set. Every split treats each (class, SNR) pair alike.

All return (train_rows, test_rows), ascending and disjoint. Every dataset of the paper is cut by
position; recordings whose frames overlap need `block_split`, or training frames leak into the test.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import floor

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from foqus_lib.signals import Signals

Train, Test = Int64[ndarray, " train"], Int64[ndarray, " test"]
Split = Callable[[Signals, float, np.random.Generator], tuple[ndarray, ndarray]]


def positional_split(
    signals: Signals, train_share: float, rng: np.random.Generator
) -> tuple[Train, Test]:
    """The first share of every (class, SNR) pair in recording order is train [A23]; no draw."""
    del rng
    parts = [(rows[: (k := _share(rows, train_share))], rows[k:]) for rows in _pairs(signals)]
    return _joined(parts)


def seeded_split(
    signals: Signals, train_share: float, rng: np.random.Generator
) -> tuple[Train, Test]:
    """A random share of every (class, SNR) pair is train: stratified by both."""
    parts = []
    for rows in _pairs(signals):
        shuffled = rng.permutation(rows)
        k = _share(rows, train_share)
        parts.append((shuffled[:k], shuffled[k:]))
    return _joined(parts)


def block_split(
    signals: Signals,
    train_share: float,
    rng: np.random.Generator,
    block: int = 20,
    gap: int = 1,
) -> tuple[Train, Test]:
    """Whole blocks of consecutive frames go to train or test, `gap` frames between them to neither.

    For frames that overlap their neighbours (RML2016.04C: by half, so gap = 1 is enough).
    """
    if not 0 <= gap < block:
        raise ValueError(f"expected 0 <= gap < block; got block {block}, gap {gap}")
    parts = []
    for rows in _pairs(signals):
        blocks = len(rows) // block  # the last takes the frames left over
        if blocks < 2:
            name, snr = signals.classes[signals.label[rows[0]]], signals.snr[rows[0]]
            raise ValueError(
                f"class {name} at {snr:g} dB: expected at least 2 blocks of {block} frames, got "
                f"{len(rows)} frames. Use the split 'positional' or 'random', or smaller blocks"
            )
        train_blocks = np.clip(_share(np.arange(blocks), train_share), 1, blocks - 1)
        is_train = rng.permutation(blocks) < train_blocks
        frame = np.arange(len(rows))
        block_of = np.minimum(frame // block, blocks - 1)
        train, before = is_train[block_of], is_train[np.maximum(block_of - 1, 0)]
        # The first `gap` frames after a border belong to nobody.
        kept = (train == before) | (frame - block_of * block >= gap)
        parts.append((rows[kept & train], rows[kept & ~train]))
    return _joined(parts)


def first_of_pairs(signals: Signals, count: int) -> Int64[ndarray, " n"]:
    """Rows of the first `count` of every (class, SNR) pair, or all there are, ascending."""
    return np.sort(np.concatenate([rows[:count] for rows in _pairs(signals)])).astype(np.int64)


def _pairs(signals: Signals) -> Iterator[ndarray]:
    """Rows of each (class, SNR) pair in the order they stand, wherever they stand."""
    order = np.lexsort((signals.snr, signals.label))  # stable
    change = np.diff(signals.label[order]).astype(bool) | np.diff(signals.snr[order]).astype(bool)
    yield from np.split(order, np.flatnonzero(change) + 1)


def _share(rows: ndarray, train_share: float) -> int:
    if not 0 < train_share < 1:
        raise ValueError(f"train_share: expected 0 < share < 1, got {train_share}. Try 0.8")
    return share_of(train_share, len(rows))


def share_of(share: float, n: int) -> int:
    """floor(share n + 1/2) of the exact share [A19]: 0.29 of 50 is 15."""
    return floor(exact(share) * n + Fraction(1, 2))


def exact(share: float) -> Fraction:
    """0.29 is 29/100, which no float is: 50 times the float is below 14.5."""
    return Fraction(share).limit_denominator(10**6)


def _joined(parts: list[tuple[ndarray, ndarray]]) -> tuple[Train, Test]:
    train, test = (np.sort(np.concatenate(side)) for side in zip(*parts, strict=True))
    if len(train) == 0 or len(test) == 0:
        raise ValueError(
            f"train_share leaves {len(train)} train and {len(test)} test signals; "
            "expected some of each. Give more frames a pair of class and SNR (round SNR labels "
            "that are measurements), or in a notebook move train_share towards 0.5"
        )
    return train.astype(np.int64), test.astype(np.int64)


SPLITS: dict[str, Split] = {
    "positional": positional_split,
    "random": seeded_split,
    "blocks": block_split,
}

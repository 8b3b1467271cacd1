"""Splits: disjoint, the same share of every (class, SNR) pair, no overlap across the border."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foqus_lib.selection.budget import budget_of
from foqus_lib.signals import Signals
from foqus_lib.splits import SPLITS, block_split, first_of_pairs, positional_split, seeded_split


def signals_of(label, snr):
    label = np.asarray(label, np.int64)
    iq = np.zeros((len(label), 2, 4), np.float32)
    return Signals(iq, label, np.asarray(snr, np.float32), ("A", "B", "C"))


def shuffled(sizes, seed):
    """Pairs of different sizes whose rows stand in any order."""
    pair = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    return signals_of(pair % 3, pair // 3 * 2)


def sizes(smallest):
    return st.lists(st.integers(smallest, 60), min_size=2, max_size=5)


def streams(signals):
    """Rows of each pair in file order, by a second road: a dict."""
    rows = {}
    for row, pair in enumerate(zip(signals.label, signals.snr, strict=True)):
        rows.setdefault(pair, []).append(row)
    return rows.values()


shares = st.sampled_from([0.2, 0.5, 0.8])
seeds = st.integers(0, 99)


@pytest.mark.parametrize("name", SPLITS)
@settings(max_examples=40, deadline=None)
@given(sizes=sizes(41), share=shares, seed=seeds)
def test_every_split_is_disjoint_ascending_and_repeatable(name, sizes, share, seed):
    signals = shuffled(sizes, seed)
    train, test = SPLITS[name](signals, share, np.random.default_rng(3))
    again = SPLITS[name](signals, share, np.random.default_rng(3))
    np.testing.assert_array_equal(train, again[0])
    np.testing.assert_array_equal(test, again[1])
    assert not set(train) & set(test)
    assert (np.diff(train) > 0).all() and (np.diff(test) > 0).all()
    assert train.dtype == test.dtype == np.int64
    for rows in streams(signals):
        assert set(rows) & set(train) and set(rows) & set(test)


@given(sizes=sizes(5), share=shares, seed=seeds)
def test_position_and_chance_keep_every_row_and_the_share_of_each_pair(sizes, share, seed):
    signals = shuffled(sizes, seed)
    for split in (positional_split, seeded_split):
        train, test = split(signals, share, np.random.default_rng(0))
        assert len(train) + len(test) == len(signals)
        for rows in streams(signals):
            assert len(set(rows) & set(train)) == int(share * len(rows) + 0.5)


@given(sizes=sizes(5), share=shares, seed=seeds)
def test_position_takes_the_first_of_each_pair(sizes, share, seed):
    signals = shuffled(sizes, seed)
    train, test = map(set, positional_split(signals, share, np.random.default_rng(0)))
    for rows in streams(signals):
        assert max(set(rows) & train) < min(set(rows) & test)


def test_position_by_hand_with_pairs_in_pieces():
    signals = signals_of([0, 1, 0, 1, 0, 1, 0, 1, 0, 1], np.zeros(10))
    train, test = positional_split(signals, 0.8, np.random.default_rng(0))
    assert train.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert test.tolist() == [8, 9]


def test_the_first_of_each_pair_or_all_there_are():
    """Pairs (0, 0 dB) in rows 1, 3, 4, (0, 2 dB) in 0, (1, 0 dB) in 2, 5."""
    signals = signals_of([0, 0, 1, 0, 0, 1], [2, 0, 0, 0, 0, 0])
    assert first_of_pairs(signals, 2).tolist() == [0, 1, 2, 3, 5]
    assert first_of_pairs(signals, 1).tolist() == [0, 1, 2]


def test_chance_is_not_position():
    signals = signals_of(np.zeros(100), np.zeros(100))
    train, _ = seeded_split(signals, 0.8, np.random.default_rng(0))
    other, _ = seeded_split(signals, 0.8, np.random.default_rng(1))
    assert train.tolist() != list(range(80)) and train.tolist() != other.tolist()


def test_chance_draws_pair_by_pair_from_the_first_class_and_the_lowest_snr():
    """Another order would draw another split from the same seed."""
    signals, rng = shuffled([9, 12, 7, 11, 8], 0), np.random.default_rng(3)
    pairs = sorted(set(zip(signals.label, signals.snr, strict=True)))
    rows = [np.flatnonzero((signals.label == y) & (signals.snr == snr)) for y, snr in pairs]
    drawn = [rng.permutation(some)[: int(0.5 * len(some) + 0.5)] for some in rows]
    train, _ = seeded_split(signals, 0.5, np.random.default_rng(3))
    assert train.tolist() == sorted(np.concatenate(drawn))


@settings(deadline=None)
@given(
    sizes=sizes(20),
    share=shares,
    block=st.integers(3, 10),
    gap=st.integers(0, 2),
    seed=seeds,
)
def test_blocks_leave_a_gap_and_nothing_more(sizes, share, block, gap, seed):
    signals = shuffled(sizes, seed)
    train, test = block_split(signals, share, np.random.default_rng(seed), block, gap)
    side = np.full(len(signals), -1)
    side[train], side[test] = 0, 1
    for rows in streams(signals):
        stream = side[rows]
        for here in range(len(stream)):
            near = stream[here + 1 : here + 1 + gap]  # frames that overlap this one
            assert stream[here] == -1 or not (near == 1 - stream[here]).any()
        blocks = len(rows) // block
        ends = [*range(block, blocks * block, block), len(rows)]
        dealt = [set(part) - {-1} for part in np.split(stream, ends[:-1])]
        assert all(len(sides) == 1 for sides in dealt)  # a block is on one side
        assert sum(sides == {0} for sides in dealt) == np.clip(
            int(share * blocks + 0.5), 1, blocks - 1
        )
        assert (stream == -1).sum() <= gap * (blocks - 1)


def test_blocks_by_hand():
    """Four blocks of 5: wherever train meets test, the first frame after the border is dropped."""
    signals = signals_of(np.zeros(20), np.zeros(20))
    train, test = block_split(signals, 0.5, np.random.default_rng(0), block=5, gap=1)
    side = np.array(["-"] * 20)
    side[train], side[test] = "r", "e"
    blocks = ["".join(side[i : i + 5]) for i in range(0, 20, 5)]
    assert sorted(block[-1] for block in blocks) == ["e", "e", "r", "r"]
    for before, after in zip(blocks, blocks[1:], strict=False):
        assert (after[0] == "-") == (before[-1] != after[-1])


def test_half_overlapping_frames_never_straddle():
    """Frames cut from one recording with hop 64: train and test share no sample."""
    start = 64 * np.arange(206)
    signals = signals_of(np.zeros(206), np.zeros(206))
    train, test = block_split(signals, 0.8, np.random.default_rng(5))
    samples = [set((start[rows][:, None] + np.arange(128)).ravel()) for rows in (train, test)]
    assert not samples[0] & samples[1]


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("share", [0, 1, 1.5, -0.1, float("nan")])
def test_shares_outside_0_to_1_are_refused(name, share):
    with pytest.raises(ValueError, match="train_share: expected 0 < share < 1"):
        SPLITS[name](signals_of(np.zeros(50), np.zeros(50)), share, np.random.default_rng(0))


@pytest.mark.parametrize(("share", "n", "k"), [(0.29, 50, 15), (0.7, 45, 32), (0.8, 50, 40)])
def test_a_share_is_an_exact_fraction(share, n, k):
    """0.29 * 50 is 14.5 and rounds up, though no float is 0.29; coresets round in the same way."""
    rng = np.random.default_rng(0)
    train, _ = positional_split(signals_of(np.zeros(n), np.zeros(n)), share, rng)
    assert len(train) == k == budget_of(share, n)


def test_an_empty_side_is_refused():
    for share, words in (
        (0.8, "3 train and 0 test signals.*in a notebook"),
        (0.2, "0 train and 3"),
    ):
        with pytest.raises(ValueError, match=words):
            positional_split(signals_of([0, 1, 2], np.zeros(3)), share, np.random.default_rng(0))


@pytest.mark.parametrize("frames", [15, 39])
def test_a_stream_of_one_block_is_refused(frames):
    signals = signals_of([1] * frames, np.zeros(frames))
    with pytest.raises(ValueError, match="class B at 0 dB: expected at least 2 blocks of 20"):
        block_split(signals, 0.8, np.random.default_rng(0))
    for gap in (-1, 5):
        with pytest.raises(ValueError, match="0 <= gap < block"):
            block_split(signals, 0.8, np.random.default_rng(0), block=5, gap=gap)

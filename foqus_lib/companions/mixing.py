"""Mixing Signals (Xu et al. 2022, arXiv:2204.03737): cut pieces of a burst out of another one.

CutMix inside one class: two bursts of one modulation and SNR exchange a piece, the label stays.
Four rules say which pieces. Each is a function offline, on a training part, and a rule for the
batches of a training. Their published tables and networks were not found; what follows the one
public re-implementation is marked [T], our own choices say so.

    TrainingPart -> partner -> where to cut -> mix_pair -> children, labels as before
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from numpy import ndarray
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from foqus_lib.datasets.catalog import Task
from foqus_lib.signals import Signals
from foqus_lib.training.fit import Transform

VERSION = 1  # raised when the same arguments give other signals: it is part of every key

AT_ONCE = 512  # pairs of windows: what DTW reads and writes for them stays in a core's cache


# ---- what may be mixed ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class TrainingPart:
    """Rows of a task's training signals: all that mixing ever takes.

    It is made from the Task, whose `train` it reads itself, so test and val signals cannot be
    given: mixing across a split is refused by type. Numbers below are places among these rows.
    """

    task: Task
    rows: Int64[ndarray, " k"]  # of task.train, ascending

    def __post_init__(self) -> None:
        if not isinstance(self.task, Task):
            raise ValueError(
                f"mixing: expected a Task, whose training signals are mixed, got "
                f"{type(self.task).__name__}. Test and validation signals are never mixed"
            )
        n, rows = len(self.task.train), self.rows
        if len(rows) == 0 or (np.diff(rows) <= 0).any() or rows[0] < 0 or rows[-1] >= n:
            raise ValueError(
                f"mixing: expected distinct rows in order of the {n} training signals, got "
                f"{len(rows)}{f' from {rows.min()} to {rows.max()}' if len(rows) else ''}. "
                "Sort them, or take np.arange(n) for all"
            )

    @cached_property
    def signals(self) -> Signals:
        """The k signals."""
        return self.task.train[self.rows]

    @cached_property
    def group(self) -> Int64[ndarray, " k"]:
        """The number of each signal's (class, SNR)."""
        pairs = np.stack([self.signals.label, self.signals.snr], axis=1)
        return np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)

    @cached_property
    def members(self) -> tuple[Int64[ndarray, " k"], Int64[ndarray, " G"], Int64[ndarray, " G"]]:
        """Signals group by group, where each group begins in that list, and how many it has."""
        sizes = np.bincount(self.group).astype(np.int64)
        return np.argsort(self.group, kind="stable"), np.cumsum(sizes) - sizes, sizes

    @property
    def alone(self) -> Bool[ndarray, " k"]:
        """Signals that have no other of their (class, SNR): they stay as they are."""
        return self.members[2][self.group] == 1


def checked_part(part: object) -> TrainingPart:
    """The part itself; ValueError for anything else, such as bare signals."""
    if not isinstance(part, TrainingPart):
        raise ValueError(
            f"mixing: expected a TrainingPart, got {type(part).__name__}. Make one of the Task: "
            "TrainingPart(task, rows); test and validation signals are never mixed"
        )
    return part


def refuse_strangers(part: TrainingPart, a: Int64[ndarray, " P"], b: Int64[ndarray, " P"]) -> None:
    """ValueError if a pair is not of one class and one SNR: its label would be a lie."""
    group = checked_part(part).group
    if (bad := group[a] != group[b]).any():
        at, signals = int(bad.argmax()), part.signals
        one, other = (
            f"{signals.classes[signals.label[i]]} at {signals.snr[i]:g} dB" for i in (a[at], b[at])
        )
        raise ValueError(
            f"mixing: expected pairs of one class and SNR, got {one} with {other} "
            f"(pair {at}, {int(bad.sum())} such pairs). Draw partners by `partners`"
        )


def partners(
    part: TrainingPart, at: Int64[ndarray, " P"], rng: np.random.Generator
) -> Int64[ndarray, " P"]:
    """For each signal another one of its (class, SNR), uniformly; itself where it is alone."""
    order, first, sizes = checked_part(part).members
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    begin, size = first[part.group[at]], sizes[part.group[at]]
    step = rng.integers(1, np.maximum(size, 2))
    return order[begin + (place[at] - begin + step) % size]


# ---- the equations -------------------------------------------------------------------------------


def mix_pair(
    a: Float32[ndarray, "P 2 L"],
    b: Float32[ndarray, "P 2 L"],
    start_a: Int64[ndarray, " P"],
    start_b: Int64[ndarray, " P"],
    length: int,
) -> tuple[Float32[ndarray, "P 2 L"], Float32[ndarray, "P 2 L"]]:
    """Exchange a[start_a : start_a + length] and b[start_b : start_b + length], I and Q together.

    Positions count samples from 0. Returns both children; what was given is not changed.
    """
    span = a.shape[2]
    for name, start in (("start_a", start_a), ("start_b", start_b)):
        if len(start) and not 0 <= start.min() <= start.max() <= span - length:
            raise ValueError(
                f"{name}: expected 0 to {span - length} for {length} of {span} samples, got "
                f"{start.min()} to {start.max()}"
            )
    pair = np.arange(len(a))[:, None, None]
    channel = np.arange(2)[:, None]
    of_a, of_b = (start[:, None, None] + np.arange(length) for start in (start_a, start_b))
    child_a, child_b = a.copy(), b.copy()
    child_a[pair, channel, of_a] = b[pair, channel, of_b]
    child_b[pair, channel, of_b] = a[pair, channel, of_a]
    return child_a, child_b


def dtw_distance(
    a: Float32[ndarray, "P 2 l"], b: Float32[ndarray, "P 2 m"]
) -> Float32[ndarray, " P"]:
    """The cheapest alignment: C(u,v) = |a_u - b_v| + min(C(u-1,v), C(u,v-1), C(u-1,v-1)).

    |.| is the Euclidean norm of the 2-vector (I, Q); D = C(l-1, m-1), in the signals' unit times
    samples. All pairs advance together, one anti-diagonal u + v at a time: its cells do not need
    one another. Measured against dtaidistance's C (inner_dist="euclidean", the same numbers) this
    takes a third of the time a pair and no further package, so there is none.
    """
    if a.shape[0] != b.shape[0] or 0 in (a.shape[2], b.shape[2]):
        raise ValueError(f"dtw: expected pairs of windows, got shapes {a.shape} and {b.shape}")
    starts = range(0, len(a), AT_ONCE)
    parts = [_dtw(a[first : first + AT_ONCE], b[first : first + AT_ONCE]) for first in starts]
    return np.concatenate([np.empty(0, np.float32), *parts])


def _dtw(a: Float32[ndarray, "P 2 l"], b: Float32[ndarray, "P 2 m"]) -> Float32[ndarray, " P"]:
    """Samples first and b backwards, so that a diagonal of all pairs is one slice of each."""
    pairs, _, rows = a.shape
    columns = b.shape[2]
    a = np.ascontiguousarray(a.transpose(1, 2, 0))
    b = np.ascontiguousarray(b[:, :, ::-1].transpose(1, 2, 0))
    # C of this diagonal and of the two before it; cell u stands in place u + 1, the rest is inf.
    last, before, free = (np.full((rows + 1, pairs), np.inf, np.float32) for _ in range(3))
    before[0] = 0  # the cell before the first
    cost, other = (np.empty((rows, pairs), np.float32) for _ in range(2))
    for diagonal in range(rows + columns - 1):
        low, high = max(0, diagonal - columns + 1), min(diagonal, rows - 1) + 1
        shift = columns - 1 - diagonal
        here, best = cost[: high - low], other[: high - low]
        np.subtract(a[0, low:high], b[0, low + shift : high + shift], out=here)
        np.subtract(a[1, low:high], b[1, low + shift : high + shift], out=best)
        here *= here
        best *= best
        here += best
        np.sqrt(here, out=here)
        np.minimum(last[low:high], last[low + 1 : high + 1], out=best)
        np.minimum(best, before[low:high], out=best)
        np.add(here, best, out=free[low + 1 : high + 1])
        before[0] = np.inf
        last, before, free = free, last, before
    return last[rows].copy()


def window_distance(
    a: Float32[ndarray, "P 2 L"],
    b: Float32[ndarray, "P 2 L"],
    start_a: Int64[ndarray, " P"],
    start_b: Int64[ndarray, " P"],
    length: int,
) -> Float32[ndarray, " P"]:
    """D(i, j) = DTW(a[i : i + length], b[j : j + length]), one (i, j) a pair."""
    return dtw_distance(_windows(a, start_a, length), _windows(b, start_b, length))


def _windows(
    x: Float32[ndarray, "P 2 L"], start: Int64[ndarray, " P"], length: int
) -> Float32[ndarray, "P 2 l"]:
    at = start[:, None, None] + np.arange(length)
    return x[np.arange(len(x))[:, None, None], np.arange(2)[:, None], at]


def most_similar(
    a: Float32[ndarray, "P 2 L"], b: Float32[ndarray, "P 2 L"], length: int, stride: int
) -> tuple[Int64[ndarray, " P"], Int64[ndarray, " P"], Float32[ndarray, " P"]]:
    """The (i, j) of the smallest D(i, j), over i and j that are multiples of `stride`, and D.

    All starts (stride 1) are 4,225 alignments of 64 x 64 cells for a pair of 128 samples; stride 8
    leaves 81. Of equals the first is taken.
    """
    starts = np.arange(0, a.shape[2] - length + 1, stride)
    many = len(starts)
    distance = np.empty((len(a), many * many), np.float32)
    at_once = max(1, 8 * AT_ONCE // many**2)  # pairs of bursts
    for first in range(0, len(a), at_once):
        here = slice(first, first + at_once)
        of_a, of_b = (_all_windows(x[here], length, stride) for x in (a, b))
        of_a = np.repeat(of_a, many, axis=1)  # i of D(i, j) changes slowly, j fast
        of_b = np.tile(of_b, (1, many, 1, 1))
        found = dtw_distance(of_a.reshape(-1, 2, length), of_b.reshape(-1, 2, length))
        distance[here] = found.reshape(-1, many * many)
    best = distance.argmin(axis=1)
    return starts[best // many], starts[best % many], distance[np.arange(len(a)), best]


def _all_windows(
    x: Float32[ndarray, "P 2 L"], length: int, stride: int
) -> Float32[ndarray, "P W 2 l"]:
    return sliding_window_view(x, length, axis=2)[:, :, ::stride].transpose(0, 2, 1, 3)


def similar_enough(
    a: Float32[ndarray, "P 2 L"],
    b: Float32[ndarray, "P 2 L"],
    length: int,
    theta: float,
    patience: int,
    rng: np.random.Generator,
) -> tuple[Int64[ndarray, " P"], Int64[ndarray, " P"], Float32[ndarray, " P"]]:
    """Draw (i, j) until D(i, j) < theta, at most `patience` times; then the best that was seen.

    Where the D returned is theta or more, nothing satisfied theta: whoever calls counts these.
    """
    i, j = np.zeros((2, len(a)), np.int64)
    best = np.full(len(a), np.inf, np.float32)
    for _ in range(patience):
        left = np.flatnonzero(best >= theta)
        if len(left) == 0:
            break
        of_a, of_b = rng.integers(a.shape[2] - length + 1, size=(2, len(left)))
        distance = window_distance(a[left], b[left], of_a, of_b, length)
        better = distance < best[left]
        at = left[better]
        i[at], j[at], best[at] = of_a[better], of_b[better], distance[better]
    return i, j, best


def theta_of(
    part: TrainingPart, ratio: float, quantile: float, rng: np.random.Generator, draws: int = 1000
) -> float:
    """The theta that this share of random draws would satisfy: a quantile of D. Our choice.

    The published 0.2 [T] belongs to raw RML2016.10a amplitudes (0.01 a sample), and D grows with
    them. 0 if no signal has a partner.
    """
    able = np.flatnonzero(~checked_part(part).alone)
    if len(able) == 0:
        return 0.0
    a = rng.choice(able, draws)
    b, iq = partners(part, a, rng), part.signals.iq
    length = cut_length(part, ratio)
    i, j = rng.integers(iq.shape[2] - length + 1, size=(2, draws))
    return float(np.quantile(window_distance(iq[a], iq[b], i, j, length), quantile))


def cut_length(part: TrainingPart, ratio: float) -> int:
    """l = floor(r L) samples; ValueError if that is none, or more than there are."""
    span = checked_part(part).signals.length
    length = int(ratio * span)
    if not 1 <= length <= span:
        raise ValueError(
            f"ratio: expected {1 / span:.3g} to 1 of a signal of {span} samples, got {ratio:g}"
        )
    return length


# ---- the four rules, pair by pair ----------------------------------------------------------------

Pairs = tuple[Float32[ndarray, "P 2 L"], Float32[ndarray, "P 2 L"]]


def random_pairs(
    part: TrainingPart, a: Int64[ndarray, " P"], b: Int64[ndarray, " P"], rng: np.random.Generator,
    ratio: float,
) -> Pairs:  # fmt: skip
    """RM: both bursts are cut at one random start, the same in both [T]."""
    refuse_strangers(part, a, b)
    length, iq = cut_length(part, ratio), part.signals.iq
    start = rng.integers(iq.shape[2] - length + 1, size=len(a))
    return mix_pair(iq[a], iq[b], start, start, length)


def most_similar_pairs(
    part: TrainingPart, a: Int64[ndarray, " P"], b: Int64[ndarray, " P"], rng: np.random.Generator,
    ratio: float, stride: int,
) -> Pairs:  # fmt: skip
    """MSM: the two pieces that are most alike change places. Nothing is drawn."""
    del rng
    refuse_strangers(part, a, b)
    length, iq = cut_length(part, ratio), part.signals.iq
    i, j, _ = most_similar(iq[a], iq[b], length, stride)
    return mix_pair(iq[a], iq[b], i, j, length)


def theta_similar_pairs(
    part: TrainingPart, a: Int64[ndarray, " P"], b: Int64[ndarray, " P"], rng: np.random.Generator,
    ratio: float, theta: float, patience: int, tally: Int64[ndarray, "2"],
) -> Pairs:  # fmt: skip
    """theta-SM: pieces that are alike enough change places; `tally` counts (pairs, not met)."""
    refuse_strangers(part, a, b)
    length, iq = cut_length(part, ratio), part.signals.iq
    i, j, distance = similar_enough(iq[a], iq[b], length, theta, patience, rng)
    itself = a == b  # alone: it would only be torn
    j[itself] = i[itself]
    tally += len(a), int((distance >= theta)[~itself].sum())
    return mix_pair(iq[a], iq[b], i, j, length)


def n_random_children(
    part: TrainingPart, at: Int64[ndarray, " P"], rng: np.random.Generator, ratio: float, n: int
) -> Float32[ndarray, "P 2 L"]:
    """n-RM: n times, a random piece is overwritten by the same place of another random burst."""
    length, iq = cut_length(part, ratio), part.signals.iq
    child = iq[at]
    for _ in range(n):
        other = iq[partners(part, at, rng)]
        start = rng.integers(iq.shape[2] - length + 1, size=len(at))
        child, _ = mix_pair(child, other, start, start, length)
    return child


# ---- offline: a training set enlarged ------------------------------------------------------------

Mix = Callable[[Int64[ndarray, " P"], Int64[ndarray, " P"]], Pairs]


def random_mixing(
    part: TrainingPart, n_fold: int, ratio: float, rng: np.random.Generator
) -> Signals:
    """RM: n_fold times the signals, themselves first, then children in the same order."""
    return _enlarged(part, n_fold, rng, lambda a, b: random_pairs(part, a, b, rng, ratio))


def max_similarity_mixing(
    part: TrainingPart, n_fold: int, ratio: float, stride: int, rng: np.random.Generator
) -> Signals:
    """MSM, as `random_mixing`; rng draws the partners."""
    return _enlarged(
        part, n_fold, rng, lambda a, b: most_similar_pairs(part, a, b, rng, ratio, stride)
    )


def theta_similarity_mixing(
    part: TrainingPart,
    n_fold: int,
    ratio: float,
    theta: float,
    patience: int,
    rng: np.random.Generator,
) -> tuple[Signals, int]:
    """theta-SM, as `random_mixing`, and for how many pairs nothing satisfied theta."""
    tally = np.zeros(2, np.int64)
    made = _enlarged(
        part, n_fold, rng,
        lambda a, b: theta_similar_pairs(part, a, b, rng, ratio, theta, patience, tally),
    )  # fmt: skip
    return made, int(tally[1])


def n_random_mixing(
    part: TrainingPart, n_fold: int, ratio: float, n: int, rng: np.random.Generator
) -> Signals:
    """n-RM, as `random_mixing`."""
    everything = np.arange(len(checked_part(part).rows))
    copies = range(_checked_fold(n_fold) - 1)
    return _with(part, [n_random_children(part, everything, rng, ratio, n) for _ in copies])


def _enlarged(part: TrainingPart, n_fold: int, rng: np.random.Generator, mix: Mix) -> Signals:
    """Of every pair both children are kept, so a copy of the set conserves its samples."""
    copies = []
    for _ in range(_checked_fold(n_fold) - 1):
        a, b, both = matched(part, rng)
        of_a, of_b = mix(a, b)
        children = np.empty_like(part.signals.iq)
        children[a] = of_a
        children[b[both]] = of_b[both]
        copies.append(children)
    return _with(part, copies)


def matched(
    part: TrainingPart, rng: np.random.Generator
) -> tuple[Int64[ndarray, " P"], Int64[ndarray, " P"], Bool[ndarray, " P"]]:
    """All signals in random pairs of one (class, SNR): (a, b, whether b's child is kept as well).

    The odd one of a group borrows a partner that has its own child already; alone, itself.
    """
    group = checked_part(part).group
    order = np.lexsort((rng.random(len(group)), group))
    _, first, sizes = part.members
    begin, size = first[group[order]], sizes[group[order]]
    place = np.arange(len(order)) - begin
    at = np.flatnonzero(place % 2 == 0)
    both = place[at] + 1 < size[at]
    return order[at], order[np.where(both, np.minimum(at + 1, len(order) - 1), begin[at])], both


def _checked_fold(n_fold: int) -> int:
    if n_fold < 1:
        raise ValueError(f"n_fold: expected 1 (nothing added) or more, got {n_fold}")
    return n_fold


def _with(part: TrainingPart, copies: Sequence[Float32[ndarray, "k 2 L"]]) -> Signals:
    own, times = part.signals, 1 + len(copies)
    return Signals(
        np.concatenate([own.iq, *copies]),
        np.tile(own.label, times),
        np.tile(own.snr, times),
        own.classes,
    )


# ---- online: batches of a training ---------------------------------------------------------------

# (part, places among its rows, generator) -> the child that takes each signal's place
Rule = Callable[[TrainingPart, Int64[ndarray, " P"], np.random.Generator], ndarray]


def own_child(pairs: Callable[..., Pairs]) -> Rule:
    """A rule for pairs as one for batches: a partner is drawn, the signal's own child is kept."""

    def rule(
        part: TrainingPart, at: Int64[ndarray, " P"], rng: np.random.Generator
    ) -> Float32[ndarray, "P 2 L"]:
        return pairs(part, at, partners(part, at, rng), rng)[0]

    return rule


def other_burst(
    part: TrainingPart, at: Int64[ndarray, " P"], rng: np.random.Generator
) -> Float32[ndarray, "P 2 L"]:
    """The partner as it is: the same draws as RM, and no new signal."""
    return part.signals.iq[partners(part, at, rng)]


def numbered(part: TrainingPart) -> Signals:
    """The task's training signals, labelled by their own row.

    `fit` tells a transform labels and nothing else, and a class does not say the SNR. So what goes
    in for `in_batches` are row numbers; it hands the classes on.
    """
    train = checked_part(part).task.train
    names = tuple(map(str, range(len(train))))
    return Signals(train.iq, np.arange(len(train)), train.snr, names)


def in_batches(part: TrainingPart, rule: Rule, chance: float) -> Transform:
    """Each signal of a batch gives way to its child with this chance; for `fit` on `numbered`.

    Row numbers in, classes out. Partners come from the whole part, not from the batch, which
    seldom holds two of one (class, SNR). ValueError for a signal that is not of the part.
    """
    if not 0 <= chance <= 1:
        raise ValueError(f"chance: expected 0 to 1, got {chance:g}")
    train = checked_part(part).task.train
    place = np.full(len(train), -1)
    place[part.rows] = np.arange(len(part.rows))

    def mixed(
        signals: Float[Tensor, "B R 2 L"],
        labels: Int64[Tensor, "B R"],
        rngs: Sequence[np.random.Generator],
    ) -> tuple[Tensor, Tensor]:
        rows = labels.cpu().numpy()
        if (place[rows] < 0).any():
            raise ValueError(
                "mixing: a signal of the batch is not of the part that is mixed. Train on "
                "part.rows of numbered(part)"
            )
        mixed = signals.clone()
        for replica, rng in enumerate(rngs):
            given = np.flatnonzero(rng.random(len(rows)) < chance)
            if len(given):
                children = rule(part, place[rows[given, replica]], rng)
                mixed[given, replica] = torch.from_numpy(children).to(signals)
        return mixed, torch.from_numpy(train.label[rows]).to(labels.device)

    return mixed


def one_after_another(*transforms: Transform) -> Transform:
    """The first, then the next on what it gave."""

    def all_of_them(
        signals: Tensor, labels: Tensor, rngs: Sequence[np.random.Generator]
    ) -> tuple[Tensor, Tensor]:
        for change in transforms:
            signals, labels = change(signals, labels, rngs)
        return signals, labels

    return all_of_them


# ---- what it is compared with --------------------------------------------------------------------


def rotation(
    signals: Float[Tensor, "B R 2 L"], labels: Tensor, rngs: Sequence[np.random.Generator]
) -> tuple[Tensor, Tensor]:
    """Each signal times exp(i phi), phi uniform: the carrier's phase says nothing of the class.

    Huang et al. 2019 (arXiv:1912.03026) turn by quarters; a uniform phase is our choice.
    """
    size = len(signals), 1
    phi = _drawn(signals, [rng.uniform(0, 2 * np.pi, size) for rng in rngs])
    i, q = signals[:, :, 0], signals[:, :, 1]
    turned = i * phi.cos() - q * phi.sin(), i * phi.sin() + q * phi.cos()
    return torch.stack(turned, dim=2), labels


def flip(
    signals: Float[Tensor, "B R 2 L"], labels: Tensor, rngs: Sequence[np.random.Generator]
) -> tuple[Tensor, Tensor]:
    """I and Q of each signal change sign, each with chance 1/2 (Huang et al. 2019).

    One sign alone turns the spectrum round: a single sideband becomes the other.
    """
    size = len(signals), 2, 1
    return signals * _drawn(signals, [rng.choice([-1.0, 1.0], size) for rng in rngs]), labels


def noise(
    signals: Float[Tensor, "B R 2 L"],
    labels: Tensor,
    rngs: Sequence[np.random.Generator],
    below_db: float,
) -> tuple[Tensor, Tensor]:
    """White Gaussian noise `below_db` dB below the power of each signal (Huang et al. 2019)."""
    power = signals.square().mean(dim=(2, 3), keepdim=True)
    size = len(signals), *signals.shape[2:]
    drawn = _drawn(signals, [rng.standard_normal(size) for rng in rngs])
    return signals + drawn * (power * 10 ** (-below_db / 10)).sqrt(), labels


def mixup(
    signals: Float[Tensor, "B R 2 L"],
    labels: Int64[Tensor, "B R"],
    rngs: Sequence[np.random.Generator],
    classes: int,
    alpha: float,
) -> tuple[Float[Tensor, "B R 2 L"], Float[Tensor, "B R C"]]:
    """lambda x + (1 - lambda) x', and so the targets; lambda ~ Beta(alpha, alpha) a batch.

    Zhang et al. 2018, arXiv:1710.09412. Partners are any two of the batch.
    """
    others, other_labels = _shuffled(signals, labels, rngs)
    share = _drawn(signals, [rng.beta(alpha, alpha, (1, 1, 1)) for rng in rngs])
    mixed = others + share * (signals - others)
    return mixed, _soft(signals, labels, other_labels, share[:, :, 0], classes)


def cutmix(
    signals: Float[Tensor, "B R 2 L"],
    labels: Int64[Tensor, "B R"],
    rngs: Sequence[np.random.Generator],
    classes: int,
) -> tuple[Float[Tensor, "B R 2 L"], Float[Tensor, "B R C"]]:
    """A piece of any other signal of the batch, and its share of the target; share ~ U(0, 1).

    Yun et al. 2019, arXiv:1905.04899, along time: one piece a batch, weighed by its real length.
    """
    span = signals.shape[3]
    others, other_labels = _shuffled(signals, labels, rngs)
    own = torch.ones(1, len(rngs), 1, span, device=signals.device, dtype=torch.bool)
    for replica, rng in enumerate(rngs):
        length = rng.integers(span + 1)
        start = rng.integers(span - length + 1)
        own[:, replica, :, start : start + length] = False
    share = own.to(signals).mean(dim=3)
    mixed = torch.where(own, signals, others)
    return mixed, _soft(signals, labels, other_labels, share, classes)


def _drawn(signals: Tensor, of_replica: Sequence[ndarray]) -> Tensor:
    """(B, ...) of each replica as (B, R, ...) where the signals are."""
    return torch.from_numpy(np.stack(of_replica, axis=1)).to(signals)


def _shuffled(
    signals: Tensor, labels: Tensor, rngs: Sequence[np.random.Generator]
) -> tuple[Tensor, Tensor]:
    """The batch of each replica in another order."""
    order = np.stack([rng.permutation(len(signals)) for rng in rngs], axis=1)
    order = torch.from_numpy(order).to(labels.device)
    replica = torch.arange(len(rngs), device=labels.device)
    return signals[order, replica], labels[order, replica]


def _soft(
    signals: Tensor,
    labels: Int64[Tensor, "B R"],
    other_labels: Int64[Tensor, "B R"],
    share: Float[Tensor, "one R 1"],
    classes: int,
) -> Float[Tensor, "B R C"]:
    """share of the one label and the rest of the other; both sum to 1."""
    one, other = (
        torch.nn.functional.one_hot(y, classes).to(signals) for y in (labels, other_labels)
    )
    return other + share * (one - other)

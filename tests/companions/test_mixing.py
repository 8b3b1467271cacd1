"""Mixing Signals: children come from their sources, and never from across a class, SNR or split."""

import math
from dataclasses import replace
from functools import partial
from hashlib import sha256

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from foqus_lib.companions import mixing
from foqus_lib.companions.mixing.batches import (
    in_batches,
    numbered,
    one_after_another,
    other_burst,
    own_child,
)
from foqus_lib.companions.mixing.dtw import dtw_distance, window_distance
from foqus_lib.companions.mixing.offline import (
    max_similarity_mixing,
    n_random_mixing,
    random_mixing,
    theta_similarity_mixing,
)
from foqus_lib.companions.mixing.part import TrainingPart, checked_part, matched, partners
from foqus_lib.companions.mixing.rivals import cutmix, flip, mixup, noise, rotation
from foqus_lib.companions.mixing.rules import (
    mix_pair,
    most_similar_pairs,
    n_random_children,
    random_pairs,
    theta_similar_pairs,
)
from foqus_lib.companions.mixing.similarity import most_similar, similar_enough, theta_of
from foqus_lib.models import MODELS
from foqus_lib.signals import Signals
from foqus_lib.training.fit import fit
from foqus_lib.training.predict import logits_of
from foqus_lib.training.recipe import Recipe

RNG = np.random.default_rng


@pytest.fixture
def part(task):
    """48 of the 64 training tones: 3 classes, 2 SNRs, groups of 8 or so."""
    return TrainingPart(task, np.flatnonzero(np.arange(64) % 4 > 0))


def brute(a, b):
    """The recursion, cell by cell."""
    cost = np.full((a.shape[1] + 1, b.shape[1] + 1), math.inf)
    cost[0, 0] = 0
    for u in range(a.shape[1]):
        for v in range(b.shape[1]):
            here = math.hypot(*(float(a[c, u]) - float(b[c, v]) for c in (0, 1)))
            cost[u + 1, v + 1] = here + min(cost[u, v + 1], cost[u + 1, v], cost[u, v])
    return cost[-1, -1]


# --- DTW


@pytest.mark.parametrize("lengths", [(1, 1), (5, 5), (7, 3), (3, 7), (1, 6), (16, 16)])
def test_dtw_equals_a_brute_force_recursion(lengths):
    rng = RNG(0)
    a, b = (rng.standard_normal((6, 2, n), dtype=np.float32) for n in lengths)
    wanted = [brute(x, y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(dtw_distance(a, b), wanted, rtol=1e-5)


def test_dtw_is_zero_on_itself_symmetric_and_the_same_alone():
    rng = RNG(1)
    a, b = rng.standard_normal((2, 600, 2, 9), dtype=np.float32)
    there = dtw_distance(a, b)
    assert (dtw_distance(a, a) == 0).all() and (there > 0).all()
    np.testing.assert_allclose(dtw_distance(b, a), there, rtol=1e-5)
    assert dtw_distance(a[599:], b[599:])[0] == there[599]  # past the first block, and alone
    assert len(dtw_distance(a[:0], b[:0])) == 0


def test_dtw_by_hand():
    """0, 1 against 0, 1, 1: the last sample is used twice, for nothing. And 3-4-5 in (I, Q)."""
    a = np.array([[[0, 1], [0, 0]]], np.float32)
    assert dtw_distance(a, np.array([[[0, 1, 1], [0, 0, 0]]], np.float32)) == 0
    point = np.array([[[3], [4]]], np.float32)
    assert dtw_distance(point, np.zeros((1, 2, 1), np.float32)) == 5


# --- a pair


def test_a_pair_by_hand():
    a = np.arange(8, dtype=np.float32).reshape(1, 2, 4)
    one, other = mix_pair(a, a + 10, np.array([1]), np.array([2]), 2)
    assert one.tolist() == [[[0, 12, 13, 3], [4, 16, 17, 7]]]
    assert other.tolist() == [[[10, 11, 1, 2], [14, 15, 5, 6]]]
    assert a.tolist() == [[[0, 1, 2, 3], [4, 5, 6, 7]]]


@given(st.integers(1, 12), st.integers(0, 10_000))
def test_children_conserve_the_samples_of_a_pair(length, seed):
    rng = RNG(seed)
    a, b = rng.standard_normal((2, 5, 2, 12), dtype=np.float32)
    starts = rng.integers(12 - length + 1, size=(2, 5))
    children = np.concatenate(mix_pair(a, b, *starts, length), axis=2)
    parents = np.concatenate([a, b], axis=2)
    for child, parent in zip(children, parents, strict=True):
        assert sorted(map(tuple, child.T)) == sorted(map(tuple, parent.T))  # I and Q together


def test_a_cut_past_the_end_is_refused():
    a = np.zeros((1, 2, 8), np.float32)
    with pytest.raises(ValueError, match="start_b: expected 0 to 4 for 4 of 8 samples, got 5 to 5"):
        mix_pair(a, a, np.array([0]), np.array([5]), 4)


# --- what may be mixed


def test_test_signals_cannot_be_mixed_whatever_is_tried(task, part):
    with pytest.raises(Exception, match="Task|Signals"):
        TrainingPart(task.test, np.arange(4))
    for mix in (
        partial(random_mixing, n_fold=2, ratio=0.5),
        partial(max_similarity_mixing, n_fold=2, ratio=0.5, stride=8),
        partial(theta_similarity_mixing, n_fold=2, ratio=0.5, theta=1.0, patience=1),
        partial(n_random_mixing, n_fold=2, ratio=0.5, n=2),
    ):
        with pytest.raises(Exception, match="TrainingPart|Signals"):
            mix(task.test, rng=RNG(0))
    with pytest.raises(ValueError, match="expected a TrainingPart, got Signals"):
        checked_part(task.test)


@pytest.mark.parametrize("rows", [[], [3, 3], [5, 2], [-1, 2], [0, 64]])
def test_rows_that_are_no_training_rows_are_refused(task, rows):
    with pytest.raises(ValueError, match="expected distinct rows in order of the 64 training"):
        TrainingPart(task, np.array(rows, np.int64))


def test_partners_are_others_of_the_same_class_and_snr(part):
    at = np.tile(np.arange(48), 50)
    other = partners(part, at, RNG(0))
    assert (part.group[at] == part.group[other]).all() and (at != other).all()
    assert len(set(part.group.tolist())) == 6
    drawn = {i: set(other[at == i].tolist()) for i in range(48)}
    sizes = np.bincount(part.group)
    assert all(len(found) == sizes[part.group[i]] - 1 for i, found in drawn.items())  # all come


def test_pairs_across_a_class_or_an_snr_are_refused(part):
    signals = part.signals
    same_class = (signals.label == signals.label[0]) & (signals.snr != signals.snr[0])
    same_snr = (signals.label != signals.label[0]) & (signals.snr == signals.snr[0])
    for stranger in (same_class, same_snr):
        b = np.flatnonzero(stranger)[:1]
        for pairs in (
            partial(random_pairs, ratio=0.5),
            partial(most_similar_pairs, ratio=0.5, stride=8),
            partial(theta_similar_pairs, ratio=0.5, theta=1.0, patience=1,
                    tally=np.zeros(2, np.int64)),
        ):  # fmt: skip
            with pytest.raises(ValueError, match="expected pairs of one class and SNR, got low at"):
                pairs(part, np.array([0]), b, RNG(0))


# --- offline


def offline(part, seed=0, n_fold=3):
    """{rule: signals}, as the four functions make them."""
    return {
        "RM": random_mixing(part, n_fold, 0.5, RNG(seed)),
        "MSM": max_similarity_mixing(part, n_fold, 0.5, 16, RNG(seed)),
        "theta-SM": theta_similarity_mixing(part, n_fold, 0.5, 20.0, 5, RNG(seed))[0],
        "n-RM": n_random_mixing(part, n_fold, 0.25, 4, RNG(seed)),
    }


@pytest.mark.parametrize("rule", ["RM", "MSM", "theta-SM", "n-RM"])
def test_children_keep_labels_and_have_samples_of_their_sources_alone(part, rule):
    made, own = offline(part)[rule], part.signals
    assert len(made) == 3 * 48 and np.array_equal(made.iq[:48], own.iq)
    assert np.array_equal(made.label, np.tile(own.label, 3))
    assert np.array_equal(made.snr, np.tile(own.snr, 3))
    changed = 0
    for row in range(48, 144):
        sources = own.iq[part.group == part.group[row % 48]]
        child = made.iq[row]
        if rule in ("RM", "n-RM"):  # the same place in a source
            among = (child == sources).all(axis=1).any(axis=0)
        else:  # any place: the pieces may come from elsewhere
            samples = set(map(tuple, np.concatenate(list(sources), axis=1).T))
            among = np.array([tuple(sample) in samples for sample in child.T])
        assert among.all()
        kept = (child == own.iq[row % 48]).all(axis=0).mean()
        assert kept >= (0.5 if rule != "n-RM" else 0)
        changed += kept < 1
    assert changed == 96


@pytest.mark.parametrize("rule", ["RM", "MSM", "theta-SM"])
def test_a_swap_conserves_the_samples_of_the_set(task, rule):
    rows = np.flatnonzero(np.arange(64) % 8 < 2)
    signals = task.train[rows]
    assert len(rows) == 16
    part = TrainingPart(task, rows)
    sizes = np.bincount(part.group)
    made = offline(part, n_fold=2)[rule]
    for group in np.flatnonzero(sizes % 2 == 0):
        here = part.group == group
        before = np.sort(signals.iq[here].ravel())
        assert np.array_equal(np.sort(made.iq[16:][here].ravel()), before)
    assert (sizes % 2 == 0).any()


def test_the_most_similar_pieces_are_more_alike_than_random_ones(part):
    iq, at = part.signals.iq, np.arange(48)
    other = partners(part, at, RNG(0))
    *_, best = most_similar(iq[at], iq[other], 32, 8)
    rng, drawn = RNG(1), []
    for _ in range(10):
        start = rng.integers(33, size=48)
        drawn.append(window_distance(iq[at], iq[other], start, start, 32))
    assert best.mean() < np.mean(drawn)
    grid = [
        window_distance(iq[at], iq[other], np.full(48, i), np.full(48, j), 32)
        for i in range(0, 33, 8)
        for j in range(0, 33, 8)
    ]
    np.testing.assert_array_equal(best, np.min(grid, axis=0))  # and the best of its grid


def test_a_finer_stride_is_never_worse(part):
    iq = part.signals.iq[:6]
    distances = [most_similar(iq[:3], iq[3:], 32, stride)[2] for stride in (16, 8, 4)]
    assert (distances[0] >= distances[1]).all() and (distances[1] >= distances[2]).all()


def test_theta_that_everything_satisfies_draws_once_and_one_that_nothing_does_is_counted(part):
    everything, missed = theta_similarity_mixing(part, 2, 0.5, 1e9, 5, RNG(0))
    assert missed == 0 and len(everything) == 96
    made, missed = theta_similarity_mixing(part, 2, 0.5, 1e-9, 5, RNG(0))
    _, _, both = matched(part, RNG(0))
    assert missed == len(both)
    assert not np.array_equal(made.iq[48:], part.signals.iq)  # the best seen was used


def test_the_best_seen_is_used_where_nothing_satisfies_theta(part):
    iq = part.signals.iq
    a, b = iq[:8], iq[8:16]
    i, j, distance = similar_enough(a, b, 32, 0.0, 20, RNG(0))
    np.testing.assert_array_equal(window_distance(a, b, i, j, 32), distance)
    *_, once = similar_enough(a, b, 32, 0.0, 1, RNG(0))
    assert (distance <= once).all() and (distance < once).any()


def test_theta_is_the_quantile_that_was_asked_for(part):
    low, high = (theta_of(part, 0.5, quantile, RNG(0)) for quantile in (0.1, 0.9))
    assert 0 < low < high
    tally = np.zeros(2, np.int64)
    at = np.tile(np.arange(48), 20)
    theta_similar_pairs(part, at, partners(part, at, RNG(1)), RNG(2), 0.5, low, 1, tally)
    assert tally[0] == 960 and tally[1] / 960 == pytest.approx(0.9, abs=0.05)


def test_a_class_with_one_signal_stays_as_it_is(task):
    first = int(np.flatnonzero(task.train.label == 1)[0])
    part = TrainingPart(task, np.unique([first, *np.flatnonzero(task.train.label == 0)[:8]]))
    lone = np.flatnonzero(part.rows == first)
    assert part.alone[lone].all() and partners(part, lone, RNG(0)) == lone
    for made in offline(part).values():
        copies = made.iq.reshape(3, len(part.rows), 2, -1)[:, lone[0]]
        assert np.array_equal(copies, np.broadcast_to(task.train.iq[first], copies.shape))


def test_a_lone_signal_is_no_pair_that_could_have_satisfied_theta(task):
    """Nothing satisfies this theta: all pairs are unmet, and a signal alone is in neither count."""
    rows = [*np.flatnonzero(task.train.label == 0)[:8], np.flatnonzero(task.train.label == 1)[0]]
    part, tally = TrainingPart(task, np.array(rows)), np.zeros(2, np.int64)
    assert part.alone.sum() == 1
    at = np.tile(np.arange(9), 3)
    theta_similar_pairs(part, at, partners(part, at, RNG(0)), RNG(1), 0.5, 1e-9, 2, tally)
    assert tally.tolist() == [24, 24]


def test_nobody_has_a_partner(task):
    rows = np.sort([np.flatnonzero(task.train.label == y)[0] for y in range(3)])
    part = TrainingPart(task, rows)
    assert theta_of(part, 0.5, 0.1, RNG(0)) == 0
    made, missed = theta_similarity_mixing(part, 2, 0.5, 0.0, 5, RNG(0))
    assert missed == 0 and np.array_equal(made.iq[3:], made.iq[:3])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"n_fold": 0}, "n_fold: expected 1"), ({"ratio": 0.001}, "ratio: expected 0.0156 to 1")],
)
def test_sizes_that_mean_nothing_are_refused(part, wrong, says):
    with pytest.raises(ValueError, match=says):
        random_mixing(part, **({"n_fold": 2, "ratio": 0.5} | wrong), rng=RNG(0))


# --- in batches

SHORT = Recipe(epochs=2, batch=20)
RULES = {
    "RM": own_child(partial(random_pairs, ratio=0.5)),
    "MSM": own_child(partial(most_similar_pairs, ratio=0.5, stride=16)),
    "n-RM": partial(n_random_children, ratio=0.25, n=4),
    "copies": other_burst,
}


def trained(part, change=None, seeds=("a",), **how):
    """Logits of networks trained on the part: with a mixing transform, on row numbers."""
    signals = part.task.train if change is None else numbered(part)
    fitted = fit(
        lambda classes, length, copies: MODELS["CNN1D"](3, length, copies),
        signals, [part.rows] * len(seeds), seeds, SHORT, transform=change, **how,
    )  # fmt: skip
    assert not fitted.diverged
    return torch.cat([logits_of(network, part.task.test) for network in fitted.networks])


@pytest.mark.parametrize("rule", RULES)
def test_a_mixed_training_runs_and_is_reproducible(part, rule):
    change = in_batches(part, RULES[rule], 0.5)
    found = trained(part, change)
    assert torch.equal(found, trained(part, change)) and found.isfinite().all()
    assert not torch.equal(found, trained(part))


def test_with_chance_0_it_is_the_training_without(part):
    assert torch.equal(trained(part, in_batches(part, RULES["RM"], 0.0)), trained(part))


def test_a_replica_is_the_same_alone_and_in_a_stack(part):
    change = in_batches(part, RULES["RM"], 0.5)
    both = trained(part, change, seeds=("a", "b"), together=2)
    alone = torch.cat([trained(part, change, seeds=(seed,)) for seed in "ab"])
    torch.testing.assert_close(both, alone, rtol=1e-3, atol=1e-4)


def batch(part, replicas=2):
    rows = np.stack([RNG(r).choice(part.rows, 20, replace=False) for r in range(replicas)], 1)
    iq = torch.from_numpy(part.task.train.iq[rows])
    return iq, torch.from_numpy(rows), [RNG(10 + r) for r in range(replicas)]


def test_a_batch_takes_about_its_share_and_hands_classes_on(part):
    signals, rows, rngs = batch(part)
    mixed, labels = in_batches(part, RULES["RM"], 0.5)(signals, rows, rngs)
    assert np.array_equal(labels.numpy(), part.task.train.label[rows.numpy()])
    changed = (mixed != signals).any(dim=3).any(dim=2)
    assert 0.3 < changed.float().mean() < 0.7
    group = {row: part.group[place] for place, row in enumerate(part.rows)}
    for b, r in changed.nonzero().tolist():
        sources = part.signals.iq[part.group == group[int(rows[b, r])]]
        assert (mixed[b, r].numpy() == sources).all(axis=1).any(axis=0).all()


def test_a_signal_outside_the_part_is_refused(task, part):
    outside = np.setdiff1d(np.arange(64), part.rows)[:1]
    change = in_batches(part, RULES["RM"], 0.5)
    iq = torch.from_numpy(task.train.iq[outside])[:, None]
    with pytest.raises(ValueError, match="a signal of the batch is not of the part"):
        change(iq, torch.from_numpy(outside)[:, None], [RNG(0)])
    with pytest.raises(ValueError, match="chance: expected 0 to 1, got 1.5"):
        in_batches(part, RULES["RM"], 1.5)


# --- what it is compared with


def test_rotation_turns_each_signal_by_one_phase(part):
    signals, rows, rngs = batch(part)
    turned, labels = rotation(signals, rows, rngs)
    assert torch.equal(labels, rows)
    before, after = (torch.complex(x[:, :, 0], x[:, :, 1]) for x in (signals, turned))
    phase = (after / before).angle()
    around = torch.exp(1j * (phase - phase[..., :1])).angle()
    assert around.abs().max() < 1e-3 and phase[..., 0].std() > 1
    torch.testing.assert_close(after.abs(), before.abs(), rtol=1e-4, atol=1e-5)


def test_flip_changes_signs_alone_and_noise_has_its_power(part):
    signals, rows, rngs = batch(part)
    flipped, _ = flip(signals, rows, rngs)
    signs = (flipped / signals)[..., 0]
    assert torch.equal(flipped, signals * signs[..., None])
    assert set(signs.unique().tolist()) == {-1, 1}
    noisy, _ = noise(signals, rows, rngs, below_db=20.0)
    ratio = (noisy - signals).square().mean() / signals.square().mean()
    assert 10 * math.log10(ratio) == pytest.approx(-20, abs=0.3)


@pytest.mark.parametrize("mix", [partial(mixup, alpha=0.2), cutmix])
def test_soft_targets_are_the_shares_of_the_signals(part, mix):
    signals, rows, rngs = batch(part)
    labels = torch.from_numpy(part.task.train.label)[rows]
    ones = torch.ones_like(signals) * (labels[..., None, None] == 0)  # 1 where the class is 0
    mixed, soft = mix(ones, labels, rngs, classes=3)
    assert soft.shape == (20, 2, 3)
    torch.testing.assert_close(soft.sum(2), torch.ones(20, 2))
    torch.testing.assert_close(mixed.mean(dim=(2, 3)), soft[..., 0])


@pytest.mark.parametrize("mix", [partial(mixup, alpha=0.2), cutmix])
def test_they_train(part, mix):
    def change(signals, labels, rngs):
        return mix(signals, labels, rngs, classes=3)

    fitted = fit(MODELS["CNN1D"], part.task.train, [part.rows], ["a"], SHORT, transform=change)
    assert not fitted.diverged


def test_mixing_goes_under_rotation(part):
    signals, rows, _ = batch(part)
    under = one_after_another(in_batches(part, RULES["RM"], 0.5), rotation)
    found, labels = under(signals, rows, [RNG(0), RNG(1)])
    rngs = [RNG(0), RNG(1)]
    mixed, classes = in_batches(part, RULES["RM"], 0.5)(signals, rows, rngs)
    assert torch.equal(found, rotation(mixed, classes, rngs)[0])
    assert torch.equal(labels, classes)


def test_numbered_signals_are_the_training_signals(part):
    assert isinstance(numbered(part), Signals)
    assert numbered(part).iq is part.task.train.iq
    assert replace(part, rows=part.rows[:4]).signals.iq.shape == (4, 2, 64)


# --- versions

# Of `digest` below, by VERSION. Children are copies of samples: their bytes are the same anywhere.
DIGESTS = {1: "89c8142737bb38f8d601a8fc5b55d6b4538f8e5fb97bf6dea41167e62e072545"}


def digest(part):
    """SHA-256 of what rules and transforms make of signals of whole numbers."""
    iq = RNG(0).integers(-50, 50, size=part.task.train.iq.shape).astype(np.float32)
    train = Signals(iq, part.task.train.label, part.task.train.snr, part.task.train.classes)
    part = TrainingPart(replace(part.task, train=train), part.rows)
    found = sha256()
    for made in offline(part).values():
        found.update(made.iq.tobytes())
    signals, rows, _ = batch(part)
    across = partial(cutmix, classes=3)
    together = one_after_another(in_batches(part, RULES["RM"], 0.5), across)
    found.update(together(signals, rows, [RNG(1), RNG(2)])[0].numpy().tobytes())
    return found.hexdigest()


def test_other_children_need_a_raised_version(part):
    assert DIGESTS.get(mixing.VERSION) == digest(part), (
        "the same arguments give other signals: raise companions.mixing.VERSION and note the digest"
    )

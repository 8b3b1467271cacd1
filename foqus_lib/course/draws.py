"""Exercises on drawing: a right draw, and the ways to get one wrong, checked by laws."""

import numpy as np

from foqus_lib.course.exercise import Exercise, Mistake
from foqus_lib.course.laws import see_snr, see_tiers, see_uniform
from foqus_lib.selection.budget import apportion

SHARES = (0.4, 0.4, 0.2)


def _balanced(pick, quotas=None):
    """A draw class by class: pick(rows, quota, rng)."""

    def draw(label, k, rng):
        pools = [np.flatnonzero(label == y) for y in np.unique(label)]
        sizes = [len(pool) for pool in pools]
        each = (quotas or _largest_remainder)(k, sizes)
        found = [pick(pool, q, rng) for pool, q in zip(pools, each, strict=True)]
        return np.concatenate(found)

    return draw


def _largest_remainder(k, sizes):
    return apportion(k, [1] * len(sizes), sizes)


def _no_ceiling(k, sizes):
    """Equal quotas; what a small class has not got is lost."""
    equal = apportion(k, [1] * len(sizes), [k] * len(sizes))
    return [min(q, size) for q, size in zip(equal, sizes, strict=True)]


def _shuffled(pool, quota, rng):
    return rng.permutation(pool)[:quota]


GENERATOR = (
    "it gives the same rows for every rng. Do not take the first of the file (it is sorted by "
    "class and SNR) and do not make a generator inside: shuffle with the rng that is given."
)
TWICE = "a row is drawn twice: rng.choice replaces unless told `replace=False`."
ELSEWHERE = (
    "the lot is not that of the rng given (`np.random`, `random` or a generator without a seed): "
    "nobody could repeat the draw."
)
PLACES = (
    "these are places inside a group: rows of the whole set are asked for, so look them up in the "
    "group's rows (`rows[places]`)."
)


def _elsewhere(pool, quota, rng):
    return np.random.default_rng().permutation(pool)[:quota]


def _places(pool, quota, rng):
    return rng.permutation(len(pool))[:quota]


def _labels(rng):
    sizes = rng.integers(12, 30, size=3)
    label = rng.permutation(np.repeat(np.arange(3), sizes))
    return label, int(rng.integers(8, 30))


def _labels_small_class(rng):
    """A class of 3 in one case of two, so that it cannot give its share."""
    sizes = np.array([int(rng.choice([3, 15])), 20, 26])
    label = rng.permutation(np.repeat(np.arange(3), sizes))
    return label, int(rng.integers(16, 30))


uniform = Exercise(
    asks="label (N,), k, rng -> (k,) distinct rows by lot, as many of every class as can be",
    right=_balanced(_shuffled),
    hand=(np.repeat([0, 1, 2], [4, 20, 20]), 18),
    worked={
        "the same number of every class": True,  # 4, 7, 7: the small class is used up
        "k rows": True,
        "no row twice": True,
        "another rng, another draw": True,
        "the same rng, the same draw": True,
        "the same chance for all signals of a group": True,
    },
    random=_labels_small_class,
    mistakes=(
        Mistake(
            lambda label, k, rng: rng.permutation(len(label))[:k],
            "a class gets a share by its size, as from one pot: draw each class by itself, "
            "and as many of every class.",
        ),
        Mistake(_balanced(lambda pool, quota, rng: pool[:quota]), GENERATOR),
        Mistake(
            _balanced(lambda pool, quota, rng: np.random.default_rng(0).permutation(pool)[:quota]),
            GENERATOR,
        ),
        Mistake(_balanced(lambda pool, quota, rng: rng.choice(pool, quota)), TWICE),
        Mistake(
            _balanced(_shuffled, lambda k, sizes: [min(k // len(sizes), s) for s in sizes]),
            "k // C leaves a remainder, and a small class leaves its share: k rows are asked for.",
        ),
        Mistake(
            _balanced(_shuffled, _no_ceiling),
            "unbalanced classes: what a small class cannot give has to come from the others.",
        ),
        Mistake(_balanced(_elsewhere), ELSEWHERE),
        Mistake(_balanced(_places), PLACES),
    ),
    see=see_uniform,
    cases=4,
)


def _cells(rng):
    """Nine cells (three classes by three SNRs) of 6 to 12 signals."""
    sizes = rng.integers(6, 13, size=9)
    cell = rng.permutation(np.repeat(np.arange(9), sizes))
    return cell // 3, 10.0 * (cell % 3), int(rng.integers(20, 40))


def _nested(label, snr, k, rng, pick=_shuffled, quotas=None):
    each = (quotas or _largest_remainder)(k, [int((label == y).sum()) for y in np.unique(label)])
    found = []
    for y, quota in zip(np.unique(label), each, strict=True):
        rows = np.flatnonzero(label == y)
        found.append(rows[_balanced(pick, quotas)(snr[rows], quota, rng)])
    return np.concatenate(found)


def _at_once(label, snr, k, rng, quotas=None):
    """A quota for each pair of class and SNR, without classes first."""
    return _balanced(_shuffled, quotas)(100 * label + snr, k, rng)


def _floors(k, sizes):
    return [k // len(sizes)] * len(sizes)


HIGHEST = (
    "the highest SNRs are taken: a coreset without noise. Asked for are equal numbers of each SNR."
)
snr_balanced = Exercise(
    asks="label (N,), snr (N,) dB, k, rng -> (k,) rows: equal numbers of every class, and inside "
    "each class of every SNR",
    right=_nested,
    hand=(np.repeat([0, 1], 12), np.tile([-10.0, 0.0, 10.0], 8), 12),
    worked={
        "the same number of every class": True,  # 6 and 6, of each 2, 2, 2
        "the same number of every SNR inside each class": True,
        "every SNR is kept at times": True,
        "about the same number of every SNR": True,
        "k rows": True,
        "no row twice": True,
        "another rng, another draw": True,
        "the same rng, the same draw": True,
        "the same chance for all signals of a group": True,
    },
    random=_cells,
    mistakes=(
        Mistake(
            lambda label, snr, k, rng: _balanced(_shuffled)(label, k, rng),
            "classes are balanced, SNRs inside a class are not: go one level deeper.",
        ),
        Mistake(
            lambda label, snr, k, rng: _balanced(_shuffled)(snr, k, rng),
            "SNRs are balanced over all classes together, so classes are not: class first, then "
            "SNR.",
        ),
        Mistake(
            lambda label, snr, k, rng: rng.permutation(len(label))[:k],
            "all signals are in one pot: that is Uniform without any balance.",
        ),
        Mistake(lambda label, snr, k, rng: np.lexsort((rng.random(len(snr)), -snr))[:k], HIGHEST),
        Mistake(
            lambda label, snr, k, rng: _nested(label, snr, k, np.random.default_rng(0)), GENERATOR
        ),
        Mistake(lambda label, snr, k, rng: _nested(label, snr, k, rng, pick=_elsewhere), ELSEWHERE),
        *(
            Mistake(answer, "a quota rounded down leaves a remainder: k rows are asked for.")
            for answer in (
                lambda label, snr, k, rng: _nested(label, snr, k, rng, quotas=_floors),
                lambda label, snr, k, rng: _at_once(label, snr, k, rng, quotas=_floors),
            )
        ),
        Mistake(
            _at_once,
            "all pairs of class and SNR share one remainder, and it falls on one class: quotas of "
            "the classes first, then of the SNRs inside each.",
        ),
        Mistake(
            lambda label, snr, k, rng: _nested(
                label, snr, k, rng, pick=lambda pool, quota, rng: rng.choice(pool, quota)
            ),
            TWICE,
        ),
    ),
    see=see_snr,
    cases=4,
)


def _one_class(rng):
    n = int(rng.integers(10, 16)) * 3
    return rng.exponential(1, n), SHARES, int(rng.integers(2, 4)) * 5


def _tiered(inside=_shuffled, sign=-1, swap=lambda shares: shares):
    def draw(score, shares, k, rng):
        parts = np.array_split(np.argsort(sign * score), 3)
        each = apportion(k, swap(shares), [len(part) for part in parts])
        return np.concatenate([inside(p, q, rng) for p, q in zip(parts, each, strict=True)])

    return draw


def _by_weight(score, shares, k, rng):
    chance = np.empty(len(score))
    for part, share in zip(np.array_split(np.argsort(-score), 3), shares, strict=True):
        chance[part] = share / len(part)
    return rng.choice(len(score), k, replace=False, p=chance)


def _share_of_tier(score, shares, k, rng):
    parts = zip(np.array_split(np.argsort(-score), 3), shares, strict=True)
    return np.concatenate([_shuffled(part, round(share * len(part)), rng) for part, share in parts])


tier_draw = Exercise(
    asks="score (n,) of one class, shares of top, middle and bottom tier, k, rng -> (k,) rows",
    right=_tiered(),
    hand=(np.arange(30.0), SHARES, 10),
    worked={
        "the filling of the tiers (-1 too empty, 1 too full)": [0, 0, 0],  # 4, 4, 2
        "so in each draw": True,
        "k rows": True,
        "no row twice": True,
        "another rng, another draw": True,
        "the same rng, the same draw": True,
        "the same chance for all signals of a group": True,
    },
    random=_one_class,
    mistakes=(
        Mistake(
            lambda score, shares, k, rng: np.argsort(-score)[:k],
            "the top k are kept: no tier but the first is asked. Draw a share of k from each.",
        ),
        Mistake(_tiered(sign=1), "turned round: argsort begins with the lowest score."),
        Mistake(
            _tiered(lambda part, quota, rng: part[:quota]),
            "inside a tier the highest are kept; draw there at random, with the rng that is given.",
        ),
        Mistake(
            _tiered(swap=lambda shares: (1, 1, 1)),
            "the shares are not used. With equal ones all have one chance, whatever the score.",
        ),
        Mistake(_tiered(lambda part, quota, rng: rng.choice(part, quota)), TWICE),
        Mistake(_tiered(_elsewhere), ELSEWHERE),
        Mistake(_tiered(_places), PLACES),
        Mistake(
            _by_weight,
            "shares are used as chances: their numbers then differ by draw. Take a "
            "quota of k from each tier.",
        ),
        Mistake(
            _share_of_tier,
            "a share of each tier is drawn; shares are of k: so many of the k rows come from it.",
        ),
        Mistake(
            _tiered(swap=lambda shares: (shares[0], shares[2], shares[1])),
            "middle and bottom tier have changed places: shares go from the highest scores down.",
        ),
    ),
    see=see_tiers,
    cases=4,
)


EXERCISES = {"uniform": uniform, "snr_balanced": snr_balanced, "tier_draw": tier_draw}

"""Exercises on drawing: laws that any right draw keeps, seen over many draws of each case.

A draw has no one right answer. So what is compared is what 60 draws have in common: how many rows,
whether each of them is distinct, the quotas, and whether chance gives each signal its share.
"""

import numpy as np

from foqus_lib.course.exercise import Answer, Exercise, Mistake, Seen
from foqus_lib.seeds import rng_for
from foqus_lib.selection.budget import apportion

DRAWS = 60
SHARES = (0.4, 0.4, 0.2)


# ---- the laws ------------------------------------------------------------------------------------


def _many(answer: Answer, *given) -> list[np.ndarray]:
    return [
        np.asarray(answer(*given, rng_for("course", "draw", n))).astype(np.int64)
        for n in range(DRAWS)
    ]


def _even(rows: np.ndarray, of: np.ndarray) -> bool:
    """As many of every group as of any other, up to one; a group that is used up may have fewer."""
    kept = [int((of[rows] == one).sum()) for one in np.unique(of)]
    sizes = [int((of == one).sum()) for one in np.unique(of)]
    return all(a >= size or a >= max(kept) - 1 for a, size in zip(kept, sizes, strict=True))


def _fair(drawn: list[np.ndarray], pool: np.ndarray) -> bool:
    """Every pool's signals are drawn about equally often: within 5.5 standard deviations."""
    often = sum(np.bincount(rows, minlength=len(pool)) for rows in drawn) / len(drawn)
    for one in np.unique(pool):
        share = often[pool == one].mean()
        allowed = 5.5 * np.sqrt(max(share * (1 - share), 0) / len(drawn)) + 1e-9
        if (abs(often[pool == one] - share) > allowed).any():
            return False
    return True


def _laws(drawn: list[np.ndarray], k: int, pool: np.ndarray) -> Seen:
    """Of all draws: k rows, no row twice, another draw for another rng, and a fair one."""
    first = drawn[0].tolist()
    return {
        "k rows": all(len(rows) == k for rows in drawn),
        "no row twice": all(len(set(rows.tolist())) == len(rows) for rows in drawn),
        "another rng, another draw": any(rows.tolist() != first for rows in drawn),
        "the same chance for all signals of a group": _fair(drawn, pool),
    }


def _see_uniform(answer: Answer, given: tuple) -> Seen:
    label, k = given
    drawn = _many(answer, label, k)
    even = {"the same number of every class": all(_even(rows, label) for rows in drawn)}
    return even | _laws(drawn, k, label)


def _see_snr(answer: Answer, given: tuple) -> Seen:
    label, snr, k = given
    drawn = _many(answer, label, snr, k)
    by_class = [np.flatnonzero(label == y) for y in np.unique(label)]
    inside = all(
        _even(np.flatnonzero(np.isin(rows, kept)), snr[rows]) for kept in drawn for rows in by_class
    )
    even = {
        "the same number of every class": all(_even(kept, label) for kept in drawn),
        "the same number of every SNR inside each class": inside,
        "every SNR is kept at times": set(snr) == set(snr[np.concatenate(drawn)]),
        "the same number of every SNR": all(_spread(kept, snr) < 3 for kept in drawn),
    }
    return even | _laws(drawn, k, 1000 * label + snr)


def _spread(rows: np.ndarray, of: np.ndarray) -> int:
    kept = [(of[rows] == one).sum() for one in np.unique(of)]
    return int(max(kept) - min(kept))


def _see_tiers(answer: Answer, given: tuple) -> Seen:
    """Also how full the tiers are, beside k times their shares: -1 too empty, 1 too full."""
    score, shares, k = given
    drawn = _many(answer, score, shares, k)
    tier = np.empty(len(score), dtype=np.int64)
    for number, part in enumerate(np.array_split(np.argsort(-score), 3)):
        tier[part] = number
    kept = np.mean([np.bincount(tier[rows], minlength=3) for rows in drawn], axis=0)
    off = kept - k * np.array(shares)
    full = {"the filling of the tiers (-1 too empty, 1 too full)": np.sign(off) * (abs(off) >= 1)}
    return full | _laws(drawn, k, tier)


# ---- how an answer may look ----------------------------------------------------------------------


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
    ),
    see=_see_uniform,
    cases=4,
)


def _cells(rng):
    """Nine cells (three classes by three SNRs) of 6 to 12 signals."""
    sizes = rng.integers(6, 13, size=9)
    cell = rng.permutation(np.repeat(np.arange(9), sizes))
    return cell // 3, 10.0 * (cell % 3), int(rng.integers(20, 40))


def _nested(label, snr, k, rng):
    each = _largest_remainder(k, [int((label == y).sum()) for y in np.unique(label)])
    found = []
    for y, quota in zip(np.unique(label), each, strict=True):
        rows = np.flatnonzero(label == y)
        found.append(rows[_balanced(_shuffled)(snr[rows], quota, rng)])
    return np.concatenate(found)


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
        "the same number of every SNR": True,
        "k rows": True,
        "no row twice": True,
        "another rng, another draw": True,
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
    ),
    see=_see_snr,
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


tier_draw = Exercise(
    asks="score (n,) of one class, shares of top, middle and bottom tier, k, rng -> (k,) rows",
    right=_tiered(),
    hand=(np.arange(30.0), SHARES, 10),
    worked={
        "the filling of the tiers (-1 too empty, 1 too full)": [0, 0, 0],  # 4, 4, 2
        "k rows": True,
        "no row twice": True,
        "another rng, another draw": True,
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
            "the shares are not used. With equal ones a tier draw is Uniform, whatever the score.",
        ),
        Mistake(_tiered(lambda part, quota, rng: rng.choice(part, quota)), TWICE),
    ),
    see=_see_tiers,
    cases=4,
)


EXERCISES = {"uniform": uniform, "snr_balanced": snr_balanced, "tier_draw": tier_draw}

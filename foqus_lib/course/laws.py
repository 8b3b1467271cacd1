"""What any right draw keeps, seen over many draws: the laws by which draws are checked.

A draw has no one right answer. So what is compared is what 60 draws have in common: how many rows,
whether each of them is distinct, the quotas, and whether chance gives each signal its share. One
more draw, with the first one's rng, says whether it can be repeated.
"""

import numpy as np

from foqus_lib.course.exercise import Answer, Seen
from foqus_lib.seeds import rng_for

DRAWS = 60


def _many(answer: Answer, *given) -> list[np.ndarray]:
    """60 draws, each with an rng of its own, and one more with the rng of the first."""
    return [_rows(answer(*given, rng_for("course", "draw", n))) for n in (*range(DRAWS), 0)]


def _rows(drawn: object) -> np.ndarray:
    rows = np.asarray(drawn)
    if rows.dtype == bool:
        raise ValueError("a mask came back; rows are asked for: np.flatnonzero(mask) has them")
    return rows.astype(np.int64)


def _even(rows: np.ndarray, of: np.ndarray) -> bool:
    """As many of every group as of any other, up to one; a group that is used up may have fewer."""
    kept, sizes = _counts(rows, of)
    return bool(((kept >= sizes) | (kept >= kept.max() - 1)).all())


def _counts(rows: np.ndarray, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many rows of each group, and how many there are."""
    groups, at = np.unique(of, return_inverse=True)
    return np.bincount(at[rows], minlength=len(groups)), np.bincount(at)


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
    """Of all draws: k rows, no row twice, another draw for another rng alone, and a fair one."""
    *drawn, again = drawn
    first = drawn[0].tolist()
    return {
        "k rows": all(len(rows) == k for rows in drawn),
        "no row twice": all(len(set(rows.tolist())) == len(rows) for rows in drawn),
        "another rng, another draw": any(rows.tolist() != first for rows in drawn),
        "the same rng, the same draw": again.tolist() == first,
        "the same chance for all signals of a group": _fair(drawn, pool),
    }


def see_uniform(answer: Answer, given: tuple) -> Seen:
    label, k = given
    drawn = _many(answer, label, k)
    even = {"the same number of every class": all(_even(rows, label) for rows in drawn)}
    return even | _laws(drawn, k, label)


def see_snr(answer: Answer, given: tuple) -> Seen:
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
        # a remainder of one in each class: classes together differ by no more than their number
        "about the same number of every SNR": all(
            _spread(kept, snr) <= len(by_class) for kept in drawn
        ),
    }
    return even | _laws(drawn, k, 1000 * label + snr)


def _spread(rows: np.ndarray, of: np.ndarray) -> int:
    kept, _ = _counts(rows, of)
    return int(kept.max() - kept.min())


def see_tiers(answer: Answer, given: tuple) -> Seen:
    """Also how full the tiers are, beside k times their shares: -1 too empty, 1 too full."""
    score, shares, k = given
    drawn = _many(answer, score, shares, k)
    tier = np.empty(len(score), dtype=np.int64)
    for number, part in enumerate(np.array_split(np.argsort(-score), 3)):
        tier[part] = number
    kept = np.array([np.bincount(tier[rows], minlength=3) for rows in drawn])
    each = kept - k * np.array(shares)
    off = each.mean(axis=0)
    full = {
        "the filling of the tiers (-1 too empty, 1 too full)": np.sign(off) * (abs(off) >= 1),
        "so in each draw": bool((abs(each) < 1).all()),
    }
    return full | _laws(drawn, k, tier)

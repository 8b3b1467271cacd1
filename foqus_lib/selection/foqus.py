"""Section III-B of the paper, one function an equation. Arrays in, arrays out.

T recorded epochs (first axis), N signals, C classes. Losses in nats. F, E and Q are Eqs. 4, 5, 7.
Algorithm 1, lines 10-12, is in `tiers`.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from foqus_lib.errors import unknown
from foqus_lib.selection.checks import finite

TERMS = ("F", "E", "Q")  # of Eq. 8: forgetting, persistent error, quality
BETA = 0.1  # "set to 0.1 by default", below Eq. 7


def forgetting_score(c: Bool[ndarray, "T N"]) -> Int[ndarray, " N"]:
    """Eq. 4: F, how often right at epoch t-1 and wrong at t; 0 to T/2. Never learned counts 0."""
    _at_least_two(c)
    return (c[:-1] & ~c[1:]).sum(axis=0)


def persistent_error_score(c: Bool[ndarray, "T N"]) -> Int[ndarray, " N"]:
    """Eq. 5: E, how often wrong at epoch t-1 and still wrong at t; 0 to T-1."""
    _at_least_two(c)
    return (~c[:-1] & ~c[1:]).sum(axis=0)


def correctness_count(c: Bool[ndarray, "T N"]) -> Int[ndarray, " N"]:
    """Eq. 6, right: in how many epochs the signal was right (a count, though printed as an L)."""
    return c.sum(axis=0)


def accumulated_loss(loss: Float[ndarray, "T N"]) -> Float[ndarray, " N"]:
    """Eq. 6, left: the cross-entropy summed over epochs, in nats [A4]."""
    return finite("loss", loss).sum(axis=0, dtype=np.float64)


def quality_score(
    c: Bool[ndarray, "T N"], loss: Float[ndarray, "T N"], beta: float = BETA
) -> Float[ndarray, " N"]:
    """Eq. 7: Q, the share of epochs right less beta times the mean loss."""
    return correctness_count(c) / len(c) - beta * accumulated_loss(loss) / len(c)


def foqus_score(
    c: Bool[ndarray, "T N"],
    loss: Float[ndarray, "T N"],
    terms: Sequence[str] = TERMS,
    beta: float = BETA,
) -> Float[ndarray, " N"]:
    """Eq. 8: S = F/(T-1) + E/(T-1) + Q, as printed [A5]; `terms`: those that are added (Table V).

    Counts are added as whole numbers over the common denominator T (T-1) and divided once, so that
    signals with equal counts are equal to the last bit.
    """
    _computable(c, terms)
    t = len(c)
    counts = {
        "F": lambda: t * forgetting_score(c),
        "E": lambda: t * persistent_error_score(c),
        "Q": lambda: (t - 1) * correctness_count(c),
    }
    score = sum(counts[term]() for term in terms) / (t * (t - 1))
    return score - beta * accumulated_loss(loss) / t if "Q" in terms else score


def foqus_score_min_max(
    c: Bool[ndarray, "T N"],
    loss: Float[ndarray, "T N"],
    terms: Sequence[str] = TERMS,
    beta: float = BETA,
) -> Float[ndarray, " N"]:
    """Eq. 8, the other reading: S = mm(F) + mm(E) + mm(Q), each term scaled to 0..1 [A5].

    mm(x) = (x - min x) / (max x - min x) over all N signals given; a term without range is 0 [A6].
    One signal of huge loss sets min Q and squeezes Q of all the others. F and E are added as whole
    numbers over their common denominator.
    """
    _computable(c, terms)
    counts = {"F": forgetting_score, "E": persistent_error_score}
    above = [counts[term](c) - counts[term](c).min() for term in terms if term in counts]
    above = [x for x in above if x.max() > 0]
    common = math.prod(int(x.max()) for x in above)
    whole = sum((x * (common // int(x.max())) for x in above), start=np.zeros(c.shape[1], np.int64))
    score = whole / common
    return score + min_max(quality_score(c, loss, beta)) if "Q" in terms else score


def min_max(x: Float[ndarray, " N"]) -> Float[ndarray, " N"]:
    """(x - min x) / (max x - min x); all 0 if x has no range."""
    low, high = x.min(), x.max()
    return (x - low) / (high - low if high > low else 1)


def foqus_identity_remainder(c: Bool[ndarray, "T N"]) -> Float[ndarray, " N"]:
    """(c_1 - m)/T with m the mean of c_2..c_T: all of Eq. 8 that is not mean loss.

    Each wrong epoch after the first is counted once, in F or in E, and the count of Q takes it
    back, so that exactly S = 1 + (c_1 - m)/T - beta * mean loss. The remainder is within +-1/T.
    """
    _at_least_two(c)
    return (c[0] - c[1:].mean(axis=0)) / len(c)


def _computable(c: Bool[ndarray, "T N"], terms: Sequence[str]) -> None:
    """What both readings of Eq. 8 refuse, whatever its terms."""
    _at_least_two(c)
    for term in terms:
        if term not in TERMS:
            raise unknown("term", term, TERMS)


def _at_least_two(c: Bool[ndarray, "T N"]) -> None:
    if len(c) < 2:
        raise ValueError(
            f"correct: Eqs. 4, 5 and 8 compare an epoch with the one before and want T >= 2; "
            f"got T = {len(c)}. Record more epochs of the selection training"
        )

"""Section III-B of the paper, one function an equation. Arrays in, arrays out.

T recorded epochs (first axis), N signals, C classes. Losses in nats. F, E and Q are Eqs. 4, 5, 7.
Algorithm 1, lines 10-12, is in `tiers`.
"""

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from foqus_lib.selection.checks import finite

BETA = 0.1  # "set to 0.1 by default", below Eq. 7


def predicted_label(logits: Float[ndarray, "*batch C"]) -> Int[ndarray, "*batch"]:
    """Eq. 2: y_hat, the class of the largest logit (the first of equals)."""
    return logits.argmax(axis=-1)


def correctness(predicted: Int[ndarray, "T N"], label: Int[ndarray, " N"]) -> Bool[ndarray, "T N"]:
    """Eq. 3: c_t, whether the prediction of epoch t is the label."""
    return predicted == label


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


def as_printed(
    c: Bool[ndarray, "T N"], loss: Float[ndarray, "T N"], beta: float = BETA
) -> Float[ndarray, "3 N"]:
    """The three terms of Eq. 8 as printed: F/(T-1), E/(T-1), Q [A5]."""
    steps = len(c) - 1
    return np.stack([
        forgetting_score(c) / steps, persistent_error_score(c) / steps, quality_score(c, loss, beta)
    ])  # fmt: skip


def min_max(
    c: Bool[ndarray, "T N"], loss: Float[ndarray, "T N"], beta: float = BETA
) -> Float[ndarray, "3 N"]:
    """The three terms of Eq. 8 as the prose has them: F, E, Q, each scaled to 0..1 [A5].

    The range is that of all N signals given; a term without range is 0 [A6]. One signal of huge
    loss sets min Q and squeezes Q of all the others.
    """
    terms = as_printed(c, loss, beta)
    low, high = terms.min(axis=1, keepdims=True), terms.max(axis=1, keepdims=True)
    return (terms - low) / np.where(high > low, high - low, 1)


def foqus_score(
    c: Bool[ndarray, "T N"], loss: Float[ndarray, "T N"], beta: float = BETA
) -> Float[ndarray, " N"]:
    """Eq. 8: S = F/(T-1) + E/(T-1) + Q, as printed."""
    return as_printed(c, loss, beta).sum(axis=0)


def foqus_score_min_max(
    c: Bool[ndarray, "T N"], loss: Float[ndarray, "T N"], beta: float = BETA
) -> Float[ndarray, " N"]:
    """Eq. 8, the other reading: S = mm(F) + mm(E) + mm(Q), each term scaled to 0..1."""
    return min_max(c, loss, beta).sum(axis=0)


def foqus_identity_remainder(c: Bool[ndarray, "T N"]) -> Float[ndarray, " N"]:
    """(c_1 - m)/T with m the mean of c_2..c_T: all of Eq. 8 that is not mean loss.

    Each wrong epoch after the first is counted once, in F or in E, and the count of Q takes it
    back, so that exactly S = 1 + (c_1 - m)/T - beta * mean loss. The remainder is within +-1/T.
    """
    _at_least_two(c)
    return (c[0] - c[1:].mean(axis=0)) / len(c)


def _at_least_two(c: Bool[ndarray, "T N"]) -> None:
    if len(c) < 2:
        raise ValueError(
            f"correct: Eqs. 4, 5 and 8 compare an epoch with the one before and want T >= 2; "
            f"got T = {len(c)}. Record more epochs of the selection training"
        )

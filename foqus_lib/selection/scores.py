"""Baselines of Section IV-A that give every signal a number. Higher is kept first."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from foqus_lib.evidence import Evidence
from foqus_lib.selection import foqus
from foqus_lib.selection.divergence import log_softmax
from foqus_lib.selection.neighbours import nearest_others

NEIGHBOURS = 10  # of Cal


def forgetting(evidence: Evidence) -> Float[ndarray, " N"]:
    """Toneva et al. 2019: how often right became wrong; never learned counts as T, the most [A14].

    Counts tie heavily, so the seeded tie-break is much of the method.
    """
    c = evidence.correct
    return np.where(c.any(axis=0), foqus.forgetting_score(c), len(c)).astype(np.float64)


def grand(evidence: Evidence) -> Float[ndarray, " N"]:
    """Paul et al. 2021: the loss gradient's norm, last layer, mean over R early trainings [A17]."""
    logits = early_logits(evidence, "GraNd")
    norms = last_layer_gradient_norm(logits, evidence.embedding_norm_early, evidence.label)
    return norms.mean(axis=0)


def early_logits(evidence: Evidence, wanted_by: str) -> Float[ndarray, "R N C"]:
    """Of the short independent trainings; ValueError if there was none, or what became of them."""
    if evidence.early_lost:
        raise ValueError(f"{wanted_by} has no early training to look at: {evidence.early_lost}")
    if len(evidence.logits_early) == 0:
        raise ValueError(
            f"evidence.logits_early: {wanted_by} wants at least one early training, got 0. "
            "Collect the evidence with early runs"
        )
    return evidence.logits_early


def last_layer_gradient_norm(
    logits: Float[ndarray, "R N C"],
    embedding_norm: Float[ndarray, "R N"],
    label: Int[ndarray, " N"],
) -> Float[ndarray, "R N"]:
    """|(p - onehot(y)) [h, 1]^T| = |p - onehot(y)| sqrt(1 + |h|^2): weights and bias."""
    return error_norm(logits, label) * np.sqrt(1 + embedding_norm.astype(np.float64) ** 2)


def error_norm(logits: Float[ndarray, "R N C"], label: Int[ndarray, " N"]) -> Float[ndarray, "R N"]:
    """|p - onehot(y)|_2."""
    error = np.exp(log_softmax(logits))
    error[:, np.arange(len(label)), label] -= 1
    return np.linalg.norm(error, axis=2)


def cal(evidence: Evidence) -> Float[ndarray, " N"]:
    """Margatina et al. 2021: mean KL(p_j || p_i) over the 10 nearest j, of all classes [A15].

    High where similar embeddings get different predictions.
    """
    return _contrast(evidence.embedding, log_softmax(evidence.logits))


def cal_in_class(evidence: Evidence) -> Float[ndarray, " N"]:
    """The same with neighbours of i's own class only, as common libraries have it. A control."""
    score, log_p = np.zeros(len(evidence)), log_softmax(evidence.logits)
    for y in np.unique(evidence.label):
        rows = np.flatnonzero(evidence.label == y)
        score[rows] = _contrast(evidence.embedding[rows], log_p[rows])
    return score


def _contrast(
    embedding: Float[ndarray, "n D"], log_p: Float[ndarray, "n C"]
) -> Float[ndarray, " n"]:
    """Mean KL(p_j || p_i) over the 10 nearest others, or all if fewer; 0 for one signal alone.

    With h_j = p_j . log p_j it is mean h_j - (mean p_j) . log p_i, and needs no (n, 10, C) array.
    """
    count = min(NEIGHBOURS, len(log_p) - 1)
    if count < 1:
        return np.zeros(len(log_p))
    p = np.exp(log_p)
    h = (p * log_p).sum(axis=1)
    near = nearest_others(embedding, count)
    mean_p = sum(p[column] for column in near.T) / count
    return h[near].mean(axis=1) - (mean_p * log_p).sum(axis=1)


def least_confidence(evidence: Evidence) -> Float[ndarray, " N"]:
    """1 - max p (Coleman et al. 2020), as the sum of the other p: no ties among sure signals."""
    return _ascending_p(evidence)[:, :-1].sum(axis=1)


def entropy(evidence: Evidence) -> Float[ndarray, " N"]:
    """-sum p log p in nats (Coleman et al. 2020)."""
    log_p = log_softmax(evidence.logits)
    return -(np.exp(log_p) * log_p).sum(axis=1)


def margin(evidence: Evidence) -> Float[ndarray, " N"]:
    """1 less the gap between the two likeliest classes (Coleman et al. 2020).

    1 - (p1 - p2) = p2 + sum of all but p1, summed that way for no ties among sure signals.
    """
    p = _ascending_p(evidence)
    return p[:, -2:-1].sum(axis=1) + p[:, :-1].sum(axis=1)


def mean_loss(evidence: Evidence) -> Float[ndarray, " N"]:
    """Minus the mean loss over epochs: what FoQuS as printed nearly is. A control."""
    return -foqus.accumulated_loss(evidence.loss) / len(evidence.loss)


def _ascending_p(evidence: Evidence) -> Float[ndarray, "N C"]:
    return np.sort(np.exp(log_softmax(evidence.logits)), axis=1)

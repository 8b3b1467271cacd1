"""What the selectors are measured against: the same rules in the plain form of common libraries.

Written anew from the description of that form in the literature of this project: a matrix of all
distances to the picks, the rows that are left copied at every pick, sums over the picks formed
again, a full sort of all n^2 distances, gradients as outer products. float32, as is usual there.
Directions are those of the papers, so that the picks can be compared. One pool a call.
"""

import torch
from torch import Tensor

BATCH = 256  # rows whose gradients are written out together


def euclidean(x: Tensor, y: Tensor) -> Tensor:
    """Distances of all pairs by the expanded square."""
    square = x.pow(2).sum(1, keepdim=True) + y.pow(2).sum(1) - 2 * x @ y.T
    return square.clamp(min=1e-12).sqrt()


def symmetric_kl(p: Tensor, q: Tensor) -> Tensor:
    """KL(p||q)/2 + KL(q||p)/2 of all pairs, from probabilities."""
    log_p, log_q = p.log(), q.log()
    own_p, own_q = (p * log_p).sum(1, keepdim=True), (q * log_q).sum(1)
    return (own_p - p @ log_q.T) / 2 + (own_q - log_p @ q.T) / 2


def k_center(x: Tensor, budget: int, start: int, metric=euclidean) -> list[int]:
    """Farthest first. Keeps the distance of every pick to every row; copies the free rows."""
    n = len(x)
    to_picks, nearest = torch.full((budget, n), torch.inf), torch.full((n,), torch.inf)
    free, rows, picks = torch.ones(n, dtype=torch.bool), torch.arange(n), [start]
    while True:
        free[picks[-1]] = False
        if len(picks) == budget:
            return picks
        last = len(picks) - 1
        to_picks[last, free] = metric(x[picks[-1:]], x[free])[0]
        nearest = torch.minimum(nearest, to_picks[last])
        picks.append(int(rows[free][nearest[free].argmax()]))


def herding(x: Tensor, budget: int) -> list[int]:
    """The free row that brings the mean of the picks closest to the mean of all."""
    free, rows, picks = torch.ones(len(x), dtype=torch.bool), torch.arange(len(x)), []
    mean = x.mean(0)
    for i in range(budget):
        wanted = (i + 1) * mean - x[~free].sum(0)
        picks.append(int(rows[free][euclidean(wanted[None], x[free])[0].argmin()]))
        free[picks[-1]] = False
    return picks


def cal_scores(x: Tensor, p: Tensor, count: int) -> Tensor:
    """Mean KL(p_j || p_i) over the nearest others: all distances, fully sorted."""
    near = euclidean(x, x).numpy().argsort(axis=1)[:, 1 : count + 1]
    scores = torch.empty(len(x))
    for i, others in enumerate(near):
        scores[i] = (p[others] * (p[others].log() - p[i].log())).sum(1).mean()
    return scores


def grand_scores(logits: Tensor, embedding: Tensor, label: Tensor) -> Tensor:
    """Norm of the last layer's gradient, outer products written out batch by batch."""
    norms = []
    for rows in torch.arange(len(logits)).split(BATCH):
        error = logits[rows].softmax(1)
        error[torch.arange(len(rows)), label[rows]] -= 1
        weight = error[:, :, None] * embedding[rows, None, :]
        norms.append(torch.cat([error, weight.flatten(1)], dim=1).norm(dim=1))
    return torch.cat(norms)


def uncertainty_scores(logits: Tensor) -> Tensor:
    """Least confidence, entropy, margin, highest first, batch by batch."""
    found = []
    for rows in logits.split(BATCH):
        p = rows.softmax(1)
        top = p.sort(dim=1, descending=True).values
        entropy = -(p * (p + 1e-12).log()).sum(1)
        found.append(torch.stack([1 - top[:, 0], entropy, top[:, 1] - top[:, 0]]))
    return torch.cat(found, dim=1)

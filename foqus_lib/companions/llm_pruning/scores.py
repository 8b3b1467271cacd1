"""How much each block seems to matter: lowest goes first. One number a block, all in one shot.

Lu et al. 2024 compare these; formulas from their text. Two slips of the public code are not
repeated: Block Influence also scores the last block, and averages over tokens; Taylor takes the
absolute value after all samples are added up, not batch by batch.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from foqus_lib.companions.llm_pruning import blocks

Score = Callable[[nn.Module, Int64[Tensor, "n T"]], list[float]]


def magnitude(power: int) -> Score:
    """Sum of |w|^power over the weights of a block, norms among them."""

    def score(model: nn.Module, ids: Int64[Tensor, "n T"]) -> list[float]:
        return [
            float(sum((p.detach().double().abs() ** power).sum() for p in block.parameters()))
            for block in model.model.layers
        ]

    return score


@torch.no_grad()
def block_influence(model: nn.Module, ids: Int64[Tensor, "n T"]) -> list[float]:
    """BI_l = 1 - E cos(x_l, x_{l+1}): how far a block turns the residual stream, mean over tokens.

    Men et al. 2024 (ShortGPT, arXiv:2403.03853).
    """
    x, found = blocks.embedded(model, ids), []
    for at in range(len(model.model.layers)):
        after = blocks.through(model, x, at, at + 1)
        found.append(1 - float(F.cosine_similarity(x.double(), after.double(), dim=-1).mean()))
        x = after
    return found


def taylor(model: nn.Module, ids: Int64[Tensor, "n T"]) -> list[float]:
    """Sum over a block's weights of |w dL/dw|, the gradient of the loss on all samples together."""
    asked = [p for block in model.model.layers for p in block.parameters()]
    were = [p.requires_grad for p in asked]
    for p in asked:
        p.requires_grad_(True)
    try:
        totals = [torch.zeros_like(p) for p in asked]
        for row in ids:  # one sample a pass: the graph of all would not fit
            slopes = torch.autograd.grad(_loss(model, row[None]) / len(ids), asked)
            for total, slope in zip(totals, slopes, strict=True):
                total += slope
    finally:
        for p, was in zip(asked, were, strict=True):
            p.requires_grad_(was)
    each = [
        float((p.detach() * t).abs().double().sum()) for p, t in zip(asked, totals, strict=True)
    ]
    sizes = [len(list(block.parameters())) for block in model.model.layers]
    return [sum(each[sum(sizes[:at]) : sum(sizes[: at + 1])]) for at in range(len(sizes))]


@torch.no_grad()
def perplexity(model: nn.Module, ids: Int64[Tensor, "n T"]) -> list[float]:
    """Nats a token of the model that lacks one block: what rises least goes first.

    Monotone in the perplexity. The stream before the missing block is computed once.
    """
    x, found = blocks.embedded(model, ids), []
    for at in range(len(model.model.layers)):
        found.append(float(_loss_of(model, blocks.through(model, x, at + 1), ids)))
        x = blocks.through(model, x, at, at + 1)
    return found


def _loss(model: nn.Module, ids: Int64[Tensor, "n T"]) -> Float[Tensor, ""]:
    return _loss_of(model, blocks.through(model, blocks.embedded(model, ids)), ids)


def _loss_of(
    model: nn.Module, x: Float[Tensor, "n T D"], ids: Int64[Tensor, "n T"]
) -> Float[Tensor, ""]:
    said = blocks.logits(model, x[:, :-1])
    return F.cross_entropy(said.flatten(0, 1).float(), ids[:, 1:].flatten())


SCORES: dict[str, Score] = {
    "Magnitude l1": magnitude(1),
    "Magnitude l2": magnitude(2),
    "Taylor": taylor,
    "PPL": perplexity,
    "BI": block_influence,
}

"""What a model is worth: nats a token, bits a byte, share of multiple choices that are right.

States are what the first trainable block is given; whatever stands below is computed once.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from foqus_lib.companions.llm_pruning import blocks

Forward = Callable[[slice], Float[Tensor, "n T D"]]  # rows of a text -> states after the last block


@torch.no_grad()
def nats(
    model: nn.Module, ids: Int64[Tensor, "n T"], last: Forward, batch: int
) -> Float[Tensor, "n t"]:
    """-log p of every token but the first of each window, given those before it."""
    found = []
    for start in range(0, len(ids), batch):
        rows = slice(start, start + batch)
        said = blocks.logits(model, last(rows)[:, :-1]).float()
        losses = F.cross_entropy(said.flatten(0, 1), ids[rows, 1:].flatten(), reduction="none")
        found.append(losses.view(-1, ids.shape[1] - 1))
    return torch.cat(found)


def bits_a_byte(nats: Float[Tensor, "n t"], size: Int64[Tensor, "n T"]) -> float:
    """Sum of nats / ln 2 over the bytes of the tokens that were predicted."""
    return float(nats.double().sum() / math.log(2) / size[:, 1:].sum())


@torch.no_grad()
def cloze_accuracy(
    model: nn.Module,
    ids: Int64[Tensor, "questions choices T"],
    context: int,
    last: Forward,
    batch: int,
) -> float:
    """Share of questions whose own continuation, choice 0, is likelier than every other.

    A tie is wrong. `last` counts rows of ids.flatten(0, 1).
    """
    flat, found = ids.flatten(0, 1), []
    for start in range(0, len(flat), batch):
        rows = slice(start, start + batch)
        said = blocks.logits(model, last(rows)[:, context - 1 : -1]).float()
        wanted = flat[rows, context:]
        losses = F.cross_entropy(said.flatten(0, 1), wanted.flatten(), reduction="none")
        found.append(losses.view(wanted.shape).sum(1))
    each = torch.cat(found).view(ids.shape[:2])
    return float((each[:, :1] < each[:, 1:]).all(1).double().mean())

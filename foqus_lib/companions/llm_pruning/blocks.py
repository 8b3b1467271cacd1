"""The stack of a Llama: taking blocks out, and passing through a part of what is left.

x_{l+1} = x_l + f_l(x_l): each block adds to what it is given (Pre-LN), so a block that is taken out
leaves shapes that fit. Blocks count from 0.
"""

import copy
import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

Removed = tuple[int, ...]  # blocks in order


def to_remove(blocks: int, share: float) -> int:
    """How many blocks a share is: floor(share x L), as published 8 of 32; at least one is left."""
    count = math.floor(round(share * blocks, 9))  # 0.29 x 100 is 28.999... in binary
    if not 1 <= count < blocks:
        raise ValueError(
            f"cut: expected a share of {blocks} blocks that removes 1 to {blocks - 1}, got "
            f"{share:g}, which removes {count}. Take a larger model or another share"
        )
    return count


def reverse_order(blocks: int, count: int) -> Removed:
    """The paper's rule: the last `count` blocks go."""
    return tuple(range(blocks - count, blocks))


def first_blocks(blocks: int, count: int) -> Removed:
    """The opposite rule, which should hurt: the first `count` blocks go."""
    return tuple(range(count))


def keep_the_last(blocks: int, count: int) -> Removed:
    """Gromov et al. 2024 (arXiv:2403.17887): the last block stays, the `count` before it go."""
    return tuple(range(blocks - 1 - count, blocks - 1))


def random_blocks(blocks: int, count: int, rng: np.random.Generator) -> Removed:
    """`count` blocks, uniform over all sets."""
    return tuple(sorted(rng.choice(blocks, count, replace=False).tolist()))


def lowest(scores: Sequence[float], count: int) -> Removed:
    """The blocks of lowest score; of equal ones the later."""
    order = sorted(range(len(scores)), key=lambda block: (scores[block], -block))
    return tuple(sorted(order[:count]))


def without(model: nn.Module, removed: Sequence[int]) -> nn.Module:
    """A copy of the model that lacks these blocks; the others are renumbered, their weights equal.

    Each block's `layer_idx` names its place in the key-value cache, so it must follow.
    """
    blocks = len(model.model.layers)
    if not all(0 <= block < blocks for block in removed) or len(set(removed)) != len(removed):
        raise ValueError(f"removed: expected distinct blocks of 0 to {blocks - 1}, got {removed}")
    if len(removed) >= blocks:
        raise ValueError(f"removed: expected fewer than all {blocks} blocks, got {len(removed)}")
    whole = model.model.layers
    kept = [block for at, block in enumerate(whole) if at not in set(removed)]
    model.model.layers = nn.ModuleList(kept)
    try:
        cut = copy.deepcopy(model)
    finally:
        model.model.layers = whole
    for at, block in enumerate(cut.model.layers):
        block.self_attn.layer_idx = at
    cut.config.num_hidden_layers = len(kept)
    return cut


def embedded(model: nn.Module, ids: Int64[Tensor, "n T"]) -> Float[Tensor, "n T D"]:
    """What the first block is given."""
    return model.model.embed_tokens(ids)


def through(
    model: nn.Module, x: Float[Tensor, "n T D"], start: int = 0, stop: int | None = None
) -> Float[Tensor, "n T D"]:
    """The residual stream after blocks start to stop - 1, causal, positions from 0.

    As transformers does it, without the mask: sdpa is causal when it is given none.
    """
    position = torch.arange(x.shape[1], device=x.device)[None]
    rotary = model.model.rotary_emb(x, position)
    for block in model.model.layers[start:stop]:
        x = block(x, attention_mask=None, position_ids=position, position_embeddings=rotary)
    return x


def logits(model: nn.Module, x: Float[Tensor, "*n D"]) -> Float[Tensor, "*n V"]:
    """Final norm and head."""
    return model.lm_head(model.model.norm(x))

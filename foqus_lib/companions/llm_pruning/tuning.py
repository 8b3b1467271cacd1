"""What is trainable after the cut, and the loop that trains it.

Whatever is frozen below the first trainable block gives the same states at every visit: they are
computed once (`states`), which saves a third of a step and lets learning rates and orders share.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from foqus_lib.companions.llm_pruning import blocks
from foqus_lib.companions.llm_pruning.checkpoint import quiet
from foqus_lib.seeds import seed_of
from foqus_lib.training.bfloat16 import in_bfloat16

WARM_UP = 10  # steps; the authors' 100 of about 1,500
BETAS, CLIP = (0.9, 0.95), 1.0
RANK, ALPHA, DROPOUT = 8, 16, 0.05  # of LoRA, as published
LORA_VERSION = 2  # as VERSION, of LoRA alone; 1 began every order of text with the same A
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
FULL, LORA, QLORA, PARTIAL = "full", "LoRA r = 8", "QLoRA r = 8", "head + last 3"
LAST = {"lm_head": 0, "head + last 1": 1, "head + last 2": 2, PARTIAL: 3}
NO_QLORA = (
    f"tuning: {QLORA} needs the package bitsandbytes and an Nvidia GPU, which this project does "
    f"not ask for. Take {LORA}: the same additions, on weights that are not packed"
)
TUNINGS = (*LAST, LORA, QLORA, FULL)


def freeze_except(model: nn.Module, parts: Sequence[str]) -> None:
    """Freeze all but these: "lm_head", "norm" (the final one) and "last N" (blocks)."""
    for p in model.parameters():
        p.requires_grad_(False)
    for part in parts:
        for module in _part(model, part):
            for p in module.parameters():
                p.requires_grad_(True)


def _part(model: nn.Module, part: str) -> Sequence[nn.Module]:
    if part in ("lm_head", "norm"):
        return [model.lm_head if part == "lm_head" else model.model.norm]
    last = int(part.removeprefix("last "))
    if not 1 <= last <= len(model.model.layers):
        raise ValueError(
            f"tuning: expected 1 to the {len(model.model.layers)} blocks that are left, got "
            f"{last}. Cut less, or tune fewer"
        )
    return list(model.model.layers[-last:])


def lora(model: nn.Module, seed: int) -> None:
    """Low-rank additions to all projections of all blocks (peft), in place; the rest is frozen.

    W + (alpha / r) B A with r = 8, alpha = 16; A drawn from the seed's stream, B = 0.
    """
    with drawing_from("A", seed), quiet():
        from peft import LoraConfig, get_peft_model

        how = LoraConfig(
            r=RANK, lora_alpha=ALPHA, lora_dropout=DROPOUT, target_modules=list(PROJECTIONS)
        )
        get_peft_model(model, how)


def prepared(model: nn.Module, tuning: str, precision: str = "fp32", seed: int = 0) -> nn.Module:
    """The model with what the tuning trains made trainable; nothing else is.

    With bf16 all that is frozen is rounded; what trains stays float32, where small steps count.
    """
    if tuning == QLORA:
        raise ValueError(NO_QLORA)
    if tuning in LAST:
        last = LAST[tuning]
        freeze_except(model, ["lm_head", "norm", *([f"last {last}"] if last else [])])
    elif tuning == LORA:
        lora(model, seed)
    elif tuning == FULL:
        for p in model.parameters():
            p.requires_grad_(True)
    else:
        raise ValueError(f"tuning: expected one of {', '.join(TUNINGS)}, got {tuning!r}")
    for p in model.parameters():
        if p.requires_grad or precision != "bf16":
            p.data = p.data.float()
        else:
            p.data = p.data.bfloat16()
    return model


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that tuning changes, by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def frozen_blocks(model: nn.Module) -> int:
    """How many blocks from the bottom are frozen; -1 if the embedding is not."""
    if any(p.requires_grad for p in model.model.embed_tokens.parameters()):
        return -1
    for at, block in enumerate(model.model.layers):
        if any(p.requires_grad for p in block.parameters()):
            return at
    return len(model.model.layers)


@torch.no_grad()
def states(model: nn.Module, ids: Int64[Tensor, "n T"], batch: int, precision: str) -> Tensor:
    """What the first trainable block is given for each window; the ids if nothing is frozen."""
    depth = frozen_blocks(model)
    if depth < 0:
        return ids
    model.eval()
    with rounded(precision):
        return torch.cat([
            blocks.through(model, blocks.embedded(model, ids[at : at + batch]), 0, depth)
            for at in range(0, len(ids), batch)
        ])  # fmt: skip


def last_states(model: nn.Module, given: Tensor) -> Float[Tensor, "n T D"]:
    """The stream after the last block, from what `states` kept."""
    depth = frozen_blocks(model)
    x = blocks.embedded(model, given) if depth < 0 else given
    return blocks.through(model, x, max(depth, 0))


def tune(
    model: nn.Module,
    given: Tensor,
    ids: Int64[Tensor, "n T"],
    batches: Sequence[Int64[np.ndarray, " b"]],
    lr: float,
    precision: str,
    seed: int,
    look: Callable[[int], None] | None = None,
    decay: bool = False,
) -> None:
    """AdamW on what is trainable, one batch of rows a step: warm-up, then one rate.

    look(steps) is called after every step, in evaluation mode. decay: times a half cosine over all
    steps, down to 0, for a base model. ValueError if a gradient is not finite.
    """
    asked = list(trainable(model).values())
    optimiser = torch.optim.AdamW(asked, lr=lr, betas=BETAS, weight_decay=0.0, fused=True)
    with drawing_from(seed):  # of LoRA's dropout
        for step, rows in enumerate(batches, start=1):
            model.train()
            at = torch.from_numpy(rows)
            factor = min(1.0, step / WARM_UP)
            if decay:
                factor *= 0.5 + 0.5 * math.cos(math.pi * step / len(batches))
            optimiser.param_groups[0]["lr"] = lr * factor
            with rounded(precision):
                said = blocks.logits(model, last_states(model, given[at])[:, :-1])
            loss = F.cross_entropy(said.flatten(0, 1).float(), ids[at, 1:].flatten())
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            size = nn.utils.clip_grad_norm_(asked, CLIP)
            if not torch.isfinite(size):
                raise ValueError(f"loss: not finite at step {step} with lr {lr:g}; lower it")
            optimiser.step()
            if look is not None:
                model.eval()
                look(step)
    model.eval()


def rounded(precision: str) -> AbstractContextManager:
    """Products in bfloat16 if the precision is bf16; weights that train stay float32."""
    if precision != "bf16":
        return nullcontext()
    return in_bfloat16(torch.device("cpu"), cache_casts=True)


@contextmanager
def drawing_from(*name: str | int) -> Iterator[None]:
    """torch's own stream starts at a seed of that name inside, and is put back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed_of("llm tuning", *name) % 2**63)
        yield

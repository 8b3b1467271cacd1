"""What layer pruning is compared with: dice, position, two other judgements of blocks, channels.

Versions: that of layer_pruning covers these too.
"""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor, nn

from foqus_lib.companions.layer_pruning import Kept, Weights, block_of, layers_of, too_few
from foqus_lib.companions.signal_resnet import stage_of


def random_keep(needed: Sequence[int], keep: int, rng: np.random.Generator) -> Kept:
    """`keep` blocks at random, uniform over all sets with a block of every stage."""
    if keep < len(needed):
        raise ValueError(too_few(keep, needed))
    stage = np.array(stage_of(needed))
    while True:
        kept = np.sort(rng.choice(len(stage), keep, replace=False))
        if len(np.unique(stage[kept])) == len(needed):
            return tuple(kept.tolist())


def first_blocks(needed: Sequence[int], keep: int) -> Kept:
    """What is left when the last blocks are dropped, each stage's first one spared."""
    firsts = [0, *accumulate(needed[:-1])]
    return most_useful(needed, keep, [-float(b) for b in range(sum(needed))], firsts)


def most_useful(
    needed: Sequence[int], keep: int, use: Sequence[float], spared: Sequence[int] | None = None
) -> Kept:
    """The blocks of highest use, among them one of every stage: its best, or `spared`."""
    if keep < len(needed):
        raise ValueError(too_few(keep, needed))
    order = sorted(range(len(use)), key=lambda block: (-use[block], block))
    stage = stage_of(needed)
    first = spared or [next(b for b in order if stage[b] == s) for s in range(len(needed))]
    others = [block for block in order if block not in first]
    return tuple(sorted([*first, *others[: keep - len(first)]]))


@torch.no_grad()
def loss_of_reinit(
    network: nn.Module,
    blank: Weights,
    x: Float[Tensor, "n 2 L"],
    label: Int64[Tensor, " n"],
) -> list[float]:
    """SR-init: how much accuracy goes when one block begins anew, block by block.

    Tang et al. 2023 (arXiv:2303.07677). One random state, the same for all blocks.
    """
    network.eval()
    trained = {name: value.clone() for name, value in network.state_dict().items()}
    before = _share_right(network(x), label)
    lost = []
    for block in range(len(network.blocks)):
        anew = {name: value for name, value in blank.items() if block_of(name) == block}
        network.load_state_dict(trained | anew)
        lost.append(before - _share_right(network(x), label))
    network.load_state_dict(trained)
    return lost


@torch.no_grad()
def gain_of_probes(
    network: nn.Module, x: Float[Tensor, "n 2 L"], label: Int64[Tensor, " n"]
) -> list[float]:
    """Linear probes: how much better a linear classifier does behind a block than before it.

    Ridge regression on each layer's mean over the map; learnt on every other signal, tested on the
    rest.
    """
    found: list[Tensor] = []
    hooks = [
        layer.register_forward_hook(lambda _l, _x, y: found.append(y.mean((2, 3)).double()))
        for layer in layers_of(network)
    ]
    try:
        network.eval()(x)
    finally:
        for hook in hooks:
            hook.remove()
    learn = torch.arange(len(x), device=x.device) % 2 == 0
    right = [_probe(features, label, learn) for features in found]
    return [after - before for before, after in zip(right, right[1:], strict=False)]


def _probe(
    features: Float64[Tensor, "n D"], label: Int64[Tensor, " n"], learn: Bool[Tensor, " n"]
) -> float:
    spread = features[learn].std(0).clamp_min(1e-9)
    scaled = (features - features[learn].mean(0)) / spread
    x = torch.cat([scaled, torch.ones_like(scaled[:, :1])], 1)
    target = nn.functional.one_hot(label).double()
    a = x[learn].T @ x[learn] + torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    weights = torch.linalg.solve(a, x[learn].T @ target[learn])
    return _share_right(x[~learn] @ weights, label[~learn])


def _share_right(logits: Float[Tensor, "n C"], label: Int64[Tensor, " n"]) -> float:
    return float((logits.argmax(1) == label).double().mean())


def l1_channels(trained: Weights, inner: Sequence[int]) -> Weights:
    """Li et al. 2017: inside block b the inner[b] filters of largest L1 norm, in their order.

    Block outputs keep their channels, for the shortcut adds them. Weights of a network with
    these `inner`; a block may have no normalisation. By hand: torch-pruning 1.6.1 ends on
    SignalResNet with an IndexError.
    """
    found = dict(trained)
    for block, size in enumerate(inner):
        at = f"blocks.{block}."
        norms = trained[f"{at}conv1.weight"].abs().sum((1, 2, 3))
        if not 1 <= size <= len(norms):
            raise ValueError(f"channels: expected 1 to {len(norms)} in block {block}, got {size}")
        rows = norms.argsort(descending=True, stable=True)[:size].sort().values
        for name in trained:
            if name.startswith((f"{at}conv1.", f"{at}norm1.")) and trained[name].ndim:
                found[name] = trained[name][rows]
        found[f"{at}conv2.weight"] = trained[f"{at}conv2.weight"][:, rows]
    return found

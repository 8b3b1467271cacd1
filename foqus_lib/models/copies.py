"""Copies in and out of a stack, and networks that cannot be stacked.

In every layer of ours the copies are slices of the first axis of weights and statistics.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

Weights = Mapping[str, Tensor]  # the state_dict of one ordinary network
Build = Callable[..., nn.Module]  # build(classes, length, copies)


def taken(stack: nn.Module, copy: int) -> dict[str, Tensor]:
    """The weights and statistics of one copy, on the CPU: what an ordinary network would hold."""
    return {
        name: (value if value.ndim == 0 else value.unflatten(0, (stack.copies, -1))[copy])
        .detach().cpu().clone()
        for name, value in stack.state_dict().items()
    }  # fmt: skip


def put(stack: nn.Module, copies: Sequence[int], weights: Weights) -> None:
    """Give these copies of a stack the weights of one ordinary network, in place.

    Raises ValueError naming the first weight that is missing, unknown or of another shape.
    """
    state = stack.state_dict()
    if names := sorted(state.keys() ^ weights.keys()):
        there = "the network has no" if names[0] in weights else "the weights lack"
        raise ValueError(f"start: {there} {names[0]!r}. Give weights of the same network")
    with torch.no_grad():
        for name, value in state.items():
            of_copy = value if value.ndim == 0 else value.unflatten(0, (stack.copies, -1))[0]
            if weights[name].shape != of_copy.shape:
                raise ValueError(
                    f"start: {name}: expected shape {tuple(of_copy.shape)}, got "
                    f"{tuple(weights[name].shape)}. Give weights of the same network and length"
                )
            if value.ndim == 0:
                value.copy_(weights[name])
                continue
            slices = value.unflatten(0, (stack.copies, -1))
            for copy in copies:
                slices[copy].copy_(weights[name])


@dataclass(frozen=True)
class Alone:
    """Builds a network that was not written for copies: alone(Net)(classes, length), copies = 1."""

    build: Callable[[int, int], nn.Module]

    def __call__(self, classes: int, length: int, copies: int = 1) -> nn.Module:
        if copies != 1:
            raise ValueError(f"copies: this network trains one at a time, got {copies}")
        return _One(self.build(classes, length))


def alone(build: Callable[[int, int], nn.Module]) -> Alone:
    """For `training.fit`: a network from elsewhere, as build(classes, length).

    It must have embed: (B, 2, L) -> (B, D) and head: (B, D) -> (B, C).
    """
    return Alone(build)


class _One(nn.Module):
    copies = 1

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def embed(self, x: Float[Tensor, "B 1 2 L"]) -> Float[Tensor, "1 B D"]:
        return self.network.embed(x[:, 0])[None]

    def head(self, h: Float[Tensor, "1 B D"]) -> Float[Tensor, "1 B C"]:
        return self.network.head(h[0])[None]

    def forward(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B C"]:
        """Logits."""
        return self.network.head(self.network.embed(x))

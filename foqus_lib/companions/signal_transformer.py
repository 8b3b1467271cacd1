"""A transformer over patches of I/Q, of which any block may go: all see one map of one shape.

Twelve Pre-LN blocks as in a Llama, without its mask: a signal is there as a whole. It ties chapter
11, where the last blocks of a language model are dropped, to radio. With all blocks 12 x 64
has 404,619 parameters for 11 classes of 128 samples. For `fit`: models.copies.alone(...).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH, HEADS, PATCH = 64, 4, 8
DEPTHS = (12,)  # one stage
INSIDE = 2  # times the width, between the two layers of a block
VERSION = 1  # raised when the same arguments make or train another network


class Patches(nn.Module):
    """(B, 2, L) -> (B, W, 1, L / 8): each eight samples are one token, its place is added."""

    def __init__(self, width: int, tokens: int):
        super().__init__()
        self.mix = nn.Conv2d(2, width, (1, PATCH), (1, PATCH))
        self.place = nn.Parameter(nn.init.trunc_normal_(torch.empty(width, 1, tokens), std=0.02))

    def forward(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B W 1 T"]:
        return self.mix(x[:, :, None]) + self.place


class Block(nn.Module):
    """h + attention(LN(h)), then h + conv2(GELU(conv1(LN(h)))); `inner` channels between.

    A convolution of width one is a linear layer at each token: so channels are cut as anywhere.
    """

    def __init__(self, width: int, inner: int):
        super().__init__()
        self.before_attention, self.before_mixing = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, HEADS, batch_first=True)
        self.conv1, self.conv2 = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, width, 1)

    def forward(self, h: Float[Tensor, "B W 1 T"]) -> Float[Tensor, "B W 1 T"]:
        tokens = h[:, :, 0].transpose(1, 2)
        seen = self.before_attention(tokens)
        tokens = tokens + self.attention(seen, seen, seen, need_weights=False)[0]
        mixed = self.before_mixing(tokens).transpose(1, 2)[:, :, None]
        return tokens.transpose(1, 2)[:, :, None] + self.conv2(F.gelu(self.conv1(mixed)))


class SignalTransformer(nn.Module):
    """Patches, blocks, the mean of all tokens, a linear layer: embed (B, 2, L) -> (B, W), head.

    depths: how many blocks are left, as a tuple of one. inner: the channels inside each block,
    left out: INSIDE times those outside.
    """

    def __init__(
        self,
        classes: int,
        length: int,
        depths: Sequence[int] = DEPTHS,
        width: int = WIDTH,
        inner: Sequence[int] | None = None,
    ):
        super().__init__()
        if len(depths) != len(DEPTHS) or min(depths) < 0:
            raise ValueError(f"depths: expected one number, 0 or more, got {tuple(depths)}")
        if length % PATCH:
            raise ValueError(f"length: expected a multiple of {PATCH} samples, got {length}")
        if width % HEADS:
            raise ValueError(f"width: expected a multiple of {HEADS} heads, got {width}")
        self.stem = Patches(width, length // PATCH)
        self.blocks = nn.Sequential(
            *(Block(width, within) for within in inner or [INSIDE * width] * sum(depths))
        )
        self.norm = nn.LayerNorm(width)
        self.last = nn.Linear(width, classes)

    def embed(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B D"]:
        """The input of the last layer, D = width."""
        return self.norm(self.blocks(self.stem(x))[:, :, 0].transpose(1, 2)).mean(1)

    def head(self, h: Float[Tensor, "B D"]) -> Float[Tensor, "B C"]:
        return self.last(h)

    def forward(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B C"]:
        """Logits."""
        return self.head(self.embed(x))

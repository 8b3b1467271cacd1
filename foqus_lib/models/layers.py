"""The layers of every network here, written for R independent copies side by side.

Copies share one device and one launch but nothing else: convolutions are grouped, linear layers
are batched, a dropout mask depends on its copy's own key. copies=1 is the ordinary network.
Activations are (B, R*C, H, L) before a flatten and (R, B, D) after it.
"""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn


def conv1d(copies: int, inputs: int, outputs: int, kernel: int) -> nn.Conv2d:
    """Convolution along time, length kept, no bias. Height 1: CPUs run that faster."""
    return nn.Conv2d(
        copies * inputs,
        copies * outputs,
        (1, kernel),
        padding=(0, kernel // 2),
        groups=copies,
        bias=False,
    )


def conv2d(
    copies: int, inputs: int, outputs: int, kernel: tuple[int, int], padding: tuple[int, int]
) -> nn.Conv2d:
    """Convolution over I/Q and time, no bias, Xavier-uniform weights [A27]."""
    layer = nn.Conv2d(
        copies * inputs, copies * outputs, kernel, padding=padding, groups=copies, bias=False
    )
    nn.init.xavier_uniform_(layer.weight)
    return layer


def flatten(x: Float[Tensor, "B RC H L"], copies: int) -> Float[Tensor, "R B D"]:
    """Channels, rows and time of each copy in one axis, as nn.Flatten would for one network."""
    return x.contiguous().view(len(x), copies, -1).transpose(0, 1)


class Linear(nn.Module):
    """R linear layers, one batched product. Xavier-uniform weights, zero biases [A27]."""

    def __init__(self, copies: int, inputs: int, outputs: int):
        super().__init__()
        bound = math.sqrt(6 / (inputs + outputs))
        self.weight = nn.Parameter(torch.empty(copies, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(copies, 1, outputs))

    def forward(self, x: Float[Tensor, "R B inputs"]) -> Float[Tensor, "R B outputs"]:
        return torch.baddbmm(self.bias.to(x.dtype), x, self.weight.to(x.dtype))


GAMMA = -7046029254386353131  # 0x9E3779B97F4A7C15 as int64: the increment of SplitMix64


def splitmix64(x: Int64[Tensor, "..."]) -> Int64[Tensor, "..."]:
    """Steele, Lea & Flood 2014: a counter in, 64 well-mixed bits out. Same bits on CPU and GPU."""
    x = (x ^ (x >> 30 & 0x3FFFFFFFF)) * -4658895280553007687  # 0xBF58476D1CE4E5B9
    x = (x ^ (x >> 27 & 0x1FFFFFFFFF)) * -7723592293110705685  # 0x94D049BB133111EB
    return x ^ (x >> 31 & 0x1FFFFFFFF)


class Dropout(nn.Module):
    """Dropout whose mask is a function of (copy's key, layer, position): no generator, no state.

    So a copy drops the same units alone, among any companions, on a CPU and on a GPU. One random
    byte decides an element: p is rounded to 1/256 and the kept ones are scaled to stay unbiased.
    `key` (R,) is set by training.fit before each step. salt tells the layers of a network apart.
    """

    key: Int64[Tensor, " R"]

    def __init__(self, copies: int, p: float, salt: int):
        super().__init__()
        self.threshold, self.salt = round(256 * p), salt
        self.register_buffer("key", torch.zeros(copies, dtype=torch.int64), persistent=False)

    def mask(self, per_copy: int) -> Tensor:
        """(R, per_copy) of 0 and 1 as bytes; a 64-bit word decides eight elements."""
        words = torch.arange(1, math.ceil(per_copy / 8) + 1, device=self.key.device) * GAMMA
        start = splitmix64(self.key + self.salt)
        bits = splitmix64(start[:, None] + words)
        return bits.view(torch.uint8)[:, :per_copy].ge(self.threshold)

    def forward(self, x: Tensor) -> Tensor:
        """x is (B, R*C, H, L) or (R, B, D)."""
        if not self.training:
            return x
        copies, scale = len(self.key), 256 / (256 - self.threshold)
        keep = self.mask(x.numel() // copies).to(x.dtype).mul_(scale)
        if x.ndim == 3:
            return x * keep.view(x.shape)
        # Masks are laid out channels last, as the CPU stores activations: no slow gather there.
        batch, channels, height, length = x.shape
        keep = keep.view(copies, batch, height, length, channels // copies)
        return x * keep.permute(1, 0, 4, 2, 3).reshape(x.shape)

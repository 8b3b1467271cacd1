"""The residual networks of the signal models: CIFAR's ResNet on (1, 2, L), any number of blocks.

Three stages of 16, 32, 64 channels, the first block of a stage halving time and I/Q. ResNet56 has 9
blocks a stage: 852,795 parameters for 11 classes. Depths may differ from stage to stage, so that
whatever blocks are kept of a network make a network. For `fit`: models.copies.alone(...).
"""

from collections.abc import Sequence
from itertools import accumulate

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

STAGES = 3
WIDTH = 16  # channels of the first stage; doubled in each later one
VERSION = 1  # raised when the same arguments make or train another network


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """3 x 3 over I/Q and time, no bias, Kaiming-normal weights as He et al. 2016 (our choice)."""
    layer = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(layer.weight)
    return layer


class Block(nn.Module):
    """ReLU(shortcut(x) + norm(conv(ReLU(norm(conv(x)))))).

    The shortcut has no weights (option A of He et al. 2016): every second sample, and zeros for the
    channels that are new. It is part of the graph: gradients and the map's shape pass through.
    `inner`: channels between the two convolutions, as many as come out unless some were pruned.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, inner: int):
        super().__init__()
        self.stride, self.new = stride, outputs - inputs
        self.conv1 = convolution(inputs, inner, stride)
        self.norm1 = nn.BatchNorm2d(inner)
        self.conv2 = convolution(inner, outputs)
        self.norm2 = nn.BatchNorm2d(outputs)

    def shortcut(self, x: Float[Tensor, "B inputs H L"]) -> Float[Tensor, "B outputs h l"]:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, self.new // 2, self.new - self.new // 2)) if self.new else x

    def forward(self, x: Float[Tensor, "B inputs H L"]) -> Float[Tensor, "B outputs h l"]:
        h = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.shortcut(x) + self.norm2(self.conv2(h)))


class SignalResNet(nn.Module):
    """Stem, blocks, mean over the map, linear layer: embed (B, 2, L) -> (B, 4 width), head.

    depths: blocks of each stage, at least one, for without the first a stage does not reduce.
    inner: the channels inside each block, left out: those of its stage.
    """

    def __init__(
        self,
        classes: int,
        length: int,
        depths: Sequence[int] = (3, 3, 3),
        width: int = WIDTH,
        inner: Sequence[int] | None = None,
    ):
        super().__init__()
        if len(depths) != STAGES or min(depths) < 1:
            raise ValueError(
                f"depths: expected {STAGES} stages of one block or more, got {tuple(depths)}. "
                "Keep a block of every stage"
            )
        self.depths, self.width = tuple(depths), width
        self.stem = nn.Sequential(convolution(1, width), nn.BatchNorm2d(width), nn.ReLU())
        channels = [width * 2**stage for stage, depth in enumerate(depths) for _ in range(depth)]
        firsts = set(accumulate(depths[:-1]))  # these halve
        self.blocks = nn.Sequential(*(
            Block(before, after, 2 if at in firsts else 1, within)
            for at, (before, after, within) in enumerate(
                zip([width, *channels[:-1]], channels, inner or channels, strict=True)
            )
        ))  # fmt: skip
        self.last = nn.Linear(channels[-1], classes)

    def embed(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B D"]:
        """The input of the last layer, D = 4 width."""
        return self.blocks(self.stem(x[:, None])).mean((2, 3))

    def head(self, h: Float[Tensor, "B D"]) -> Float[Tensor, "B C"]:
        return self.last(h)

    def forward(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B C"]:
        """Logits."""
        return self.head(self.embed(x))


def stage_of(depths: Sequence[int]) -> list[int]:
    """The stage of every block: (1, 2, 1) -> [0, 1, 1, 2]."""
    return [stage for stage, depth in enumerate(depths) for _ in range(depth)]

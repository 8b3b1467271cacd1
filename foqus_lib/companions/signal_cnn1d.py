"""CNN1D with any of its twelve residual units left out: every unit adds to a map of one shape.

Six stacks of a convolution over channels, two units and a pooling. What halves the signal is the
pooling, which always stays, so unlike in a ResNet a stack may lose all its units. With all twelve
it is models.cnn1d.CNN1D, 100,907 parameters for 11 classes. For `fit`: models.copies.alone(...).
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from foqus_lib.models.layers import Dropout, Linear, conv1d, conv2d

WIDTH = 32
DEPTHS = (2,) * 6  # units of each stack
VERSION = 1  # raised when the same arguments make or train another network


class Unit(nn.Module):
    """ReLU(x + conv2(ReLU(conv1(x)))); `inner` channels between. In the first stack I meets Q."""

    def __init__(self, width: int, inner: int, first_stack: bool):
        super().__init__()
        if first_stack:  # padded to 3 rows, then back to 2
            self.conv1 = conv2d(1, width, inner, (2, 3), (1, 1))
            self.conv2 = conv2d(1, inner, width, (2, 3), (0, 1))
        else:
            self.conv1, self.conv2 = conv1d(1, width, inner, 3), conv1d(1, inner, width, 3)

    def forward(self, x: Float[Tensor, "B W H L"]) -> Float[Tensor, "B W H L"]:
        return F.relu(x + self.conv2(F.relu(self.conv1(x))))


class SignalCNN1D(nn.Module):
    """Stem, units, two linear layers: embed (B, 2, L) -> (B, 128), head.

    depths: units left of each of the six stacks, 0 or more. inner: the channels inside each unit,
    left out: as many as outside.
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
            raise ValueError(
                f"depths: expected {len(DEPTHS)} stacks of no unit or more, got {tuple(depths)}"
            )
        self.depths = tuple(depths)
        self.stem = conv2d(1, 1, width, (1, 1), (0, 0))
        self.between = nn.ModuleList(conv1d(1, width, width, 1) for _ in depths[1:])
        self.blocks = nn.Sequential(*(
            Unit(width, within, first_stack=at < depths[0])
            for at, within in enumerate(inner or [width] * sum(depths))
        ))  # fmt: skip
        self.hidden = Linear(1, width * (length // 64), 128)
        self.dropout = Dropout(1, 0.3, salt=1)
        self.last = Linear(1, 128, classes)

    def embed(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B D"]:
        """The input of the last layer, D = 128."""
        h, units = self.stem(x[:, None]), iter(self.blocks)
        for stack, depth in enumerate(self.depths):
            h = self.between[stack - 1](h) if stack else h
            for _ in range(depth):
                h = next(units)(h)
            h = F.max_pool2d(h, (1, 2) if stack else (2, 2))
        return self.dropout(self.hidden(h.flatten(1)[None]))[0]

    def head(self, h: Float[Tensor, "B D"]) -> Float[Tensor, "B C"]:
        return self.last(h[None])[0]

    def forward(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B C"]:
        """Logits."""
        return self.head(self.embed(x))

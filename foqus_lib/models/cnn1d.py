"""CNN1D: the residual network of O'Shea et al. 2018 cut to 32 channels, as the group trains it."""

from jaxtyping import Float
from torch import Tensor, nn

from foqus_lib.models.layers import Dropout, Linear, conv1d, conv2d, flatten

WIDTH = 32


class ResidualUnit(nn.Module):
    """ReLU(x + second(ReLU(first(x)))). No normalisation.

    In place, since backward needs the results alone: less memory traffic, the same bits.
    """

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x).relu_()).add_(x).relu_()


def first_stack(copies: int) -> nn.Sequential:
    """(B, R, 2, L) -> (B, 32 R, 1, L/2). Kernels of height 2: here I and Q meet."""

    def unit() -> ResidualUnit:  # padded to 3 rows, then back to 2
        return ResidualUnit(
            conv2d(copies, WIDTH, WIDTH, (2, 3), (1, 1)),
            conv2d(copies, WIDTH, WIDTH, (2, 3), (0, 1)),
        )

    return nn.Sequential(
        conv2d(copies, 1, WIDTH, (1, 1), (0, 0)), unit(), unit(), nn.MaxPool2d((2, 2))
    )


def later_stack(copies: int) -> nn.Sequential:
    """(B, 32 R, 1, L) -> (B, 32 R, 1, L/2)."""

    def unit() -> ResidualUnit:
        return ResidualUnit(conv1d(copies, WIDTH, WIDTH, 3), conv1d(copies, WIDTH, WIDTH, 3))

    return nn.Sequential(conv1d(copies, WIDTH, WIDTH, 1), unit(), unit(), nn.MaxPool2d((1, 2)))


class CNN1D(nn.Module):
    """Six stacks, two linear layers: 100,907 parameters for 11 classes of 128 samples."""

    def __init__(self, classes: int, length: int, copies: int = 1):
        super().__init__()
        self.copies = copies
        self.stacks = nn.Sequential(first_stack(copies), *(later_stack(copies) for _ in range(5)))
        self.hidden = Linear(copies, WIDTH * (length // 64), 128)
        self.dropout = Dropout(copies, 0.3, salt=1)
        self.last = Linear(copies, 128, classes)

    def embed(self, x: Float[Tensor, "B R 2 L"]) -> Float[Tensor, "R B D"]:
        """The input of the last layer, D = 128."""
        return self.dropout(self.hidden(flatten(self.stacks(x), self.copies)))

    def head(self, h: Float[Tensor, "R B D"]) -> Float[Tensor, "R B C"]:
        return self.last(h)

    def forward(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B C"]:
        """Logits of one network (copies=1)."""
        return self.head(self.embed(x[:, None]))[0]

"""SigNet: a trainable filter turns a signal into two L x L images; ResNet50 reads them.

Chen et al., IEEE TCCN 2021 ([5] of the paper). The work grows with L squared: practical for
L = 128, allowed for any L.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from foqus_lib.models.layers import Linear, flatten
from foqus_lib.models.resnet50 import WIDTH, resnet50

Windows = Callable[[Tensor], Tensor]  # (B, R, 2, L) -> (B, R, 2, L, 3)


def time_windows(x: Float[Tensor, "B R 2 L"]) -> Float[Tensor, "B R 2 L 3"]:
    """Each sample between its neighbours in time, I and Q apart; zeros beyond the ends."""
    return F.pad(x, (1, 1)).unfold(3, 3, 1)


def iq_windows(x: Float[Tensor, "B R 2 L"]) -> Float[Tensor, "B R 2 L 3"]:
    """(0, I, Q) and (I, Q, 0) of each step: the windows of published code of the first author."""
    return F.pad(x.transpose(2, 3), (1, 1)).unfold(3, 3, 1).transpose(2, 3)


class SignalToMatrix(nn.Module):
    """M = (X F) X^T for the windows X (L, 3) of a channel and its trained filter F (3, 3)."""

    def __init__(self, copies: int, windows: Windows):
        super().__init__()
        self.windows = windows
        self.filter = nn.Parameter(torch.randn(copies, 2, 3, 3))

    def forward(self, x: Float[Tensor, "B R 2 L"]) -> Float[Tensor, "B RC L L"]:
        windows = self.windows(x)
        return (windows @ self.filter @ windows.transpose(3, 4)).flatten(1, 2)


class SigNet(nn.Module):
    """23,527,453 parameters for 11 classes of any length.

    The paper says windows over time [A30]; `iq_windows` gives those of published code.
    """

    def __init__(self, classes: int, length: int, copies: int = 1, windows: Windows = time_windows):
        super().__init__()
        self.copies = copies
        self.images = SignalToMatrix(copies, windows)
        self.features = resnet50(copies, 2)
        self.last = Linear(copies, WIDTH, classes)

    def embed(self, x: Float[Tensor, "B R 2 L"]) -> Float[Tensor, "R B D"]:
        """The input of the last layer: the global average of the last images, D = 2048."""
        return flatten(self.features(self.images(x)), self.copies)

    def head(self, h: Float[Tensor, "R B D"]) -> Float[Tensor, "R B C"]:
        return self.last(h)

    def forward(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B C"]:
        """Logits of one network (copies=1)."""
        return self.head(self.embed(x[:, None]))[0]

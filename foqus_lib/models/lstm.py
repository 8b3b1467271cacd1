"""LSTM: two recurrent layers on raw I/Q, a linear layer over all steps, as the group's [A29].

Not the network of Rajendran et al. 2018, which reads amplitude and phase and only the last step.
"""

from jaxtyping import Float
from torch import Tensor, nn

from foqus_lib.models.layers import Linear
from foqus_lib.models.recurrent import Recurrent


class LSTM(nn.Module):
    """128 and 64 cells without biases, no dropout: 205,835 parameters for 11 classes of 128."""

    def __init__(self, classes: int, length: int, copies: int = 1):
        super().__init__()
        self.copies = copies
        self.first = Recurrent(copies, lambda: nn.LSTM(2, 128, bias=False, batch_first=True))
        self.second = Recurrent(copies, lambda: nn.LSTM(128, 64, bias=False, batch_first=True))
        self.last = Linear(copies, 64 * length, classes)

    def embed(self, x: Float[Tensor, "B R 2 L"]) -> Float[Tensor, "R B D"]:
        """The input of the last layer: 64 states of every step, so D = 64 L, 8,192 for L = 128."""
        return self.second(self.first(x.permute(1, 0, 3, 2))).flatten(2)

    def head(self, h: Float[Tensor, "R B D"]) -> Float[Tensor, "R B C"]:
        return self.last(h)

    def forward(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B C"]:
        """Logits of one network (copies=1)."""
        return self.head(self.embed(x[:, None]))[0]

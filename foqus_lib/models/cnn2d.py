"""CNN2D: VT-CNN2 of O'Shea, Corgan & Clancy 2016 in the variant of the group (P) [A25]."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from foqus_lib.models.layers import Dropout, Linear, conv2d


class CNN2D(nn.Module):
    """Two convolutions, a linear layer over time, two linear layers; no pooling, no normalisation.

    2,764,427 parameters for 11 classes of 128 samples. Longer signals are pooled to 256 steps.
    """

    def __init__(self, classes: int, length: int, copies: int = 1):
        super().__init__()
        self.copies, steps = copies, 128 if length <= 128 else 256
        self.first = conv2d(copies, 1, 256, (1, 3), (0, 1))
        self.second = conv2d(copies, 256, 80, (2, 3), (0, 0))
        self.pool = Linear(copies, length - 2, steps)
        self.hidden = Linear(copies, 80 * steps, 256)
        self.last = Linear(copies, 256, classes)
        self.dropout = nn.ModuleList(Dropout(copies, 0.5, salt) for salt in (1, 2, 3))

    def embed(self, x: Float[Tensor, "B R 2 L"]) -> Float[Tensor, "R B D"]:
        """The input of the last layer, D = 256."""
        batch = len(x)
        h = self.dropout[0](F.relu(self.first(x)))
        h = F.relu(self.second(h)).reshape(batch, self.copies, 80, -1).transpose(0, 1)
        h = self.pool(h.reshape(self.copies, batch * 80, -1)).view(self.copies, batch, -1)
        return self.dropout[2](F.relu(self.hidden(self.dropout[1](h))))

    def head(self, h: Float[Tensor, "R B D"]) -> Float[Tensor, "R B C"]:
        return self.last(h)

    def forward(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B C"]:
        """Logits of one network (copies=1)."""
        return self.head(self.embed(x[:, None]))[0]

"""IQFormer: I/Q and a spectrogram of I, fused, a recurrent layer, then local and global mixing.

Shao et al., IEEE TCCN 2024 ([21] of the paper). Layers and first weights as in the official code.
All activations are (B, C R, 1, L): a linear layer at each step is a convolution of width one.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from foqus_lib.models.layers import Dropout, Linear
from foqus_lib.models.recurrent import Recurrent

WINDOW, POINTS, ROWS = 31, 128, 32  # samples of a window, points of the DFT, frequencies kept
HALF, WIDTH = 32, 64  # channels before and after the two directions of the recurrent layer
STAGES = (2, 3, 2)  # blocks; the last of each has attention


class RealSTFT(nn.Module):
    """The real part of the STFT of the I channel: 32 frequencies of 128 at every sample.

    What scipy.signal.stft(I, 1, "blackman", 31, 30, 128) gives, rows 0 to 31. The official code
    casts that to a real tensor, which drops the imaginary part; so it is left out here. A fixed
    convolution: nothing is trained, and it runs where the network runs.
    """

    basis: Tensor

    def __init__(self):
        super().__init__()
        time, frequency = torch.arange(WINDOW), torch.arange(ROWS)
        window = torch.blackman_window(WINDOW, dtype=torch.float64)
        wave = torch.cos(2 * torch.pi / POINTS * frequency[:, None] * time)
        basis = (wave * window / window.sum()).to(torch.get_default_dtype())
        self.register_buffer("basis", basis[:, None, None], persistent=False)

    def forward(self, x: Float[Tensor, "B R 2 L"]) -> Float[Tensor, "B R 32 L"]:
        batch, copies, _, length = x.shape
        signal = x[:, :, 0].reshape(batch * copies, 1, 1, length)
        parts = F.conv2d(signal, self.basis, padding=(0, WINDOW // 2))  # zeros beyond the ends
        return parts.view(batch, copies, ROWS, length)


def depthwise(copies: int, channels: int) -> nn.Conv2d:
    """Each channel along time with its own three weights."""
    both = copies * channels
    return small(nn.Conv2d(both, both, (1, 3), padding=(0, 1), groups=both))


def pointwise(copies: int, inputs: int, outputs: int) -> nn.Conv2d:
    """A linear layer at every step, with torch's own first weights."""
    return nn.Conv2d(copies * inputs, copies * outputs, 1, groups=copies)


def small(layer: nn.Conv2d) -> nn.Conv2d:
    """The official first weights of convolutions over time: normal, deviation 0.02, no bias."""
    nn.init.trunc_normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)
    return layer


def narrow_and_wide(copies: int, hidden: int) -> nn.Sequential:
    """WIDTH -> hidden -> WIDTH channels at every step, GELU between."""
    return nn.Sequential(
        small(pointwise(copies, WIDTH, hidden)),
        nn.GELU(),
        small(pointwise(copies, hidden, WIDTH)),
    )


class ConvEncoder(nn.Module):
    """x + scale * mix(normalise(depthwise(x))): neighbours in time, then channels."""

    def __init__(self, copies: int, hidden: int):
        super().__init__()
        self.body = nn.Sequential(
            depthwise(copies, WIDTH),
            nn.BatchNorm2d(copies * WIDTH),
            narrow_and_wide(copies, hidden),
        )
        self.scale = nn.Parameter(torch.ones(copies * WIDTH, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.scale * self.body(x)


class AdditiveAttention(nn.Module):
    """One summary G of all queries, weighted, meets every key: cost linear in L."""

    def __init__(self, copies: int):
        super().__init__()
        self.copies = copies
        self.query, self.key, self.project, self.final = (
            pointwise(copies, WIDTH, WIDTH) for _ in range(4)
        )
        self.weight = nn.Parameter(torch.randn(copies * WIDTH, 1))

    def forward(self, x: Float[Tensor, "B RC 1 L"]) -> Float[Tensor, "B RC 1 L"]:
        per_copy = (self.copies, WIDTH)  # (B, R, C, 1, L) between here ...
        query = F.normalize(self.query(x).unflatten(1, per_copy), dim=2)
        key = F.normalize(self.key(x).unflatten(1, per_copy), dim=2)
        weight = self.weight.view(*per_copy, 1, 1)
        attention = (query * weight).sum(2, keepdim=True) * WIDTH**-0.5
        attention = F.normalize(attention, dim=4)  # over time
        summary = (attention * query).sum(4, keepdim=True)
        mixed = self.project((summary * key).flatten(1, 2))  # ... and here
        return self.final(mixed + query.flatten(1, 2))


class IQFormerEncoder(nn.Module):
    """Local mixing, attention over all steps, a feed-forward layer; each with its residual."""

    def __init__(self, copies: int):
        super().__init__()
        self.local = ConvEncoder(copies, WIDTH)
        self.attention = AdditiveAttention(copies)
        self.feed = nn.Sequential(
            nn.BatchNorm2d(copies * WIDTH), narrow_and_wide(copies, 4 * WIDTH)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.local(x)
        x = x + self.attention(x)
        return x + self.feed(x)


def stage(copies: int, blocks: int) -> nn.Sequential:
    convolutions = (ConvEncoder(copies, 4 * WIDTH) for _ in range(blocks - 1))
    return nn.Sequential(*convolutions, IQFormerEncoder(copies))


def two_directions(inputs: int) -> nn.LSTM:
    return nn.LSTM(inputs, HALF, bidirectional=True, batch_first=True)


class IQFormer(nn.Module):
    """355,049 parameters for 11 classes of any length."""

    def __init__(self, classes: int, length: int, copies: int = 1):
        super().__init__()
        self.copies = copies
        self.iq = nn.Sequential(
            nn.BatchNorm2d(2 * copies),
            small(nn.Conv2d(2 * copies, 8 * copies, (1, 5), padding=(0, 2), groups=2 * copies)),
            nn.BatchNorm2d(8 * copies),
        )
        self.stft = nn.Sequential(
            RealSTFT(),
            nn.BatchNorm2d(copies),
            nn.Conv2d(copies, 8 * copies, (ROWS, 1), groups=copies),
            nn.BatchNorm2d(8 * copies),
            nn.ReLU(),
        )
        self.fusion = nn.Sequential(
            small(pointwise(copies, 16, HALF)),
            nn.BatchNorm2d(HALF * copies),
            nn.GELU(),
            small(pointwise(copies, HALF, HALF)),
            Dropout(copies, 0.2, salt=1),
        )
        self.first = Recurrent(copies, lambda: two_directions(HALF))
        self.dropout = Dropout(copies, 0.2, salt=2)
        self.second = Recurrent(copies, lambda: two_directions(WIDTH))
        self.stages = nn.Sequential(*(stage(copies, blocks) for blocks in STAGES))
        self.norm = nn.BatchNorm2d(WIDTH * copies)
        self.last = Linear(copies, WIDTH, classes)

    def embed(self, x: Float[Tensor, "B R 2 L"]) -> Float[Tensor, "R B D"]:
        """The input of the last layer: the average over time, D = 64."""
        batch, copies, _, length = x.shape
        streams = self.iq(x.reshape(batch, 2 * copies, 1, length)), self.stft(x)
        side_by_side = torch.cat([h.unflatten(1, (copies, 8)) for h in streams], 2)
        h = self.fusion(side_by_side.flatten(1, 2)).unflatten(1, (copies, HALF))
        h = h.squeeze(3).permute(1, 0, 3, 2)  # (R, B, L, C) for the recurrent layers ...
        h = self.dropout(self.first(h).flatten(2)).view(copies, batch, length, WIDTH)
        h = self.second(h).permute(1, 0, 3, 2)  # ... and back
        h = self.norm(self.stages(h.reshape(batch, copies * WIDTH, 1, length)))
        return h.mean((2, 3)).unflatten(1, (copies, WIDTH)).transpose(0, 1)

    def head(self, h: Float[Tensor, "R B D"]) -> Float[Tensor, "R B C"]:
        return self.last(h)

    def forward(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B C"]:
        """Logits of one network (copies=1)."""
        return self.head(self.embed(x[:, None]))[0]

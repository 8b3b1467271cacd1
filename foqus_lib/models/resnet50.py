"""ResNet50 of He et al. 2016 without its last layer, in grouped form for R independent copies.

As commonly trained since: the 3x3 convolution of a bottleneck takes the stride, not the first 1x1.
"""

from torch import Tensor, nn
from torch.nn import functional as F

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # width, bottlenecks, first stride
EXPANSION = 4  # a bottleneck gives four times its width
WIDTH = EXPANSION * STAGES[-1][0]


def convolution(copies: int, inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    """Convolution without bias, Kaiming-normal over the inputs, and batch normalisation.

    Batch statistics are those of a channel, hence of one copy.
    """
    layer = nn.Conv2d(
        copies * inputs,
        copies * outputs,
        kernel,
        stride,
        padding=kernel // 2,
        groups=copies,
        bias=False,
    )
    nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
    return nn.Sequential(layer, nn.BatchNorm2d(copies * outputs))


class Bottleneck(nn.Module):
    """ReLU(shortcut(x) + 1x1(ReLU(3x3(ReLU(1x1(x)))))), each convolution with its normalisation."""

    def __init__(self, copies: int, inputs: int, width: int, stride: int):
        super().__init__()
        self.first = convolution(copies, inputs, width, 1, 1)
        self.second = convolution(copies, width, width, 3, stride)
        self.third = convolution(copies, width, EXPANSION * width, 1, 1)
        self.shortcut = (
            nn.Sequential()
            if stride == 1 and inputs == EXPANSION * width
            else convolution(copies, inputs, EXPANSION * width, 1, stride)
        )

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.second(F.relu(self.first(x))))
        return F.relu(self.shortcut(x) + self.third(h))


def resnet50(copies: int, inputs: int) -> nn.Sequential:
    """(B, inputs R, H, L) -> (B, 2048 R, 1, 1): stem, sixteen bottlenecks, global average."""
    stem = nn.Conv2d(
        copies * inputs, copies * 64, 7, stride=2, padding=3, groups=copies, bias=False
    )
    layers = [stem, nn.BatchNorm2d(copies * 64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for width, bottlenecks, first in STAGES:
        for index in range(bottlenecks):
            layers.append(Bottleneck(copies, channels, width, 1 if index else first))
            channels = EXPANSION * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1))

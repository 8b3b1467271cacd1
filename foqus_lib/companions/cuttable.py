"""The networks whose residual blocks can be taken out, and what has to stay of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from foqus_lib.companions import signal_cnn1d, signal_resnet, signal_transformer
from foqus_lib.companions.signal_cnn1d import SignalCNN1D
from foqus_lib.companions.signal_resnet import SignalResNet, stage_of
from foqus_lib.companions.signal_transformer import SignalTransformer


@dataclass(frozen=True)
class Cuttable:
    """A kind of network: build(classes, length, depths, width, inner) makes it with what is left.

    depths: blocks of each stage. needed: runs of consecutive blocks, of each of which one must
    stay. growth: how many times the channels of a stage those of the next one are.
    """

    build: Callable[..., nn.Module]
    depths: tuple[int, ...]
    needed: tuple[int, ...]
    width: int  # channels of the first stage, as published
    growth: int
    version: str  # what stands in keys: it changes when the network does
    inside: int = 1  # times those outside, the channels between a block's two convolutions

    def channels(self, width: int) -> list[int]:
        """Of every block, between its two convolutions."""
        return [width * self.inside * self.growth**stage for stage in stage_of(self.depths)]


def _resnet(blocks: int) -> Cuttable:
    """Without a block of a stage the signal would not be reduced there."""
    depths = (blocks,) * signal_resnet.STAGES
    version = f"resnet={signal_resnet.VERSION}"
    return Cuttable(SignalResNet, depths, depths, signal_resnet.WIDTH, 2, version)


def _cnn1d() -> Cuttable:
    """The pooling between the stacks stays, so any one unit is enough."""
    depths = signal_cnn1d.DEPTHS
    version = f"cnn1d={signal_cnn1d.VERSION}"
    return Cuttable(SignalCNN1D, depths, (sum(depths),), signal_cnn1d.WIDTH, 1, version)


def _transformer() -> Cuttable:
    """Any one block is enough."""
    depths, width = signal_transformer.DEPTHS, signal_transformer.WIDTH
    version = f"transformer={signal_transformer.VERSION}"
    inside = signal_transformer.INSIDE
    return Cuttable(SignalTransformer, depths, depths, width, 1, version, inside)


KINDS = SignalResNet, SignalCNN1D, SignalTransformer

NETWORKS: dict[str, Callable[[], Cuttable]] = {
    "ResNet20": lambda: _resnet(3),
    "ResNet56": lambda: _resnet(9),
    "ResNet110": lambda: _resnet(18),
    "CNN1D": _cnn1d,
    "Transformer12": _transformer,
}
WORDS = ", ".join(NETWORKS)


def blocks_left(depths: Sequence[int], kept: Sequence[int]) -> tuple[int, ...]:
    """How many blocks of each stage are kept; ValueError for blocks there are not, or twice."""
    stage = stage_of(depths)
    if len(set(kept)) != len(kept) or not set(kept) <= set(range(len(stage))):
        raise ValueError(f"kept: expected distinct blocks 0 to {len(stage) - 1}, got {list(kept)}")
    return tuple(sum(stage[block] == s for block in kept) for s in range(len(depths)))

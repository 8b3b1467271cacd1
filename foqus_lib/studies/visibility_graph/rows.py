"""The rows of the chapter: which network each name stands for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd
from torch import nn

from foqus_lib.companions.visibility_graph import avgnet, rules
from foqus_lib.companions.visibility_graph.layer import AdaptiveVisibilityGraph
from foqus_lib.errors import unknown
from foqus_lib.models import MODELS
from foqus_lib.models.copies import Build, alone
from foqus_lib.studies.coreset.bench import NONE

LEARNED, BAND, SCATTERED, EMPTY = "AVGNet", "Band", "Random graph", "No edges"
VISIBILITY: dict[str, rules.Rule] = {
    "Natural": rules.natural,
    "Horizontal": rules.horizontal,
    "Limited-penetrable": rules.limited_penetrable,
}
PLAIN = ("CNN1D", "CNN2D", "LSTM")
METHODS = (BAND, LEARNED, *VISIBILITY, SCATTERED, EMPTY, *PLAIN)
BY_LAG, BY_DEPTH = f"{LEARNED}, m = ", f"{LEARNED}, SAGE layers = "  # the ablations' names


@dataclass(frozen=True)
class Shape:
    """What a graph network is built of. Equal strings, equal networks: it stands in every key."""

    max_lag: int = 11  # m, of the learned graph, of the band and of the random graph
    hidden: int = 64
    layers: int = 6  # SAGE layers of a block
    scale: float = avgnet.NATIVE  # of node features

    def __post_init__(self) -> None:
        for name in ("max_lag", "hidden", "layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected 1 or more, got {getattr(self, name)}")

    def __str__(self) -> str:
        return f"m={self.max_lag} hidden={self.hidden} layers={self.layers} scale={self.scale!r}"


def known(method: str) -> str:
    """The name itself; ValueError with the nearest one if there is no such row."""
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    return method


def compared(rows: pd.DataFrame) -> pd.DataFrame:
    """Every network on all signals, without the ablation: the table of the chapter."""
    ablated = rows.method.str.startswith((BY_LAG, BY_DEPTH))
    return rows[(rows.coreset == NONE) & ~ablated]


def shape_of(method: str, shape: Shape) -> Shape:
    """The chapter's shape; of an ablation's row with the number that its name ends with."""
    if method.startswith(BY_LAG):
        return replace(shape, max_lag=int(method.removeprefix(BY_LAG)))
    if method.startswith(BY_DEPTH):
        return replace(shape, layers=int(method.removeprefix(BY_DEPTH)))
    return shape


def learned(method: str) -> bool:
    """Whether the row learns its graph."""
    return method.startswith(LEARNED)


def builder(method: str, shape: Shape, name: str) -> Build:
    """For `fit`; `name` is the stream of a random graph."""
    if method in PLAIN:
        return MODELS[method]
    return alone(partial(_network, method, shape_of(method, shape), name))


def _network(method: str, shape: Shape, name: str, classes: int, length: int) -> nn.Module:
    """The tower draws its weights before the graph does, so every graph gets the same tower."""
    empty = rules.FixedGraph(rules.nothing)
    network = avgnet.AVGNet(classes, length, empty, shape.hidden, shape.layers, shape.scale)
    network.graph = _graph(method, shape, name)()
    return network


def _graph(method: str, shape: Shape, name: str) -> Callable[[], nn.Module]:
    if learned(method):
        return partial(AdaptiveVisibilityGraph, shape.max_lag)
    rule = {
        BAND: partial(rules.band, max_lag=shape.max_lag),
        SCATTERED: partial(rules.scattered, max_lag=shape.max_lag, name=name),
        EMPTY: rules.nothing,
    } | VISIBILITY
    return partial(rules.FixedGraph, rule[method])

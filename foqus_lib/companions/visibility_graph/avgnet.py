"""AVGNet: a graph of I and one of Q, one tower of pooling for both, a small head.

With another graph module it is the same network on a fixed graph, to which AVGNet is compared.
"""

import copy

from jaxtyping import Float
from torch import Tensor, nn

from foqus_lib.companions.visibility_graph.pool import DiffPoolTower
from foqus_lib.companions.visibility_graph.rules import FixedGraph, nothing

NATIVE = 10.0  # the authors' factor of node features, for amplitudes of 1e-2; 1 at unit power


class AVGNet(nn.Module):
    """A graph module, the tower and a head: 456,259 parameters at the published size.

    That is hidden 64, six layers, m = 11, 11 classes, L = 128. For `fit`: models.copies.alone(...).
    Each node is a sample and holds (I, Q), in both branches.
    """

    def __init__(
        self,
        classes: int,
        length: int,
        graph: nn.Module,
        hidden: int = 64,
        layers: int = 6,
        scale: float = NATIVE,
    ):
        super().__init__()
        self.graph, self.scale = graph, scale
        self.tower = DiffPoolTower(2, length, hidden, layers)
        self.join = nn.Linear(2 * hidden, hidden)
        self.last = nn.Linear(hidden, classes)

    def adjacency(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B2 L L"]:
        """The graphs of I and Q of each signal: rows 2b and 2b + 1."""
        return self.graph(x.flatten(0, 1))

    def embed(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B D"]:
        """The input of the last layer. Both branches are one batch of 2B graphs."""
        nodes = (self.scale * x.transpose(1, 2)).repeat_interleave(2, dim=0)
        both = self.tower(nodes, self.adjacency(x))
        return self.join(both.view(len(x), -1)).relu()

    def head(self, h: Float[Tensor, "B D"]) -> Float[Tensor, "B C"]:
        """Logits."""
        return self.last(h)

    def forward(self, x: Float[Tensor, "B 2 L"]) -> Float[Tensor, "B C"]:
        """Logits of ordinary use."""
        return self.head(self.embed(x))


def without_edges(network: AVGNet) -> AVGNet:
    """A copy whose every edge is zero, trained weights and all else as they are."""
    blind = copy.copy(network)  # modules are shared, the table of them is not
    blind._modules = dict(network._modules)
    blind.graph = FixedGraph(nothing)
    return blind

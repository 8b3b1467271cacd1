"""DiffPool: learned soft clusters of nodes become the nodes of a smaller graph.

SAGE layers and pooling are torch-geometric's, the stack of them is the authors' (jcz111/AvgNet),
which is that of torch-geometric's own DiffPool example.
"""

import math
import warnings
from types import ModuleType

import torch
from jaxtyping import Float
from torch import Tensor, nn

POOLED = 0.25  # of the nodes, rounded up, at each of two levels


def dense_layers() -> ModuleType:
    """torch_geometric.nn.dense. Its import takes seconds, and warns of what it uses of torch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch_geometric.nn import dense
    return dense


class DenseSAGEBlock(nn.Module):
    """SAGE layers, each then ReLU and batch normalisation; all their outputs side by side.

    A layer adds a linear image of a node and one of its neighbours' mean, weighted by the edges; a
    node whose edges weigh less than 1 together takes their sum, as torch-geometric has it. The last
    layer is `out` wide. Statistics are taken over graphs and nodes alike.
    """

    def __init__(self, features: int, hidden: int, out: int, layers: int, mixed: bool):
        super().__init__()
        widths = [features, *[hidden] * (layers - 1), out]
        sage = dense_layers().DenseSAGEConv
        self.convs = nn.ModuleList(sage(a, b) for a, b in zip(widths, widths[1:], strict=False))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for width in widths[1:])
        self.width = sum(widths[1:])
        self.last = nn.Linear(self.width, out) if mixed else None
        if mixed:
            self.width = out

    def forward(
        self, x: Float[Tensor, "B N F"], adjacency: Float[Tensor, "B N N"]
    ) -> Float[Tensor, "B N D"]:
        """Features of every node; D is `width`."""
        found = []
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = conv(x, adjacency).relu()
            x = norm(x.flatten(0, 1)).view(x.shape)
            found.append(x)
        together = torch.cat(found, dim=2)
        return together if self.last is None else self.last(together).relu()


class DiffPoolTower(nn.Module):
    """A graph in, one vector of `hidden` numbers out: pooled twice, then the mean over nodes."""

    def __init__(self, features: int, nodes: int, hidden: int, layers: int):
        super().__init__()
        few = math.ceil(POOLED * nodes)
        fewer = math.ceil(POOLED * few)
        wide = layers * hidden
        self.pool_1 = DenseSAGEBlock(features, hidden, few, layers, mixed=True)
        self.embed_1 = DenseSAGEBlock(features, hidden, hidden, layers, mixed=False)
        self.pool_2 = DenseSAGEBlock(wide, hidden, fewer, layers, mixed=True)
        self.embed_2 = DenseSAGEBlock(wide, hidden, hidden, layers, mixed=False)
        self.embed_3 = DenseSAGEBlock(wide, hidden, hidden, layers, mixed=False)
        self.first = nn.Linear(wide, 3 * hidden)
        self.second = nn.Linear(3 * hidden, hidden)
        self.pooled = dense_layers().dense_diff_pool

    def forward(
        self, x: Float[Tensor, "B N F"], adjacency: Float[Tensor, "B N N"]
    ) -> Float[Tensor, "B D"]:
        """X' = softmax(S)^T Z and A' = softmax(S)^T A softmax(S), twice; link and entropy losses
        are computed by torch-geometric and not used, as in the authors' code."""
        for pool, embed in ((self.pool_1, self.embed_1), (self.pool_2, self.embed_2)):
            into, features = pool(x, adjacency), embed(x, adjacency)
            x, adjacency, _link, _entropy = self.pooled(features, adjacency, into)
        x = self.embed_3(x, adjacency).mean(1)
        return self.second(self.first(x).relu()).relu()

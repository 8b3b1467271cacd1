"""What is looked at in a trained graph network: its edges, and how it does without them."""

import torch
from jaxtyping import Float32
from numpy import ndarray
from torch import nn

from foqus_lib.companions.visibility_graph import avgnet
from foqus_lib.companions.visibility_graph.layer import mean_degree, refuse_empty
from foqus_lib.signals import Signals
from foqus_lib.studies.coreset import run
from foqus_lib.studies.visibility_graph.rows import LEARNED
from foqus_lib.training.device import arithmetic
from foqus_lib.training.predict import said

LOOKED_AT = 64  # training signals whose graphs are looked at


def alive(train: Signals, replicas: range, network: nn.Module, epoch: int) -> None:
    """After each epoch: ValueError if the learned graphs have lost every edge.

    Of signals from the whole set: the first ones are mostly of one class.
    """
    spread = train.iq[:: -(-len(train) // LOOKED_AT)]
    refuse_empty(graphs(network, spread), f"{LEARNED}, epoch {epoch + 1}")


@torch.no_grad()
def graphs(network: nn.Module, iq: Float32[ndarray, "B 2 L"]) -> torch.Tensor:
    """Of I and Q of these signals."""
    device = next(network.parameters()).device
    with arithmetic("fp32", device):
        return network.network.adjacency(torch.from_numpy(iq).to(device))


def of_edges(network: nn.Module, train: Signals, test: Signals) -> dict[str, float]:
    """Accuracy of the same weights with every edge zeroed, and a mean degree.

    The degree is that of the first training signals, so mostly of one class.
    """
    degree = mean_degree(graphs(network, train.iq[:LOOKED_AT]))
    trained = network.network
    network.network = avgnet.without_edges(trained)
    without = said(network, test)
    network.network = trained
    return {"accuracy_no_edges": run.measure(without, test, 0)["accuracy"], "degree": degree}


def kernels(network: nn.Module) -> dict[str, dict[str, float]]:
    """The weights of the learned layer, so that the page can show them: 88 numbers at m = 11."""
    weight, bias = (w.tolist() for w in network.network.graph.parameters())
    return {
        "weight_by_place": {str(place): value for place, value in enumerate(weight)},
        "bias_by_lag": {str(lag): value for lag, value in enumerate(bias, start=1)},
    }

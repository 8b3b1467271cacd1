"""psi: an untrained network as an embedding."""

import torch
from jaxtyping import Float
from torch import Tensor

from foqus_lib.companions.distillation.loss import Embed
from foqus_lib.models.copies import Build
from foqus_lib.models.layers import Dropout
from foqus_lib.training.fit import initial


def fresh_embedding(build: Build, classes: int, name: str, probe: Float[Tensor, "P 2 L"]) -> Embed:
    """psi: a network that was never trained, without its last layer, in train mode.

    Train mode is for batch normalisation. Dropout is off: it would add p / ((1 - p) m) |psi|^2 to
    the loss of m signals a class, which at m = 1 pulls S towards silence.

    A network without normalisation shrinks its signals layer by layer, by another factor each time
    it is drawn: in CNN1D a step would move S by nothing. So psi is divided by one number, its
    spread (standard deviation) over the probe, some real signals. Our choice.
    """
    network = initial(build, classes, probe.shape[2], [name]).to(probe.device).train()
    network.requires_grad_(False)
    for layer in network.modules():
        if isinstance(layer, Dropout):
            layer.eval()
    spread = network.embed(probe[:, None])[0].var(dim=0, correction=0).mean().sqrt()
    scale = 1 / spread.clamp(min=torch.finfo(spread.dtype).tiny)
    return lambda x: scale * network.embed(x[:, None])[0]

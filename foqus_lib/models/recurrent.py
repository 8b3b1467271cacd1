"""LSTM layers of R independent copies; one copy is torch's own nn.LSTM and its fast kernels."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Recurrent(nn.Module):
    """(R, B, L, I) -> (R, B, L, H): the hidden states of every step, 2 H of them in two directions.

    `build` makes the one-layer nn.LSTM (batch first) of one copy; weights start as torch starts
    them, uniform within 1 / sqrt(H). No kernel of oneDNN or cuDNN takes a weight for each copy, so
    several copies run in the loop below.
    """

    def __init__(self, copies: int, build: Callable[[], nn.LSTM]):
        super().__init__()
        layers = [build() for _ in range(copies)]
        self.lstm = layers[0] if copies == 1 else LoopedLSTM(layers)
        self.copies = copies

    def forward(self, x: Float[Tensor, "R B L I"]) -> Float[Tensor, "R B L H"]:
        if self.copies > 1:
            return self.lstm(x)
        # Clustering learns in evaluation mode. There cuDNN keeps nothing for backward; without
        # dropout the layer is the same in both.
        self.lstm.training = self.training or torch.is_grad_enabled()
        return self.lstm(x[0])[0][None]


class LoopedLSTM(nn.Module):
    """The same layer by batched products: one for the inputs of all steps, then one for each step.

    Parameters have the names they have in nn.LSTM; copies are slices of the first axis. Both of
    torch's biases are kept: one in their place would learn twice as slowly.
    """

    def __init__(self, layers: Sequence[nn.LSTM]):
        super().__init__()
        self.copies = len(layers)
        self.directions = ("", "_reverse") if layers[0].bidirectional else ("",)
        for name, _ in layers[0].named_parameters():
            weights = [layer.get_parameter(name).detach() for layer in layers]
            self.register_parameter(name, nn.Parameter(torch.cat(weights)))

    def forward(self, x: Float[Tensor, "R B L I"]) -> Float[Tensor, "R B L H"]:
        """Two directions are 2 R copies, half of which read the signal backwards."""
        if len(self.directions) == 1:
            return self._states(x)
        forth, back = self._states(torch.cat([x, x.flip(2)])).chunk(2)
        return torch.cat([forth, back.flip(2)], 3)

    def _states(self, x: Tensor) -> Tensor:
        copies, batch, length, inputs = x.shape
        x = x.transpose(1, 2).reshape(copies, length * batch, inputs)
        gates = torch.bmm(x, self._stacked("weight_ih_l0").transpose(1, 2))
        if hasattr(self, "bias_ih_l0"):
            gates = gates + (self._stacked("bias_ih_l0") + self._stacked("bias_hh_l0"))[:, None]
        recurrent = self._stacked("weight_hh_l0").transpose(1, 2).to(gates.dtype)
        hidden = gates.new_zeros(copies, batch, recurrent.shape[1])
        cell = hidden.to(self.weight_hh_l0.dtype)  # bf16 would forget small increments
        states = []
        for step in gates.view(copies, length, batch, -1).unbind(1):
            i, f, g, o = torch.baddbmm(step, hidden, recurrent).to(cell.dtype).chunk(4, 2)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            hidden = (o.sigmoid() * cell.tanh()).to(gates.dtype)
            states.append(hidden)
        return torch.stack(states, 2)

    def _stacked(self, name: str) -> Tensor:
        """(R, 4 H, ...), or (2 R, 4 H, ...) for two directions."""
        weights = [self.get_parameter(name + direction) for direction in self.directions]
        return torch.cat([weight.unflatten(0, (self.copies, -1)) for weight in weights])

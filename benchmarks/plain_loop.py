"""The training loop that a careful but ordinary researcher writes, and that DeepCore runs.

A Dataset whose __getitem__ gives one signal, a DataLoader, one network in torch's own layers and
layout, `.item()` every step, a test after every epoch if wanted. No trick of ours is in it. The
networks are those of foqus_lib.models to the last weight: `like` copies one and checks both.

workers=0: torch's extra loader processes start anew every epoch and cost more than they bring.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from foqus_lib.models import MODELS
from foqus_lib.signals import Signals
from foqus_lib.training.fit import initial
from foqus_lib.training.recipe import Recipe

CPU = torch.device("cpu")
Record = Callable[[int, Tensor, Tensor, Tensor], None]  # epoch, rows, logits, losses of a batch


class Recordings(Dataset):
    """One signal at a time, with its label and its row."""

    def __init__(self, signals: Signals, rows: np.ndarray | None = None):
        self.signals = signals
        self.rows = np.arange(len(signals)) if rows is None else rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> tuple[Tensor, int, int]:
        row = int(self.rows[i])
        return torch.from_numpy(self.signals.iq[row]), int(self.signals.label[row]), row


class Unit(nn.Module):
    """ReLU(x + second(ReLU(first(x))))."""

    def __init__(self, first: nn.Module, second: nn.Module):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(F.relu(self.first(x))))


class CNN1D(nn.Module):
    """Six residual stacks of 32 channels, the first over I and Q, five along time."""

    def __init__(self, classes: int, length: int):
        super().__init__()

        def conv2d(kernel, padding, inputs=32):
            return nn.Conv2d(inputs, 32, kernel, padding=padding, bias=False)

        def conv1d(kernel):
            return nn.Conv1d(32, 32, kernel, padding=kernel // 2, bias=False)

        both = [Unit(conv2d((2, 3), (1, 1)), conv2d((2, 3), (0, 1))) for _ in range(2)]
        self.first = nn.Sequential(conv2d((1, 1), 0, 1), *both, nn.MaxPool2d(2))
        self.later = nn.Sequential(*(
            layer
            for _ in range(5)
            for layer in (conv1d(1), Unit(conv1d(3), conv1d(3)), Unit(conv1d(3), conv1d(3)),
                          nn.MaxPool1d(2))
        ))  # fmt: skip
        self.hidden = nn.Linear(32 * (length // 64), 128)
        self.dropout = nn.Dropout(0.3)
        self.last = nn.Linear(128, classes)

    def embed(self, x: Tensor) -> Tensor:
        h = self.later(self.first(x[:, None]).squeeze(2))
        return self.dropout(self.hidden(h.flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.embed(x))


class CNN2D(nn.Module):
    """VT-CNN2 with a linear layer over time."""

    def __init__(self, classes: int, length: int):
        super().__init__()
        steps = 128 if length <= 128 else 256
        self.first = nn.Conv2d(1, 256, (1, 3), padding=(0, 1), bias=False)
        self.second = nn.Conv2d(256, 80, (2, 3), bias=False)
        self.pool = nn.Linear(length - 2, steps)
        self.hidden = nn.Linear(80 * steps, 256)
        self.last = nn.Linear(256, classes)
        self.dropout = nn.Dropout(0.5)

    def embed(self, x: Tensor) -> Tensor:
        h = self.dropout(F.relu(self.first(x[:, None])))
        h = self.pool(F.relu(self.second(h)).squeeze(2))
        return self.dropout(F.relu(self.hidden(self.dropout(h).flatten(1))))

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.embed(x))


class LSTM(nn.Module):
    """Two layers without biases over raw I/Q, all steps to the last layer."""

    def __init__(self, classes: int, length: int):
        super().__init__()
        self.first = nn.LSTM(2, 128, bias=False, batch_first=True)
        self.second = nn.LSTM(128, 64, bias=False, batch_first=True)
        self.last = nn.Linear(64 * length, classes)

    def embed(self, x: Tensor) -> Tensor:
        return self.second(self.first(x.transpose(1, 2))[0])[0].flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.embed(x))


PLAIN = {"CNN1D": CNN1D, "CNN2D": CNN2D, "LSTM": LSTM}


def like(name: str, ours: nn.Module, classes: int, length: int) -> nn.Module:
    """The plain network with the weights of `ours` (one copy); AssertionError if they differ."""
    plain = PLAIN[name](classes, length)
    count = [sum(w.numel() for w in network.parameters()) for network in (plain, ours)]
    assert count[0] == count[1], f"{name}: {count[0]} plain parameters, {count[1]} of ours"
    with torch.no_grad():
        for theirs, weight in zip(plain.parameters(), ours.parameters(), strict=True):
            if theirs.ndim == 2 and weight.ndim == 3:  # a linear layer: ours is (1, in, out)
                weight = weight[0].T
            theirs.copy_(weight.reshape(theirs.shape))
        x = torch.randn(4, 2, length)
        gap = (plain.eval()(x) - ours.eval()(x)).abs().max().item()
    assert gap < 1e-4, f"{name}: logits differ by {gap:g} with the same weights"
    return plain


def train(
    network: nn.Module,
    data: Recordings,
    recipe: Recipe,
    device: torch.device = CPU,
    test: Recordings | None = None,
    record: Record | None = None,
) -> list[float]:
    """Train in place; the accuracy on `test` after every epoch, if one is given.

    record is called with every batch as trained on, DeepCore's way to watch a training.
    """
    network.to(device)
    loader = DataLoader(data, recipe.batch, shuffle=True)
    optimiser = torch.optim.Adam(network.parameters(), recipe.lr)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, recipe.step, recipe.gamma)
    accuracy, running = [], 0.0
    for epoch in range(recipe.epochs):
        network.train()
        for x, y, rows in loader:
            x, y = x.to(device), y.to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
                logits = network(x)
            losses = F.cross_entropy(logits.float(), y, reduction="none")
            optimiser.zero_grad()
            losses.mean().backward()
            optimiser.step()
            running += losses.mean().item()
            if record:
                record(epoch, rows, logits.detach(), losses.detach())
        schedule.step()
        if test:
            accuracy.append(evaluate(network, test, device))
    return accuracy


@torch.no_grad()
def evaluate(network: nn.Module, data: Recordings, device: torch.device = CPU) -> float:
    """Share of right answers."""
    network.eval()
    right = 0
    for x, y, _ in DataLoader(data, 128):
        right += (network(x.to(device)).argmax(1) == y.to(device)).sum().item()
    return right / len(data)


@torch.no_grad()
def outputs(
    network: nn.Module, data: Recordings, device: torch.device = CPU
) -> tuple[np.ndarray, np.ndarray]:
    """Logits (N, C) and the last layer's input (N, D), both float32."""
    network.eval()
    found = [network.embed(x.to(device)) for x, _, _ in DataLoader(data, 128)]
    h = torch.cat(found)
    return network.last(h).cpu().numpy(), h.cpu().numpy()


def fresh(name: str, classes: int, length: int, seed: str) -> nn.Module:
    """The plain network with the weights that our networks start from under this seed."""
    return like(name, initial(MODELS[name], classes, length, [seed]), classes, length)

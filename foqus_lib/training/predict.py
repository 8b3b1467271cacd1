"""What trained networks say about signals: logits and embeddings of every copy."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Tensor, nn

from foqus_lib.signals import Signals
from foqus_lib.training.device import arithmetic, resident

# Signals times copies: what a cache holds, and what fills a GPU. There `collect` predicts beside
# the memory of a training: SigNet takes 4 MB a signal, CNN2D as much of 1,024 samples.
AT_ONCE = {"cpu": 128, "cuda": 1024}


@torch.inference_mode()
def predict(
    network: nn.Module, signals: Signals
) -> tuple[Float[Tensor, "R N C"], Float[Tensor, "R N D"]]:
    """Logits and embeddings of every signal by every copy, in fp32 and eval mode, on the CPU.

    A GPU holds no more of them than a batch: all of them are in nobody's plan of its memory.
    """
    found, done = [], 0
    for h in _embeddings(network, signals):
        both, until = (network.head(h), h), done + h.shape[1]
        sizes = [(len(one), len(signals), one.shape[2]) for one in both]
        found = found or [
            one.new_empty(size, device="cpu") for one, size in zip(both, sizes, strict=True)
        ]
        for whole, part in zip(found, both, strict=True):  # joined at the end it would be two
            whole[:, done:until] = part
        done = until
    return tuple(found)


@torch.inference_mode()
def logits_and_norms(
    network: nn.Module, signals: Signals
) -> tuple[Float32[ndarray, "R N C"], Float32[ndarray, "R N"]]:
    """Logits and ||h|| of every signal by every copy; no embedding is kept beyond its batch.

    Ten copies' embeddings of 150,000 signals are 50 GB of an LSTM.
    """
    logits, norms = [], []
    for h in _embeddings(network, signals):
        logits.append(network.head(h).float().cpu().numpy())
        rows = np.ascontiguousarray(h.float().cpu().numpy())
        with np.errstate(over="ignore", invalid="ignore"):  # of one that diverged, which is told
            norms.append(np.linalg.norm(rows, axis=2))
    return np.concatenate(logits, 1), np.concatenate(norms, 1)


@torch.inference_mode()
def logits_of(network: nn.Module, signals: Signals) -> Float[Tensor, "R N C"]:
    """Logits alone; embeddings of long signals can be wide (LSTM: 64 a sample)."""
    return torch.cat([network.head(h) for h in _embeddings(network, signals)], 1)


def said(network: nn.Module, signals: Signals) -> Float32[ndarray, "N C"]:
    """Logits of a network that stands alone, on the CPU."""
    return logits_of(network, signals)[0].float().cpu().numpy()


@torch.inference_mode()
def accuracies(network: nn.Module, signals: Signals) -> Float[Tensor, " R"]:
    """Share of the signals each copy classifies rightly, computed where the network is."""
    logits = logits_of(network, signals)
    _, label = resident(signals, logits.device)
    return (logits.argmax(2) == label).float().mean(1)


def _embeddings(network: nn.Module, signals: Signals) -> Iterator[Float[Tensor, "R B D"]]:
    device = next(network.parameters()).device
    network.eval()
    x, _ = resident(signals, device)
    with arithmetic("fp32", device):
        for part in x.split(max(1, AT_ONCE[device.type] // network.copies)):
            yield network.embed(part[:, None].expand(-1, network.copies, -1, -1))

"""One full training becomes the record that every selector reads (Algorithm 1, lines 1-6).

A network is trained once per (dataset, selection model, seed), whatever the number of methods and
rates: it is cheaper than a training per method, and fairer [A13].
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from numpy import ndarray
from torch import Tensor, nn
from torch.nn import functional as F

from foqus_lib.durable import write_once_by
from foqus_lib.evidence import Evidence
from foqus_lib.models.copies import Build, Weights, taken
from foqus_lib.signals import Signals
from foqus_lib.training.device import resident
from foqus_lib.training.fit import fit
from foqus_lib.training.predict import logits_and_norms, logits_of, predict
from foqus_lib.training.recipe import Recipe

VERSION = 2  # raised when the same training leaves other numbers
# Of each epoch; a record of less is made anew, results stay valid.
HOLDS = "correct loss margin drift"

Collected = tuple[Evidence, dict[str, Tensor]]  # the record and the weights that left it behind


@dataclass(frozen=True)
class Collection:
    """How evidence is collected: T = recipe.epochs epochs, and GraNd's short runs [A17]."""

    recipe: Recipe = Recipe()  # noqa: RUF009 (frozen)
    early_runs: int = 10  # 0: none, and GraNd cannot be computed
    early_epochs: int = 5  # a tenth of T

    def __post_init__(self) -> None:
        for field, least in (("early_runs", 0), ("early_epochs", 1)):
            if getattr(self, field) < least:
                raise ValueError(f"{field}: expected {least} or more, got {getattr(self, field)}")
        if self.recipe.epochs < 2:
            raise ValueError(
                f"epochs: Eqs. 4 and 5 compare epochs, so T must be 2 or more; "
                f"got {self.recipe.epochs}"
            )

    def __str__(self) -> str:
        """The canonical form in keys: equal strings, equal evidence."""
        return f"{self.recipe} early={self.early_runs}x{self.early_epochs}"


def predicted_label(logits: Float[Tensor, "*batch C"]) -> Int64[Tensor, "*batch"]:
    """Eq. 2: y_hat, the class of the largest logit (the first of equals)."""
    return logits.argmax(-1)


def correctness(
    predicted: Int64[Tensor, "*batch N"], label: Int64[Tensor, " N"]
) -> Bool[Tensor, "*batch N"]:
    """Eq. 3: c_t, whether the prediction of epoch t is the label."""
    return predicted == label


def loss_of(logits: Float[Tensor, "R N C"], label: Int64[Tensor, " N"]) -> Float[Tensor, "R N"]:
    """The summand of Eq. 6: cross-entropy of the logits in nats [A4]."""
    target = label.expand(logits.shape[:-1])
    return F.cross_entropy(logits.transpose(1, 2), target, reduction="none")


def margin_of(logits: Float[Tensor, "R N C"], label: Int64[Tensor, " N"]) -> Float[Tensor, "R N"]:
    """z_y - max_{c != y} z_c: positive where the network is right (Pleiss et al. 2020).

    0 if C = 1: there is no other class.
    """
    if logits.shape[-1] == 1:
        return torch.zeros_like(logits[..., 0])
    of_label = label.expand(logits.shape[:-1])[..., None]
    others = logits.scatter(-1, of_label, -torch.inf).amax(-1)
    return logits.gather(-1, of_label)[..., 0] - others


def drift_of(log_p: Float[Tensor, "R N C"], before: Float[Tensor, "R N C"]) -> Float[Tensor, "R N"]:
    """sum_c p_c |log p_c - log p'_c|, p' an epoch before: all classes count (Zhang et al. 2024)."""
    return (log_p.exp() * (log_p - before).abs()).sum(-1)


def collect(
    build: Build,
    signals: Signals,
    seeds: Sequence[str],
    collection: Collection,
    device: torch.device = torch.device("cpu"),  # noqa: B008 (immutable)
    progress: Callable[[str], None] = lambda text: None,
    keep: Path | None = None,
    memory: int = 0,
    start: Sequence[Weights] | None = None,
) -> list[Collected | ValueError]:
    """For each seed its evidence and the weights trained on everything; or why there are none.

    An epoch costs one forward pass more than the training. With `keep`, a folder, what is recorded
    and the state of the training are kept there, and the same call goes on from the last epoch.
    `memory`: bytes of a GPU that may be used, 0 for all. `start`: as in `fit`, of the
    training that is recorded. A seed whose training diverges does not stop the others; an early
    training that does costs the early fields alone, and `early_lost` says why they are empty.
    """
    n, epochs = len(signals), collection.recipe.epochs
    correct = _rows(keep, "correct", (len(seeds), epochs, n), np.dtype(bool))
    loss = _rows(keep, "loss", (len(seeds), epochs, n), np.dtype(np.float32))
    margin = _rows(keep, "margin", (len(seeds), epochs, n), np.dtype(np.float32))
    drift = _rows(keep, "drift", (len(seeds), epochs - 1, n), np.dtype(np.float32))
    log_p = torch.empty(0)  # of the stack at hand, after its last epoch
    _, target = resident(signals, device)

    def record(replicas: range, network: nn.Module, epoch: int) -> None:
        """Eqs. 2, 3 and the summand of 6, on all of D, after the epoch, in eval mode [A3, A4]."""
        nonlocal log_p
        logits = logits_of(network, signals).float()
        of_all = slice(replicas.start, replicas.stop)
        before, log_p = log_p, F.log_softmax(logits, -1)
        if epoch > 0:
            drift[of_all, epoch - 1] = drift_of(log_p, before).cpu().numpy()
        correct[of_all, epoch] = correctness(predicted_label(logits), target).cpu().numpy()
        loss[of_all, epoch] = loss_of(logits, target).cpu().numpy()
        margin[of_all, epoch] = margin_of(logits, target).cpu().numpy()
        share = correct[of_all, epoch].mean()
        progress(f"epoch {epoch + 1} of {epochs}: {share:.1%} of the training signals right")

    def remember(replicas: range, network: nn.Module, epoch: int) -> None:
        """Of the epoch that a training goes on from: the next one's drift begins there."""
        nonlocal log_p
        log_p = F.log_softmax(logits_of(network, signals).float(), -1)

    outputs: list[tuple[dict[str, Tensor], ndarray, ndarray]] = []

    def look(replicas: range, network: nn.Module, diverged: dict[int, int]) -> None:
        outputs.extend(_outputs(network, signals))

    everything = [np.arange(n)] * len(seeds)
    fitted = fit(
        build, signals, everything, seeds, collection.recipe, device, record, 0, memory, keep,
        start, on_return=remember, after_stack=look,
    )  # fmt: skip
    log_p = torch.empty(0)  # the short trainings have the device's memory
    early = partial(_early, build, signals, collection, device, keep, memory)
    found: list[Collected | ValueError] = []
    for replica, (weights, logits, embedding) in enumerate(outputs):
        if replica in fitted.diverged:
            found.append(_diverged(fitted.diverged[replica], collection.recipe))
            continue
        if any(np.isnan(of_all[replica]).any() for of_all in (loss, margin, drift)):
            found.append(_not_recorded(keep, collection.recipe))
            continue
        try:
            evidence = Evidence(
                label=signals.label,
                snr=signals.snr,
                correct=np.array(correct[replica]),
                loss=np.array(loss[replica]),
                logits=logits,
                embedding=embedding,
                logits_early=np.empty((0, *logits.shape), np.float32),
                embedding_norm_early=np.empty((0, n), np.float32),
                margin=np.array(margin[replica]),
                drift=np.array(drift[replica]),
            )
            if collection.early_runs:
                evidence = early(seeds[replica], evidence)
        except ValueError as error:
            found.append(error)
            continue
        found.append((evidence, weights))
    return found


def _diverged(epoch: int, recipe: Recipe, what: str = "selection training") -> ValueError:
    return ValueError(
        f"{what}: its loss is not finite from epoch {epoch}; normalise the signals "
        f"(rms) or lower lr (now {recipe.lr})"
    )


def _not_recorded(keep: Path | None, recipe: Recipe) -> ValueError:
    """Of a seed whose loss was finite in every step, and not all that was recorded of it."""
    lower = f"normalise the signals (rms) or lower lr (now {recipe.lr})"
    if keep is None:
        return ValueError(f"selection training: what it says of the signals is not finite; {lower}")
    return ValueError(
        f"{keep}: its record does not belong to its state, or is not finite. Delete it, if it is "
        f"there, and run again; if that ends so too, {lower}"
    )


def _early(
    build: Build,
    signals: Signals,
    collection: Collection,
    device: torch.device,
    keep: Path | None,
    memory: int,
    seed: str,
    evidence: Evidence,
) -> Evidence:
    """The record with GraNd's R independent trainings, stopped early: logits and ||h||.

    Without them, and with the reason, if one is not finite: others read the rest of the record.
    ValueError for what is the machine's, such as too little memory: another might do it.
    """
    runs = [f"{seed} early {run}" for run in range(collection.early_runs)]
    short = replace(collection.recipe, epochs=collection.early_epochs)
    everything = [np.arange(len(signals))] * len(runs)
    outputs: list[tuple[ndarray, ndarray]] = []

    def look(replicas: range, network: nn.Module, diverged: dict[int, int]) -> None:
        outputs.append(logits_and_norms(network, signals))

    fitted = fit(
        build, signals, everything, runs, short, device, memory=memory, keep=keep, after_stack=look
    )
    if fitted.diverged:
        why = _diverged(min(fitted.diverged.values()), short, "early training")
        return replace(evidence, early_lost=f"{why}")
    logits, norms = (np.concatenate(parts) for parts in zip(*outputs, strict=True))
    try:
        return replace(evidence, logits_early=logits, embedding_norm_early=norms)
    except ValueError as error:
        return replace(evidence, early_lost=f"early training: {error}")


def _outputs(
    network: nn.Module, signals: Signals
) -> Iterator[tuple[dict[str, Tensor], ndarray, ndarray]]:
    """(weights, logits (N, C), embedding (N, D)) of every copy of a stack, on the CPU."""
    logits, embedding = predict(network, signals)
    for copy in range(network.copies):
        yield taken(network, copy), logits[copy].float().numpy(), embedding[copy].float().numpy()


def _rows(keep: Path | None, name: str, shape: tuple[int, ...], dtype: np.dtype) -> ndarray:
    """Room for what is recorded: in memory, or in a file that outlives this process.

    All of the file is written first: where a disk is full a mapped page that it has no place for
    kills the process, without a word. A state that was kept with another record goes.
    """
    if keep is None:
        return np.empty(shape, dtype)
    path = Path(keep) / f"{name}.npy"
    if path.exists():
        with suppress(ValueError, EOFError, FileNotFoundError):  # no array, cut short, or gone
            found = np.load(path, mmap_mode="r+", allow_pickle=False)
            if (found.shape, found.dtype) == (shape, dtype):
                return found
        path.unlink(missing_ok=True)
    for state in Path(keep).glob("*.pt"):
        state.unlink(missing_ok=True)
    nothing = np.nan if dtype.kind == "f" else 0  # until it is recorded
    blank = np.broadcast_to(np.array(nothing, dtype), shape)

    def write(file: BinaryIO) -> None:  # np.save does not say what went wrong
        head = np.lib.format.header_data_from_array_1_0(blank)
        np.lib.format.write_array_header_1_0(file, head)
        file.writelines(of_seed.tobytes() for of_seed in blank)

    write_once_by(path, write, blank.nbytes)
    try:
        return np.load(path, mmap_mode="r+", allow_pickle=False)
    except FileNotFoundError:  # another sweep made the same and took the folder away
        return np.full(shape, nothing, dtype)

"""What every job is told, the keys of what is kept, and the networks it builds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from foqus_lib.companions import layer_pruning as pruning
from foqus_lib.companions.layer_pruning import Weights
from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.settings import Common
from foqus_lib.models.copies import Alone, alone, taken
from foqus_lib.models.shapes import embedding_size
from foqus_lib.studies.layer_pruning.options import Options
from foqus_lib.training import collect as collecting
from foqus_lib.training import fit as training
from foqus_lib.training.device import pick_device
from foqus_lib.training.fit import initial


@dataclass(frozen=True)
class Bench:
    """What every job is told."""

    task: Task
    options: Options
    root: Path  # of the results store
    device: str
    memory: int = 0  # bytes that may be used; 0: what is free

    def of(self, named: str) -> "Bench":
        """The same for the one of its networks that trials call so."""
        [options] = [one for one in self.options.each if one.named == named]
        return replace(self, options=options)

    def build(self, depths: Sequence[int], inner: Sequence[int] | None = None) -> torch.nn.Module:
        """A network for these signals, with random weights."""
        train, how = self.task.train, self.options
        return how.cut.build(len(train.classes), train.length, depths, how.channels, inner)

    def name(self, role: str, *more: int) -> str:
        """A random stream, named by the data and a role, never by a file's name."""
        parts = "pruning", role, self.task.fingerprint, self.options.named, *more
        return " ".join(map(str, parts))

    def base_key(self, seed: int) -> dict[str, str | int]:
        """Under which the base network is kept."""
        return {
            "what": "pruning base",
            "fingerprint": self.task.fingerprint,
            "network": self.options.named,
            "recipe": str(self.options.base_recipe),
            "seed": seed,
            "versions": f"fit={training.VERSION} {self.options.cut.version}",
        }

    def record_key(self, seed: int) -> dict[str, str | int]:
        """Under which is kept what the base network said of the training signals."""
        return self.base_key(seed) | {"what": f"pruning record collect={collecting.VERSION}"}

    def base_keys(self, seed: int) -> tuple[dict[str, str | int], ...]:
        """All that the training of a base network leaves."""
        return self.base_key(seed), self.record_key(seed)


def bench(common: Common, options: Options, task: Task) -> Bench:
    """Store, device and memory of the chapter; refuses signals that no training could mend."""
    if len(task.train) < pruning.LEAST_SIGNALS:
        raise ValueError(
            f"train: expected {pruning.LEAST_SIGNALS} signals or more to compare layers on, got "
            f"{len(task.train)}. Give more data"
        )
    made = Bench(task, options, common.store, str(pick_device(common.device)), common.memory)
    for one in options.each:
        _refuse_length(made.of(one.named))
    return made


def _refuse_length(bench: Bench) -> None:
    """ValueError if the network cannot read such signals: of the shapes, nothing is computed."""
    how, train = bench.options, bench.task.train
    try:
        embedding_size(builder(bench, how.depths, None), len(train.classes), train.length)
    except (RuntimeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(
            f"signals: expected a length that {how.network} can read, got {train.length} samples "
            f"({error}). Cut other frames, or name another network"
        ) from None


def builder(bench: Bench, depths: Sequence[int], inner: Sequence[int] | None) -> Alone:
    how = bench.options
    return alone(partial(how.cut.build, depths=tuple(depths), width=how.channels, inner=inner))


def wrapped(weights: Weights) -> Weights:
    """As `alone` names them."""
    return {f"network.{name}": value for name, value in weights.items()}


def fresh(bench: Bench, depths: Sequence[int], name: str) -> Weights:
    """The weights that a stream's name gives a network, on the CPU."""
    train = bench.task.train
    stack = initial(builder(bench, depths, None), len(train.classes), train.length, [name])
    return {n.removeprefix("network."): value for n, value in taken(stack, 0).items()}

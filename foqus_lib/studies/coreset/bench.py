"""What every job of one sweep is told: data, recipes, store, device; and the names it derives."""

from dataclasses import dataclass, replace
from pathlib import Path

from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.key import NONE
from foqus_lib.models import MODELS
from foqus_lib.models import VERSIONS as NETWORKS
from foqus_lib.selection.catalog import SNR_BALANCED
from foqus_lib.training import collect, fit
from foqus_lib.training.collect import Collection
from foqus_lib.training.recipe import Recipe, of_model

ALL_DATA = "All data"  # the ceiling: no method, everything is kept
NO_NETWORK = ("Uniform", ALL_DATA, NONE)  # every block shares their trials


@dataclass(frozen=True)
class Bench:
    """Where and how the trials of one sweep run; it goes to every worker once a stage."""

    task: Task
    collection: Collection
    evaluation: Recipe
    root: Path  # of the results store
    device: str  # "cpu", "cuda:0" ...
    memory: int = 0  # bytes that may be used, of the GPU or else of the machine; 0: what is free

    @property
    def stacked(self) -> bool:
        """Whether replicas train side by side, in this process: on a GPU."""
        return self.device.startswith("cuda")

    @property
    def device_memory(self) -> int:
        """What `fit` is told: on a CPU a stack holds one copy, whatever the memory."""
        return self.memory if self.stacked else 0

    @property
    def recipes(self) -> dict[str, Recipe]:
        """By the text that stands in a trial."""
        return {str(how): how for how in (of_model(m, self.evaluation) for m in MODELS)}

    def collection_of(self, model: str) -> Collection:
        """How this selection model leaves its evidence."""
        return replace(self.collection, recipe=of_model(model, self.collection.recipe))

    def evidence_key(self, model: str, seed: int) -> dict[str, str | int]:
        """The key under which the evidence of this sweep's data is kept."""
        return evidence_key(self.task.fingerprint, model, self.collection_of(model), seed)


def looks_at_network(method: str) -> bool:
    """Whether a method looks at a network; else it draws the same whatever the network."""
    return method.removesuffix(SNR_BALANCED) not in NO_NETWORK


def looked(method: str, model: str) -> str:
    """The network that a method looks at: `model`, or NONE."""
    return model if looks_at_network(method) else NONE


def select_name(fingerprint: str, model: str, seed: int) -> str:
    """The random stream of a selection training. Named by the data, never by a file's name.

    Its records have collect.VERSION in their key: raise that one with the name.
    """
    return f"select {fingerprint} {model} {seed}"


def evaluate_name(fingerprint: str, model: str, seed: int, repeat: int) -> str:
    """The random stream of an evaluation: weights and batches do not depend on method or rate.

    It shares nothing with the network that scored the signals, also where both are one kind [A12].
    """
    return f"evaluate {fingerprint} {model} {seed} {repeat}"


def evidence_key(
    fingerprint: str, model: str, collection: Collection, seed: int
) -> dict[str, str | int]:
    """All that decides the evidence of one selection training: the key of its file."""
    return {
        "what": "evidence",
        "fingerprint": fingerprint,
        "selection_model": model,
        "selection_recipe": str(collection),
        "seed": seed,
        "holds": collect.HOLDS,
        "versions": f"collect={collect.VERSION} fit={fit.VERSION} {model}={NETWORKS[model]}",
    }

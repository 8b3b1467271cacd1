"""What every job of one sweep is told: data, recipes, store, device; and the names it derives."""

from dataclasses import dataclass, replace
from pathlib import Path

from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.cell import ALGORITHM
from foqus_lib.models import MODELS
from foqus_lib.training.collect import Collection
from foqus_lib.training.recipe import Recipe, of_model


@dataclass(frozen=True)
class Bench:
    """Where and how the cells of one sweep run; it travels to every worker once."""

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
        """By the text that stands in a cell. All data may be trained by either."""
        stated = self.collection.recipe, self.evaluation
        return {str(of_model(m, recipe)): of_model(m, recipe) for recipe in stated for m in MODELS}

    def collection_of(self, model: str) -> Collection:
        """How this selection model leaves its evidence."""
        return replace(self.collection, recipe=of_model(model, self.collection.recipe))

    def evidence_key(self, model: str, seed: int) -> dict[str, str | int]:
        """The key under which the evidence of this sweep's data is kept."""
        how = self.collection_of(model)
        return evidence_key(self.task.name, self.task.fingerprint, model, how, seed)


def seed_name(dataset: str, model: str, seed: int) -> str:
    """Common random numbers: weights and batches depend on these three, not on method or rate.

    A seed repeats everything: selection training, draw and evaluation training [A12].
    """
    return f"{dataset} {model} {seed}"


def evidence_key(
    dataset: str, fingerprint: str, model: str, collection: Collection, seed: int
) -> dict[str, str | int]:
    """All that decides the evidence of one selection training: the key of its file."""
    return {
        "dataset": dataset,
        "fingerprint": fingerprint,
        "selection_model": model,
        "selection_recipe": str(collection),
        "seed": seed,
        "algorithm": ALGORITHM,
    }

"""Recipe: everything that decides a training besides data, network and seed."""

from dataclasses import dataclass, fields, replace
from math import cos, inf, pi

from foqus_lib.errors import unknown

OPTIMISERS = ("Adam", "AdamW", "SGD")
PRECISIONS = ("fp32", "tf32", "bf16")


@dataclass(frozen=True)
class Recipe:
    """The defaults are the group's own for these networks; FoQuS states only epochs [A24]."""

    epochs: int = 50  # Sec. IV-B
    batch: int = 128
    optimiser: str = "Adam"  # step schedule, also "AdamW"; "SGD": Nesterov, cosine, as DeepCore's
    lr: float = 1e-3
    step: int = 10  # Adam: every so many epochs ...
    gamma: float = 0.8  # ... lr is multiplied by this
    precision: str = "fp32"  # "tf32" and "bf16" round products only; weights stay fp32
    test_every: int = 0  # epochs; the best of these tests is the paper's number [A26]. 0: only last

    def __post_init__(self) -> None:
        if self.optimiser not in OPTIMISERS:
            raise unknown("optimiser", self.optimiser, OPTIMISERS)
        if self.precision not in PRECISIONS:
            raise unknown("precision", self.precision, PRECISIONS)
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type not in (int, float) or field.name == "test_every":
                continue
            if not 0 < value < inf:
                wanted = "a finite number" if value == inf else "more than 0"
                raise ValueError(f"recipe.{field.name}: expected {wanted}, got {value}")
        if self.test_every < 0:
            raise ValueError(f"recipe.test_every: expected 0 or more, got {self.test_every}")

    def __str__(self) -> str:
        """The canonical form in keys and captions: equal trainings, equal strings."""
        lr, gamma = float(self.lr), float(self.gamma)  # 1 and np.float64(1) are 1.0
        schedule = f"step={self.step} gamma={gamma!r} " if self.optimiser != "SGD" else ""
        tests = f" test_every={self.test_every}" if self.test_every else ""
        return (
            f"{self.optimiser} lr={lr!r} {schedule}"
            f"batch={self.batch} epochs={self.epochs} {self.precision}{tests}"
        )

    def lr_at(self, epoch: int, step: int, steps: int) -> float:
        """Learning rate of one step; epoch and step count from 0, steps are those of an epoch."""
        if self.optimiser != "SGD":
            return self.lr * self.gamma ** (epoch // self.step)
        done = (epoch * steps + step) / (self.epochs * steps)
        return 1e-4 + (self.lr - 1e-4) * (1 + cos(pi * done)) / 2


DEEPCORE_SGD = Recipe(optimiser="SGD", lr=0.1, batch=256)  # stays at chance on native scale


AUTHORS_OPTIMISER = {"IQFormer": "AdamW"}  # where a network's authors do not use Adam


def of_model(model: str, recipe: Recipe) -> Recipe:
    """The recipe with the optimiser of the network's authors, if they have one of their own [A28].

    A recipe that asks for another optimiser than the default is left as it is.
    """
    if recipe.optimiser != "Adam":
        return recipe
    return replace(recipe, optimiser=AUTHORS_OPTIMISER.get(model, "Adam"))

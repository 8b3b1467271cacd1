"""Recipe: everything that decides a training besides data, network and seed."""

from dataclasses import dataclass, fields
from math import cos, pi

from foqus_lib.errors import unknown

OPTIMISERS = ("Adam", "SGD")
PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True)
class Recipe:
    """The defaults are the group's own for these networks; FoQuS states only epochs [A24]."""

    epochs: int = 50  # Sec. IV-B
    batch: int = 128
    optimiser: str = "Adam"  # with a step schedule; "SGD" is Nesterov with a cosine, as DeepCore's
    lr: float = 1e-3
    step: int = 10  # Adam: every so many epochs ...
    gamma: float = 0.8  # ... lr is multiplied by this
    precision: str = "fp32"  # "bf16" rounds products only; weights stay fp32

    def __post_init__(self) -> None:
        if self.optimiser not in OPTIMISERS:
            raise unknown("optimiser", self.optimiser, OPTIMISERS)
        if self.precision not in PRECISIONS:
            raise unknown("precision", self.precision, PRECISIONS)
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type in (int, float) and not value > 0:
                raise ValueError(f"recipe.{field.name}: expected more than 0, got {value}")

    def __str__(self) -> str:
        """The canonical form in keys and captions: equal strings, equal recipes."""
        schedule = f"step={self.step} gamma={self.gamma!r} " if self.optimiser == "Adam" else ""
        return (
            f"{self.optimiser} lr={self.lr!r} {schedule}"
            f"batch={self.batch} epochs={self.epochs} {self.precision}"
        )

    def lr_at(self, epoch: int, step: int, steps: int) -> float:
        """Learning rate of one step; epoch and step count from 0, steps are those of an epoch."""
        if self.optimiser == "Adam":
            return self.lr * self.gamma ** (epoch // self.step)
        done = (epoch * steps + step) / (self.epochs * steps)
        return 1e-4 + (self.lr - 1e-4) * (1 + cos(pi * done)) / 2


DEEPCORE_SGD = Recipe(optimiser="SGD", lr=0.1, batch=256)  # stays at chance on native scale

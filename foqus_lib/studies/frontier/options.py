"""What the chapter can be given besides `Common`; its rows and its networks."""

from dataclasses import dataclass, replace
from math import ceil, isfinite
from typing import Annotated

from foqus_lib.companions.distillation.views import multi_domain
from foqus_lib.errors import unknown
from foqus_lib.experiment.key import basis_points
from foqus_lib.experiment.settings import at_least
from foqus_lib.training.collect import Collection
from foqus_lib.training.recipe import Recipe

PSI = "CNN1D"  # scores the signals of every network's coreset, and is what MDM matches
FLOOR, FOQUS, OTHER = "Uniform", "FoQuS", "Herding"
DISTILLED = "MDM"
FRESH, SHORT = "Fresh draw each epoch", "Fewer epochs on all data"
TURNED, MIXED = " + rotation", " + n-RM"
SELECTED = (FLOOR, FOQUS, OTHER)
GRID = (FLOOR, FOQUS, FLOOR + MIXED, FOQUS + MIXED)  # on every network, whole and cut
METHODS = (*GRID, OTHER, FLOOR + TURNED, DISTILLED, FRESH, SHORT)
WHOLE, CUT = "whole", "cut"
AS_LONG = f"{WHOLE}, trained on as long"  # the control of a cut: a second training, and no cut
RESNET = "ResNet20"

Names = tuple[str, ...]


def chosen_by(method: str) -> str:
    """ "FoQuS + n-RM" -> "FoQuS"."""
    return method.removesuffix(TURNED).removesuffix(MIXED)


@dataclass(frozen=True)
class Options:
    """Budgets, rows, networks, and how long each is trained."""

    rates: Annotated[tuple[float, ...], "|S|/N that is stored, or looked at in an epoch"] = (0.1,)
    methods: Annotated[Names | None, "of CNN1D; left out: all of the chapter's"] = None
    networks: Annotated[Names, "those that the 2 x 2 x 2 rows train, whole and cut"] = (RESNET,)
    keep: Annotated[int, "residual blocks left after the cut"] = 4
    control: Annotated[int, "1: those networks also whole, trained on as long; 0: not"] = 1
    epochs: Annotated[int, "of every training on a set, and again after a cut"] = 50
    all_epochs: Annotated[int, "of the training on all data"] = 50
    batch: Annotated[int, "signals a gradient step"] = 128
    selection_epochs: Annotated[int, "of the training that scores the signals"] = 50
    precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of all trainings"] = "fp32"
    iterations: Annotated[int, "of MDM, each with a new network"] = 300
    batch_real: Annotated[int, "real signals of each class in an iteration of MDM"] = 32
    alpha: Annotated[float, "weight of the frequency domain in MDM"] = 0.1
    step: Annotated[float, "of the descent on MDM's signals, for each of a class"] = 0.0015

    def __post_init__(self) -> None:
        for name in ("keep", "epochs", "all_epochs", "batch", "iterations", "batch_real"):
            at_least(name, getattr(self, name), 1)
        at_least("control", self.control, 0)
        at_least("selection_epochs", self.selection_epochs, 2)
        multi_domain(self.alpha)  # checks it
        if not (isfinite(self.step) and self.step > 0):
            raise ValueError(f"step: expected a finite number above 0, got {self.step:g}")
        for rate in self.rates:
            basis_points(rate)
        for name in ("rates", "methods"):
            if (given := getattr(self, name)) is not None and not given:
                raise ValueError(f"{name}: expected at least one, got []. Leave it out")
        for method in self.methods or ():
            if method not in METHODS:
                raise unknown("method", method, METHODS)
        for network in self.networks:
            if network != RESNET:
                raise unknown("network", network, (RESNET,))
        _ = self.collection, self.recipe(0.1, METHODS[0])

    @property
    def collection(self) -> Collection:
        """How the record is made; no row needs GraNd's short trainings."""
        recipe = Recipe(self.selection_epochs, self.batch, precision=self.precision)
        return Collection(recipe, early_runs=0)

    def recipe(self, rate: float, method: str) -> Recipe:
        """The learning rate falls each fifth of the training, however long it is.

        Fewer epochs on all data take about the steps that a coreset of that rate takes: whole
        epochs, one at least, so at small rates more.
        """
        epochs = self.all_epochs if rate == 1 else self.epochs
        if method == SHORT:
            epochs = max(1, round(rate * self.epochs))
        return replace(Recipe(epochs, self.batch, precision=self.precision), step=ceil(epochs / 5))

    @property
    def distilling(self) -> str:
        """All that decides MDM's signals besides data, budget and seed."""
        return (
            f"MDM alpha={self.alpha!r} step={self.step!r} K={self.iterations} "
            f"batch_real={self.batch_real} {PSI}"
        )

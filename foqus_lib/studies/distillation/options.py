"""What the chapter can be given besides `Common`."""

import math
from dataclasses import dataclass
from typing import Annotated

from foqus_lib.companions.distillation.descent import STEP
from foqus_lib.companions.distillation.views import multi_domain
from foqus_lib.errors import unknown
from foqus_lib.experiment.settings import MULTIPLIES, at_least
from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.distillation.networks import known_network
from foqus_lib.training.collect import Collection
from foqus_lib.training.recipe import Recipe, of_model

PSI = "CNN1D"  # the network whose untrained copies distil, and whose record Herding and FoQuS read
ALPHA = 0.1  # of MDM where nothing is chosen
FLOOR = "Random"
MAIN = (FLOOR, "Uniform", "Herding", "FoQuS", "DC", "DM", "FD only", "MDM", "MDM from FoQuS")

Names = tuple[str, ...]
Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Options:
    """Which sets, how they are made, and what is trained on them."""

    per_class: Annotated[tuple[int, ...], "signals of each class, for instance [1, 10, 50]"] = (10,)
    methods: Annotated[Names | None, "left out: all of the chapter's"] = None
    dear_from: Annotated[int, "signals per class from which dear_methods alone run; 0: never"] = 0
    dear_methods: Annotated[Names, "those"] = ("Random", "Uniform", "FoQuS", "DM", "MDM")
    alpha: Annotated[float | None, "weight of the frequency domain; left out: best on val"] = None
    step: Annotated[float | None, "of the descent on S, a signal; left out: best on val"] = None
    alphas: Annotated[Numbers, "tried on val; none: 0.1 is taken"] = ()
    steps: Annotated[Numbers, "tried on val, with every weight; none: 0.0015 is taken"] = ()
    sweep_per_class: Annotated[int, "signals of each class while they are tried"] = 10
    sweep_seeds: Annotated[int, "seeds 0, 1, ... over which val is averaged", MULTIPLIES] = 2
    iterations: Annotated[int, "of distribution matching, each with a new network"] = 300
    batch_real: Annotated[int, "real signals of each class in an iteration"] = 32
    dc_iterations: Annotated[int, "networks that gradient matching starts from"] = 20
    dc_outer: Annotated[int, "steps on S a network, at most; 0: DC's own number"] = 0
    dc_inner: Annotated[int, "steps of the network between them, at most; 0: DC's own"] = 0
    models: Annotated[Names, "networks that are trained on the sets"] = ("CNN1D",)
    cross_models: Annotated[Names, "networks that did not distil"] = ()
    cross_methods: Annotated[Names, "whose sets these are trained on"] = ("Random", "DM", "MDM")
    cross_per_class: Annotated[int, "signals of each class for these"] = 10
    train_steps: Annotated[int, "of every training on a set, whatever its size"] = 600
    all_data_steps: Annotated[int, "of the training on all data; 0: as on a set"] = 0
    batch: Annotated[int, "signals a step"] = 64
    precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of the training on a set"] = "fp32"
    repeats: Annotated[int, "networks trained on each set", MULTIPLIES] = 1
    selection_epochs: Annotated[int, "of the training that Herding and FoQuS look at"] = 50
    selection_precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of that training"] = "fp32"

    def __post_init__(self) -> None:
        counts = (
            "iterations", "batch_real", "dc_iterations", "sweep_per_class", "sweep_seeds",
            "cross_per_class", "train_steps", "batch", "repeats",
        )  # fmt: skip
        for name in counts:
            at_least(name, getattr(self, name), 1)
        for name in ("dc_outer", "dc_inner", "all_data_steps", "dear_from"):
            at_least(name, getattr(self, name), 0)
        at_least("selection_epochs", self.selection_epochs, 2)
        for name in ("per_class", "methods", "models"):
            if (given := getattr(self, name)) is not None and not given:
                raise ValueError(f"{name}: expected at least one, got []. Leave it out")
        for budget in self.per_class:
            at_least("per_class", budget, 1)
        for step in (*self.tried_steps, *self.steps):
            if not (math.isfinite(step) and step > 0):
                raise ValueError(f"step: expected a finite number above 0, got {step}")
        for alpha in (*self.tried_alphas, *self.alphas):
            multi_domain(alpha)  # checks it
        for model in (*self.models, *self.cross_models):
            known_network(model)
        for method in (*(self.methods or ()), *self.dear_methods, *self.cross_methods):
            if method not in MAIN:
                raise unknown("method", method, MAIN)
        _ = self.collection, self.recipe_for(PSI, 1, self.train_steps)

    @property
    def asked(self) -> tuple[str, ...]:
        """The methods of all rows that are wanted."""
        cross = self.cross_methods if self.cross_models else ()
        return tuple(dict.fromkeys((*(self.methods or MAIN), *cross)))

    @property
    def tried_alphas(self) -> Numbers:
        """The weights that MDM has: one, or those to choose from; 0 is DM, a row of its own."""
        if self.alpha is not None:
            return (self.alpha,)
        return tuple(alpha for alpha in self.alphas if alpha) or (ALPHA,)

    @property
    def tried_steps(self) -> Numbers:
        """The steps on S: one, or those to choose from."""
        if self.step is not None:
            return (self.step,)
        return self.steps or (STEP,)

    @property
    def collection(self) -> Collection:
        """How the record is made that Herding and FoQuS read; nothing here needs GraNd's runs."""
        recipe = Recipe(epochs=self.selection_epochs, precision=self.selection_precision)
        return Collection(recipe, early_runs=0)

    def recipe_for(self, model: str, signals: int, steps: int) -> Recipe:
        """As many epochs as make `steps` of so many signals; the rate falls each fifth of them."""
        epochs = max(1, round(steps / math.ceil(signals / self.batch)))
        fifth = math.ceil(epochs / 5)
        return of_model(model, Recipe(epochs, self.batch, step=fifth, precision=self.precision))

    def steps_of(self, method: str) -> int:
        """Optimiser steps of the training on that set."""
        return (self.all_data_steps if method == ALL_DATA else 0) or self.train_steps

    def evaluation(self, model: str, method: str) -> str:
        """The canonical form of `recipe_for`, in steps: the same text whatever the set's size."""
        one = self.recipe_for(model, 1, 1)
        return (
            f"{one.optimiser} lr={one.lr!r} gamma={one.gamma!r} each fifth, batch={self.batch} "
            f"steps={self.steps_of(method)} {self.precision}"
        )

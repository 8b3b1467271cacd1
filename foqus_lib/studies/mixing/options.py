"""What the chapter can be given besides `Common`."""

from dataclasses import dataclass, fields
from typing import Annotated

from foqus_lib.experiment.key import basis_points
from foqus_lib.experiment.settings import MULTIPLIES, at_least
from foqus_lib.models import known_model
from foqus_lib.selection.catalog import method_named
from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.mixing.rows import FLOOR, known
from foqus_lib.studies.mixing.rules import Rules
from foqus_lib.training.collect import Collection
from foqus_lib.training.recipe import Recipe, of_model

Names = tuple[str, ...]


@dataclass(frozen=True)
class Options:
    """What this chapter can be given besides `Common`."""

    model: Annotated[str, "selects and is trained, for instance CNN1D"] = "CNN1D"
    coresets: Annotated[Names, "selectors whose coresets are enlarged: [FoQuS, Uniform]"] = (
        "FoQuS",
        "Uniform",
    )
    methods: Annotated[Names | None, "on every coreset; left out: all of the chapter's"] = None
    side_methods: Annotated[Names, "on the first coreset alone"] = ()
    ceiling: Annotated[int, "1: all training signals, nothing done to them, as a row; 0: none"] = 0
    rates: Annotated[tuple[float, ...], "|S|/N, for instance [0.01, 0.05]"] = (0.1,)
    repeats: Annotated[int, "of the evaluation", MULTIPLIES] = 1
    selection_epochs: Annotated[int, "T, recorded epochs of the selection training [A2]"] = 50
    epochs: Annotated[tuple[int, ...], "of the training: one number, or one for each rate"] = (50,)
    ceiling_epochs: Annotated[int, "of the training on all data; 0: as at the last rate"] = 0
    selection_batch: Annotated[int, "signals a gradient step, in the selection training"] = 128
    batch: Annotated[int, "signals a gradient step, in the training on a coreset"] = 128
    selection_precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of the selection training"] = (
        "fp32"
    )
    precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of the training on a coreset"] = "fp32"
    early_runs: Annotated[
        int, "short trainings for GraNd [A17], to share 03_main_tables' record"
    ] = 10
    early_epochs: Annotated[int, "their length"] = 5
    only_snr: Annotated[float | None, "dB, one SNR alone, of those that snr_min keeps"] = None
    chance: Annotated[float, "of a signal in a batch to give way to its child"] = 0.5
    ratio: Annotated[float, "r, the share of a signal that is cut"] = 0.5
    stride: Annotated[int, "samples between the starts that MSM tries"] = 8
    theta: Annotated[float, "of theta-SM, in units of the signals; 0: a quantile of D"] = 0.0
    quantile: Annotated[float, "of D over random draws, which theta is if it is 0"] = 0.1
    patience: Annotated[int, "draws of theta-SM"] = 5
    n: Annotated[int, "pieces of n-RM"] = 4

    def __post_init__(self) -> None:
        known_model(self.model)
        for name in ("coresets", "rates", "methods"):
            if (given := getattr(self, name)) is not None and not given:
                raise ValueError(f"{name}: expected at least one, got []. Leave it out for all")
        for name in self.coresets:
            method_named(name)
        for method in (*(self.methods or ()), *self.side_methods):
            known(method)
        for rate in self.rates:
            basis_points(rate)
        if len(self.epochs) not in (1, len(self.rates)):
            raise ValueError(
                f"epochs: expected 1 number, or {len(self.rates)} as there are rates; "
                f"got {list(self.epochs)}"
            )
        for epochs in self.epochs:
            at_least("epochs", epochs, 1)
        for name in ("repeats", "batch", "selection_batch", "early_epochs"):
            at_least(name, getattr(self, name), 1)
        at_least("ceiling_epochs", self.ceiling_epochs, 0)
        at_least("selection_epochs", self.selection_epochs, 2)  # forgetting compares two
        _ = self.collection, self.recipes, self.rules  # they check themselves

    @property
    def collection(self) -> Collection:
        """How the selection model is trained."""
        recipe = Recipe(
            epochs=self.selection_epochs,
            batch=self.selection_batch,
            precision=self.selection_precision,
        )
        return Collection(recipe, self.early_runs, self.early_epochs)

    def evaluation(self, method: str, points: int) -> Recipe:
        """How a network is trained at a rate (basis points), whatever is done to its batches."""
        epochs = self.ceiling_epochs or self.epochs[-1]
        if method != ALL_DATA:
            by_rate = zip(
                map(basis_points, self.rates), self.epochs * len(self.rates), strict=False
            )
            epochs = dict(by_rate)[points]
        recipe = Recipe(epochs=epochs, batch=self.batch, precision=self.precision)
        return of_model(self.model, recipe)

    @property
    def recipes(self) -> dict[str, Recipe]:
        """All of them, by the text that stands in a trial."""
        found = [self.evaluation(FLOOR, basis_points(rate)) for rate in self.rates]
        return {str(one): one for one in (*found, self.evaluation(ALL_DATA, 10_000))}

    @property
    def rules(self) -> Rules:
        """The constants of all rows."""
        shared = {field.name for field in fields(Rules)} & {field.name for field in fields(self)}
        return Rules(**{name: getattr(self, name) for name in shared})

"""What the chapter can be given, and the recipes, shapes and rows that follow from it."""

from dataclasses import dataclass
from typing import Annotated

from foqus_lib.experiment.key import basis_points
from foqus_lib.experiment.settings import MULTIPLIES, at_least
from foqus_lib.models import known_model
from foqus_lib.selection.catalog import method_named
from foqus_lib.studies.coreset.bench import NONE
from foqus_lib.studies.visibility_graph import rows
from foqus_lib.studies.visibility_graph.rows import BAND, BY_DEPTH, BY_LAG, LEARNED, METHODS, Shape
from foqus_lib.training.collect import Collection
from foqus_lib.training.recipe import Recipe, of_model


@dataclass(frozen=True)
class Options:
    """What this chapter can be given besides `Common`. The defaults are the published size."""

    methods: Annotated[tuple[str, ...] | None, "left out: all of the chapter's"] = None
    max_lag: Annotated[int, "m, how far a learned edge reaches, in samples"] = 11
    hidden: Annotated[int, "features of a node within the tower"] = 64
    layers: Annotated[int, "SAGE layers of a block"] = 6
    lags: Annotated[tuple[int, ...], "other m, as rows: [1, 3, 5, 15]"] = ()
    depths: Annotated[tuple[int, ...], "other numbers of SAGE layers, as rows: [1, 3]"] = ()
    epochs: Annotated[int, "of every network with a graph"] = 50
    plain_epochs: Annotated[int, "of CNN1D, CNN2D and LSTM"] = 50
    batch: Annotated[int, "signals a gradient step"] = 128
    precision: Annotated[str, "fp32, tf32 (GPU) or bf16"] = "fp32"
    coresets: Annotated[
        tuple[str, ...], "selectors whose coresets AVGNet is trained on, beside Uniform"
    ] = (
        "Uniform",
        "FoQuS",
    )
    rates: Annotated[tuple[float, ...], "|S|/N of these coresets, for instance [0.1]"] = (0.1,)
    repeats: Annotated[int, "of the training on a coreset", MULTIPLIES] = 1
    coreset_epochs: Annotated[int, "of AVGNet on a coreset"] = 50
    selection_model: Annotated[str, "what chooses the coreset, for instance CNN1D"] = "CNN1D"
    selection_epochs: Annotated[int, "T, recorded epochs of the selection training [A2]"] = 50
    selection_batch: Annotated[int, "signals a gradient step of it"] = 128
    selection_precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of it"] = "fp32"
    early_runs: Annotated[
        int, "short trainings for GraNd [A17], to share 03_main_tables' record"
    ] = 10
    early_epochs: Annotated[int, "their length"] = 5

    def __post_init__(self) -> None:
        for name in ("methods", "rates"):
            if (given := getattr(self, name)) is not None and not given:
                raise ValueError(f"{name}: expected at least one, got []. Leave it out for all")
        for name in self.methods or ():
            rows.known(name)
        for name in self.coresets:
            method_named(name)
        for name in ("lags", "depths"):
            for number in getattr(self, name):
                at_least(name, number, 1)
        for rate in self.rates:
            basis_points(rate)
        at_least("repeats", self.repeats, 1)
        known_model(self.selection_model)
        _ = self.collection, self.recipes, self.shape(1.0)  # they check themselves

    @property
    def collection(self) -> Collection:
        """How the selection model is trained."""
        recipe = Recipe(
            epochs=self.selection_epochs,
            batch=self.selection_batch,
            precision=self.selection_precision,
        )
        recipe = of_model(self.selection_model, recipe)
        return Collection(recipe, self.early_runs, self.early_epochs)

    @property
    def recipes(self) -> dict[str, Recipe]:
        """Of graph networks, plain networks, and AVGNet on a coreset."""
        epochs = {"graph": self.epochs, "plain": self.plain_epochs, "coreset": self.coreset_epochs}
        return {
            name: Recipe(epochs=number, batch=self.batch, precision=self.precision)
            for name, number in epochs.items()
        }

    def recipe_of(self, method: str, chosen: str) -> Recipe:
        """How a row is trained."""
        if chosen != NONE:
            return self.recipes["coreset"]
        return self.recipes["plain" if method in rows.PLAIN else "graph"]

    def shape(self, scale: float) -> Shape:
        """What the graph networks are built of."""
        return Shape(self.max_lag, self.hidden, self.layers, scale)

    @property
    def named(self) -> list[str]:
        """Every row that is trained on all signals, the floor and AVGNet always among them."""
        by_lag = [f"{BY_LAG}{m}" for m in self.lags if m != self.max_lag]
        by_depth = [f"{BY_DEPTH}{n}" for n in self.depths if n != self.layers]
        return list(dict.fromkeys((BAND, LEARNED, *(self.methods or METHODS), *by_lag, *by_depth)))

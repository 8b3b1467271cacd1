"""The rows of the chapter, and what it can be given besides `Common`."""

from dataclasses import dataclass
from typing import Annotated

from foqus_lib.companions.clustering.training import Schedule
from foqus_lib.errors import unknown
from foqus_lib.experiment.key import basis_points
from foqus_lib.experiment.settings import MULTIPLIES, at_least
from foqus_lib.models import known_model
from foqus_lib.training.collect import Collection
from foqus_lib.training.recipe import Recipe

FLOOR, CEILING = "k-means, samples", "Supervised"
SPECTRUM, CUMULANTS, OF_AUTOENCODER = (
    "k-means, spectrum", "k-means, cumulants", "k-means, autoencoder",
)  # fmt: skip
DEC, DAC, DAC_HEAD = "DEC", "DAC", "DAC, k-means head"
PRETRAINED, AS_IS = "Pre-train + k-means", "Source classifier"
DTC_A, DTC_B = "DTC A", "DTC B"
METHODS = (
    FLOOR, SPECTRUM, CUMULANTS, OF_AUTOENCODER, DEC, DAC, DAC_HEAD, PRETRAINED, AS_IS, DTC_A,
    DTC_B, CEILING,
)  # fmt: skip
STARTS = (FLOOR, SPECTRUM, CUMULANTS, OF_AUTOENCODER)  # whose seeds move k-means, hardly more
REFERENCE = f"{CEILING}, same recipe"  # how pages call it: other rows may pass it
UNIFORM, WITH_LABELS, WITH_CLUSTERS = "Uniform", "FoQuS on labels", "FoQuS on clusters"
SELECTIONS = (UNIFORM, WITH_LABELS, WITH_CLUSTERS)

SETTINGS = ("a", "b")
Names = tuple[str, ...]


@dataclass(frozen=True)
class Options:
    """What this chapter can be given besides `Common`."""

    settings: Annotated[Names, "a: same classes, simulated source; b: disjoint classes"] = SETTINGS
    methods: Annotated[Names | None, "left out: all of the chapter's"] = None
    clusters: Annotated[tuple[int, ...], "k, for instance [5, 8]; 0: as many as classes"] = (0,)
    model: Annotated[str, "the encoder, for instance CNN1D"] = "CNN1D"
    source_frames: Annotated[int, "of setting a: signals simulated for each class and SNR"] = 100
    source_snrs: Annotated[tuple[int, ...], "of setting a, dB, for instance [4, 6, 8]"] = (4, 6, 8)
    source_classes: Annotated[Names, "of setting b; left out: the chapter's, or every other"] = ()
    target_classes: Annotated[Names, "of setting b; left out: the chapter's, or the rest"] = ()
    pretrain_epochs: Annotated[int, "of the source, the autoencoder and Supervised"] = 20
    epochs: Annotated[int, "of the clustering networks"] = 20
    batch: Annotated[int, "signals a gradient step, with labels and in the autoencoder"] = 128
    pair_batch: Annotated[int, "signals a gradient step of a clustering network"] = 256
    lr: Annotated[float, "of the clustering networks, falling to 0"] = 5e-4
    balance: Annotated[float, "weight of the entropy of the mean prediction, against collapse"] = (
        0.0
    )
    look: Annotated[float, "weight of pairs with another phase and start; 0: none"] = 1.0
    precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of all trainings"] = "fp32"
    coresets_of: Annotated[Names, "settings whose clusters FoQuS selects by; [] for none"] = ("b",)
    rate: Annotated[float, "|S|/N of those coresets"] = 0.1
    repeats: Annotated[int, "of the training on a coreset", MULTIPLIES] = 1
    selection_epochs: Annotated[int, "T, recorded epochs of the network that FoQuS asks [A2]"] = 20
    coreset_epochs: Annotated[int, "of the training on a coreset"] = 50
    coreset_batch: Annotated[int, "signals a gradient step there"] = 32

    def __post_init__(self) -> None:
        for name in ("settings", "clusters", "source_snrs", "methods"):
            if (given := getattr(self, name)) is not None and not given:
                raise ValueError(f"{name}: expected at least one, got []. Leave it out for all")
        for setting in (*self.settings, *self.coresets_of):
            if setting not in SETTINGS:
                raise unknown("setting", setting, SETTINGS)
        for method in self.methods or ():
            if method not in METHODS:
                raise unknown("method", method, METHODS)
        known_model(self.model)
        for k in self.clusters:
            if k < 0 or k == 1:
                raise ValueError(
                    f"clusters: expected 2 or more, or 0 for as many as classes, got {k}"
                )
        for name in ("source_frames", "pretrain_epochs", "epochs", "repeats", "coreset_epochs"):
            at_least(name, getattr(self, name), 1)
        for name in ("batch", "coreset_batch"):
            at_least(name, getattr(self, name), 1)
        at_least("pair_batch", self.pair_batch, 2)
        at_least("selection_epochs", self.selection_epochs, 2)  # forgetting compares two
        at_least("balance", self.balance, 0)
        at_least("look", self.look, 0)
        if not self.lr > 0:
            raise ValueError(f"lr: expected more than 0, got {self.lr:g}")
        basis_points(self.rate)
        _ = self.pretraining, self.collection  # they check themselves

    @property
    def pretraining(self) -> Recipe:
        """Of whatever learns from labels, and of the autoencoder."""
        return Recipe(epochs=self.pretrain_epochs, batch=self.batch, precision=self.precision)

    @property
    def schedule(self) -> Schedule:
        """Of the clustering networks."""
        return Schedule(
            self.epochs, self.pair_batch, self.lr, self.balance, self.look, self.precision
        )

    @property
    def on_coreset(self) -> Recipe:
        """Of the training on a coreset."""
        return Recipe(self.coreset_epochs, self.coreset_batch, precision=self.precision)

    @property
    def collection(self) -> Collection:
        """How the record is made that FoQuS reads."""
        recipe = Recipe(self.selection_epochs, self.batch, precision=self.precision)
        return Collection(recipe, early_runs=0)

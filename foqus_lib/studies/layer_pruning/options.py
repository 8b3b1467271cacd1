"""What the chapter can be given, and the names of its rows."""

from dataclasses import dataclass, replace
from typing import Annotated

from foqus_lib.companions import layer_pruning as pruning
from foqus_lib.companions.cuttable import NETWORKS, WORDS, Cuttable
from foqus_lib.errors import unknown
from foqus_lib.experiment.key import basis_points
from foqus_lib.experiment.settings import MULTIPLIES, at_least
from foqus_lib.models import MODELS, known_model
from foqus_lib.training import fit as training
from foqus_lib.training.recipe import Recipe, of_model

RANDOM, FULL = "Random keep", "Full"
OURS, LARGEST = "Layer pruning", "Layer pruning (largest score)"
LAST, CHANNELS, SCRATCH = "Last blocks dropped", "L1 channels", "From scratch"
REINIT, PROBES = "SR-init", "Linear probes"
METHODS = (RANDOM, OURS, LARGEST, LAST, REINIT, PROBES, CHANNELS, SCRATCH)
LOOKS_ALIKE = (OURS, LARGEST, CHANNELS, SCRATCH)  # they, or their size, follow from the similarity
NONE = "-"  # the similarity of the others


@dataclass(frozen=True)
class Options:
    """What the chapter can be given besides `Common`; the scoring proxy reads the same."""

    network: Annotated[str, f"whose blocks are cut: {WORDS}"] = "ResNet20"
    others: Annotated[tuple[str, ...], "networks cut alike in the same tables: [CNN1D]"] = ()
    width: Annotated[int, "channels of the first stage; 0: as published (ResNets 16, CNN1D 32)"] = 0
    keep: Annotated[tuple[int, ...], "blocks kept, for instance [4, 6]"] = (4,)
    methods: Annotated[tuple[str, ...] | None, "left out: all of the chapter's"] = None
    draws: Annotated[
        tuple[int, ...], "of Random keep: one number, or one for each keep", MULTIPLIES
    ] = (5,)
    scatter: Annotated[
        int, "draws, if more, at the first keep on the first base network", MULTIPLIES
    ] = 0
    base_epochs: Annotated[int, "of the network that is cut"] = 50
    epochs: Annotated[int, "of the training after the cut"] = 50
    batch: Annotated[int, "signals a gradient step, in all trainings"] = 128
    precision: Annotated[str, "fp32, tf32 (GPU) or bf16, of all trainings"] = "fp32"
    compared: Annotated[int, "signals of a batch on which layers are compared"] = 128
    batches: Annotated[int, "over which their similarity is averaged"] = 5
    segments: Annotated[int, "at most, into which the blocks are parted"] = 5
    subsets: Annotated[int, "of a segment that are scored; more are sampled"] = 500
    rates: Annotated[tuple[float, ...], "|S|/N of the coresets that proxies choose: [0.1]"] = (0.1,)
    repeats: Annotated[int, "trainings on each of these coresets", MULTIPLIES] = 1
    model: Annotated[str, "that is trained on these coresets, for instance CNN1D"] = "CNN1D"
    model_epochs: Annotated[int, "of its training"] = 50

    def __post_init__(self) -> None:
        for name in ("width", "scatter"):
            at_least(name, getattr(self, name), 0)
        for one in (self.network, *self.others):
            cut = _cuttable(one)
            blocks, least = sum(cut.depths), len(cut.needed)
            if not self.keep or any(not least <= keep < blocks for keep in self.keep):
                why = ", one a stage," if least > 1 else ""
                raise ValueError(
                    f"keep: expected numbers of blocks from {least}{why} "
                    f"to {blocks - 1} of the {blocks} of {one}, got {list(self.keep)}"
                )
        if len(self.draws) not in (1, len(self.keep)):
            raise ValueError(
                f"draws: expected 1 number, or {len(self.keep)} as there are in keep, "
                f"got {list(self.draws)}"
            )
        if self.methods is not None and not self.methods:
            raise ValueError("methods: expected at least one, got []. Leave it out for all")
        for method in self.methods or ():
            if method not in METHODS:
                raise unknown("method", method, METHODS)
        for draws in self.draws:
            at_least("draws", draws, 1)
        at_least("compared", self.compared, pruning.LEAST_SIGNALS)
        for name in ("batches", "segments", "subsets", "repeats"):
            at_least(name, getattr(self, name), 1)
        known_model(self.model)
        for rate in self.rates:
            basis_points(rate)
        _ = self.base_recipe, self.recipe, self.model_recipe  # they check themselves

    @property
    def each(self) -> "list[Options]":
        """These options once for each network."""
        return [replace(self, network=one, others=()) for one in (self.network, *self.others)]

    @property
    def cut(self) -> Cuttable:
        """The kind of network."""
        return _cuttable(self.network)

    @property
    def depths(self) -> tuple[int, ...]:
        """Blocks of each stage before the cut."""
        return self.cut.depths

    @property
    def channels(self) -> int:
        """Of the first stage."""
        return self.width or self.cut.width

    @property
    def base_recipe(self) -> Recipe:
        """Of the network that is cut."""
        return Recipe(epochs=self.base_epochs, batch=self.batch, precision=self.precision)

    @property
    def recipe(self) -> Recipe:
        """Of the training after the cut."""
        return replace(self.base_recipe, epochs=self.epochs)

    @property
    def model_recipe(self) -> Recipe:
        """Of the training on a coreset that a proxy chose."""
        return of_model(self.model, replace(self.base_recipe, epochs=self.model_epochs))

    @property
    def named(self) -> str:
        """The network in keys and captions."""
        return f"{self.network} width {self.channels}"

    @property
    def similarity(self) -> str:
        """All that decides which blocks look alike and which subsets are scored."""
        return (
            f"{self.batches}x{self.compared} signals, {self.segments} segments, "
            f"{self.subsets} subsets"
        )


def _cuttable(network: str) -> Cuttable:
    if network in NETWORKS:
        return NETWORKS[network]()
    if network in MODELS:
        raise ValueError(
            f"network: the layers of {network} cannot be cut: it is only built whole here. "
            f"Take one of {WORDS}"
        )
    raise unknown("network", network, NETWORKS)


def versions(options: Options) -> str:
    """Of all code that decides a trial, as it stands in its key."""
    return f"fit={training.VERSION} pruning={pruning.VERSION} {options.cut.version}"

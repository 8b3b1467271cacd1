"""What a board can be told. The recipe is part of the board: who changes it has another board."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from foqus_lib.experiment.key import basis_points
from foqus_lib.experiment.settings import at_least
from foqus_lib.models import known_model
from foqus_lib.selection.catalog import CATALOG, method_named
from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.leaderboard import submission
from foqus_lib.studies.leaderboard.boards import Board, board_named, key_in
from foqus_lib.studies.leaderboard.submission import Submission
from foqus_lib.training.collect import Collection
from foqus_lib.training.recipe import Recipe

FLOOR = "Uniform"


@dataclass(frozen=True)
class Options:
    """Set, key, rows and the one recipe."""

    board: Annotated[str, "the benchmark set"] = "board-1"
    key: Annotated[str, "file with the key of the hidden track; empty: the open key"] = ""
    submissions: Annotated[tuple[str, ...], "files of teams: .csv, .txt or .json"] = ()
    methods: Annotated[
        tuple[str, ...] | None, "rows beside Uniform; left out: the whole catalog"
    ] = None
    ceiling: Annotated[int, "1: All data has a row"] = 1
    rates: Annotated[tuple[float, ...], "|S|/N of the rows that are always there"] = (0.01, 0.05)
    model: Annotated[str, "the network that is trained"] = "CNN1D"
    epochs: Annotated[int, "of every training"] = 50
    batch: Annotated[int, "of every training"] = 16
    lr: Annotated[float, "Adam's"] = 1e-3
    selection_epochs: Annotated[int, "T, of the record that methods look at"] = 20
    early_runs: Annotated[int, "short trainings for GraNd and EL2N [A17]"] = 3
    early_epochs: Annotated[int, "their length"] = 2

    def __post_init__(self) -> None:
        board_named(self.board)
        known_model(self.model)
        for name in self.methods or ():
            method_named(name)
        for rate in self.rates:
            basis_points(rate)
        for name in ("epochs", "batch", "early_runs", "early_epochs"):
            at_least(name, getattr(self, name), 1)
        _ = self.collection, self.teams

    @property
    def set(self) -> Board:
        """Its sizes."""
        return board_named(self.board)

    @property
    def secret(self) -> str:
        """The key itself, which stands in no trial: only its commitment does."""
        return key_in(self.key)

    @property
    def rows(self) -> tuple[str, ...]:
        """Methods with a row: Uniform, and those asked for or all there are."""
        asked = tuple(CATALOG) if self.methods is None else self.methods
        return tuple(dict.fromkeys((FLOOR, *asked)))

    @property
    def teams(self) -> list[Submission]:
        """All submissions, checked; ValueError if two have one name and rate, or another set."""
        found = []
        for path in self.submissions:
            for one in submission.read(Path(path), taken=(*CATALOG, ALL_DATA)):
                if one.board != self.board:
                    raise ValueError(
                        f"{path}: set: expected {self.board}, got {one.board}. Name that board"
                    )
                if (one.name, one.points) in {(other.name, other.points) for other in found}:
                    raise ValueError(f"{path}: name: {one.name} stands in another file. Change it")
                found.append(one)
        return found

    @property
    def recipe(self) -> Recipe:
        """How every coreset is trained on."""
        return Recipe(epochs=self.epochs, batch=self.batch, lr=self.lr)

    @property
    def collection(self) -> Collection:
        """How the record is made."""
        recipe = Recipe(epochs=self.selection_epochs, batch=64)
        return Collection(recipe, self.early_runs, self.early_epochs)

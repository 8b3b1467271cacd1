"""The constants of all rows, as text in every key."""

from dataclasses import dataclass, fields

from numpy import ndarray

from foqus_lib.experiment.settings import at_least


@dataclass(frozen=True)
class Rules:
    """The constants of all rows. Equal strings, equal rules: it stands in every key."""

    chance: float = 0.5  # of a signal to give way to its child: as many of either [T]
    ratio: float = 0.5  # r = l / L [T]
    stride: int = 8  # samples between the starts that MSM tries
    theta: float = 0.0  # of theta-SM; 0: the quantile below of random draws
    quantile: float = 0.1
    patience: int = 5  # draws of theta-SM [T]
    n: int = 4  # pieces of n-RM [T]
    noise_db: float = 20.0  # below the signal
    alpha: float = 0.2  # of mixup's Beta

    def __post_init__(self) -> None:
        for name in ("chance", "ratio", "quantile"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected 0 to 1, got {getattr(self, name):g}")
        for name in ("stride", "patience", "n"):
            at_least(name, getattr(self, name), 1)
        at_least("theta", self.theta, 0)
        if not self.alpha > 0:
            raise ValueError(f"alpha: expected more than 0, got {self.alpha:g}")

    def __str__(self) -> str:
        return " ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(self))

    @staticmethod
    def read(text: str) -> "Rules":
        """From the text in a trial's key."""
        given = dict(part.split("=") for part in text.split(" "))
        return Rules(**{field.name: field.type(given[field.name]) for field in fields(Rules)})


Tally = ndarray  # (2,): pairs, and those that nothing satisfied

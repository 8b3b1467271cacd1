"""What the chapter can be given, and the names of its rows."""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from foqus_lib.companions.llm_pruning import tuning
from foqus_lib.companions.llm_pruning.checkpoint import PACKAGED, digest, folder_of
from foqus_lib.companions.llm_pruning.scores import SCORES
from foqus_lib.errors import unknown
from foqus_lib.experiment.settings import MULTIPLIES, at_least

SMALL = "small"
RANDOM, WHOLE, CONTROL = "Random", "Whole model", "Whole model, tuned"
REVERSE, FIRST, KEEP_LAST = "Reverse order", "First blocks", "Keep the last"
RULES = (RANDOM, REVERSE, KEEP_LAST, FIRST, *SCORES)


@dataclass(frozen=True)
class Options:
    """Besides `Common`."""

    model: Annotated[str, f"small, {PACKAGED}, or the folder of a Llama checkpoint"] = SMALL
    cuts: Annotated[tuple[float, ...], "shares of the blocks that go"] = (0.25,)
    rules: Annotated[tuple[str, ...], "which blocks go; tuned for all steps"] = RULES
    brief_rules: Annotated[tuple[str, ...], "further rules, tuned for the brief steps"] = ()
    tunings: Annotated[tuple[str, ...], f"besides {tuning.PARTIAL}, for the brief steps"] = ()
    tuned_rules: Annotated[tuple[str, ...], "the rules that these are compared on"] = (REVERSE,)
    steps: Annotated[tuple[int, ...], "of tuning, after which is measured"] = (20, 80)
    brief_steps: Annotated[tuple[int, ...] | None, "some of steps; left out: all"] = None
    draws: Annotated[int, f"of {RANDOM}, for each order of text", MULTIPLIES] = 2
    batch: Annotated[int, "windows a step"] = 8
    window: Annotated[int, "tokens"] = 128
    rates: Annotated[tuple[float, ...], "learning rates to choose from"] = (0.0003, 0.001, 0.003)
    rate_steps: Annotated[int, "after which the validation loss chooses a rate"] = 20
    held: Annotated[int, "windows of each text that is measured on"] = 32
    questions: Annotated[int, "of four choices"] = 64
    calibration: Annotated[int, "windows on which rules look at blocks"] = 10
    precision: Annotated[str, "fp32 or bf16 (trained weights stay fp32)"] = "fp32"
    blocks: Annotated[int, "of the small model"] = 8
    width: Annotated[int, "of the small model"] = 64
    heads: Annotated[int, "of the small model"] = 4
    base_steps: Annotated[int, "of the small model's training"] = 700
    base_batch: Annotated[int, "windows a step of it"] = 16
    base_rate: Annotated[float, "learning rate of it"] = 0.003

    def __post_init__(self) -> None:
        for field in ("rules", "brief_rules", "tuned_rules"):
            for rule in getattr(self, field):
                if rule not in RULES:
                    raise unknown(f"rule of {field}", rule, RULES)
        for name in self.tunings:
            if name not in tuning.TUNINGS:
                raise unknown("tuning", name, tuning.TUNINGS)
            if name == tuning.QLORA:
                raise ValueError(tuning.NO_QLORA)
        if self.precision not in ("fp32", "bf16"):
            raise unknown("precision", self.precision, ("fp32", "bf16"))
        for cut in self.cuts:
            if not 0 < cut < 1 or round(cut, 2) != cut:
                raise ValueError(f"cuts: expected shares such as 0.25, whole percents, got {cut}")
        for field in ("rules", "cuts", "steps", "rates", "brief_steps"):
            if (given := getattr(self, field)) is not None and not given:
                raise ValueError(f"{field}: expected at least one, got []")
        for field in ("draws", "batch", "rate_steps", "held", "questions", "calibration",
                      "blocks", "width", "heads", "base_steps", "base_batch"):  # fmt: skip
            at_least(field, getattr(self, field), 1)
        if self.width % (2 * self.heads):
            raise ValueError(
                f"width: expected a multiple of 2 x {self.heads} heads, got {self.width}"
            )
        for rate in (*self.rates, self.base_rate):
            if not (math.isfinite(rate) and rate > 0):
                raise ValueError(f"rates, base_rate: expected finite, above 0, got {rate:g}")
        at_least("window", self.window, 16)
        at_least("steps", min(self.steps), 1)
        if stray := set(self.brief) - set(self.steps):
            raise ValueError(
                f"brief_steps: expected some of steps {list(self.steps)}, got {sorted(stray)}"
            )
        if self.rate_steps > max(self.steps):
            raise ValueError(
                f"rate_steps: expected at most {max(self.steps)} as in steps, got {self.rate_steps}"
            )

    @property
    def brief(self) -> tuple[int, ...]:
        """Steps after which the brief rows are measured."""
        return self.steps if self.brief_steps is None else self.brief_steps

    @property
    def tokens_a_step(self) -> int:
        """Of tuning."""
        return self.batch * self.window

    @property
    def named(self) -> str:
        """The model in keys and captions; of a checkpoint with a digest of its files."""
        if self.model == SMALL:
            return f"Llama {self.blocks}x{self.width} bytes"
        folder = folder_of(self.model)
        name = PACKAGED if self.model == PACKAGED else folder.resolve().name
        return f"{name} {_digest(folder)[:12]}"

    @property
    def base_recipe(self) -> str:
        """How the model came to be."""
        if self.model != SMALL:
            return "as given"
        return (
            f"{self.base_steps} steps of {self.base_batch}x{self.window} bytes, "
            f"lr {self.base_rate:g}, {self.heads} heads"
        )

    @property
    def recipe(self) -> str:
        """How it is tuned: the same for every row, but for the rate that validation chose."""
        rates = " or ".join(f"{rate:g}" for rate in self.rates)
        within = ", ".join(map(str, sorted(set(self.steps))))
        return (
            f"{self.batch}x{self.window} tokens a step, lr {rates} by {self.rate_steps} steps, "
            f"text shuffled within steps {within}, {self.precision}"
        )

    @property
    def measured(self) -> str:
        """On what is measured, and on what rules look at blocks."""
        return f"{self.held} windows, {self.questions} questions, {self.calibration} for the rules"


@lru_cache(maxsize=8)
def _digest(folder: Path) -> str:
    """Once a process: it reads all weights."""
    return digest(folder)


def percent(cut: float) -> str:
    """0.25 -> "25 %"."""
    return f"{round(cut * 100)} %"

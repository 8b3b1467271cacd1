"""What every job of the chapter is told, and the text in windows."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from foqus_lib.companions import llm_pruning
from foqus_lib.companions.llm_pruning import blocks, checkpoint, text, tuning
from foqus_lib.companions.llm_pruning.text import Corpus, Tokens
from foqus_lib.experiment.settings import Common
from foqus_lib.seeds import rng_for
from foqus_lib.studies.llm_pruning.options import SMALL, Options

# No key holds these three: with another value raise llm_pruning.VERSION, as a test demands.
CONTEXT_SHARE = 2 / 3  # of a question's window; the rest is the continuation
PIECE = 4  # windows at least that a file gives
QUESTION = 48  # tokens of a question at most
VERSIONS = f"llm_pruning={llm_pruning.VERSION}"


def versions(how: str) -> str:
    """Of all code that decides a row of this tuning."""
    return VERSIONS + f" lora={tuning.LORA_VERSION}" * (how == tuning.LORA)


@dataclass(frozen=True)
class Bench:
    """One corpus, one model, one store."""

    task: Corpus
    options: Options
    root: Path
    device: str = "cpu"
    memory: int = 0

    def rng(self, role: str, *more: str | int) -> np.random.Generator:
        """A random stream, named by the text and a role."""
        return rng_for("llm pruning", role, self.task.fingerprint, self.options.named, *more)

    @property
    def base_key(self) -> dict[str, str | int]:
        """Under which the small model is kept."""
        how = self.options
        trained = how.model == SMALL and how.precision != "fp32"  # what is given has none
        return {
            "what": "llm base",
            "fingerprint": self.task.fingerprint,
            "model": how.named,
            "recipe": how.base_recipe + f", {how.precision}" * trained,
            "versions": VERSIONS,
        }


def task(common: Common, options: Options) -> Corpus:
    """The text; nothing of the signals' settings applies."""
    return text.corpus(common.dataset)


def bench(common: Common, options: Options, task: Corpus) -> Bench:
    """Refuses a model without weights or of another architecture, cuts that leave too few, and,
    where a small model would be trained first, text that is too short.
    """
    if common.device not in ("auto", "cpu"):
        raise ValueError(f"device: this chapter computes on a cpu, got {common.device!r}")
    total = options.blocks
    if options.model != SMALL:
        total = checkpoint.blocks_of(checkpoint.folder_of(options.model))
    for cut in options.cuts:
        left = total - blocks.to_remove(total, cut)
        if left < tuning.LAST[tuning.PARTIAL]:
            raise ValueError(
                f"cuts: {tuning.PARTIAL} tuning: {cut:g} of {total} blocks leaves too few, {left} "
                "blocks are left. Cut less, or take a larger model"
            )
    made = Bench(task, options, common.store, "cpu", common.memory)
    if options.model == SMALL:
        texts(made)
    return made


# ---- text ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Texts:
    """Windows of tokens, as tensors of ids; sizes in bytes where bits a byte are asked for."""

    pool: Tensor  # to tune on, all orders
    val: Tensor  # chooses the learning rate
    looked_at: Tensor  # by the rules
    test: Tensor
    test_size: Tensor
    prose: Tensor
    prose_size: Tensor
    cloze: Tensor  # (questions, 4, T)


@lru_cache(maxsize=2)
def texts(bench: Bench) -> Texts:
    """All windows, from streams named by their part; ValueError if a part is too short."""
    how, length = bench.options, bench.options.window
    read = reader(bench)
    pool = max(how.steps) * how.batch
    train = read("train", (pool + how.calibration) * length)
    starts = text.windows(train, length, pool + how.calibration, bench.rng("pool"))
    both = torch.from_numpy(text.cut_out(train.ids, starts, length))
    held = {part: _held(bench, read, part) for part in ("val", "test", "prose")}
    asked = read("test", 4 * (how.held * length + how.questions * question(how)))
    context = int(question(how) * CONTEXT_SHARE)
    questions = text.cloze(
        asked, context, question(how) - context, how.questions, bench.rng("cloze")
    )
    return Texts(
        both[how.calibration :], held["val"][0], both[: how.calibration],
        *held["test"], *held["prose"], torch.from_numpy(questions),
    )  # fmt: skip


def reader(bench: Bench):
    """(part, tokens) -> Tokens, by the model's tokenizer, or bytes."""
    model, tokenizer = bench.options.model, None
    if model != SMALL:
        tokenizer = checkpoint.tokenizer(checkpoint.folder_of(model))

    def read(part: str, most: int) -> Tokens:
        return text.encode(getattr(bench.task, part), most, tokenizer, PIECE * bench.options.window)

    return read


def _held(bench: Bench, read, part: str) -> tuple[Tensor, Tensor]:
    how = bench.options
    tokens = read(part, 2 * how.held * how.window)
    starts = text.windows(tokens, how.window, how.held, bench.rng("held", part))
    ids = text.cut_out(tokens.ids, starts, how.window)
    return torch.from_numpy(ids), torch.from_numpy(text.cut_out(tokens.size, starts, how.window))


def question(options: Options) -> int:
    """Tokens of a question with one of its choices."""
    return min(QUESTION, options.window)

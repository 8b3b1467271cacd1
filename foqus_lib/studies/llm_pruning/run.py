"""How the trials of one rule and tuning are run: cut once, then tune once an order of text.

A tuning is measured on its way, so the trials of one order are one run. Its learning rate is
constant after the warm-up: what is measured at 30 steps is what a run of 30 steps would give.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Int64
from numpy import ndarray
from torch import Tensor, nn

from foqus_lib.companions.llm_pruning import blocks, measure, tuning
from foqus_lib.experiment import artifacts
from foqus_lib.experiment.key import NONE, Trial
from foqus_lib.experiment.provenance import provenance
from foqus_lib.studies.attempt import noted, publish
from foqus_lib.studies.llm_pruning.cut import base, removed
from foqus_lib.studies.llm_pruning.given import CONTEXT_SHARE, Bench, question, texts, versions
from foqus_lib.studies.llm_pruning.options import CONTROL, RANDOM, WHOLE

UNCUT = (WHOLE, CONTROL)


@dataclass(frozen=True, eq=False)
class Ready:
    """A cut model with its trainable weights as they were, and what its frozen part says of texts.

    States: of the pool, of the validation text, of the two test texts and the questions.
    """

    model: nn.Module
    start: dict[str, Tensor]
    states: dict[str, Tensor]

    def again(self) -> nn.Module:
        """The model as it was after the cut."""
        with torch.no_grad():
            for name, p in tuning.trainable(self.model).items():
                p.copy_(self.start[name])
        return self.model


@lru_cache(maxsize=2)
def ready(bench: Bench, rule: str, cut: str, how: str, seed: int, repeat: int, steps: int) -> Ready:
    """Cut, freeze, and let the frozen part read everything once: of the pool, so many steps.

    seed and repeat matter to Random, seed to LoRA too, which begins with A of that draw.
    """
    options, text = bench.options, texts(bench)
    gone = () if rule in UNCUT else _removed(bench, rule, cut, seed, repeat)
    model = blocks.without(base(bench), gone)
    how = tuning.PARTIAL if how == NONE else how
    model = tuning.prepared(model, how, options.precision, seed)
    start = {name: p.detach().clone() for name, p in tuning.trainable(model).items()}
    read = {"val": text.val, "test": text.test, "prose": text.prose}
    read |= {"cloze": text.cloze.flatten(0, 1)}
    read |= {"pool": text.pool[: steps * options.batch]} if steps else {}
    states = {
        name: tuning.states(model, ids, options.batch, options.precision)
        for name, ids in read.items()
    }
    return Ready(model, start, states)


def _removed(bench: Bench, rule: str, cut: str, seed: int, repeat: int) -> blocks.Removed:
    return removed(bench, rule, int(cut.removesuffix(" %")) / 100, seed, repeat)


def run_rows(bench: Bench, group: tuple[Trial, ...]) -> None:
    """Tune a cut model once for each order of text; publish at each of its budgets."""
    first = group[0]
    drawn = (first.seed, first.repeat) if first.method == RANDOM else (0, 0)
    row = first.method, first["cut"], first["tuning"]
    steps = read_to(bench, max(trial.budget for trial in group) // bench.options.tokens_a_step)
    found = ready(bench, *row, *drawn, steps)
    before = measured(bench, found)
    facts = {"before": before["loss"], "trainable": sum(t.numel() for t in found.start.values())}
    if first.method == WHOLE:
        facts["trainable"] = 0
    if first.method not in UNCUT:
        gone = _removed(bench, *row[:2], *drawn)
        facts["removed_by_block"] = dict.fromkeys(map(str, gone), 1)
    if first.method == WHOLE:
        publish(bench, first, before | facts, 0.0)
        return
    lr = rate(bench, *row, steps)
    for seed in dict.fromkeys(trial.seed for trial in group):
        at = {trial.budget: trial for trial in group if trial.seed == seed}
        with noted(bench, list(at.values())):  # an order that diverges is not the next one's
            if first["tuning"] == tuning.LORA:
                found = ready(bench, *row, seed, first.repeat, steps)
            _one_order(bench, found, at, lr, facts | {"lr": lr})


def _one_order(bench: Bench, found: Ready, at: dict[int, Trial], lr: float, facts: dict) -> None:
    how, since = bench.options, time.perf_counter()
    seed = next(iter(at.values())).seed

    def look(step: int) -> None:
        nonlocal since  # a trial's seconds are those after the one before, so that sums hold
        trial = at.get(step * how.tokens_a_step)
        if trial is not None:
            metrics, now = measured(bench, found) | facts, time.perf_counter()
            publish(bench, trial, metrics, now - since)
            since = now

    steps = max(at) // how.tokens_a_step
    _tuned(bench, found, "order", seed, steps, lr, look)


def _tuned(
    bench: Bench, found: Ready, role: str, seed: int, steps: int, lr: float,
    look: Callable[[int], None] | None = None,
) -> None:  # fmt: skip
    """From the cut, for so many steps on the pool in the order of a seed: the same for all rows."""
    batches, pool = order(bench, role, seed)[:steps], texts(bench).pool
    given, precision = found.states["pool"], bench.options.precision
    tuning.tune(found.again(), given, pool, batches, lr, precision, seed, look)


def order(bench: Bench, role: str, seed: int) -> list[Int64[ndarray, " b"]]:
    """Batches of rows of the pool, shuffled between one measurement and the next.

    So at every measurement all orders have read the same text, and a brief run needs no more of it.
    """
    how, rng = bench.options, bench.rng(role, seed)
    marks = [0, *sorted(set(how.steps))]
    parts = [
        rng.permutation(np.arange(start * how.batch, stop * how.batch))
        for start, stop in zip(marks, marks[1:], strict=False)
    ]
    return list(np.concatenate(parts).reshape(-1, how.batch))


def read_to(bench: Bench, steps: int) -> int:
    """How many steps of the pool are read for a run of so many, and for the choice of its rate.

    Up to a measurement, for before it batches come from all its text; 0 if nothing is tuned.
    """
    how = bench.options
    return min(at for at in how.steps if at >= max(steps, how.rate_steps)) if steps else 0


def rate(bench: Bench, rule: str, cut: str, how: str, steps: int) -> float:
    """The learning rate of least validation loss after a short tuning, for a rule and a tuning.

    One order of text of its own; Random's is chosen on its first draw. Kept in the store.
    """
    options = bench.options
    key = bench.base_key | {"what": "llm rate", "rule": rule, "cut": cut, "tuning": how}
    key |= {"how": options.recipe, "looks": options.measured, "versions": versions(how)}
    path = artifacts.find_arrays(bench.root, key)
    if path is None:
        found = ready(bench, rule, cut, how, 0, 0, steps)
        began = time.perf_counter()
        losses = [_after(bench, found, lr) for lr in options.rates]
        if not np.isfinite(losses).any():
            raise ValueError(f"rates: the loss of {rule} with {how} is finite at none: lower them")
        seconds = time.perf_counter() - began
        facts = provenance(device=bench.device, seconds=seconds, about=bench.task.about)
        arrays = {"rates": np.array(options.rates), "losses": np.array(losses)}
        path = artifacts.save_arrays(bench.root, key, arrays, facts)
    kept = artifacts.load_arrays(path)
    return float(kept["rates"][np.nanargmin(kept["losses"])])


def _after(bench: Bench, found: Ready, lr: float) -> float:
    """Validation loss; NaN if it diverged."""
    try:
        _tuned(bench, found, "rates", 0, bench.options.rate_steps, lr)
    except ValueError:
        return float("nan")
    return float(_nats(bench, found, "val", texts(bench).val).mean())


def measured(bench: Bench, found: Ready) -> dict[str, float]:
    """The metrics of the model as it stands."""
    how, text = bench.options, texts(bench)
    found.model.eval()  # a tuning that diverged left it training
    test = _nats(bench, found, "test", text.test)
    prose = _nats(bench, found, "prose", text.prose)
    context = int(question(how) * CONTEXT_SHARE)
    with tuning.rounded(how.precision):
        right = measure.cloze_accuracy(
            found.model, text.cloze, context, _last(found, "cloze"), 4 * how.batch
        )
    return {
        "loss": float(test.mean()),
        "bits": measure.bits_a_byte(test, text.test_size),
        "bits_prose": measure.bits_a_byte(prose, text.prose_size),
        "cloze": right,
    }


def _nats(bench: Bench, found: Ready, part: str, ids: Tensor) -> Tensor:
    with tuning.rounded(bench.options.precision):
        return measure.nats(found.model, ids, _last(found, part), bench.options.batch)


def _last(found: Ready, part: str) -> measure.Forward:
    return lambda rows: tuning.last_states(found.model, found.states[part][rows])

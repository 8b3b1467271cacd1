"""Which trials the chapter has, and which jobs make them."""

import time
from collections.abc import Sequence

import numpy as np

from foqus_lib.companions.llm_pruning import blocks, tuning
from foqus_lib.experiment import artifacts
from foqus_lib.experiment.key import NONE, Trial
from foqus_lib.experiment.settings import Common
from foqus_lib.experiment.study import Axis, Job, Metric, Study
from foqus_lib.studies.llm_pruning.claims import CEILING, REFERENCE, tabled
from foqus_lib.studies.llm_pruning.cut import base, fresh, train_base
from foqus_lib.studies.llm_pruning.given import Bench, Corpus, texts, versions
from foqus_lib.studies.llm_pruning.options import (
    CONTROL,
    RANDOM,
    SMALL,
    WHOLE,
    Options,
    percent,
)
from foqus_lib.studies.llm_pruning.run import run_rows
from foqus_lib.studies.pace import FORWARD

DEAR = {tuning.LORA: 2.5, tuning.FULL: 3.0}  # a step of it, in steps of the others


def trials(common: Common, options: Options, task: Corpus) -> list[Trial]:
    """Rules x cuts at one tuning, some rules x tunings, the whole model as it is and tuned on."""
    rows: dict[tuple, None] = {}  # an ordered set of (rule, cut, tuning, steps)
    for cut in map(percent, options.cuts):
        for rule, steps in (
            *((rule, options.steps) for rule in options.rules),
            *((rule, options.brief) for rule in options.brief_rules),
        ):
            rows |= dict.fromkeys((rule, cut, tuning.PARTIAL, at) for at in steps)
        for how in options.tunings:
            for rule in options.tuned_rules:
                rows |= dict.fromkeys((rule, cut, how, at) for at in options.brief)
    rows |= dict.fromkeys((CONTROL, NONE, tuning.PARTIAL, at) for at in options.steps)
    found = [
        _trial(options, task, row, seed, repeat)
        for row in rows
        for seed in range(common.seeds)
        for repeat in range(options.draws if row[0] == RANDOM else 1)
    ]
    return [*found, _trial(options, task, (WHOLE, NONE, NONE, 0), 0, 0)]


def _trial(options: Options, task: Corpus, row: tuple, seed: int, repeat: int) -> Trial:
    rule, cut, how, steps = row
    return Trial.on(
        task,
        STUDY.name,
        STUDY.version,
        rule,
        steps * options.tokens_a_step,
        seed,
        repeat,
        base_recipe=options.base_recipe,
        cut=cut,
        measured=options.measured,
        model=options.named,
        recipe=options.recipe,
        tuning=how,
        versions=versions(how),
    )


# ---- jobs ----------------------------------------------------------------------------------------


def jobs(bench: Bench, missing: Sequence[Trial]) -> list[list[Job]]:
    """The small model if it is not there; then a job for each cut model and tuning."""
    how, first = bench.options, []
    if how.model == SMALL and artifacts.find_arrays(bench.root, bench.base_key) is None:
        cost = 3.0 * how.base_steps * how.base_batch * how.window
        first = [Job(train_base, (), makes=(bench.base_key,), cost=cost, memory=2**30)]
    groups: dict[tuple, list[Trial]] = {}
    for trial in missing:
        drawn = (trial.seed, trial.repeat) if trial.method == RANDOM else ()
        groups.setdefault((trial.method, trial["cut"], trial["tuning"], drawn), []).append(trial)
    return [first, [_job(bench, tuple(group)) for group in groups.values()]]


def _job(bench: Bench, group: tuple[Trial, ...]) -> Job:
    how, most = bench.options, max(trial.budget for trial in group)
    runs = len({(trial.seed, trial.repeat) for trial in group})
    chosen = how.rate_steps * how.tokens_a_step * len(how.rates) if most else 0
    looks = (len(group) + 1) * 2 * how.held * how.window * FORWARD
    cost = (runs * most + chosen) * DEAR.get(group[0]["tuning"], 1.0) + looks
    return Job(
        run_rows, (group,), trials=group, kind=("step",), cost=cost, probe=_seconds_a_token,
        memory=2**30 if how.model == SMALL else 4 * 2**30,
    )  # fmt: skip


def _seconds_a_token(bench: Bench, job: Job) -> float:
    """Measured on two steps of tuning what is left when the last block is cut."""
    how = bench.options
    model = fresh(bench) if how.model == SMALL else base(bench)
    model = blocks.without(model, blocks.reverse_order(len(model.model.layers), 1))
    model = tuning.prepared(model, tuning.PARTIAL, how.precision)
    ids = texts(bench).val[: how.batch]
    given = tuning.states(model, ids, how.batch, how.precision)
    began = time.perf_counter()
    tuning.tune(model, given, ids, [np.arange(len(ids))] * 2, 1e-5, how.precision, 0)
    return (time.perf_counter() - began) / (2 * ids.numel())


def in_tokens(tokens: int) -> str:
    """30720 -> "30.7k tokens", 2048000 -> "2.05M tokens"."""
    if tokens >= 1_000_000:
        return f"{tokens / 1_000_000:.3g}M tokens"
    return f"{tokens / 1000:.3g}k tokens" if tokens >= 1000 else f"{tokens} tokens"


STUDY = Study(
    name="llm pruning",
    version=1,
    axis=Axis("tuning tokens", in_tokens),
    metrics=(
        Metric("loss", "nats a token, held-out Python", higher_is_better=False),
        Metric("bits", "bits a byte, held-out Python", higher_is_better=False),
        Metric("bits_prose", "bits a byte, English prose", higher_is_better=False),
        Metric("cloze", "multiple choice right", points=True),
        Metric("before", "nats a token before tuning", higher_is_better=False),
        Metric("trainable", "trained parameters", higher_is_better=False),
        Metric("lr", "learning rate that validation chose"),
    ),
    settings=("base_recipe", "cut", "measured", "model", "recipe", "tuning", "versions"),
    block=("model", "cut", "tuning"),
    floor=RANDOM,
    ceiling=WHOLE,  # it has no budget; what is tuned on this text may pass it
    uncompared=(CEILING,),
    reference=REFERENCE,
    jobs=jobs,
    drawn=(RANDOM,),
    tabled=tabled,
)

"""The model that is cut, and which blocks each rule takes out of it."""

import time
from functools import lru_cache

import numpy as np
import torch
from torch import nn

from foqus_lib.companions.llm_pruning import blocks, checkpoint, text, tuning
from foqus_lib.companions.llm_pruning.scores import SCORES
from foqus_lib.experiment import artifacts
from foqus_lib.experiment.provenance import provenance
from foqus_lib.studies.llm_pruning.given import Bench, texts
from foqus_lib.studies.llm_pruning.options import FIRST, KEEP_LAST, RANDOM, REVERSE, SMALL


def fresh(bench: Bench) -> nn.Module:
    """The small model before its training."""
    how = bench.options
    return checkpoint.small(
        how.blocks, how.width, how.heads, how.window, bench.task.fingerprint, how.named
    )


def train_base(bench: Bench) -> None:
    """Train the small model on the corpus's training files and keep it."""
    began, how = time.perf_counter(), bench.options
    count = how.base_steps * how.base_batch
    tokens = text.encode(bench.task.train, min(count * how.window, _have(bench)))
    starts = bench.rng("base").integers(len(tokens.ids) - how.window + 1, size=count)
    ids = torch.from_numpy(text.cut_out(tokens.ids, starts, how.window))
    model = tuning.prepared(fresh(bench), tuning.FULL)
    batches = list(np.arange(count).reshape(how.base_steps, how.base_batch))
    tuning.tune(model, ids, ids, batches, how.base_rate, how.precision, 0, decay=True)
    seconds = time.perf_counter() - began
    facts = provenance(device=bench.device, seconds=seconds, about=bench.task.about)
    arrays = {name: value.numpy() for name, value in model.state_dict().items()}
    artifacts.save_arrays(bench.root, bench.base_key, arrays, facts)


def _have(bench: Bench) -> int:
    return sum(len(one.encode()) for one in bench.task.train)


@lru_cache(maxsize=1)
def base(bench: Bench) -> nn.Module:
    """The model that is cut, in float32. Do not change it."""
    how = bench.options
    if how.model != SMALL:
        return checkpoint.language_model(checkpoint.folder_of(how.model))
    arrays = artifacts.load_arrays(artifacts.needed(bench.root, bench.base_key, "base model"))
    model = fresh(bench)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    return model


# ---- which blocks go -----------------------------------------------------------------------------


@lru_cache(maxsize=32)
def scores(bench: Bench, rule: str) -> tuple[float, ...]:
    """One number a block, on the whole model; kept in the store, for PPL is dear."""
    how = bench.options
    key = bench.base_key | {"what": "llm scores", "rule": rule, "looks": how.measured}
    key |= {"window": how.window, "pool": max(how.steps) * how.batch}
    path = artifacts.find_arrays(bench.root, key)
    if path is None:
        began = time.perf_counter()
        found = SCORES[rule](base(bench), texts(bench).looked_at)
        seconds = time.perf_counter() - began
        facts = provenance(device=bench.device, seconds=seconds, about=bench.task.about)
        path = artifacts.save_arrays(bench.root, key, {"scores": np.array(found)}, facts)
    return tuple(artifacts.load_arrays(path)["scores"].tolist())


def removed(bench: Bench, rule: str, cut: float, seed: int = 0, repeat: int = 0) -> blocks.Removed:
    """The blocks that a rule takes out; seed and repeat matter to Random only."""
    total = len(base(bench).model.layers)
    count = blocks.to_remove(total, cut)
    fixed = {
        REVERSE: blocks.reverse_order,
        FIRST: blocks.first_blocks,
        KEEP_LAST: blocks.keep_the_last,
    }
    if rule in fixed:
        return fixed[rule](total, count)
    if rule == RANDOM:
        return blocks.random_blocks(total, count, bench.rng(RANDOM, count, seed, repeat))
    return blocks.lowest(scores(bench, rule), count)

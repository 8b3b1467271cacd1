"""What each method looks at: the record of the whole network, or of a pruned one."""

from functools import lru_cache

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy import ndarray

from foqus_lib import evidence
from foqus_lib.companions import layer_pruning as pruning
from foqus_lib.evidence import Evidence
from foqus_lib.experiment import artifacts
from foqus_lib.selection.foqus import foqus_score
from foqus_lib.studies.coreset.draw import blind, draw
from foqus_lib.studies.layer_pruning.base import base_weights, recorded
from foqus_lib.studies.layer_pruning.benches import Bench, fresh
from foqus_lib.studies.layer_pruning.choice import kept_blocks
from foqus_lib.studies.layer_pruning.options import OURS, Options, versions
from foqus_lib.training.recipe import Recipe

UNIFORM, WHOLE = "Uniform", "FoQuS by the whole network"
TUNED, ANEW = "FoQuS by the pruned network, trained on", "FoQuS by the pruned network, from scratch"
METHODS = (UNIFORM, WHOLE, TUNED, ANEW)
SELECTOR = "FoQuS"


def recipe_of(how: Options, method: str) -> Recipe:
    """Of the training that a method's record is of."""
    return how.recipe if method == TUNED else how.base_recipe


def record_key(bench: Bench, method: str, seed: int) -> dict[str, str | int]:
    """Under which the record of a method's network is kept."""
    if method == WHOLE:
        return bench.record_key(seed)
    how = bench.options
    return bench.record_key(seed) | {
        "proxy": "on" if method == TUNED else "anew",
        "keep": how.keep[0],
        "proxy_recipe": str(recipe_of(how, method)),
        "similarity": how.similarity,
        "proxy_versions": versions(how),
    }


def stored(bench: Bench, method: str, seed: int) -> bool:
    """Whether the record of a method's network is there and whole."""
    return artifacts.find_arrays(bench.root, record_key(bench, method, seed)) is not None


def train_proxy(bench: Bench, method: str, seed: int) -> None:
    """Train the pruned network on all signals; keep what it says of them epoch by epoch."""
    how = bench.options
    kept = kept_blocks(bench, OURS, how.keep[0], seed)
    depths = pruning.kept_depths(how.depths, kept, how.cut.needed)
    name, start = bench.name("proxy", seed), None
    if method == TUNED:
        base = base_weights(bench, seed)
        start = pruning.reassembled(base, fresh(bench, depths, name), kept)
    record, _, facts = recorded(bench, depths, name, recipe_of(how, method), start)
    artifacts.save_arrays(bench.root, record_key(bench, method, seed), record, facts)


def record_of(bench: Bench, method: str, seed: int) -> tuple[Evidence, float]:
    """The record a method looks at and the seconds it took; ValueError if there is none."""
    key = record_key(bench, method, seed)
    path = artifacts.needed(bench.root, key, f"record of {method}, seed {seed}")
    return evidence.from_npz(path), float(artifacts.provenance_of(path)["seconds"])


def scores(record: Evidence) -> Float[ndarray, " N"]:
    """Eq. 8 of every training signal."""
    return foqus_score(record.correct, record.loss)


def rank_correlation(one: Float[ndarray, " N"], two: Float[ndarray, " N"]) -> float:
    """Spearman's rho; NaN if either ranks nothing."""
    if np.ptp(one) == 0 or np.ptp(two) == 0:
        return float("nan")
    return pd.Series(one).corr(pd.Series(two), method="spearman")


@lru_cache(maxsize=8)
def coreset(bench: Bench, method: str, points: int, seed: int) -> ndarray:
    """Rows of the training signals. One draw's name for all: ties fall alike."""
    if method == UNIFORM:
        selector, record = UNIFORM, blind(bench.task.train)
    else:
        selector, (record, _) = SELECTOR, record_of(bench, method, seed)
    drawn_as = bench.options.named, selector, [points / 10_000], seed
    with torch.device(bench.device):  # where the selectors' products are computed
        [rows] = draw(bench.task.fingerprint, record, *drawn_as)
    return rows

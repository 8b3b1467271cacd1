"""The clusters of a row, stored or computed now: scores, pictures and coresets read them."""

import time

import numpy as np
import torch
from numpy import ndarray

from foqus_lib.companions.clustering import scores
from foqus_lib.experiment import artifacts
from foqus_lib.experiment.provenance import provenance
from foqus_lib.studies.clustering import options as names
from foqus_lib.studies.clustering.bench import Bench
from foqus_lib.studies.clustering.methods import METHODS, Case
from foqus_lib.training.device import arithmetic

SHOWN = (names.PRETRAINED, names.DTC_A)  # whose features a picture shows


def clusters_of(bench: Bench, method: str, setting: str, k: int, seed: int) -> dict[str, ndarray]:
    """train (N,), test (M,), middle (K,): clusters, and the signal in the middle of each.

    Networks also leave "cluster" (epochs, N) and of pairs "positive" and "negative" (epochs,); the
    rows in SHOWN their features (N, D).
    """
    key = bench.clusters_key(method, setting, k, seed)
    path = artifacts.find_arrays(bench.root, key)
    if path is None:
        path = _made(bench, method, setting, k, seed, key)
    return artifacts.load_arrays(path)


def _made(bench: Bench, method: str, setting: str, k: int, seed: int, key: dict):
    began = time.perf_counter()
    with arithmetic(bench.options.precision, torch.device(bench.device)):
        found = METHODS[method](Case(bench, setting, k, seed))
    arrays = {
        "train": found.train,
        "test": found.test,
        "middle": scores.representatives(found.features, found.train, max(k, _classes(found))),
    }
    arrays |= {name: np.array(values) for name, values in found.curves.items()}
    if method in SHOWN:
        arrays["features"] = found.features.astype(np.float32)
    seconds = time.perf_counter() - began
    facts = provenance(device=bench.device, seconds=seconds, about=bench.transfer(setting).about)
    return artifacts.save_arrays(bench.root, key, arrays, facts)


def _classes(found) -> int:
    """A classifier may know more classes than k."""
    return int(max(found.train.max(), found.test.max())) + 1

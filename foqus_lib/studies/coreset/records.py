"""What one training on everything leaves to all methods: its evidence, and the network itself."""

import json
import shutil
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64
from numpy import ndarray
from torch import nn

from foqus_lib import evidence
from foqus_lib.evidence import Evidence
from foqus_lib.experiment import artifacts, store
from foqus_lib.experiment.key import canonical
from foqus_lib.experiment.provenance import provenance
from foqus_lib.models import MODELS
from foqus_lib.models.copies import put
from foqus_lib.studies.coreset.bench import Bench, select_name
from foqus_lib.studies.coreset.room import KEPT
from foqus_lib.studies.watch import device_watched
from foqus_lib.training.collect import collect
from foqus_lib.training.predict import logits_of


def collect_evidence(bench: Bench, model: str, seeds: Sequence[int]) -> None:
    """Train `model` on everything, once a seed; keep what it leaves behind.

    A seed that diverges is noted under failures/, and the others are kept.
    """
    began, since, task = time.time(), time.perf_counter(), bench.task
    keys = [bench.evidence_key(model, seed) for seed in seeds]
    keep = artifacts.partial(bench.root, keys)
    with device_watched(bench.device):
        found = collect(
            MODELS[model],
            task.train,
            [select_name(task.fingerprint, model, seed) for seed in seeds],
            bench.collection_of(model),
            torch.device(bench.device),
            keep=keep,
            memory=bench.device_memory,
        )
    seconds = (time.perf_counter() - since) / len(seeds)
    facts = provenance(
        device=bench.device, seconds=seconds, about=task.about,
        fused=len(seeds) if bench.stacked else 1, began=began,
    )  # fmt: skip
    for key, one in zip(keys, found, strict=True):
        if isinstance(one, ValueError):
            store.fail(bench.root, key, one)
            continue
        record, weights = one
        arrays = {name: value.numpy() for name, value in weights.items()}
        artifacts.save_arrays(bench.root, _network(key), arrays, facts)
        artifacts.save_arrays(bench.root, key, evidence.to_arrays(record), facts)
    shutil.rmtree(keep, ignore_errors=True)


def stored(bench: Bench, model: str, seed: int) -> bool:
    """Whether both the evidence and the network that left it are there and whole."""
    key = bench.evidence_key(model, seed)
    return all(artifacts.find_arrays(bench.root, one) for one in (key, _network(key)))


def evidence_of(bench: Bench, model: str, seed: int) -> Evidence:
    """The stored evidence; ValueError that says why if there is none."""
    return _loaded(bench.root, canonical(bench.evidence_key(model, seed)))


def network_of(bench: Bench, model: str, seed: int) -> nn.Module:
    """The network that left the evidence of this seed behind, in eval mode, on the CPU."""
    key = bench.evidence_key(model, seed)
    path = _found(bench.root, _network(key))
    weights = {n: torch.from_numpy(array) for n, array in artifacts.load_arrays(path).items()}
    network = MODELS[model](len(bench.task.train.classes), bench.task.train.length)
    put(network, [0], weights)
    # as `fit` lays it out: another layout sums in another order
    return network.to(memory_format=torch.channels_last).eval()


def confusion(bench: Bench, model: str, seed: int) -> Int64[ndarray, "C C"]:
    """Test signals counted by class (rows) and by what the network says (columns)."""
    test = bench.task.test
    said = logits_of(network_of(bench, model, seed), test)[0].argmax(1).numpy()
    counts = np.zeros((len(test.classes), len(test.classes)), np.int64)
    np.add.at(counts, (test.label, said), 1)
    return counts


def _network(key: dict) -> dict:
    return key | {"what": "network"}


@lru_cache(maxsize=KEPT)
def _loaded(root: Path, key: str) -> Evidence:
    """Found, checked and read once for all methods that follow one another."""
    return evidence.from_npz(_found(root, json.loads(key)))


def _found(root: Path, key: dict) -> Path:
    what = f"record of {key['selection_model']}, seed {key['seed']}"
    return artifacts.needed(root, key, what, blamed=key | {"what": "evidence"})

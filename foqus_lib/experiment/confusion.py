"""Which classes a network trained on everything takes for which; counted once and stored."""

import numpy as np
import torch
from jaxtyping import Int64
from numpy import ndarray

from foqus_lib.experiment import artifacts
from foqus_lib.experiment.bench import Bench, seed_name
from foqus_lib.experiment.workers import one_thread
from foqus_lib.models import MODELS
from foqus_lib.training.fit import fit
from foqus_lib.training.predict import logits_of


def confusion(bench: Bench, model: str, seed: int) -> Int64[ndarray, "C C"]:
    """Test signals counted by class (rows) and by what the network says (columns)."""
    key = bench.evidence_key(model, seed) | {"what": "confusion"}
    if (path := artifacts.find_arrays(bench.root, key)) is None:
        path = artifacts.save_arrays(bench.root, key, {"counts": _counted(bench, model, seed)})
    with np.load(path, allow_pickle=False) as file:
        return file["counts"]


def _counted(bench: Bench, model: str, seed: int) -> Int64[ndarray, "C C"]:
    task, classes = bench.task, len(bench.task.test.classes)
    rows, name = [np.arange(len(task.train))], [seed_name(task.name, model, seed)]
    recipe = bench.collection_of(model).recipe
    with one_thread():
        fitted = fit(MODELS[model], task.train, rows, name, recipe, torch.device(bench.device))
        said = logits_of(fitted.networks[0], task.test)[0].argmax(1).cpu().numpy()
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (task.test.label, said), 1)
    return counts

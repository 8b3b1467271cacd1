"""Encoders that many rows share: pre-trained on the source, or an autoencoder of the target."""

import time
from functools import lru_cache

import numpy as np
import torch
from torch import nn

from foqus_lib.companions.clustering.augment import looked_at
from foqus_lib.companions.clustering.encoders import Autoencoder, reconstruct
from foqus_lib.experiment import artifacts
from foqus_lib.experiment.provenance import provenance
from foqus_lib.models import MODELS
from foqus_lib.models.copies import put, taken
from foqus_lib.models.shapes import embedding_size
from foqus_lib.seeds import rng_for
from foqus_lib.signals import Signals
from foqus_lib.studies.clustering.bench import SOURCE, Bench
from foqus_lib.studies.watch import device_watched
from foqus_lib.training.device import arithmetic
from foqus_lib.training.fit import Transform, initial
from foqus_lib.training.recipe import Recipe
from foqus_lib.training.single import fit_one


def make_encoder(bench: Bench, kind: str, setting: str, seed: int) -> None:
    """Train an encoder and keep its weights. The sweep notes a failure under its key."""
    began, key = time.perf_counter(), bench.encoder_key(kind, setting, seed)
    make = _of_source if kind == SOURCE else _of_autoencoder
    device = torch.device(bench.device)
    with device_watched(bench.device), arithmetic(bench.options.precision, device):
        network = make(bench, setting, seed)
    seconds = time.perf_counter() - began
    facts = provenance(device=bench.device, seconds=seconds, about=bench.transfer(setting).about)
    arrays = {name: value.numpy() for name, value in taken(network, 0).items()}
    artifacts.save_arrays(bench.root, key, arrays, facts)


def _of_source(bench: Bench, setting: str, seed: int) -> nn.Module:
    source = bench.transfer(setting).source
    name = bench.name("source", setting, seed)
    return trained(
        bench, source, np.arange(len(source)), name, bench.options.pretraining, looked_at
    )


def trained(
    bench: Bench,
    signals: Signals,
    rows: np.ndarray,
    name: str,
    recipe: Recipe,
    change: Transform | None = None,
) -> nn.Module:
    """By the project's one loop for classifiers."""
    device = torch.device(bench.device)
    return fit_one(
        MODELS[bench.options.model], signals, rows, name, recipe, device, transform=change
    )


def _of_autoencoder(bench: Bench, setting: str, seed: int) -> nn.Module:
    train, how = bench.transfer(setting).train, bench.options.pretraining
    name = bench.name("autoencoder", setting, seed)
    network = Autoencoder(fresh(bench, setting, name), width(bench, train), train.length)
    network.to(bench.device)
    x = torch.from_numpy(train.iq).to(bench.device)
    reconstruct(network, x, rng_for(name), how.epochs, how.batch, how.lr, how.precision)
    return network.encoder


def fresh(bench: Bench, setting: str, name: str) -> nn.Module:
    """An encoder with the random weights that a stream's name gives it, on the CPU."""
    train = bench.transfer(setting).train
    network = initial(MODELS[bench.options.model], len(train.classes), train.length, [name])
    return network.eval()


def width(bench: Bench, signals: Signals) -> int:
    """D, of the embedding."""
    return embedding_size(MODELS[bench.options.model], len(signals.classes), signals.length)


def encoder_of(bench: Bench, kind: str, setting: str, seed: int) -> nn.Module:
    """A stored encoder, its own copy, on the CPU; ValueError that says why if there is none."""
    weights = _weights(bench, kind, setting, seed)
    made_on = bench.transfer(setting)
    made_on = made_on.source if kind == SOURCE else made_on.train
    network = MODELS[bench.options.model](len(made_on.classes), made_on.length)
    put(network, [0], weights)
    return network.eval()


@lru_cache(maxsize=4)
def _weights(bench: Bench, kind: str, setting: str, seed: int) -> dict[str, torch.Tensor]:
    key = bench.encoder_key(kind, setting, seed)
    path = artifacts.needed(bench.root, key, f"encoder ({kind}, setting {setting}, seed {seed})")
    return {name: torch.from_numpy(array) for name, array in artifacts.load_arrays(path).items()}

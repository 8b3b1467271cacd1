"""How each row comes to its clusters. None but Supervised sees a label of the target."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy import ndarray

from foqus_lib.companions.clustering import dec, features, pairs
from foqus_lib.companions.clustering import training as loops
from foqus_lib.companions.clustering.augment import looked_at
from foqus_lib.companions.clustering.encoders import embedded
from foqus_lib.companions.clustering.kmeans import k_means, nearest
from foqus_lib.seeds import rng_for
from foqus_lib.signals import Signals
from foqus_lib.studies.clustering import options as rows
from foqus_lib.studies.clustering.bench import AUTOENCODER, SOURCE, Bench
from foqus_lib.studies.clustering.encoders import encoder_of, fresh, trained, width
from foqus_lib.training.predict import logits_of

Curves = dict[str, list]


@dataclass(frozen=True)
class Case:
    """One row to be computed."""

    bench: Bench
    setting: str
    k: int
    seed: int

    @property
    def train(self) -> Signals:
        return self.bench.transfer(self.setting).train

    @property
    def test(self) -> Signals:
        return self.bench.transfer(self.setting).test

    def rng(self, role: str) -> np.random.Generator:
        """Rows with one role share their draws: k-means' starts, an epoch's order."""
        return rng_for(self.bench.name(role, self.setting, self.seed, self.k))

    def x(self, signals: Signals) -> torch.Tensor:
        """The samples where the network is."""
        return torch.from_numpy(signals.iq).to(self.bench.device)


@dataclass(frozen=True)
class Found:
    """Clusters of the target's training and test signals."""

    train: Int64[ndarray, " N"]
    test: Int64[ndarray, " M"]
    features: Float[ndarray, "N D"]  # in which a cluster's middle is looked for
    curves: Curves = field(default_factory=dict)  # by epoch; "cluster": the clusters after each


View = Callable[[ndarray], ndarray]


def _k_means_of(view: View, standardise: bool) -> Callable[[Case], Found]:
    def method(case: Case) -> Found:
        train, test = view(case.train.iq), view(case.test.iq)
        if standardise:
            train, test = (features.standardised(x, train) for x in (train, test))
        return _partition(case, train, test)

    return method


def _partition(case: Case, train: ndarray, test: ndarray) -> Found:
    clusters, centres = k_means(train, case.k, case.rng("k-means"))
    return Found(clusters, nearest(test.astype(np.float64), centres), train)


def _k_means_on(kind: str) -> Callable[[Case], Found]:
    def method(case: Case) -> Found:
        encoder = encoder_of(case.bench, kind, case.setting, case.seed).to(case.bench.device)
        train, test = (embedded(encoder, case.x(s)) for s in (case.train, case.test))
        return _partition(case, train, test)

    return method


def _source_classifier(case: Case) -> Found:
    """Its classes are the clusters, counted as the target's classes are."""
    encoder = encoder_of(case.bench, SOURCE, case.setting, case.seed).to(case.bench.device)
    known = case.bench.transfer(case.setting).source.classes
    place = np.array([case.train.classes.index(name) for name in known])
    train, test = (
        place[logits_of(encoder, s)[0].argmax(1).cpu().numpy()] for s in (case.train, case.test)
    )
    return Found(train, test, embedded(encoder, case.x(case.train)))


def _supervised(case: Case) -> Found:
    name = case.bench.name("supervised", case.setting, case.seed)
    everything = np.arange(len(case.train))
    how = case.bench.options.pretraining
    network = trained(case.bench, case.train, everything, name, how, looked_at)
    train, test = (
        logits_of(network, s)[0].argmax(1).cpu().numpy() for s in (case.train, case.test)
    )
    return Found(train, test, embedded(network, case.x(case.train)))


def _by_pairs(case: Case, encoder: torch.nn.Module, head: bool) -> Found:
    """Variant A from this encoder; its head from k-means, or at random."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(case.rng("head").integers(2**31)))
        network = pairs.PairNetwork(encoder, width(case.bench, case.train), case.k)
    x = case.x(case.train)
    network.to(case.bench.device)
    if head:
        seen = embedded(encoder, x).astype(np.float64)
        _, centres = k_means(seen, case.k, case.rng("k-means"))
        pairs.begin_at(network, seen, centres)
    epochs: list[ndarray] = []
    how = case.bench.options.schedule
    followed = loops.cluster_by_pairs(network, x, case.rng("epochs"), how, epochs.append)
    curves = {"positive": followed.positive, "negative": followed.negative, "cluster": epochs}
    return _of_network(case, network, encoder, curves)


def _of_network(
    case: Case, network: torch.nn.Module, encoder: torch.nn.Module, curves: Curves
) -> Found:
    train, test = (loops.clusters_of(network, case.x(s)) for s in (case.train, case.test))
    return Found(train, test, embedded(encoder, case.x(case.train)), curves)


def _dac(head: bool) -> Callable[[Case], Found]:
    def method(case: Case) -> Found:
        name = case.bench.name("from scratch", case.setting, case.seed)
        return _by_pairs(case, fresh(case.bench, case.setting, name).to(case.bench.device), head)

    return method


def _dtc_a(case: Case) -> Found:
    encoder = encoder_of(case.bench, SOURCE, case.setting, case.seed)
    return _by_pairs(case, encoder.to(case.bench.device), head=True)


def _by_centres(kind: str, memory: bool) -> Callable[[Case], Found]:
    """Variant B: PCA to k dimensions, k-means, centres that sharpen."""

    def method(case: Case) -> Found:
        encoder = encoder_of(case.bench, kind, case.setting, case.seed).to(case.bench.device)
        x = case.x(case.train)
        seen = embedded(encoder, x)
        projection = dec.principal(seen, case.k)
        with torch.no_grad():
            flat = projection(torch.from_numpy(seen)).numpy()
        _, centres = k_means(flat, case.k, case.rng("k-means"))
        network = dec.CentreNetwork(encoder, projection, torch.from_numpy(centres).float())
        network.to(case.bench.device)
        epochs: list[ndarray] = []
        how = replace(case.bench.options.schedule, balance=0.0, look=0.0)  # it has neither
        loops.cluster_by_centres(network, x, case.rng("epochs"), how, epochs.append, memory)
        return _of_network(case, network, encoder, {"cluster": epochs})

    return method


METHODS: dict[str, Callable[[Case], Found]] = {
    rows.FLOOR: _k_means_of(features.samples, standardise=False),
    rows.SPECTRUM: _k_means_of(features.spectrum, standardise=False),
    rows.CUMULANTS: _k_means_of(features.cumulants, standardise=True),
    rows.OF_AUTOENCODER: _k_means_on(AUTOENCODER),
    rows.DEC: _by_centres(AUTOENCODER, memory=False),
    rows.DAC: _dac(head=False),
    rows.DAC_HEAD: _dac(head=True),
    rows.PRETRAINED: _k_means_on(SOURCE),
    rows.AS_IS: _source_classifier,
    rows.DTC_A: _dtc_a,
    rows.DTC_B: _by_centres(SOURCE, memory=True),
    rows.CEILING: _supervised,
}

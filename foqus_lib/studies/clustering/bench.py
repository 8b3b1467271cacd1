"""What every job is told, the random streams it names, and the keys of what it keeps."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from foqus_lib import signals as sig
from foqus_lib.companions import clustering
from foqus_lib.companions.clustering.kmeans import check_clusters
from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.key import NONE
from foqus_lib.experiment.settings import Common
from foqus_lib.models import VERSIONS as NETWORKS
from foqus_lib.models.shapes import check_length
from foqus_lib.selection.catalog import version_of
from foqus_lib.studies.clustering import options as rows
from foqus_lib.studies.clustering.options import Options
from foqus_lib.studies.clustering.transfer import Transfer, transfer_of
from foqus_lib.training import collect, fit
from foqus_lib.training.device import pick_device

SOURCE, AUTOENCODER = "source", "autoencoder"  # kinds of encoders that many rows share
NEEDS = {
    rows.OF_AUTOENCODER: AUTOENCODER, rows.DEC: AUTOENCODER, rows.PRETRAINED: SOURCE,
    rows.AS_IS: SOURCE, rows.DTC_A: SOURCE, rows.DTC_B: SOURCE,
}  # fmt: skip
TRAINED = (rows.DEC, rows.DAC, rows.DAC_HEAD, rows.DTC_A, rows.DTC_B)  # by the schedule


@dataclass(frozen=True)
class Bench:
    """What every job is told."""

    task: Task
    options: Options
    data_seed: int
    root: Path  # of the results store
    device: str
    memory: int = 0  # bytes that may be used; 0: what is free

    def transfer(self, setting: str) -> Transfer:
        """Source and target of a setting, made once a process."""
        return _transfer(self.task, self.options, setting, self.data_seed)

    def name(self, role: str, setting: str, seed: int, *more: str | int) -> str:
        """A random stream, named by the data and a role, never by a file's name."""
        parts = "clustering", role, self.task.fingerprint, setting, self.options.model, seed, *more
        return " ".join(map(str, parts))

    def k_of(self, setting: str, asked: int) -> int:
        """How many clusters 0 stands for."""
        return asked or len(self.transfer(setting).train.classes)

    def encoder_key(self, kind: str, setting: str, seed: int) -> dict[str, str | int]:
        """Under which the weights of an encoder are kept."""
        made_on = self.transfer(setting)
        made_on = made_on.source if kind == SOURCE else made_on.train
        return {
            "what": f"clustering {kind}",
            "fingerprint": sig.fingerprint(made_on),
            "target": f"{setting} {self.task.fingerprint}",  # whose streams it draws from
            "network": self.options.model,
            "recipe": str(self.options.pretraining),
            "seed": seed,
            "versions": versions(self.options.model),
        }

    def clusters_key(self, method: str, setting: str, k: int, seed: int) -> dict[str, str | int]:
        """Under which the clusters of a method are kept."""
        source = self.transfer(setting).source_print if needs_source(method) else NONE
        return {
            "what": "clusters",
            "fingerprint": self.task.fingerprint,
            "source": source,
            "setting": setting,
            "target": " ".join(self.transfer(setting).train.classes),
            "method": method,
            "k": k,
            "seed": seed,
            "pretraining": pretraining_of(method, self.options),
            "clustering": clustering_of(method, self.options),
            "versions": versions(self.options.model),
        }


@lru_cache(maxsize=4)
def _transfer(task: Task, how: Options, setting: str, data_seed: int) -> Transfer:
    return transfer_of(task, how, setting, data_seed)


def needs_source(method: str) -> bool:
    """Whether a row learns from the labelled source."""
    return NEEDS.get(method) == SOURCE


def pretraining_of(method: str, how: Options) -> str:
    """The recipe of what a row takes over, or of Supervised."""
    return str(how.pretraining) if method in NEEDS or method == rows.CEILING else NONE


def clustering_of(method: str, how: Options) -> str:
    """The schedule of a row whose network is trained to cluster."""
    return str(how.schedule) if method in TRAINED else NONE


def versions(model: str, selector: str = "") -> str:
    """Of all code that decides a row; selector: the method that picks its coreset, if one does."""
    found = {
        "clustering": clustering.VERSION, "collect": collect.VERSION, "fit": fit.VERSION,
        model: NETWORKS[model],
    }  # fmt: skip
    if selector:
        found[selector] = version_of(selector)
    return " ".join(f"{name}={version}" for name, version in found.items())


def bench(common: Common, options: Options, task: Task) -> Bench:
    """Store, device and memory; refuses settings that the data cannot fill."""
    check_length(options.model, task.train.length)
    made = Bench(
        task, options, common.data_seed, common.store, str(pick_device(common.device)),
        common.memory,
    )  # fmt: skip
    for setting in dict.fromkeys((*options.settings, *options.coresets_of)):
        for asked in options.clusters:
            check_clusters(made.k_of(setting, asked), len(made.transfer(setting).train))
    return made

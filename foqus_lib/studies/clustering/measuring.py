"""What is published of a row."""

import numpy as np
from numpy import ndarray

from foqus_lib.companions.clustering import scores
from foqus_lib.experiment.key import Trial
from foqus_lib.studies.clustering import options as names
from foqus_lib.studies.clustering.bench import Bench


def measured(bench: Bench, trial: Trial, found: dict[str, ndarray]) -> dict:
    """ACC, NMI and ARI on training and test signals, sizes, recalls, and one label a cluster."""
    target = bench.transfer(trial["setting"])
    label, asked, k = target.train.label, target.test.label, trial.budget
    train, test = found["train"], found["test"]
    metrics = {
        "acc": scores.clustering_accuracy(label, train),
        "nmi": scores.normalised_mutual_information(label, train),
        "ari": scores.adjusted_rand_index(label, train),
        "acc_test": scores.clustering_accuracy(asked, test),
        "nmi_test": scores.normalised_mutual_information(asked, test),
        "ari_test": scores.adjusted_rand_index(asked, test),
        "largest": scores.largest_share(train),
        "empty": scores.empty_clusters(train, k),
        "recognition": _recognition(trial.method, label, found, asked),
    }
    by_class = scores.recalls(label, train, len(target.train.classes))
    metrics["recall_by_class"] = {str(y): float(value) for y, value in enumerate(by_class)}
    if "cluster" in found:
        each = list(enumerate(found["cluster"]))
        metrics["acc_by_epoch"] = {
            str(epoch): scores.clustering_accuracy(label, one) for epoch, one in each
        }
    for name in ("positive", "negative"):
        if name in found:
            metrics[f"{name}_by_epoch"] = {str(e): float(v) for e, v in enumerate(found[name])}
    return metrics


def _recognition(method: str, label: ndarray, found: dict[str, ndarray], asked: ndarray) -> float:
    """Of test signals. Classifiers name their classes themselves, clusters are named by a label."""
    if method in (names.AS_IS, names.CEILING):
        return float(np.mean(found["test"] == asked))
    named = scores.one_label_each(label, found["middle"])
    return scores.recognition_accuracy(asked, found["test"], named)

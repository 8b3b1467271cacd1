"""How well clusters agree with classes. Whoever clusters sees no label; these functions do.

A labelling is any array of whole numbers from 0; clusters and classes need not be equally many.
"""

import numpy as np
from jaxtyping import Float, Float64, Int64
from numpy import ndarray
from scipy.optimize import linear_sum_assignment

NOBODY = -1  # the class of a cluster that has no signal, or that is matched with no class


def contingency(
    label: Int64[ndarray, " N"], cluster: Int64[ndarray, " M"]
) -> Int64[ndarray, "C K"]:
    """How many signals of each class (rows) are in each cluster (columns).

    ValueError for labellings of different lengths, without a signal, or with negative numbers.
    """
    if len(label) != len(cluster) or len(label) == 0:
        raise ValueError(
            f"clusters: expected one for each of 1 or more labels, got {len(cluster)} clusters and "
            f"{len(label)} labels. Score the signals that were clustered"
        )
    if (least := min(int(label.min()), int(cluster.min()))) < 0:
        raise ValueError(f"clusters: expected classes and clusters from 0, got {least}")
    counts = np.zeros((int(label.max()) + 1, int(cluster.max()) + 1), np.int64)
    np.add.at(counts, (label, cluster), 1)
    return counts


def matching(counts: Int64[ndarray, "C K"]) -> Int64[ndarray, " K"]:
    """The class of each cluster under the one-to-one matching that gets most signals right.

    The Hungarian method (Kuhn 1955). With more clusters than classes some stand for NOBODY.
    """
    classes, clusters = linear_sum_assignment(counts, maximize=True)
    named = np.full(counts.shape[1], NOBODY)
    named[clusters] = classes
    return named


def clustering_accuracy(label: Int64[ndarray, " N"], cluster: Int64[ndarray, " N"]) -> float:
    """ACC = max over one-to-one maps m of (1/N) sum_i [y_i = m(c_i)].

    1 for permuted labels; for a constant prediction the share of the largest class.
    """
    counts = contingency(label, cluster)
    classes, clusters = linear_sum_assignment(counts, maximize=True)
    return float(counts[classes, clusters].sum() / len(label))


def normalised_mutual_information(
    label: Int64[ndarray, " N"], cluster: Int64[ndarray, " N"]
) -> float:
    """NMI = I(y; c) / ((H(y) + H(c)) / 2): the information shared, by the mean of both entropies.

    0 for a constant prediction of several classes; if class and cluster are both one, 1.
    """
    from sklearn.metrics import normalized_mutual_info_score

    contingency(label, cluster)  # refuses what is no labelling
    return float(normalized_mutual_info_score(label, cluster, average_method="arithmetic"))


def adjusted_rand_index(label: Int64[ndarray, " N"], cluster: Int64[ndarray, " N"]) -> float:
    """ARI = (R - E R) / (max R - E R): pairs told alike, less those that chance tells alike.

    R counts pairs of signals that are together in both or apart in both (Hubert & Arabie 1985).
    1 for permuted labels, 0 on average for random ones, and below 0 for worse.
    """
    from sklearn.metrics import adjusted_rand_score

    contingency(label, cluster)
    return float(adjusted_rand_score(label, cluster))


def recalls(
    label: Int64[ndarray, " N"], cluster: Int64[ndarray, " N"], classes: int
) -> Float64[ndarray, " C"]:
    """The share of each class that is in the cluster matched with it; 0 if no cluster is.

    NaN for a class without signals. A class that shares its cluster with a larger one has recall 0:
    merged classes show here, and in NMI hardly.
    """
    counts = contingency(label, cluster)
    named = matching(counts)
    right = np.zeros(classes)
    for at, y in enumerate(named):
        if y != NOBODY:
            right[y] = counts[y, at]
    sizes = np.bincount(label, minlength=classes)
    return np.divide(right, sizes, out=np.full(classes, np.nan), where=sizes > 0)


def largest_share(cluster: Int64[ndarray, " N"]) -> float:
    """The share of the largest cluster: 1 if everything is in one."""
    return float(np.bincount(cluster).max() / len(cluster))


def empty_clusters(cluster: Int64[ndarray, " N"], k: int) -> int:
    """How many of the k clusters have no signal."""
    return k - len(np.unique(cluster))


def representatives(
    features: Float[ndarray, "N D"], cluster: Int64[ndarray, " N"], k: int
) -> Int64[ndarray, " K"]:
    """The signal of each cluster nearest to the cluster's mean; NOBODY for an empty cluster."""
    found = np.full(k, NOBODY)
    for at in np.unique(cluster):
        rows = np.flatnonzero(cluster == at)
        own = features[rows].astype(np.float64)
        distance = ((own - own.mean(axis=0)) ** 2).sum(axis=1)
        found[at] = rows[distance.argmin()]
    return found


def one_label_each(
    label: Int64[ndarray, " N"], representative: Int64[ndarray, " K"]
) -> Int64[ndarray, " K"]:
    """The class of each cluster, if a person names its representative: k labels in all."""
    return np.where(representative == NOBODY, NOBODY, label[representative])


def recognition_accuracy(
    label: Int64[ndarray, " M"], cluster: Int64[ndarray, " M"], named: Int64[ndarray, " K"]
) -> float:
    """The share of signals whose cluster was named by their class: no matching, two may share one.

    A cluster that nobody could name is wrong for all of its signals.
    """
    return float(np.mean(named[cluster] == label))

"""k-means: the partition that everything else begins from, or is compared with."""

import numpy as np
from jaxtyping import Float, Float64, Int64
from numpy import ndarray

STARTS = 20  # n_init; the best of them is kept


def check_clusters(k: int, n: int) -> None:
    """ValueError unless 2 <= k <= n: k clusters of n signals."""
    if not 2 <= k <= n:
        raise ValueError(
            f"clusters: expected 2 to {n}, the number of signals, got k = {k}. "
            "Ask for fewer clusters, or give more signals"
        )


def k_means(
    x: Float[ndarray, "N D"], k: int, rng: np.random.Generator
) -> tuple[Int64[ndarray, " N"], Float64[ndarray, "K D"]]:
    """The clusters and centres that make sum_i ||x_i - mu_(c_i)||^2 least, of 20 starts.

    k-means++ starts, Lloyd's steps (scikit-learn), in one thread: more would change last bits.
    ValueError for k > N, for numbers that are not finite, and for fewer distinct signals than k:
    a cluster would stay empty.
    """
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    check_clusters(k, len(x))
    if not np.isfinite(x).all():
        row = int((~np.isfinite(x)).any(axis=1).argmax())
        raise ValueError(
            f"features: expected finite numbers, got NaN or infinity in signal {row}. "
            "The network that made them diverged: lower its learning rate"
        )
    x = x.astype(np.float64)
    if (distinct := len(np.unique(x, axis=0))) < k:
        raise ValueError(
            f"features: expected {k} distinct signals or more for {k} clusters, got {distinct}. "
            "The features say the same of most signals: train the network longer, or ask for fewer"
        )
    how = KMeans(k, n_init=STARTS, random_state=int(rng.integers(2**31)))
    with threadpool_limits(1):
        found = how.fit(x)
    return found.labels_.astype(np.int64), found.cluster_centers_


def nearest(x: Float[ndarray, "N D"], centres: Float[ndarray, "K D"]) -> Int64[ndarray, " N"]:
    """The nearest centre of each signal, the first of equals."""
    # ||x - mu||^2 less ||x||^2, which does not depend on the centre
    return (np.sum(centres**2, axis=1) - 2 * x @ centres.T).argmin(axis=1)

"""What the page draws of the clusters that are stored."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float32, Int64
from numpy import ndarray

from foqus_lib.companions.clustering import scores
from foqus_lib.companions.clustering.encoders import embedded
from foqus_lib.experiment import artifacts
from foqus_lib.seeds import rng_for
from foqus_lib.studies.clustering.bench import Bench
from foqus_lib.studies.clustering.encoders import fresh
from foqus_lib.studies.clustering.keeping import clusters_of
from foqus_lib.studies.clustering.options import CEILING, CUMULANTS, DAC, DTC_A, DTC_B, PRETRAINED

__all__ = [
    "DAC", "DTC_A", "COMPARED", "STAGES", "lacking", "three_stages", "matched_confusion",
]  # fmt: skip

COMPARED = (CUMULANTS, PRETRAINED, DTC_A, DTC_B, CEILING)
STAGES = (PRETRAINED, DTC_A)  # whose features `three_stages` draws
NEIGHBOURS = 30  # t-SNE's perplexity, where there are enough signals


def lacking(
    bench: Bench, rows: pd.DataFrame, methods: Sequence[str], setting: str, seed: int
) -> str:
    """Why there is no picture of these methods; "" if each is a row whose clusters are stored.

    Pictures train nothing: what was not asked for is not made for them.
    """
    k = bench.k_of(setting, bench.options.clusters[0])
    there = set(rows.method[(rows.setting == setting) & (rows.seed == seed) & (rows.budget == k)])
    missing = [
        method
        for method in methods
        if method not in there
        or artifacts.find_arrays(bench.root, bench.clusters_key(method, setting, k, seed)) is None
    ]
    if not missing:
        return ""
    return (
        f"Nothing is drawn: setting {setting}, seed {seed} has no clusters of {'; '.join(missing)} "
        "in the results store. Ask for these rows with methods"
    )


def three_stages(
    bench: Bench, setting: str, seed: int, most: int
) -> tuple[dict[str, Float32[ndarray, "n 2"]], Int64[ndarray, " n"]]:
    """Features of the same signals in the plane (t-SNE): random, pre-trained, after DTC A.

    Returns them by title, and the label of each signal, which only colours it.
    """
    train = bench.transfer(setting).train
    rng = rng_for(bench.name("picture", setting, seed))
    rows = np.sort(rng.permutation(len(train))[:most])
    random = fresh(bench, setting, bench.name("from scratch", setting, seed))
    k = bench.k_of(setting, bench.options.clusters[0])
    features = {
        "random weights": embedded(random, torch.from_numpy(train.iq[rows])),
        "pre-trained": clusters_of(bench, PRETRAINED, setting, k, seed)["features"][rows],
        "after DTC A": clusters_of(bench, DTC_A, setting, k, seed)["features"][rows],
    }
    return {title: in_plane(x) for title, x in features.items()}, train.label[rows]


def in_plane(x: Float32[ndarray, "n D"]) -> Float32[ndarray, "n 2"]:
    """t-SNE (van der Maaten & Hinton 2008) from the two principal directions, in one thread."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(NEIGHBOURS, max(1, (len(x) - 1) // 3))
    with threadpool_limits(1):
        how = TSNE(2, perplexity=perplexity, init="pca", random_state=0)
        return how.fit_transform(x.astype(np.float64)).astype(np.float32)


def matched_confusion(
    bench: Bench, method: str, setting: str, seed: int
) -> tuple[Int64[ndarray, "C K"], list[str]]:
    """Signals by class and cluster, clusters in the order of the classes matched with them.

    Returns the counts and a name for each column: the class, or "no class" (more clusters than
    classes).
    """
    train = bench.transfer(setting).train
    k = bench.k_of(setting, bench.options.clusters[0])
    counts = scores.contingency(train.label, clusters_of(bench, method, setting, k, seed)["train"])
    named = scores.matching(counts)
    order = sorted(range(counts.shape[1]), key=lambda at: (named[at] == scores.NOBODY, named[at]))
    names = [train.classes[named[at]] if named[at] != scores.NOBODY else "no class" for at in order]
    return counts[:, order], names

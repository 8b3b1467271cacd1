"""Which blocks of a trained network to keep: similarity, partition, selection, reassembly.

After Lu et al. 2024 (arXiv:2406.07929), written from its formulas: layers that do alike are put in
one segment, the blocks kept of a segment are chosen by a score that needs no data, and what is kept
becomes a smaller network that is trained on. Blocks count from 0, the stem is not among them.
"""

from foqus_lib.companions.layer_pruning.names import VERSION, Kept, Weights, block_of, too_few
from foqus_lib.companions.layer_pruning.partition import (
    choose_k,
    fisher_losses,
    fisher_segmentation,
    partition,
    segment_budgets,
)
from foqus_lib.companions.layer_pruning.reassembly import carried, kept_depths, reassembled
from foqus_lib.companions.layer_pruning.selection import (
    best_union,
    contribution,
    log_synflow,
    scored_subsets,
    subsets,
)
from foqus_lib.companions.layer_pruning.similarity import (
    LEAST_SIGNALS,
    activations,
    cka,
    cka_matrix,
    layers_of,
    mean_cka,
)

__all__ = [
    "LEAST_SIGNALS", "VERSION", "Kept", "Weights", "activations", "best_union", "block_of",
    "carried", "choose_k", "cka", "cka_matrix", "contribution", "fisher_losses",
    "fisher_segmentation", "kept_depths", "layers_of", "log_synflow", "mean_cka", "partition",
    "reassembled", "scored_subsets", "segment_budgets", "subsets", "too_few",
]  # fmt: skip

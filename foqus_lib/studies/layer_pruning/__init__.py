"""Which blocks of a trained network may go? Every method keeps as many and trains as long.

A base network is trained once a seed and kept. A method says which blocks are left, what is left
begins from the base's weights, and all are trained on by one recipe from one stream of batches.
Our choices beside the paper's: only residual blocks are counted and cut, stem and poolings always
stay; no L1 penalty in training; the last epoch is reported, not the best on the test signals.
"""

from foqus_lib.studies.layer_pruning.base import base_network, base_weights
from foqus_lib.studies.layer_pruning.benches import Bench, bench
from foqus_lib.studies.layer_pruning.choice import kept_blocks, parted, scored, similarity
from foqus_lib.studies.layer_pruning.costs import cost_shares, costs_by_method, widest_apart
from foqus_lib.studies.layer_pruning.grid import STUDY, trials
from foqus_lib.studies.layer_pruning.options import (
    CHANNELS,
    FULL,
    LARGEST,
    LAST,
    METHODS,
    OURS,
    RANDOM,
    SCRATCH,
    Options,
)
from foqus_lib.studies.layer_pruning.shown import (
    draws_in_words,
    kept_shares,
    rank_correlation,
    tuning_of_whole,
    with_score,
)

__all__ = [
    "CHANNELS", "FULL", "LARGEST", "LAST", "METHODS", "OURS", "RANDOM", "SCRATCH", "STUDY",
    "Bench", "Options", "base_network", "base_weights", "bench", "cost_shares", "costs_by_method",
    "draws_in_words", "kept_blocks", "kept_shares", "parted", "rank_correlation", "scored",
    "similarity", "trials", "tuning_of_whole", "widest_apart", "with_score",
]  # fmt: skip

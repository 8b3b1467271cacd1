"""Does a pruned network choose the coreset that the whole network would, for less?

FoQuS scores signals by how a network learns them. The record of the whole network is what the
training of the base network left. Two proxies have fewer blocks, those that layer pruning keeps:
one goes on from the kept weights for the epochs after the cut, one begins at random and is trained
as long as the whole network was. One network, the same for all, is then trained on each coreset.
"""

from foqus_lib.studies.layer_pruning import Options, bench
from foqus_lib.studies.scoring_proxy.grid import STUDY, trials
from foqus_lib.studies.scoring_proxy.records import METHODS, UNIFORM, WHOLE, record_of, scores
from foqus_lib.studies.scoring_proxy.shown import agreement

__all__ = [
    "METHODS", "STUDY", "UNIFORM", "WHOLE", "Options", "agreement", "bench", "record_of", "scores",
    "trials",
]  # fmt: skip

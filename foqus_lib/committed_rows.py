"""Whose rows the files of book/results/ hold: what `foqus derive` reads.

A chapter needs nothing here: its rows are book/results/<name of its study>/rows.csv.
"""

from foqus_lib.experiment.study import Study
from foqus_lib.report.committed import folder_of
from foqus_lib.studies import (
    boundary,
    catalog,
    clustering,
    distillation,
    layer_pruning,
    llm_pruning,
    mixing,
    scoring_proxy,
)
from foqus_lib.studies.coreset import grid

# Files with names of their own; one without a folder may lie in the folder of any data set.
NAMED: dict[str, Study] = dict.fromkeys(("main", "ablation", "cross", "newer"), grid.CORESET)
NAMED |= {"boundary": boundary.STUDY}
NAMED |= {f"distillation/{stem}": distillation.STUDY for stem in distillation.FILES}
NAMED |= {f"mixing/{stem}": mixing.STUDY for stem in mixing.FILES}
NAMED |= {
    "layer_pruning/real": layer_pruning.STUDY,
    "layer_pruning/proxy": scoring_proxy.STUDY,
    "layer_pruning/real_proxy": scoring_proxy.STUDY,
    "llm_pruning/half": llm_pruning.STUDY,
    "llm_pruning/radio": layer_pruning.STUDY,
    "clustering/real": clustering.STUDY,
}


def committed() -> dict[str, Study]:
    """{"mixing/rows": its study, ...}: of every chapter, and of files with names of their own."""
    return {f"{folder_of(one.study)}/rows": one.study for one in catalog.CHAPTERS.values()} | NAMED

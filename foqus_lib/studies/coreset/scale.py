"""Does a network learn at all? Scale of the signals and optimiser, crossed.

RML2016.10a comes with frames whose magnitudes sum to 1, that is about 0.008 a sample. DeepCore's
default optimiser, which the paper seems to name, does not get off the ground on that scale.
"""

from dataclasses import replace

import pandas as pd

from foqus_lib.experiment.sweep import Progress
from foqus_lib.signals import NORMALISATIONS
from foqus_lib.studies.chapter import Opened
from foqus_lib.studies.coreset.grid import RECIPES


def run(chapter: Opened, progress: Progress) -> pd.DataFrame:
    """Rows of the chapter for each scale and optimiser, with the columns normalise, optimiser."""
    found = []
    for normalise in NORMALISATIONS:
        for optimiser in RECIPES:
            one = replace(
                chapter,
                common=replace(chapter.common, normalise=normalise),
                options=replace(chapter.options, optimiser=optimiser),
            )
            one.run(progress)
            found.append(one.rows().assign(normalise=normalise, optimiser=optimiser))
    return pd.concat(found, ignore_index=True)

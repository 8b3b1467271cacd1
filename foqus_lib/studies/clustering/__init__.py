"""Deep transfer clustering: which rows there are, and how they are run.

options    the names of the rows, and what the chapter can be given
transfer   from whom to whom: the labelled source and the target, in both settings
bench      what every job is told, streams and keys
encoders   networks that many rows share
methods    how each row comes to its clusters
keeping    the clusters of a row, in the store
coresets   FoQuS on clusters beside FoQuS on labels
grid       trials
pictures   what the page draws
measuring  what is published of a row
run        jobs, the study
bars       what the specification expects, met or not
"""

from foqus_lib.studies.clustering.bench import bench
from foqus_lib.studies.clustering.grid import trials
from foqus_lib.studies.clustering.options import Options
from foqus_lib.studies.clustering.run import STUDY

__all__ = ["STUDY", "Options", "bench", "trials"]

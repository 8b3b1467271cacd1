"""Do forgotten signals lie near the decision boundary? Section III-B says so and measures nothing.

The boundary is that of the network at the end of the selection training, between the true class
and its strongest rival; how near a signal lies is the size of its margin in logits.
"""

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from foqus_lib.evidence import Evidence
from foqus_lib.selection import foqus

FORGOTTEN, NEVER = "Forgotten", "Never forgotten"
KNOWN, UNKNOWN = "Never forgotten, right at the end", "Never forgotten, wrong at the end"


def distance(record: Evidence) -> Float[ndarray, " N"]:
    """|z_y - max_{c != y} z_c| after the last epoch, in logits: 0 on the boundary, on either side.

    ValueError for a record of before margins were kept.
    """
    if record.margin is None:
        raise ValueError("evidence.margin: expected T x N margins, got none. Make the record anew")
    return np.abs(record.margin[-1])


def groups(c: Bool[ndarray, "T N"]) -> dict[str, Bool[ndarray, " N"]]:
    """Which signals were forgotten (Eq. 4 above 0), which never; the latter by how they ended."""
    forgotten = foqus.forgetting_score(c) > 0
    return {
        FORGOTTEN: forgotten,
        NEVER: ~forgotten,
        KNOWN: ~forgotten & c[-1],
        UNKNOWN: ~forgotten & ~c[-1],
    }

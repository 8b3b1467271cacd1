"""Tidy frames and arrays -> figures; pass each to `svg.inline_svg` with a sentence that says it.

Colours are seaborn's "colorblind"; nothing is told by colour alone (markers, dashes, positions).
`curves`, `forests` and `maps` draw them, and `signal_figures` what data look like.
"""

from foqus_lib.report.colours import GREY, MARKERS, PALETTE
from foqus_lib.report.curves import accuracy_by_snr, budget_curve
from foqus_lib.report.forests import forest
from foqus_lib.report.maps import (
    pick_maps,
    readable,
    score_map,
    snr_histogram,
    snr_shares,
)
from foqus_lib.report.signal_figures import iq_frames

__all__ = [
    "GREY", "MARKERS", "PALETTE", "accuracy_by_snr", "budget_curve", "forest", "iq_frames",
    "pick_maps", "readable", "score_map", "snr_histogram", "snr_shares",
]  # fmt: skip

"""Colours and markers of all figures: nothing is told by colour alone."""

import seaborn as sns

PALETTE = sns.color_palette("colorblind").as_hex()
GREY = "#808080"
MARKERS = ["o", "s", "D", "^", "v", "P", "X", "<", ">", "p", "h", "*"]

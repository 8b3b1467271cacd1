"""A drawing of Algorithm 1, lines 10 to 12: one class, its tiers, what is drawn from each."""

import numpy as np
from matplotlib.figure import Figure

from foqus_lib.report.colours import MARKERS, PALETTE
from foqus_lib.report.svg import new_figure, style
from foqus_lib.seeds import rng_for
from foqus_lib.selection.budget import turns
from foqus_lib.selection.tiers import SHARES, at_random, equal_counts

SIGNALS, BUDGET = 31, 10  # of the class that is drawn


def tier_drawing() -> Figure:
    """The scores of 31 made-up signals of a class, highest first, and the ten that are kept."""
    rng = rng_for("tier drawing")
    score = np.sort(rng.normal(size=SIGNALS))[::-1]
    places = np.split(np.arange(SIGNALS), equal_counts(score))
    turn = np.array(turns(BUDGET, SHARES, [len(tier) for tier in places]))
    with style():
        figure = new_figure(7, 2.8)
        ax = figure.subplots()
        for number, (tier, share) in enumerate(zip(places, SHARES, strict=True)):
            kept = at_random(tier, rng)[: (turn == number).sum()]
            look = {"color": PALETTE[number], "markersize": 7, "linestyle": "none"}
            ax.plot(tier, score[tier], MARKERS[number], markerfacecolor="none", **look)
            ax.plot(kept, score[kept], MARKERS[number], **look)
            ax.axvline(tier[-1] + 0.5, color="#808080", linewidth=0.8)
            words = f"tier {number + 1}: {len(tier)} signals\nshare {share:g}, {len(kept)} kept"
            ax.text(tier.mean(), score[0] + 0.3, words, ha="center", va="bottom", fontsize=9)
        ax.set(xlabel="place in the order of scores", ylabel="score", xlim=(-0.5, SIGNALS - 0.5))
    return figure

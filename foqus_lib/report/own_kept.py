"""Who was kept of a file of one's own: by class, by SNR, by score; parts of its page."""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from matplotlib.figure import Figure
from numpy import ndarray

from foqus_lib.report.colours import GREY, PALETTE
from foqus_lib.report.html_parts import bars, figure, paragraph, table
from foqus_lib.report.svg import inline_svg, new_figure, style

MOST_LEVELS = 20  # lines of a table; more SNRs are put together
STEPS = (1, 2, 5, 10, 20, 50)  # dB
# Method -> column of scores.csv that it ranks by, and its name on an axis.
RANKED_BY = {
    "FoQuS": ("foqus_eq8", "FoQuS score, Eq. 8"),
    "FoQuS (min-max)": ("foqus_min_max", "FoQuS score, min-max reading"),
    "Forgetting": ("forgetting_eq4", "forgetting score, Eq. 4"),
    "Least Confidence": ("least_confidence", "least-confidence score"),
    "Entropy": ("entropy_nats", "entropy (nats)"),
    "Margin": ("margin", "margin score"),
    "Mean loss": ("mean_loss_nats", "mean loss (nats)"),
}
OTHERWISE = RANKED_BY["Mean loss"]


def kept_of_what(kept: pd.DataFrame) -> list[str]:
    """Two tables: counts and shares by class and by SNR, of the file and of the coreset.

    kept: a line a signal, with class, snr_db and kept (0 or 1).
    """
    levels = snr_groups(kept.snr_db.to_numpy(dtype=np.float64))
    parts = [_counted(kept, kept["class"].astype(str), "Class", "by class")]
    if levels.nunique() == 1:
        return [*parts, paragraph(f"Every signal has the SNR label {levels.iloc[0]}.")]
    return [*parts, _counted(kept, levels, "SNR", "by SNR")]


def snr_groups(snr: Float[ndarray, " N"]) -> pd.Series:
    """Each signal's SNR label in words: "10 dB"; ranges of whole steps where labels are many.

    The categories are in order.
    """
    found = np.unique(snr)
    if len(found) <= MOST_LEVELS:
        names = {level: f"{level:g} dB" for level in found}
        order = list(dict.fromkeys(names.values()))  # measured labels may print alike
        return pd.Series(pd.Categorical([names[x] for x in snr], order))
    span = found[-1] - found[0]
    step = next((one for one in STEPS if span / one <= MOST_LEVELS - 1), span / MOST_LEVELS)
    low = np.floor(snr / step) * step
    names = {level: f"{level:g} to {level + step:g} dB" for level in np.unique(low)}
    order = list(dict.fromkeys(names.values()))
    return pd.Series(pd.Categorical([names[x] for x in low], order))


def _counted(kept: pd.DataFrame, group: pd.Series, head: str, words: str) -> str:
    counts = kept.kept.groupby(group.to_numpy(), observed=True).agg(["size", "sum"])
    if isinstance(group.dtype, pd.CategoricalDtype):
        counts = counts.reindex(group.cat.categories)
    of_all, of_kept = counts["size"] / len(kept), counts["sum"] / max(counts["sum"].sum(), 1)
    longest = max(of_all.max(), of_kept.max())
    lines = [
        [str(name), f"{size:,}", f"{taken:,}", bars([a, b], longest)]
        for name, size, taken, a, b in zip(
            counts.index, counts["size"], counts["sum"], of_all, of_kept, strict=True
        )
    ]
    heads = [head, "In the file", "Kept", "Share of the file, below it of the coreset"]
    caption = (
        f"Signals {words}. Outlined bars: share of all {len(kept):,} signals; filled bars: share "
        f"of the {counts['sum'].sum():,} that are kept."
    )
    return table(caption, heads, lines)


def score_part(kept: pd.DataFrame, method: str) -> str:
    """The distribution of the method's score among the kept and the others; "" without scores."""
    ranked = RANKED_BY.get(method.partition(" | ")[0])
    column, label = ranked or OTHERWISE
    if column not in kept:
        return ""
    score, taken = kept[column].to_numpy(dtype=np.float64), kept.kept.to_numpy() == 1
    medians = [
        f"{np.median(score[rows]):.3g} {name}"
        for rows, name in ((taken, "kept"), (~taken, "not kept"))
        if rows.any()
    ]
    unranked = "" if ranked else f" {method} does not rank by it."
    caption = (
        f"{label[0].upper()}{label[1:]} of the kept signals (filled) and of the others (line), as "
        f"shares of either. Medians: {', '.join(medians)}.{unranked} All scores are in scores.csv."
    )
    drawn = score_histogram(score, taken, label)
    return figure(
        inline_svg(drawn, f"Histogram: {label}, kept and not kept", "score").data, caption
    )


def score_histogram(
    score: Float[ndarray, " N"], kept: Bool[ndarray, " N"], label: str, bins: int = 25
) -> Figure:
    """Shares (%) of the kept (filled) and of the others (line) by score."""
    edges = np.histogram_bin_edges(score, bins)
    with style():
        drawn = new_figure(4.4, 2.8)
        ax = drawn.subplots()
        for rows, name, look in (
            (kept, "kept", {"color": PALETTE[0], "fill": True, "alpha": 0.75}),
            (~kept, "not kept", {"color": "#000000", "linewidth": 1.4}),
        ):
            if rows.any():
                share = 100 * np.histogram(score[rows], edges)[0] / rows.sum()
                ax.stairs(share, edges, label=name, **look)
        ax.set(xlabel=label, ylabel="share (%)")
        ax.grid(axis="y", color=GREY)
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)
    return drawn

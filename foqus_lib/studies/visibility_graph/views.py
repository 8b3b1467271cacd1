"""What the page shows of the chapter's rows: three cuts of them, costs, bars, the learned layer."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from foqus_lib.companions.visibility_graph.layer import AdaptiveVisibilityGraph, with_kernels
from foqus_lib.experiment.settings import ROOT
from foqus_lib.experiment.study import Bar
from foqus_lib.studies.coreset.bench import ALL_DATA, NONE
from foqus_lib.studies.visibility_graph.grid import CHOSEN_FLOOR, STUDY
from foqus_lib.studies.visibility_graph.rows import BAND, EMPTY, LEARNED, VISIBILITY, compared

BENCHMARK = ROOT / "book" / "results" / "benchmarks" / "visibility_layer.csv"
PUBLIC = "per lag, per branch"  # the row of the benchmark that is compared with ours
LOST = 0.05  # of accuracy without its edges, by bar 7.7.4

# As Table III: the rows are what chose the coreset, the network is AVGNet.
CHOSEN = replace(
    STUDY,
    settings=tuple(sorted((*STUDY.settings, "evaluation_model"))),
    block=("selection_model", "evaluation_model"),
    floor=CHOSEN_FLOOR,
    ceiling=ALL_DATA,
)
# The chapter's own AVGNet is what the ablation's rows are compared with.
ABLATION = replace(STUDY, floor=LEARNED)


def ablated(rows: pd.DataFrame) -> pd.DataFrame:
    """AVGNet with other lags and depths, beside the chapter's own."""
    return rows[(rows.coreset == NONE) & rows.method.str.startswith(LEARNED)]


def chosen(rows: pd.DataFrame) -> pd.DataFrame:
    """AVGNet on coresets, as rows of `CHOSEN`: the method is the selector; All data beside."""
    parts = rows[rows.coreset != NONE], rows[(rows.coreset == NONE) & (rows.method == LEARNED)]
    methods = parts[0].coreset, pd.Series(ALL_DATA, index=parts[1].index)
    found = [part.assign(method=m) for part, m in zip(parts, methods, strict=True)]
    return pd.concat(found, ignore_index=True).assign(evaluation_model=LEARNED)


def costs_by_method(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of what `compared` holds, by method."""
    names = {
        "accuracy": "accuracy",
        "accuracy_no_edges": "edges zeroed",
        "degree": "mean degree",
        "parameters": "parameters",
        "flops": "FLOPs",
        "ms_1": "ms alone",
        "ms_128": "ms among 128",
    }
    means = compared(rows).groupby("method", sort=False)[list(names)].mean()
    return means.rename(columns=names)


def zeroed_in_words(rows: pd.DataFrame) -> str:
    """What each network loses without its edges, and what one does that was trained without any.

    The first is asked of AVGNet alone by bar 7.7.4; only the second says what its edges are worth.
    """
    means = costs_by_method(rows)
    lost = (means.accuracy - means["edges zeroed"]).drop(EMPTY, errors="ignore").dropna()
    if LEARNED not in lost:
        return f"No rows of {LEARNED}."
    others = lost.drop(LEARNED)
    each = [f"{name} {100 * lost[name]:.1f}" for name in (LEARNED, *others.index)]
    text = f"Points lost by zeroing every edge: {'; '.join(each)}."
    if len(others):
        too = int((others >= LOST).sum())
        text += f" {too} of the {len(others)} other graphs lose {100 * LOST:g} or more as well."
    if EMPTY in means.index:
        with_edges, without = means.accuracy[LEARNED], means.accuracy[EMPTY]
        text += (
            f" Trained without edges, {EMPTY} has {without:.3f}, and {LEARNED} {with_edges:.3f}: "
            f"{100 * (with_edges - without):+.1f} points."
        )
    return text


# ---- bars ----------------------------------------------------------------------------------------


def bars(rows: pd.DataFrame) -> list[Bar]:
    """Section 7.7 of the specification; they are judged by what `judged_by` makes of the rows.

    Beside 7.7.4, which a network on any graph may meet, stands the control that it lacks.
    """
    means = compared(rows).groupby("method").accuracy.mean()
    ruled = means[[name for name in VISIBILITY if name in means]]
    best = ruled.idxmax() if len(ruled) else "a visibility graph"
    says = f"the layer's speed, times that of the public form ({PUBLIC}), 3 or more"
    ours = (LEARNED,)
    return [
        Bar("7.7.2", f"{LEARNED} 5 points above the best ruled graph ({best})", ours, best,
            least=0.05),
        Bar("7.7.2", f"{LEARNED} 2 points above {BAND}", ours, BAND, least=0.02),
        Bar("7.7.3", f"{LEARNED} within 3 points of CNN1D", ours, "CNN1D", least=-0.03),
        Bar("7.7.4", "5 points lost by zeroing the edges", ours, None, "lost", LOST, unit="points"),
        Bar("control", f"{LEARNED} above {EMPTY}, trained without", ours, EMPTY, least=0),
        Bar("speed", says, (PUBLIC,), None, "times_ours", 3, file="speed", unit="times",
            always=True),
    ]  # fmt: skip


def judged_by(rows: pd.DataFrame, benchmark: Path = BENCHMARK) -> dict[str, pd.DataFrame]:
    """The rows with what zeroed edges cost each, and the committed speed as one of a seed.

    It is that of the layer in one convolution against one for each lag and branch: the median.
    """
    found = {
        "rows": compared(rows).assign(lost=lambda kept: kept.accuracy - kept.accuracy_no_edges)
    }
    if benchmark.exists():
        speed = pd.read_csv(benchmark).rename(columns={"variant": "method"})
        found["speed"] = speed.assign(seed=0)
    return found


# ---- the learned layer ---------------------------------------------------------------------------


def layer_of(
    weights: pd.DataFrame, biases: pd.DataFrame, seed: int = 0
) -> tuple[str, AdaptiveVisibilityGraph]:
    """The layer that AVGNet on all signals learned from a seed, and what to call it.

    weights, biases: rows_by("weight", "place") and rows_by("bias", "lag"). While that row is
    missing it is a layer that has learned nothing, and is called so.
    """
    place, lag = (_of_seed(frame, seed) for frame in (weights, biases))
    if place.empty or lag.empty:
        return "not trained yet", AdaptiveVisibilityGraph()
    taps = place.sort_values("place").weight.tolist()
    sizes = range(2, len(lag) + 2)
    ends = [sum(sizes[: d + 1]) for d in range(len(sizes))]
    kernels: Sequence[Sequence[float]] = [
        taps[end - size : end] for end, size in zip(ends, sizes, strict=True)
    ]
    return "learned", with_kernels(kernels, lag.sort_values("lag").bias.tolist())


def _of_seed(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    return frame[(frame.method == LEARNED) & (frame.coreset == NONE) & (frame.seed == seed)]

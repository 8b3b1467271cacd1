"""A selection replayed: the picks of each method, one after another, on a map of the embeddings.

Coresets are balanced, so each class is a pool of its own and has a map of its own: the two
directions in which its embeddings differ most. The order of the picks is the library's.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from IPython.display import HTML
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from numpy import ndarray

from foqus_lib.evidence import Evidence
from foqus_lib.report import widgets
from foqus_lib.report.colours import GREY, PALETTE
from foqus_lib.report.explorer import few
from foqus_lib.report.svg import new_figure, plain, style
from foqus_lib.seeds import rng_for
from foqus_lib.selection.catalog import CATALOG
from foqus_lib.selection.methods import coresets
from foqus_lib.signals import Signals

SHOWN = ("k-Center Greedy", "Herding", "Uniform", "FoQuS")
MOST = 880  # signals: 80 of each of eleven classes
PICKS = 12  # of each class, or a quarter of the smallest


def orders(record: Evidence, method: str) -> list[Int[ndarray, " k"]]:
    """The rows that the method keeps of each class, in the order in which it picks them."""
    classes, sizes = np.unique(record.label, return_counts=True)
    budget = len(classes) * min(PICKS, max(1, sizes.min() // 4))
    [rows] = coresets(CATALOG[method], record, [int(budget)], rng_for("replay", method))
    return [rows[record.label[rows] == y] for y in classes]


def plane(
    embedding: Float[ndarray, "n D"],
) -> tuple[Float[ndarray, "n 2"], float]:
    """Places on the first two principal components, in -1..1; the share of variance they hold."""
    x = embedding.astype(np.float64)
    x = np.pad(x - x.mean(axis=0), [(0, 0), (0, 2)])  # two columns at least
    left, size, _ = np.linalg.svd(x, full_matrices=False)
    at = np.zeros((len(x), 2))
    at[:, : min(2, len(size))] = (left * size)[:, :2]
    at *= np.where(at[np.abs(at).argmax(axis=0), [0, 1]] < 0, -1, 1)  # else the sign is chance
    total = np.square(size).sum()
    held = float(np.square(size[:2]).sum() / total) if total else 1.0
    return at / (np.abs(at).max() or 1), held


def course(
    embedding: Float[ndarray, "n D"], picks: Int[ndarray, " k"]
) -> tuple[Float[ndarray, " k"], Float[ndarray, " k"]]:
    """After each pick: the farthest signal's distance to its nearest pick, and that of the means.

    In spreads: the root mean square distance of the pool's signals from their mean.
    """
    x = embedding.astype(np.float64)
    x = x - x.mean(axis=0)
    spread = np.sqrt(np.square(x).sum(axis=1).mean()) or 1.0
    apart = np.linalg.norm(x[:, None] - x[picks], axis=2)
    radius = np.minimum.accumulate(apart, axis=1).max(axis=0)
    means = np.cumsum(x[picks], axis=0) / np.arange(1, len(picks) + 1)[:, None]
    return radius / spread, np.linalg.norm(means, axis=1) / spread


def spec(signals: Signals, record: Evidence, about: str) -> dict:
    """By class the map and the SNRs (dB); by method and class the picks and their course."""
    rows = [np.flatnonzero(record.label == y) for y in np.unique(record.label)]
    maps = [plane(record.embedding[pool]) for pool in rows]
    found = {}
    for method in SHOWN:
        found[method] = []
        for pool, picked in zip(rows, orders(record, method), strict=True):
            places = np.searchsorted(pool, picked)
            radius, gap = course(record.embedding[pool], places)
            numbers = {"picks": places, "radius": radius.round(3), "gap": gap.round(3)}
            found[method].append({name: array.tolist() for name, array in numbers.items()})
    return {
        "about": about,
        "classes": [signals.classes[y] for y in np.unique(record.label)],
        "at": [at.round(3).tolist() for at, _ in maps],
        "held": [round(held, 3) for _, held in maps],
        "snr": [record.snr[pool].tolist() for pool in rows],
        "methods": found,
    }


def final(at: Float[ndarray, "n 2"], picks: Sequence[Int[ndarray, " k"]]) -> Figure:
    """The map of one class for each method of SHOWN: all signals grey, the picks numbered."""
    with style():
        figure = new_figure(7, 6.6)
        for ax, name, places in zip(figure.subplots(2, 2).flat, SHOWN, picks, strict=True):
            ax.plot(*at.T, ".", color=GREY, markersize=4)
            ax.plot(*at[places].T, "o", color=PALETTE[0], markersize=6)
            for number, (x, y) in enumerate(at[places], 1):
                ax.annotate(str(number), (x, y), (3, 3), textcoords="offset points", fontsize=9)
            ax.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal", xticks=[], yticks=[])
            ax.set_title(plain(name), loc="left", fontsize=10)
    return figure


def widget(signals: Signals, record: Evidence, about: str) -> HTML:
    """The replay as part of a page; without script, the last state of the first class."""
    signals, record = few(signals, record, MOST)
    data = spec(signals, record, about)
    picks = [np.array(data["methods"][name][0]["picks"]) for name in SHOWN]
    words = (
        f"All picks of the class {data['classes'][0]}, numbered in the order in which "
        f"{', '.join(SHOWN)} make them, on the map of its embeddings"
    )
    return widgets.widget("replay", data, final(np.array(data["at"][0]), picks), words)


def summary(signals: Signals, record: Evidence) -> pd.DataFrame:
    """After all picks, mean over classes: what the page says of each method without script."""
    signals, record = few(signals, record, MOST)
    methods = spec(signals, record, "")["methods"]
    return pd.DataFrame({
        name: {
            "picks of a class": np.mean([len(one["picks"]) for one in of_class]),
            "farthest signal to its nearest pick (spreads)": np.mean(
                [one["radius"][-1] for one in of_class]
            ),
            "distance of the means (spreads)": np.mean([one["gap"][-1] for one in of_class]),
        }
        for name, of_class in methods.items()
    }).T  # fmt: skip

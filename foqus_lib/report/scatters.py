"""One number of a result against another, a dot a result."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from foqus_lib.report.svg import new_figure, style


def scatter(
    rows: pd.DataFrame, x: str, y: str, hue: str, shape: str, labels: tuple[str, str]
) -> Figure:
    """Columns x and y, coloured by `hue` and marked by `shape`; labels of both axes.

    ValueError for rows that have no such number: then there is nothing to draw.
    """
    drawn = rows.dropna(subset=[x, y])
    if drawn.empty:
        raise ValueError(f"scatter: expected rows with {x} and {y}, got none. Run the sweep first")
    drawn = drawn.astype({hue: str, shape: str})
    with style():
        figure = new_figure(6.6, 3.6)
        ax = figure.subplots()
        sns.scatterplot(drawn, x=x, y=y, hue=hue, style=shape, s=50, ax=ax, palette="colorblind")
        ax.set(xlabel=labels[0], ylabel=labels[1])
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), title="")
    return figure

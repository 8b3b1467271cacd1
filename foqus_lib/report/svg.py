"""A Matplotlib figure as part of the page: its text colour, no network, own ids, read aloud."""

import html
import io
import re
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path

import matplotlib as mpl
from IPython.display import HTML
from matplotlib.figure import Figure

# Black lines and letters become currentColor: dark on light pages, light on dark ones.
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "foqus",  # else the ids differ from run to run
    "font.size": 10,
    "font.sans-serif": ["DejaVu Sans"],  # one name, not a list of twelve, beside every word
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "legend.frameon": False,
    "grid.color": "#808080",
    "grid.alpha": 0.3,
}

# A file shown by <img> knows no page: its own paper and ink, so that no mixture hides the words.
THEMES = (
    "<style>svg{color:#1f2328;background:#fff}@media (prefers-color-scheme:dark)"
    "{svg{color:#e6edf3;background:#0d1117}}</style>"
)
LONG = re.compile(r"(\.\d\d)\d+")  # a hundredth of a point is less than anybody sees


def style() -> AbstractContextManager:
    """Matplotlib's defaults with ours on top, inside a `with` only."""
    return mpl.rc_context({**mpl.rcParamsDefault, "backend": mpl.rcParams["backend"], **STYLE})


def new_figure(width: float, height: float) -> Figure:
    """A figure in inches that pyplot does not know of: nothing stays open."""
    return Figure(figsize=(width, height), layout="constrained")


def inline_svg(figure: Figure, label: str, name: str) -> HTML:
    """The figure as inline SVG. `label` says what it shows; `name` is unique on its page."""
    text = io.StringIO()
    with style():
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\b(?:d|x|y)="[^"]*"', lambda found: LONG.sub(r"\1", found[0]), svg)
    slug = "fig-" + re.sub(r"\W+", "-", name) + "-" + sha256(name.encode()).hexdigest()[:6]
    svg = svg.replace("<style", f'<style data-for="{slug}"').replace("*{", f"#{slug} *{{")
    svg = re.sub(r'\bid="', f'id="{slug}-', svg)
    svg = re.sub(r'(url\(|href=")#', rf"\1#{slug}-", svg)
    svg = re.sub(r"#000000\b", "currentColor", svg)
    svg = re.sub(r"(<text\b[^>]*style=\")", r"\1fill: currentColor; ", svg)
    head = f'<svg id="{slug}" role="img" aria-label="{html.escape(label)}" '
    return HTML(f'<div class="svgfig">{svg.replace("<svg ", head, 1)}</div>')


def write_svg(figure: Figure, label: str, path: Path) -> None:
    """The figure as a file of its own, for a README: light or dark as the reader's system is."""
    drawing = inline_svg(figure, label, path.stem).data
    drawing = drawing[drawing.index("<svg") : drawing.rindex("</svg>") + len("</svg>")]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(drawing.replace(">", f">{THEMES}", 1) + "\n", encoding="utf-8")


def plain(name: str) -> str:
    """A name from a data file, safe from Matplotlib's formulas."""
    return str(name).replace("$", r"\$")

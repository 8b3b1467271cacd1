"""A part of a page that a script of book/_assets brings to life; without script it is a picture."""

import base64
import json
from collections.abc import Mapping

import numpy as np
from IPython.display import HTML
from jaxtyping import Float
from matplotlib.figure import Figure
from numpy import ndarray

from foqus_lib.report.svg import inline_svg


def widget(kind: str, spec: Mapping, figure: Figure, words: str) -> HTML:
    """<div class="foqus-KIND"> with `spec` for the script, and what stands there without one.

    words: what the picture shows, said below it and read aloud.
    """
    data = json.dumps(spec, separators=(",", ":"))
    quoted = data.replace("&", "&amp;").replace("'", "&#39;").replace("<", "&lt;")
    still = inline_svg(figure, words, kind).data
    return HTML(f"<div class='foqus-{kind}' data-spec='{quoted}'>{still}<p>{words}.</p></div>")


def in_bytes(iq: Float[ndarray, "N 2 L"], full: ndarray | float) -> str:
    """One signed byte a number, base64: `full` is 127."""
    whole = np.rint(127 * (iq.astype(np.float64) / full))
    return base64.b64encode(whole.astype(np.int8).tobytes()).decode("ascii")

"""Pictures on pages that are not notebooks: computed at build time, or taken from an executed one.

    ```{computed} primer noise_ladder       the Figure that report.primer.noise_ladder() gives
    :name: fig-noise
    :alt: what it shows, read aloud

    The caption.
    ```

    ```{computed} snr_slider slider         what a script draws (report.widgets): no :alt: is needed

    ```{shown-in} 02_method fig-picks       the output of the notebook's cell of that label, again
    :name: fig-picks-again
    ```

Both are inline SVG, numbered, and named by {numref}. A picture that is not there is an error.
"""

import importlib
import json
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

log = logging.getLogger(__name__)


class Picture(SphinxDirective):
    """A figure of raw HTML, with what stands in the directive for its caption."""

    required_arguments = 2
    has_content = True

    def figure(self, html, caption):
        wrapper = nodes.figure("", nodes.raw("", html, format="html"), classes=["numbered-output"])
        wrapper += caption
        self.set_source_info(wrapper)
        self.add_name(wrapper)
        return [wrapper]

    def caption(self):
        words, messages = self.parse_inline(" ".join(self.content), lineno=self.lineno)
        return [nodes.caption("", "", *words)] if words else []


class Computed(Picture):
    option_spec = {"name": directives.unchanged_required, "alt": directives.unchanged_required}

    def run(self):
        module, name = self.arguments
        # here, not above: the pages that need no picture need no Matplotlib
        from foqus_lib.report.svg import inline_svg

        code = importlib.import_module(f"foqus_lib.report.{module}")
        self.env.note_dependency(code.__file__)
        drawn = getattr(code, name)() if hasattr(code, name) else None
        if not hasattr(drawn, "data"):  # a widget is HTML already, and says itself what it shows
            if drawn is None or "alt" not in self.options:
                raise self.error(f"computed: expected an alt text and {name!r} in {code.__file__}")
            drawn = inline_svg(drawn, self.options["alt"], self.options.get("name", name))
        return self.figure(drawn.data, self.caption())


class ShownIn(Picture):
    option_spec = {"name": directives.unchanged_required}

    def run(self):
        notebook, label = self.arguments
        path = Path(self.env.srcdir, "book/executed", f"{notebook}.ipynb")
        self.env.note_dependency(str(path))
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        except OSError as error:
            raise self.error(f"shown-in: {error}") from None
        for cell in cells:
            said = cell["metadata"].get("foqus", {})
            if said.get("figure") == label:
                found = [output.get("data", {}).get("text/html") for output in cell["outputs"]]
                html = "".join("".join(one) for one in found if one)
                words = self.caption() or [nodes.caption("", said["caption"])]
                return self.figure(html or "<p>Not executed: the picture is missing.</p>", words)
        raise self.error(f"shown-in: {path.name} has no cell whose figure is called {label!r}")


def setup(app):
    app.add_directive("computed", Computed)
    app.add_directive("shown-in", ShownIn)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}

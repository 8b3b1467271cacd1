"""A derived figure in a page, with number and caption.

    ```{drawn} claims/derived/claims
    :name: fig-claims
    What it shows, n and data.
    ```

The file is book/results/<argument>.html, inline SVG that `foqus derive` wrote from committed rows.
"""

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective


class Drawn(SphinxDirective):
    required_arguments = 1
    has_content = True
    option_spec = {"name": directives.unchanged}

    def run(self):
        file = Path(self.env.srcdir, "book/results", self.arguments[0] + ".html")
        self.env.note_dependency(str(file))
        if not file.is_file():
            raise self.error(f"drawn: no {file.name} in {file.parent}; run: foqus derive")
        figure = nodes.figure("", nodes.raw("", file.read_text(encoding="utf-8"), format="html"))
        inside = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, inside)
        figure += nodes.caption("", "", *inside[0].children)
        self.set_source_info(figure)
        self.add_name(figure)
        return [figure]


def setup(app):
    app.add_directive("drawn", Drawn)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}

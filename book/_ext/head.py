"""The head of an executed page: one line says how it ran, and opens on what nobody reads first.

    > Executed with profile quick in 34 s on cpu, 2026-11-24. Settings and versions

Behind the line: the sentence with all versions, and the code cells down to the one that opens the
chapter (install, parameters, what papermill injected, what `print(chapter)` says).
"""

import html
import json
from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform

EXECUTED = "book/executed/"
OPENS = "catalog.opened("  # in the source of the last cell of a head


class Head(SphinxTransform):
    default_priority = 290  # cells stand in the document, nothing is numbered yet

    def apply(self):
        title = next(iter(self.document.findall(nodes.title)), None)
        if not self.env.docname.startswith(EXECUTED) or title is None:
            return
        notebook = Path(self.env.srcdir, self.env.docname + ".ipynb")
        about = json.loads(notebook.read_text(encoding="utf-8"))["metadata"].get("foqus")
        line, more = said(about)
        begin = f'<details class="provenance"><summary>{html.escape(line)}</summary>'
        begin += f"<p>{html.escape(more)}</p>"
        cells = first_cells(self.document)
        for cell in cells:
            cell.parent.remove(cell)
            cell.attributes.pop("hide_mode", None)  # no second fold inside the first
        ends = [nodes.raw("", text, format="html") for text in (begin, "</details>")]
        section = title.parent
        section[1:1] = [ends[0], *cells, ends[1]]


def first_cells(document):
    """The code cells down to the one that opens the chapter; none if no cell does."""
    cells = []
    for cell in document.findall(nodes.container):
        if cell.get("nb_element") == "cell_code":
            cells.append(cell)
            sources = cell.findall(nodes.literal_block)
            if any(OPENS in block.astext() for block in sources):
                return cells
    return []


def said(about):
    """(the line, the sentence behind it) of a notebook's facts, which are None if it never ran.

    Of one that failed they are {"failed": why}, as `runner` leaves them.
    """
    if about is None:
        return (
            "Not executed: outputs are missing. Settings",
            "python3 book.py build executes it.",
        )
    if "failed" in about:
        return f"This notebook failed: {about['failed']}. Settings", "Outputs are missing."
    profile, device = about.get("profile", "of its own"), about.get("device", "cpu")
    day = about["time"].partition(" ")[0]
    line = f"Executed with profile {profile} in {about['seconds']:g} s on {device}, {day}."
    given = {name: value for name, value in about["parameters"].items() if name != "profile"}
    change = ", ".join(f"{name}={value!r}" for name, value in given.items()) or "no changes"
    return (
        f"{line} Settings and versions",
        f"Parameters: profile {profile}, {change}. {about['time']}, commit {about['commit']}, "
        f"torch {about['torch']}, Python {about['python']}, {about['system']}.",
    )


def setup(app):
    app.add_transform(Head)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}

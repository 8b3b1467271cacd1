"""Numbers, captions and labels for what notebook cells print: inline figures and HTML tables.

myst-nb numbers images only; ours are inline SVG and pandas tables. A code cell says in its metadata

    "foqus": {"figure": "fig-tiers", "caption": "..."}   or   {"table": "tbl-main", "caption": ...}

and any page refers to it by {numref}`fig-tiers`. Works with numfig, on executed and empty cells.
"""

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform


class HtmlTable(nodes.General, nodes.Element):
    """A cell output that counts as a table; docutils' own table would wrap <table> in <table>."""


class NumberedOutputs(SphinxTransform):
    default_priority = 300  # before Sphinx collects labels and numbers

    def apply(self):
        for output in self.document.findall(nodes.raw):  # pandas heads its row names with nothing
            rewrite(output, r"<th\b([^>]*)>(?:\s|&nbsp;)*</th>", r"<td\1></td>")
        for cell in list(self.document.findall(nodes.container)):
            said = cell.get("cell_metadata", {}).get("foqus") if cell.get("nb_element") else None
            if said and cell["nb_element"] == "cell_code":
                self.number(cell, said)

    def number(self, cell, said):
        kind = "figure" if "figure" in said else "table"
        wrapper = nodes.figure() if kind == "figure" else HtmlTable()
        wrapper["classes"].append("numbered-output")
        outputs = [one for one in cell.children if one.get("nb_element") == "cell_code_output"]
        caption = nodes.caption("", said["caption"])
        for output in outputs:
            cell.remove(output)
        wrapper.extend([*outputs, caption] if kind == "figure" else [caption, *outputs])
        wrapper["names"].append(said[kind])
        self.document.note_explicit_target(wrapper, wrapper)
        if kind == "table":
            caption["ids"].append(f"{wrapper['ids'][0]}-caption")
            for output in wrapper.findall(nodes.raw):
                rewrite(output, r"<table\b", f'<table aria-labelledby="{caption["ids"][0]}"')
        cell.append(wrapper)


def rewrite(output, pattern, text):
    """The output's HTML with what matches replaced."""
    if output["format"] == "html":
        output[:] = [nodes.Text(re.sub(pattern, text, output.astext()))]


def visit_table(translator, node):
    translator.body.append(translator.starttag(node, "div", CLASS="html-table"))


def depart_table(translator, node):
    translator.body.append("</div>\n")


def skip(translator, node):
    raise nodes.SkipNode


def setup(app):
    app.add_enumerable_node(
        HtmlTable,
        "table",
        lambda node: node[0].astext(),
        html=(visit_table, depart_table),
        latex=(skip, None),
        text=(skip, None),
        man=(skip, None),
        texinfo=(skip, None),
    )
    app.add_transform(NumberedOutputs)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}

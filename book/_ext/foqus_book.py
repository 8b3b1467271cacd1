"""The book's own Sphinx extension: numbers from result files, tags, repairs of the theme.

Everything here was needed for a build that is correct offline; each function says why.
"""

import importlib.util
import json
import re
import shutil
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

EXECUTED = "book/executed/"
DRAWN_BY = {
    "foqus-chart": ["charts.js"],
    "foqus-explorer": ["draw.js", "explorer_scores.js", "explorer.js"],
    "foqus-snr": ["draw.js", "snr_slider.js"],
    "foqus-replay": ["draw.js", "replay.js"],
}
SCRIPTS = "mathjax/tex-chtml.js", "mathjax/output/chtml/fonts"
TAG = re.compile(r"\[(A\d+(?:, A\d+)*)\]")
NO_PROSE = nodes.FixedTextElement, nodes.literal, nodes.math, nodes.reference, pending_xref
log = logging.getLogger(__name__)


class Res(SphinxRole):
    """{res}`paper/main:foqus:acc|.3f` -> that number of book/results/paper/main.json.

    The first folder is the layer, so prose always names which one it quotes; its "_about" shows on
    hover. A null prints 'not run yet'; a missing file, key or format is a warning, hence an error
    under -W.
    """

    def run(self):
        # the last bar: a method's name may hold one, and then a format must follow ("|s" for text)
        where, _, form = self.text.rpartition("|") if "|" in self.text else (self.text, "", "")
        name, *keys = where.strip().split(":")
        file = Path(self.env.srcdir, "book/results", name + ".json")
        self.env.note_dependency(str(file))  # the page is rebuilt when the file changes
        try:
            value = results = json.loads(file.read_text(encoding="utf-8"))
            for key in keys:
                value = value[key]
            text = "not run yet" if value is None else format(value, form.strip())
        except (OSError, KeyError, TypeError, ValueError) as error:
            log.warning(
                "res: cannot resolve %r: %s %s",
                self.text,
                type(error).__name__,
                error,
                location=(self.env.docname, self.lineno),
                type="foqus",
                subtype="res",
            )
            return [nodes.problematic(self.text, self.text)], []
        about = {"layer": name.partition("/")[0]} | results.get("_about", {})
        origin = ", ".join(f"{key} {value}" for key, value in about.items())
        return [nodes.abbreviation(text, text, explanation=origin, classes=["res"])], []


class Tags(SphinxTransform):
    """[A13] and [A5, A6] in a sentence lead to their rows of book/assumptions.md, where the tag
    alone in the first cell names the row. A tag without a row is a broken reference."""

    default_priority = 320  # captions of cells are there by then, labels not yet collected

    def apply(self):
        for text in list(self.document.findall(nodes.Text)):
            above, alone = _above(text), TAG.fullmatch(text)
            if alone and isinstance(above[1], nodes.entry) and above[2][0] is above[1]:
                above[2]["names"].append(alone[1].lower())
                self.document.note_explicit_target(above[2], above[2])
            elif TAG.search(text) and not any(isinstance(node, NO_PROSE) for node in above):
                text.parent.replace(text, list(self.linked(text)))

    def linked(self, text):
        for n, piece in enumerate(TAG.split(text)):
            if n % 2 == 0:  # what stands between the brackets is every other piece
                yield nodes.Text(piece)
                continue
            for place, tag in enumerate(piece.split(", ")):
                yield nodes.Text(", " if place else "[")
                yield self.link(tag)
            yield nodes.Text("]")

    def link(self, tag):
        given = {"reftarget": tag.lower(), "refdoc": self.env.docname, "refwarn": True}
        shown = nodes.inline(tag, tag, classes=["std", "std-ref"])
        return pending_xref(tag, shown, refdomain="std", reftype="ref", refexplicit=True, **given)


def _above(node):
    return [] if node.parent is None else [node.parent, *_above(node.parent)]


def stand_ins(app):
    """`jupyter-book build .` on a fresh clone: show a notebook without outputs, do not fail.

    One that failed has its stand-in already, from `runner`, which says why.
    """
    executed = Path(app.srcdir, EXECUTED)
    for source in Path(app.srcdir, "notebooks").glob("*.ipynb"):
        target = executed / source.name
        if not target.exists() or "foqus" not in _metadata(target):
            executed.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)  # again each time: the source may have changed
            log.info("%s has not been executed; shown without outputs", source.name)


def _metadata(notebook):
    return json.loads(notebook.read_text(encoding="utf-8"))["metadata"]


def repair_page(app, pagename, templatename, context, doctree):
    """Launch, edit and issue links point at the executed copy, which git does not have; and
    sphinx-thebe 0.3.1 declares one constant twice on every page, a JavaScript error."""

    def relink(value):
        if isinstance(value, dict):
            return {key: relink(item) for key, item in value.items()}
        if isinstance(value, list):
            return [relink(item) for item in value]
        if isinstance(value, str) and value.startswith("http"):
            return value.replace(EXECUTED, "notebooks/")
        return value

    def thebe(script):
        body = str(getattr(script, "attributes", {}).get("body") or "")
        return "THEBE_JS_URL" in body or "sphinx-thebe" in str(getattr(script, "filename", ""))

    if "header_buttons" in context:
        context["header_buttons"] = relink(context["header_buttons"])
    if "script_files" in context:
        context["script_files"] = [one for one in context["script_files"] if not thebe(one)]


def own_scripts(app, pagename, templatename, context, doctree):
    """A script only on pages that have what it draws."""
    outputs = [raw.astext() for raw in doctree.findall(nodes.raw)] if doctree is not None else []
    found = [what for what in DRAWN_BY if any(what in output for output in outputs)]
    for script in dict.fromkeys(script for what in found for script in DRAWN_BY[what]):
        app.add_js_file(script)


def local_mathjax(app, exception):
    """MathJax from the sphinx-mathjax-offline package: one script and the fonts, 1.7 MB instead of
    the 24 MB its own extension copies (the dash in the module's name forbids a plain import)."""
    if exception or app.builder.format != "html":
        return
    package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static"
    for name in SCRIPTS:
        source, target = package / name, Path(app.outdir, "_static", name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)


def setup(app):
    stand_ins(app)
    app.add_role("res", Res())
    app.add_transform(Tags)
    app.connect("html-page-context", own_scripts)
    app.connect("html-page-context", repair_page, priority=900)  # after the theme's own handlers
    app.connect("build-finished", local_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}

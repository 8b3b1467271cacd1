"""The library on the page, read from its files and never pasted: sources, docstrings, the one page.

    ```{source} selection.foqus forgetting_score    a function as it stands in the library
    ```{api} selection                              every public name of a room, by its docstring
    ```{rooms}                                      every module's first line, floor by floor

Nothing is imported: `ast` reads the files. A name that is gone is an error, and stops the build.
"""

import ast
import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

LIBRARY = "foqus_lib"
# from the ground up: an import may only point to a line above (tests/test_layers.py)
FLOORS = {
    "ground": "Two types, named random streams, refusals, files that survive a kill.",
    "datasets": "One file a format or generator; each gives Signals.",
    "models": "One file a network.",
    "training": "The only optimiser loop, and the record it leaves.",
    "selection": "Evidence in, row numbers out.",
    "companions": "The mathematics of the companion systems.",
    "experiment": "What a trial is called, where it is kept, which are missing, who runs them.",
    "report": "Rows to tables and figures.",
    "studies": "One file a chapter: which trials there are, how one is run.",
    "top": "Commands, notebooks, the course.",
}
GROUND = {"signals", "splits", "seeds", "evidence", "errors", "durable", "processes", "checkout",
          "outputs"}  # fmt: skip
CODE = re.compile(r"(`[^`]+`|\{[a-z]+\})")
NAMED = ast.FunctionDef | ast.ClassDef


def files(root):
    """Every module of the library by its room, the room's own first line first."""
    found = {room: [] for room in FLOORS}
    for path in sorted(Path(root, LIBRARY).rglob("*.py")):
        first = path.relative_to(Path(root, LIBRARY)).with_suffix("").parts[0]
        if path.stat().st_size:
            found["ground" if first in GROUND else first if first in FLOORS else "top"].append(path)
    return found


def module_name(root, path):
    """foqus_lib/selection/foqus.py -> selection.foqus; a package is called by its folder."""
    parts = path.relative_to(Path(root, LIBRARY)).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or LIBRARY


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def public(body):
    """The functions and classes of a module or class that have no underscore before their name."""
    return [one for one in body if isinstance(one, NAMED) and not one.name.startswith("_")]


def lines_of(path, name):
    """First and last line of a function or class, decorators with it; ValueError if it is gone."""
    for one in ast.walk(parsed(path)):
        if isinstance(one, NAMED) and one.name == name:
            return min([one.lineno, *(d.lineno for d in one.decorator_list)]), one.end_lineno
    known = ", ".join(one.name for one in public(parsed(path).body))
    raise ValueError(
        f"source: expected a function or class {name!r} in {path.name}; it has {known}"
    )


def signature(one):
    """A function's arguments and what it gives; of a dataclass its fields."""
    if isinstance(one, ast.FunctionDef):
        gives = f" -> {ast.unparse(one.returns)}" if one.returns else ""
        return f"({ast.unparse(one.args)}){gives}"
    shown = [ast.unparse(line) for line in one.body if isinstance(line, ast.AnnAssign)]
    return f"({', '.join(shown)})" if shown else ""


class Source(SphinxDirective):
    """A function or class of the library, word for word, under its file and lines."""

    required_arguments = 2

    def run(self):
        module, name = self.arguments
        path = Path(self.env.srcdir, LIBRARY, *module.split(".")).with_suffix(".py")
        self.env.note_dependency(str(path))
        try:
            first, last = lines_of(path, name)
        except (OSError, ValueError) as error:
            raise self.error(str(error)) from None
        text = "\n".join(path.read_text(encoding="utf-8").splitlines()[first - 1 : last])
        block = nodes.literal_block(text, text, language="python")
        self.set_source_info(block)
        where = path.relative_to(self.env.srcdir).as_posix()
        lines = nodes.Text(f", lines {first} to {last}")
        said = nodes.paragraph("", "", nodes.literal("", where), lines)
        return [nodes.container("", said, block, classes=["library-source"])]


class Api(SphinxDirective):
    """A section a module of one room; in it every public function and class."""

    required_arguments = 1

    def run(self):
        root, room = self.env.srcdir, self.arguments[0]
        if room not in FLOORS:
            raise self.error(f"api: expected one of {', '.join(FLOORS)}; got {room!r}")
        return [self.module(root, path) for path in files(root)[room]]

    def module(self, root, path):
        self.env.note_dependency(str(path))
        name, tree = module_name(root, path), parsed(path)
        section = nodes.section(ids=[anchor(name)], names=[])
        section += nodes.title("", name)
        section += paragraphs(ast.get_docstring(tree))
        for one in public(tree.body):
            section += self.described(name, one)
        return section

    def described(self, module, one):
        kind = "class" if isinstance(one, ast.ClassDef) else "function"
        full = f"{LIBRARY}.{module}.{one.name}"
        head = addnodes.desc_signature("", "", ids=[full], classes=["library"])
        head += addnodes.desc_name(one.name, one.name)
        head += addnodes.desc_sig_space()
        head += nodes.literal(signature(one), signature(one), classes=["signature"])
        self.env.get_domain("py").note_object(full, kind, full, location=self.get_source_info())
        body = addnodes.desc_content("", *paragraphs(ast.get_docstring(one)))
        for method in public(one.body) if kind == "class" else []:
            line = nodes.literal("", f"{method.name}{signature(method)}")
            body += nodes.paragraph("", "", line)
            body += paragraphs(ast.get_docstring(method))
        return addnodes.desc("", head, body, domain="py", objtype=kind, no_index=True)


class Rooms(SphinxDirective):
    """foqus_lib on one page."""

    def run(self):
        root = self.env.srcdir
        return [self.room(root, room, paths) for room, paths in files(root).items()]

    def room(self, root, room, paths):
        section = nodes.section(ids=[f"room-{room}"], names=[])
        section += nodes.title("", room)
        section += nodes.paragraph("", FLOORS[room])
        entries = nodes.definition_list(classes=["rooms"])
        for path in paths:
            self.env.note_dependency(str(path))
            name = module_name(root, path)
            link = nodes.reference("", "", refuri=f"{room}.html#{anchor(name)}", internal=True)
            link += nodes.literal("", name)
            line = (ast.get_docstring(parsed(path)) or "").partition("\n")[0]
            said = nodes.definition("", nodes.paragraph("", "", *inline(line)))
            entries += nodes.definition_list_item("", nodes.term("", "", link), said)
        section += entries
        return section


def anchor(module):
    return "module-" + module.replace(".", "-").replace("_", "-")


def paragraphs(docstring):
    """A docstring's paragraphs as text; what is indented or a list keeps its lines."""
    found = []
    for block in (docstring or "").strip().split("\n\n"):
        if any(line.startswith(("    ", "* ", "- ")) for line in block.splitlines()):
            found.append(nodes.literal_block(block, block, language="text"))
        elif block:
            found.append(nodes.paragraph("", "", *inline(" ".join(block.split()))))
    return found


def inline(text):
    """Words between backticks, and names of our own directives, are code; all else is no markup."""
    for piece in CODE.split(text):
        if piece:
            code = CODE.fullmatch(piece)
            yield nodes.literal("", piece.strip("`")) if code else nodes.Text(piece)


def setup(app):
    app.add_directive("source", Source)
    app.add_directive("api", Api)
    app.add_directive("rooms", Rooms)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}

"""The sources of the notebooks: clean, strict, short, and known to every profile."""

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest
import yaml

from foqus_lib import runner
from foqus_lib.experiment import settings
from foqus_lib.studies import catalog

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def code(path):
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def tags(cell):
    return cell["metadata"].get("tags", [])


@every_notebook
def test_is_committed_without_outputs(path):
    nbformat.validate(read(path))
    assert runner.emptied(read(path)) == read(path), "run: python3 book.py clean"


@every_notebook
def test_calls_and_does_not_define(path):
    for cell in code(path):
        source = "".join(cell["source"])
        assert len(source.splitlines()) <= 15 or "parameters" in tags(cell), source
        assert not re.search(r"^\s*(def|class) |myst_nb|tqdm", source, re.MULTILINE), source


@every_notebook
def test_shows_at_most_eight_parameters_and_leaves_them_to_the_profile(path):
    shown = settings.shown(read(path))
    assert shown.pop("profile") == "quick" and len(shown) < 8
    for name, default in shown.items():
        assert name in catalog.parameters(path.stem)
        assert default is None, f"{name}: sizes are a profile's business, and 0 may be asked for"
    for cell in code(path):
        if "parameters" in tags(cell):
            for line in "".join(cell["source"]).splitlines():
                comment = line.partition("#")[2]
                assert comment and "=" not in comment, "papermill cannot parse such a comment"


@every_notebook
def test_every_parameter_has_a_help_text(path):
    for name, field in catalog.parameters(path.stem).items():
        assert field.help, f"{name} needs words in its annotation"


@every_notebook
def test_checks_its_parameters_before_all_else(path):
    cells = code(path)
    [at] = [i for i, cell in enumerate(cells) if "parameters" in tags(cell)]
    after = "".join(cells[at + 1]["source"])
    assert f'catalog.opened("{path.stem}", globals())' in after
    for cell in cells[:at]:  # at most what makes the library importable
        assert not re.search(r"foqus_lib\.(?!$)", "".join(cell["source"]))


@every_notebook
def test_begins_with_the_cell_that_installs_on_a_bare_runtime(path):
    """One cell for all; its address is the one from which every launch button opens a notebook."""
    first = "".join(code(path)[0]["source"])
    assert first == "".join(code(NOTEBOOKS[0])[0]["source"]) and "foqus_lib" in first
    settings_of = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert f'url = "{settings_of["repository"]["url"]}"\n' in first


def test_that_cell_finds_the_librarys_pins():
    """Above the line it stops at stands what foqus_lib imports, and nothing of the book's tools."""
    above, line, below = (ROOT / "requirements.txt").read_text("utf-8").partition("\n# notebooks")
    assert line and "torch==" in above and "jsonschema==" in above
    assert "papermill==" in below and "jupyter-book==" in below and "ruff==" in below


@every_notebook
@pytest.mark.parametrize("profile", settings.PROFILES)
def test_every_profile_has_its_sizes(path, profile):
    assert catalog.opened(path.stem, {"profile": profile}).common.profile == profile


@every_notebook
def test_is_a_page_of_the_book(path):
    assert f"book/executed/{path.stem}\n" in (ROOT / "_toc.yml").read_text(encoding="utf-8")


TERM = re.compile(r"\{term\}`([^`<]+?)(?: <[^`]*>)?`")
NO_PROSE = re.compile(
    r"(?s)\$\$.*?\$\$|```.*?```|\$[^$]+\$|(?:\{[a-z:]+\})?`[^`]*`|(?m:^[#|][^\n]*$)"
)


@every_notebook
def test_links_words_to_the_glossary_where_they_stand_first(path):
    cells = ["".join(cell["source"]) for cell in read(path)["cells"] if cell["cell_type"] != "code"]
    prose = NO_PROSE.sub("", TERM.sub(r"<<\1>>", "\n".join(cells)))
    links = list(re.finditer("<<(.+?)>>", prose))
    assert len(links) >= 2
    for link in links:
        before = prose[: link.start()].replace("<<", "`").replace(">>", "`")
        word = rf"(?<![\w/`-]){re.escape(link[1])}(?![\w/`-])"
        assert not re.search(word, before), f"{link[1]} stands unlinked before its link"


@every_notebook
def test_committed_rows_keep_their_name_down_to_the_conclusion(path):
    """09 gave it to other rows on the way, and concluded on none of those that the book commits."""
    source = "\n".join("".join(cell["source"]) for cell in code(path))
    for name in re.findall(r"^(\w+) = committed\.committed\(", source, re.MULTILINE):
        assert len(re.findall(rf"^\s*{name} = ", source, re.MULTILINE)) == 1, name


@every_notebook
def test_links_lead_to_a_notebook_or_a_page(path):
    """From book/executed/ a page is /book/NAME; the build finds out too, minutes later."""
    for target in re.findall(r"\{doc\}`(?:[^`<]*<)?([^`>]+)>?`", json.dumps(read(path))):
        of_book = target.startswith("/")
        page = ROOT / f"{target[1:]}.md" if of_book else path.parent / f"{target}.ipynb"
        assert page.exists() or target.startswith("/book/api/"), target


@every_notebook
def test_code_parses(path):
    for cell in code(path):
        source = "".join(cell["source"])
        if not re.search(r"^\s*[%!]", source, re.MULTILINE):
            ast.parse(source)


@every_notebook
def test_what_it_concludes_is_computed_from_its_rows(path):
    """A chapter with results has the sentences of `report.conclusion` under that heading."""
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in read(path)["cells"]]
    heads = [at for at, (_, text) in enumerate(cells) if "## What to conclude" in text]
    assert len(heads) == 1
    if "rows = chapter.rows()" in "\n".join(text for _, text in cells):
        kind, text = cells[heads[0] + 1]
        assert kind == "code" and "\nconclude(" in text

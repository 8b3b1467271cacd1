"""The library on the page: sources by name, docstrings by room, pictures computed at build time."""

import ast
import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from foqus_lib.report import primer

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def library():
    spec = importlib.util.spec_from_file_location("library", ROOT / "book/_ext/library.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_source_is_the_function_and_nothing_else(library):
    path = ROOT / "foqus_lib/selection/foqus.py"
    first, last = library.lines_of(path, "forgetting_score")
    text = "\n".join(path.read_text(encoding="utf-8").splitlines()[first - 1 : last])
    [one] = ast.parse(text).body
    assert one.name == "forgetting_score"


def test_a_name_that_is_gone_is_refused_with_those_that_are_there(library):
    with pytest.raises(ValueError, match="expected a function or class 'forgot'.*forgetting_score"):
        library.lines_of(ROOT / "foqus_lib/selection/foqus.py", "forgot")


def test_every_room_has_its_page_and_every_module_its_room(library):
    found = library.files(ROOT)
    assert sum(map(len, found.values())) == sum(
        bool(path.stat().st_size) for path in (ROOT / "foqus_lib").rglob("*.py")
    )
    pages = {path.stem for path in (ROOT / "book/api").glob("*.md")} - {"index"}
    assert pages == set(found) and all(found.values())


def test_every_module_says_in_one_line_what_it_holds(library):
    for paths in library.files(ROOT).values():
        for path in paths:
            assert ast.get_docstring(library.parsed(path)), path


def test_floors_are_those_of_the_import_rule(library):
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        import test_layers
    finally:
        sys.path.pop(0)
    assert set(library.FLOORS) == set(test_layers.MAY_IMPORT)
    assert library.GROUND == test_layers.GROUND


OWN = [one for one in vars(primer).values() if getattr(one, "__module__", "") == primer.__name__]
PICTURES = [one for one in OWN if one.__annotations__.get("return") is Figure]


@pytest.mark.parametrize("picture", PICTURES, ids=lambda one: one.__name__)
def test_a_picture_of_the_primer_is_drawn(picture):
    assert picture().axes and f"{{computed}} primer {picture.__name__}\n" in (
        ROOT / "book/primer.md"
    ).read_text(encoding="utf-8")


def test_every_baseline_has_its_paragraph():
    from foqus_lib.selection.catalog import METHODS

    page = (ROOT / "book/baselines.md").read_text(encoding="utf-8")
    ten = list(METHODS)[: list(METHODS).index("FoQuS")]
    assert len(ten) == 10
    parts = {part.partition("\n")[0]: part for part in page.split("\n## ")[1:]}
    assert [name for name in parts if name in METHODS] == ten
    for name in ten:
        assert "```{source}" in parts[name] and "**Fails**" in parts[name] and "$$" in parts[name]


def test_every_newer_method_has_its_paragraph():
    from foqus_lib.selection.catalog import NEWER

    page = (ROOT / "book/newer.md").read_text(encoding="utf-8")
    parts = {part.partition("\n")[0]: part for part in page.split("\n## ")[1:]}
    assert list(parts) == [*NEWER, "Another one"]
    for name in NEWER:
        for wanted in ("```{source} selection.", "**Fails**", "$$", "{cite:p}"):
            assert wanted in parts[name], name


def test_every_source_on_a_page_is_in_the_library(library):
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("*.md")]
    texts += [
        "\n".join("".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"])
        for path in (ROOT / "notebooks").glob("*.ipynb")
    ]
    named = [found for text in texts for found in re.findall(r"```\{source\} (\S+) (\S+)\n", text)]
    assert len(named) >= 20
    for module, name in named:
        library.lines_of(ROOT / "foqus_lib" / (module.replace(".", "/") + ".py"), name)

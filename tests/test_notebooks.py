"""The sources of the notebooks: clean, strict, short, and known to every profile."""

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest

from foqus_lib import runner
from foqus_lib.experiment import parameters, profiles

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
def test_parameters_are_settings_and_empty_by_default(path):
    declared = parameters.declared(read(path))
    known = set(profiles.Settings.__dataclass_fields__)
    assert declared.pop("profile")[0] == "quick"
    for name, (default, comment) in declared.items():
        assert name in known
        assert default in ("", 0, []), f"{name}: sizes are a profile's business"
        assert comment, f"{name} needs a comment: it is the help text"
        assert "=" not in comment, "papermill cannot parse such a comment"


@every_notebook
def test_checks_its_parameters_before_all_else(path):
    cells = code(path)
    [at] = [i for i, cell in enumerate(cells) if "parameters" in tags(cell)]
    after = "".join(cells[at + 1]["source"])
    assert f'profiles.settings("{path.stem}", globals())' in after
    for cell in cells[:at]:  # at most what makes the library importable
        assert not re.search(r"foqus_lib\.(?!$)", "".join(cell["source"]))


@every_notebook
@pytest.mark.parametrize("profile", profiles.PROFILES)
def test_every_profile_has_its_sizes(path, profile):
    made = profiles.settings(path.stem, {"profile": profile})
    assert made.profile == profile


@every_notebook
def test_is_a_page_of_the_book(path):
    assert f"book/executed/{path.stem}\n" in (ROOT / "_toc.yml").read_text(encoding="utf-8")


@every_notebook
def test_code_parses(path):
    for cell in code(path):
        source = "".join(cell["source"])
        if not re.search(r"^\s*[%!]", source, re.MULTILINE):
            ast.parse(source)

"""Pins in one place, a bootstrap any Python can read, a book without warnings or the network."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import book  # the bootstrap at the root
from foqus_lib import runner
from foqus_lib.experiment import settings
from foqus_lib.report import markup
from foqus_lib.studies import catalog

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def pins(name):
    """{package: version}; a local version (+cpu), an index or a path would not match."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    lines = [line.partition("#")[0].strip() for line in lines if not line.startswith("-c ")]
    found = [re.fullmatch(r"([\w.-]+)==([\w.]+)", line) for line in lines if line]
    assert all(found), f"{name}: every line is name==version"
    return {one[1].lower().replace("_", "-"): one[2] for one in found}


def test_lock_agrees_with_requirements():
    wanted = pins("requirements.txt")
    assert wanted.items() <= pins("requirements.lock.txt").items()
    assert wanted["torch"] == "2.13.0" and wanted["jupyter-book"] == "1.0.4.post1"


OURS = {"foqus_lib", "tests", "book"} | {path.stem for path in (ROOT / "tests").rglob("*.py")}
OTHER_NAMES = {
    "yaml": "pyyaml", "markdown_it": "myst-parser", "docutils": "sphinx", "IPython": "ipykernel",
    "torch_geometric": "torch-geometric",
    "sklearn": "scikit-learn", "tokenizers": "transformers",
}  # fmt: skip


def test_every_import_is_pinned():
    """Of the library, the tests and the extension: nothing is there only by accident."""
    known = OURS | sys.stdlib_module_names | pins("requirements.txt").keys()
    for folder in ("foqus_lib", "tests", "book/_ext"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module]
                for name in (name.partition(".")[0] for name in names):
                    assert OTHER_NAMES.get(name, name) in known, f"{path}: {name}"


def test_environment_yml_only_wraps_requirements():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, wrapped = environment["dependencies"]
    assert (python, pip) == ("python>=3.11,<3.14", "pip")
    assert wrapped == {"pip": ["-r requirements.txt", "-e ."]}
    assert (book.OLDEST, book.NEWEST) == ((3, 11), (3, 13))
    assert 'requires-python = ">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text()


def test_bootstrap_is_readable_by_python_3_7():
    source = (ROOT / "book.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 7))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= sys.stdlib_module_names
    with pytest.raises(SyntaxError):
        ast.parse("if (n := 1): pass", feature_version=(3, 7))  # the check above can fail


def test_bootstrap_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 6))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="this is Python 3.9 and no Python 3.11, 3.12 or 3.13"):
        book.interpreter()


def test_bootstrap_passes_over_an_empty_shim(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 6))
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(subprocess, "call", lambda command, **given: command[0] != "python3.12")
    assert book.interpreter() == "python3.12"


@pytest.fixture
def commands(monkeypatch, tmp_path) -> list[list[str]]:
    """What the bootstrap of a project in tmp_path calls; none of it is run."""
    called: list[list[str]] = []
    pins = tmp_path / "requirements.txt"
    pins.write_text("numpy")
    monkeypatch.setattr(book, "ROOT", tmp_path)
    monkeypatch.setattr(book, "VENV", tmp_path)
    monkeypatch.setattr(book, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(book, "PINS", (pins,))
    monkeypatch.setattr(subprocess, "call", lambda command, **given: called.append(command) or 0)
    return called


def test_bootstrap_installs_once_and_again_where_the_folder_moved(commands, monkeypatch, tmp_path):
    book.set_up()  # no mark yet
    assert len(commands) == 3 and "--clear" in commands[0] and "-e" in commands[2]
    book.set_up()
    assert len(commands) == 3, "nothing is installed twice"
    moved = tmp_path / "moved"  # scripts in .venv/bin hold the old path
    moved.mkdir()
    monkeypatch.setattr(book, "ROOT", moved)
    book.set_up()
    assert len(commands) == 6 and "--clear" in commands[3]


def test_bootstrap_does_not_empty_another_folder_s_environment(commands, monkeypatch, tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    (theirs / ".venv").mkdir(parents=True)
    ours.mkdir()
    (ours / ".venv").symlink_to(theirs / ".venv", target_is_directory=True)
    monkeypatch.setattr(book, "VENV", theirs / ".venv")
    monkeypatch.setattr(book, "ROOT", theirs)
    book.set_up()
    monkeypatch.setattr(book, "VENV", ours / ".venv")
    monkeypatch.setattr(book, "ROOT", ours)
    with pytest.raises(SystemExit, match=f"link to the environment of {theirs}.*Remove the link"):
        book.set_up()
    assert len(commands) == 3
    (theirs / ".venv" / "installed").unlink()  # a link to an empty place is a place
    book.set_up()
    assert len(commands) == 6 and "--clear" in commands[3]


def test_new_pins_do_not_empty_an_environment_that_others_run_in(commands):
    book.set_up()
    book.PINS[0].write_text("numpy scipy")
    book.set_up()
    assert len(commands) == 6 and not any("--clear" in command for command in commands[3:])
    book.set_up()
    assert len(commands) == 6


@pytest.mark.skipif(book.fcntl is None, reason="no file locks of this kind")
def test_a_second_bootstrap_waits_for_the_first_and_installs_nothing(commands, capsys, tmp_path):
    with ThreadPoolExecutor() as pool:
        with book.alone():  # the first one
            second = pool.submit(book.set_up)
            while "another book.py is installing" not in capsys.readouterr().out:
                assert not second.done()
                time.sleep(0.01)
            (tmp_path / "installed").write_text(book.wanted())
        second.result(timeout=60)
    assert not commands


def test_bootstrap_repeats_an_install_that_failed(commands, monkeypatch, tmp_path):
    monkeypatch.setattr(subprocess, "call", lambda command, **given: "install" in command)
    for _ in range(2):
        with pytest.raises(SystemExit, match="run it again to retry"):
            book.set_up()
        assert not (tmp_path / "installed").exists()


def test_ci_runs_what_the_readme_says():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for command in ("python3 book.py build", "python3 book.py test"):
        assert command in readme and command in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_readme_shows_pictures_that_are_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", readme)
    assert "book/results/claims/derived/claims.svg" in shown[0]  # kept fresh by tests of `derive`
    assert all((ROOT / name).is_file() for name in shown)


def test_the_browser_check_is_pinned_and_brings_no_browser():
    folder = ROOT / "tests" / "browser"
    wanted = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    found = {name.removeprefix("node_modules/"): one.get("version") for name, one in locked.items()}
    assert {"": None} | wanted == found  # exact versions, nothing behind them
    assert not any(one.get("hasInstallScript") for one in locked.values())
    assert "npm ci --prefix tests/browser" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_tag_of_the_code_is_on_the_assumptions_page():
    page = (ROOT / "book" / "assumptions.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\* - \[(A\d+)\]", page, re.MULTILINE))
    for path in [*(ROOT / "foqus_lib").rglob("*.py"), *NOTEBOOKS]:
        used = set(re.findall(r"\[(A\d+)\]", path.read_text(encoding="utf-8")))
        assert used <= explained, path


def test_the_places_the_assumptions_page_names_exist():
    page = (ROOT / "book" / "assumptions.md").read_text(encoding="utf-8")
    for place in set(re.findall(r"^  - `([\w/.]+)`$", page, re.MULTILINE)):
        assert (ROOT / "foqus_lib" / place).exists() or (ROOT / place).exists(), place


# --- the book, built as a reader would build it

JUPYTER_BOOK = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"]
STRICT = ["--all", "-W", "-n", "--keep-going", "-q"]


def jupyter_book(folder):
    done = subprocess.run([*JUPYTER_BOOK, str(folder), *STRICT], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """The sources as in a fresh clone, in a folder with a blank and an accent in its name."""
    target = tmp_path_factory.mktemp("clone") / "a böok"
    left_out = shutil.ignore_patterns(".*", "_build", "executed", "__pycache__", "*.egg-info")
    return shutil.copytree(ROOT, target, ignore=left_out)


@pytest.fixture(scope="module")
def built(copied):
    """The whole book of profile smoke, with notebooks executed here."""
    given = {"profile": "smoke", "results": str(copied / "store")}
    jobs = runner.prepare(NOTEBOOKS, copied / "book" / "executed", given, catalog.checked)
    jobs = [replace(job, facts={"profile": "smoke"}) for job in jobs]
    assert runner.run(jobs, ROOT, 2, 600) == 0
    code, words = jupyter_book(copied)
    assert code == 0, words
    return copied / "_build" / "html"


def pages(html):
    return [page for page in html.rglob("*.html") if "_static" not in page.parts]


LOADS = (
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(?:https?:)?//[^\"]+",
    r"<link\b[^>]*rel=\"(?:stylesheet|preload)\"[^>]*href=\"(?:https?:)?//[^\"]+",
)


@pytest.mark.slow
def test_no_page_asks_another_host(built):
    for page in pages(built):
        text = page.read_text(encoding="utf-8")
        found = re.findall(
            r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(?:https?:)?//[^\"]+", text
        )
        found += re.findall(
            r"<link\b[^>]*rel=\"(?:stylesheet|preload)\"[^>]*href=\"(?:https?:)?//[^\"]+", text
        )
        assert not found and "THEBE_JS_URL" not in text, page
    assert (built / "_static/mathjax/tex-chtml.js").exists()


@pytest.mark.slow
def test_no_page_shows_raw_markup_or_a_tag_without_its_link(built):
    assert markup.left_raw(built) == []
    for page in pages(built):
        text = re.sub(r"(?s)<(pre|code|svg)\b.*?</\1>", "", page.read_text(encoding="utf-8"))
        assert not re.search(r"(?<!<p>)\[A\d", text), page  # a row's own tag stands alone


@pytest.mark.slow
def test_executed_pages_say_how_and_link_to_sources(built):
    for notebook in NOTEBOOKS:
        page = (built / "book" / "executed" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        head = re.search(r'(?s)<details class="provenance">.*?</details>', page)[0]
        assert "Executed with profile smoke in " in head and "torch 2.13" in head
        assert "opened" in head and notebook.stem in head and "trials are stored" not in page
        assert f"main/notebooks/{notebook.name}" in page and "main/book/executed" not in page


@pytest.mark.slow
def test_no_two_figures_share_an_id(built):
    for page in pages(built):
        text = page.read_text(encoding="utf-8")
        drawn = re.findall(r'<div class="svgfig">.*?</svg>', text, re.DOTALL)
        ids = [name for svg in drawn for name in set(re.findall(r'\bid="([^"]+)"', svg))]
        assert len(ids) == len(set(ids)), page


@pytest.mark.slow
def test_figures_say_what_they_show(built):
    for page in pages(built):
        for image in re.findall(r"<img\b[^>]*>", page.read_text(encoding="utf-8")):
            assert re.search(r'alt="[^"]+"', image) or "logo" in image, (page, image)


@pytest.fixture
def small(tmp_path):
    """A book of one page with the project's own settings and extension."""
    for name in ("_config.yml", "book/_ext", "book/_assets", "book/references.bib"):
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")
    results = tmp_path / "book" / "results" / "quick"
    results.mkdir(parents=True)
    facts = {"_about": {"n": 3}, "foqus": {"accuracy": 0.66666, "spread": None}}
    (results / "main.json").write_text(json.dumps(facts))
    return tmp_path


def test_a_number_in_prose_is_read_with_its_origin(small):
    text = "# A\n\n{res}`quick/main:foqus:accuracy|.3f` {res}`quick/main:foqus:spread|.3f`\n"
    (small / "book" / "index.md").write_text(text)
    code, words = jupyter_book(small)
    assert code == 0, words
    page = (small / "_build/html/book/index.html").read_text(encoding="utf-8")
    assert 'title="layer quick, n 3">0.667</abbr>' in page and ">not run yet</abbr>" in page


@pytest.mark.parametrize(
    "line, words",
    [
        ("{res}`quick/main:foqus:acc|.3f`", "cannot resolve 'quick/main:foqus:acc|.3f'"),
        ("{res}`paper/none:x`", "cannot resolve 'paper/none:x'"),
        ("{eq}`eq-none`", "eq-none"),
        ("{cite:p}`nobody1999`", "nobody1999"),
        ("Chosen [A99].", "undefined label: 'a99'"),
        ("{term}`none`", "term not in glossary: 'none'"),
        ("```{source} selection.none gone\n```", "foqus_lib/selection/none.py"),
        ("```{computed} primer gone\n```", "expected an alt text and 'gone'"),
        ("```{shown-in} 99_none fig-none\n```", "book/executed/99_none.ipynb"),
    ],
    ids=["key", "file", "equation", "citation", "tag", "term", "source", "picture", "output"],
)
@pytest.mark.slow
def test_a_broken_reference_stops_the_build(small, line, words):
    (small / "book" / "index.md").write_text(f"# A\n\n{line}\n")
    code, said = jupyter_book(small)
    assert code != 0 and words in said


def test_tags_lead_to_their_rows_and_code_stays_code(small):
    rows = "".join(f"* - [A{n}]\n  - Chosen after [A1]\n" for n in (1, 2))
    text = "Both [A1, A2], not xA2]; `x[A1]`, [A1](b.md).\n\n```\n[A2]\n```\n"
    table = f"```{{list-table}} Open [A2].\n{rows}```\n"
    (small / "book" / "index.md").write_text(f"# A\n\n{table}\n{text}")
    (small / "book" / "b.md").write_text("# B\n\nSee [A2].\n")
    (small / "_toc.yml").write_text("format: jb-book\nroot: book/index\nchapters: [file: book/b]\n")
    code, words = jupyter_book(small)
    assert code == 0, words
    link = '<a class="reference internal" href="{0}#a{1}"><span class="std std-ref">A{1}</span></a>'
    page = (small / "_build/html/book/index.html").read_text(encoding="utf-8")
    one, two = link.format("", 1), link.format("", 2)
    assert f"Both [{one}, {two}], not xA2];" in page and f"Open [{two}]." in page
    assert page.count(one) == 3 and page.count(two) == 2
    assert re.findall(r'<tr[^>]* id="(a\d)"><td><p>\[(A\d)\]</p>', page) == [
        ("a1", "A1"), ("a2", "A2"),
    ]  # fmt: skip
    assert "x[A1]" in page and '<a class="reference internal" href="b.html">' in page
    assert link.format("index.html", 2) in (small / "_build/html/book/b.html").read_text("utf-8")


def test_a_printed_table_has_a_name_and_no_empty_head(small):
    html = '<table class="dataframe"><tr><th class="blank" >&nbsp;</th><th>F</th></tr></table>'
    output = {"output_type": "display_data", "data": {"text/html": [html]}, "metadata": {}}
    cell = {"cell_type": "code", "id": "a", "execution_count": 1, "source": "x"}
    cell |= {"outputs": [output], "metadata": {"foqus": {"table": "tbl-a", "caption": "See [A1]."}}}
    text = "# T\n\n```{list-table}\n* - [A1]\n  - open\n```\n"
    head = {"cell_type": "markdown", "id": "b", "metadata": {}, "source": text}
    lexer = {"language_info": {"name": "python", "pygments_lexer": "python3"}}
    notebook = {"cells": [head, cell], "metadata": lexer, "nbformat": 4, "nbformat_minor": 5}
    (small / "book" / "index.ipynb").write_text(json.dumps(notebook))
    code, words = jupyter_book(small)
    assert code == 0, words
    page = (small / "_build/html/book/index.html").read_text(encoding="utf-8")
    assert '<table aria-labelledby="tbl-a-caption" class="dataframe">' in page
    assert re.search(r'<p id="tbl-a-caption">.*See \[<a [^>]*href="#a1">', page)
    assert '<td class="blank" ></td><th>F</th>' in page


def test_the_head_of_a_page_is_one_line_and_a_notebook_that_was_not_run_says_so(small):
    """Settings lie behind the line; what comes after the chapter is opened stays in sight."""
    sources = ["# Title", "profile: str = None  # one", "chapter = catalog.opened('02_b', {})", "x"]
    kinds = ["markdown", "code", "code", "code"]
    tags = [{}, {"tags": ["parameters", "hide-input"]}, {"tags": ["hide-input"]}, {}]
    cells = [
        {"cell_type": kind, "metadata": metadata, "source": source, "id": f"c{n}"}
        for n, (kind, source, metadata) in enumerate(zip(kinds, sources, tags, strict=True))
    ]
    facts = {"parameters": {"profile": "smoke", "seeds": 5}, "seconds": 3.5, "profile": "smoke",
             "time": "2026-11-24 10:00 UTC", "commit": "abc", "torch": "2.13.0",
             "python": "3.11", "system": "Linux"}  # fmt: skip
    (small / "notebooks").mkdir()
    (small / "book" / "executed").mkdir()
    failed = {"failed": "code cell 2 (x): ValueError: no record of <CNN1D>"}
    for name, about in (("01_a", None), ("02_b", facts), ("03_c", failed)):
        notebook = runner.emptied({"cells": cells, "nbformat": 4, "nbformat_minor": 5})
        (small / "notebooks" / f"{name}.ipynb").write_text(json.dumps(notebook))
        if about:
            notebook["metadata"]["foqus"] = about
            (small / "book" / "executed" / f"{name}.ipynb").write_text(json.dumps(notebook))
    toc = "format: jb-book\nroot: book/executed/01_a\nchapters:\n"
    toc += "- file: book/executed/02_b\n- file: book/executed/03_c\n"
    (small / "_toc.yml").write_text(toc)
    code, words = jupyter_book(small)
    assert code == 0, words
    page = (small / "_build/html/book/executed/03_c.html").read_text(encoding="utf-8")
    why = "This notebook failed: code cell 2 (x): ValueError: no record of &lt;CNN1D&gt;. Settings"
    assert f"<summary>{why}</summary>" in page
    page = (small / "_build/html/book/executed/01_a.html").read_text(encoding="utf-8")
    assert "<summary>Not executed: outputs are missing. Settings</summary>" in page
    page = (small / "_build/html/book/executed/02_b.html").read_text(encoding="utf-8")
    head = page[page.index('<details class="provenance">') :]
    assert page.index("</h1>") < page.index(head) < page.index("<pre")
    line = "Executed with profile smoke in 3.5 s on cpu, 2026-11-24. Settings and versions"
    assert head.startswith(f'<details class="provenance"><summary>{line}</summary>')
    folded, _, rest = head.partition("</details>")
    assert "seeds=5" in folded and "torch 2.13.0" in folded and "opened" in folded
    assert "<pre" in rest and folded.count("<pre") == 2 and folded.count("<details") == 1


def test_profiles_live_where_the_library_looks():
    assert settings.ROOT == ROOT


@pytest.mark.parametrize("page", sorted((ROOT / "book").rglob("*.md")), ids=lambda path: path.stem)
def test_no_backtick_follows_the_fence_of_a_directive(page):
    """In such a line the fence is no fence, and the page is raw text from there on."""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        assert not re.match(r"\s*`{3,}[^`]+`", line), f"{page.name}, line {number}"

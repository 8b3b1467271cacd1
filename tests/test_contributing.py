"""The chapter that the contributing page adds, added block by block to a copy of the project."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from foqus_lib import runner

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "book" / "contributing.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```\{code-block\} \w+\n:caption: (\S+)\n\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy with every block of the page where its caption says."""
    root = tmp_path_factory.mktemp("project")
    for part in ("foqus_lib", "notebooks", "book/results/reported"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in BLOCKS.items():
        path = root / name
        if path.suffix == ".ipynb":
            parts = text.strip().split("\n\nfrom ")
            cells = [parts[0], *("from " + part for part in parts[1:])]
            made = [nbformat.v4.new_code_cell(cell) for cell in cells]
            made[0].metadata["tags"] = ["parameters"]
            notebook = runner.emptied(nbformat.v4.new_notebook(cells=made))
            path.write_text(json.dumps(notebook), encoding="utf-8")
        else:  # a new file, or more of one
            with open(path, "a", encoding="utf-8") as file:
                file.write("\n" + text)
    return root


def test_the_page_has_every_block():
    assert [name.rpartition("/")[2] for name in BLOCKS] == [
        "nearest_mean.py", "nearest_mean.py", "catalog.py", "smoke.yaml", "99_nearest_mean.ipynb"
    ]  # fmt: skip


def test_the_chapter_runs_from_the_command_line(project):
    rows = project / "rows.csv"
    done = subprocess.run(
        [sys.executable, "-m", "foqus_lib.cli", "sweep", "99_nearest_mean", "--profile", "smoke",
         f"results={project / 'store'}", "--export", str(rows)],
        cwd=project, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(rows)
    assert len(table) == 2 * 2 * 3
    assert set(table.method) == {"samples", "spectrum"} and table.accuracy.between(0, 1).all()


def test_its_notebook_becomes_a_page_with_a_table(project):
    papermill = [sys.executable, "-m", "papermill", "notebooks/99_nearest_mean.ipynb", "out.ipynb"]
    done = subprocess.run(
        [*papermill, "-p", "profile", "smoke", "--cwd", "."],
        cwd=project, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    made = json.loads((project / "out.ipynb").read_text(encoding="utf-8"))
    html = "".join(
        "".join(output.get("data", {}).get("text/html", ""))
        for cell in made["cells"]
        for output in cell.get("outputs", [])
    )
    assert "spectrum" in html and "n = 3" in html

"""The commands refuse before they run, say what to do, and end with the right exit code."""

import subprocess
import sys
from pathlib import Path

import pytest

from foqus_lib import cli, doctor, runner
from foqus_lib.experiment import profiles

ROOT = Path(__file__).resolve().parents[1]
CELL = 'profile: str = "quick"  # which\nseeds: int = 0  # how many'


@pytest.fixture(autouse=True)
def toy(tmp_path, monkeypatch):
    """Two notebooks that nobody may run."""
    import json

    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": CELL, "id": "a"}
    (tmp_path / "profiles").symlink_to(profiles.NOTEBOOKS / "profiles")
    notebook = runner.emptied({"cells": [cell], "nbformat": 4, "nbformat_minor": 5})
    for name in ("01_one", "02_two"):
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(notebook))
    monkeypatch.setattr(profiles, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(runner, "run", lambda *given: pytest.fail("ran"))
    return tmp_path


@pytest.mark.parametrize(
    "command, words",
    [
        ("build --only 01_on", "unknown notebook '01_on'; did you mean '01_one'?"),
        ("build sedes=1", "01_one.ipynb: unknown parameter 'sedes'; did you mean 'seeds'?"),
        ("build seeds=x", "seeds: expected one int, got 'x'"),
        ("build seeds=-1", "seeds: expected 1 or more, got -1"),
        ("build 01_one", "expected NAME=VALUE, got '01_one'; name notebooks after --only"),
        ("params 3", "unknown notebook '3'"),
    ],
)
def test_wrong_input_is_refused_before_anything_runs(command, words, capsys):
    assert cli.main(command.split()) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("command", ["build --profile quik", "biuld", "build --workers 0", "zip x"])
def test_wrong_options_too(command, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(command.split())
    assert ended.value.code == 2 and "error:" in capsys.readouterr().err


def test_build_runs_the_named_notebooks_with_typed_parameters(monkeypatch):
    seen = []
    monkeypatch.setattr(runner, "run", lambda jobs, *rest: seen.extend(jobs) or 0)
    monkeypatch.setattr(cli, "html", lambda: 0)
    assert cli.main(["build", "--profile", "smoke", "--only", "02_two.ipynb", "seeds=3"]) == 0
    [job] = seen
    assert job.name == "02_two" and job.given == {"profile": "smoke", "seeds": 3}
    assert job.facts == {"profile": "smoke", "device": "cpu"}


def test_a_failed_notebook_builds_no_page(monkeypatch):
    monkeypatch.setattr(runner, "run", lambda *given: 1)
    monkeypatch.setattr(cli, "html", lambda: pytest.fail("built"))
    assert cli.main(["build"]) == 1


def test_ctrl_c_is_an_exit_code_and_a_sentence(monkeypatch, capsys):
    def interrupt(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", interrupt)
    assert cli.main(["build"]) == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_test_passes_its_arguments_to_pytest(monkeypatch):
    seen = []
    monkeypatch.setattr(subprocess, "call", lambda command, **given: seen.extend(command) or 5)
    assert cli.main(["test", "-m", "slow", "tests/test_cli.py", "-x"]) == 5
    assert seen[1:] == ["-m", "pytest", "-m", "slow", "tests/test_cli.py", "-x"]


def test_params_says_name_type_value_and_meaning(capsys):
    assert cli.main(["params", "01_one", "--profile", "paper"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["seeds", "int", "3", "how", "many"]


def test_doctor_finds_a_stained_notebook(toy, capsys):
    assert [fine for fine, *_ in doctor._notebooks()] == [True]
    path = toy / "01_one.ipynb"
    path.write_text(path.read_text().replace('"execution_count": null', '"execution_count": 3'))
    [(fine, _, words)] = doctor._notebooks()
    assert not fine and words == "01_one.ipynb hold outputs: python3 book.py clean"


def test_doctor_says_where_results_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / ".foqus").write_text("a file where a folder should be")
    monkeypatch.setattr(profiles, "ROOT", tmp_path)
    [(fine, _, words)] = doctor._results()
    assert not fine and "Give another one: results=FOLDER" in words


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "foqus_lib.cli", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and "doctor" in done.stdout

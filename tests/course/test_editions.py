"""Two editions of one source: nothing of the answers leaks, and the instructor's runs."""

import json

import pytest

from foqus_lib import cli
from foqus_lib.course import checking, editions

HOMEWORK = sorted(editions.SOURCES.glob("*.ipynb"))
every_homework = pytest.mark.parametrize("path", HOMEWORK, ids=lambda path: path.stem)


def code(path, name):
    made = editions.edition(json.loads(path.read_text(encoding="utf-8")), name)
    return ["".join(cell["source"]) for cell in made["cells"] if cell["cell_type"] == "code"]


@every_homework
def test_the_instructor_edition_passes_its_own_checks(path):
    space = {}
    for cell in code(path, "instructor"):
        exec(cell, space)
    assert len(space["passed"]) == 4 and all(space["passed"].values())


@every_homework
def test_the_student_edition_runs_and_nothing_passes(path, capsys):
    space = {}
    for cell in code(path, "student"):
        exec(cell, space)
    assert not any(space["passed"].values())
    assert capsys.readouterr().out.count("nothing is returned yet") == 4


@every_homework
def test_no_answer_and_no_note_is_in_a_student_edition(path):
    source = json.loads(path.read_text(encoding="utf-8"))
    assert all(not cell.get("outputs") for cell in source["cells"])
    student = json.dumps(editions.edition(source, "student"), ensure_ascii=False)
    for cell in source["cells"]:
        if set(cell["metadata"].get("tags", [])) & editions.LEFT_OUT["student"]:
            for line in filter(str.strip, cell["source"][2:] or cell["source"]):
                assert json.dumps(line, ensure_ascii=False)[1:-1] not in student
    assert '"tags"' not in student and "For the instructor" not in student


@every_homework
def test_every_function_has_a_task_a_solution_and_an_exercise(path):
    both = {name: "\n".join(code(path, name)) for name in editions.LEFT_OUT}
    names = [name for name in checking.EXERCISES if f'check("{name}", {name})' in both["student"]]
    assert len(names) == 4
    for name in names:
        assert all(text.count(f"def {name}(") == 1 for text in both.values())


def test_an_unknown_edition_is_refused():
    with pytest.raises(ValueError, match="student, instructor, got 'teacher'"):
        editions.edition({"cells": []}, "teacher")


def test_the_command_writes_the_same_bytes_twice(tmp_path, capsys):
    for name in ("one", "two"):
        assert cli.main(["course", "--out", str(tmp_path / name)]) == 0
    one, two = (
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")}
        for n in ("one", "two")
    )
    assert one == two and len(one) == 2 * len(HOMEWORK) + 3


def test_a_homework_somebody_worked_in_is_not_overwritten(tmp_path, capsys):
    editions.write_all(tmp_path)
    editions.write_all(tmp_path)  # the same again is no loss
    answered = tmp_path / "student" / "scores.ipynb"
    answered.write_text("my answers", encoding="utf-8")
    (tmp_path / "student" / "draws.ipynb").unlink()
    assert cli.main(["course", "--out", str(tmp_path)]) == 2
    assert f"{answered}: is there already" in capsys.readouterr().err
    assert answered.read_text(encoding="utf-8") == "my answers"
    assert not (tmp_path / "student" / "draws.ipynb").exists()

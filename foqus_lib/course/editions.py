"""Student and instructor editions of a homework notebook, from one source.

A cell tagged `task` is the student's alone, one tagged `solution` or `instructor` (notes) the
instructor's alone; all others stand in both. Nothing in an edition depends on the machine or the
hour.
"""

import json
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "notebooks" / "homework"
LEFT_OUT = {"student": {"solution", "instructor"}, "instructor": {"task"}}


def edition(notebook: dict, name: str) -> dict:
    """The cells of one edition, without tags: a student's copy does not say what is gone."""
    if name not in LEFT_OUT:
        raise ValueError(f"edition: expected one of {', '.join(LEFT_OUT)}, got {name!r}")
    cells = [
        cell | {"metadata": {}}
        for cell in notebook["cells"]
        if not LEFT_OUT[name] & set(cell["metadata"].get("tags", []))
    ]
    return notebook | {"cells": cells}


def write(source: Path, target: Path, name: str) -> None:
    """One edition as a file."""
    made = edition(json.loads(source.read_text(encoding="utf-8")), name)
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True)
    target.write_text(text + "\n", encoding="utf-8")


def write_all(folder: Path) -> list[Path]:
    """folder/student and folder/instructor, one file a homework in each."""
    made = []
    for name in LEFT_OUT:
        for source in sorted(SOURCES.glob("*.ipynb")):
            made.append(folder / name / source.name)
            write(source, made[-1], name)
    return made

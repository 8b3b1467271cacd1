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
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_text(source, name), encoding="utf-8")


def _text(source: Path, name: str) -> str:
    made = edition(json.loads(source.read_text(encoding="utf-8")), name)
    return json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def write_all(folder: Path) -> list[Path]:
    """folder/student and folder/instructor, one file a homework in each.

    ValueError, and nothing is written, if one is there that somebody has worked in.
    """
    sources = sorted(SOURCES.glob("*.ipynb"))
    made = {folder / name / source.name: (source, name) for name in LEFT_OUT for source in sources}
    for path, (source, name) in made.items():
        if path.exists() and path.read_text(encoding="utf-8") != _text(source, name):
            raise ValueError(
                f"{path}: is there already, with other content. Name another folder or move it away"
            )
    for path, (source, name) in made.items():
        write(source, path, name)
    return list(made)

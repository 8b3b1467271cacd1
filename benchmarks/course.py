"""What a lesson waits for: seconds of each notebook that a lesson plan names, by papermill.

    python benchmarks/course.py               all; minutes
    python benchmarks/course.py 02_method     this one again, the other rows stay

Each chapter runs in profile smoke and quick in a new store, so no record of an earlier run helps;
homework runs in its instructor edition, which holds every answer. One process, one thread. Written
to book/results/benchmarks/course.csv, with what else the machine was doing.
"""

import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import RESULTS, ROOT, child, write

CHAPTERS = ["01_setup", "02_method", "02_explorer", "03_main_tables", "05_ablation"]
HOMEWORK = ["scores", "draws"]


def chapter(name: str, profile: str, store: str) -> None:
    """Run a chapter's notebook as the book does, without a page."""
    from foqus_lib import runner
    from foqus_lib.studies import catalog

    given = {"profile": profile, "results": store}
    sources = [ROOT / "notebooks" / f"{name}.ipynb"]
    jobs = runner.prepare(sources, Path(store) / "executed", given, catalog.checked)
    failed = runner.run(jobs, ROOT, 1, None, say=lambda text: print(text, file=sys.stderr))
    assert not failed, f"{name} did not run to its end"


def homework(name: str, store: str) -> None:
    """Run the instructor edition of a homework notebook."""
    from foqus_lib.course import editions

    path = Path(store) / f"{name}.ipynb"
    editions.write(editions.SOURCES / f"{name}.ipynb", path, "instructor")
    words = [sys.executable, "-m", "papermill", str(path), str(path), "--no-progress-bar"]
    subprocess.run(words, cwd=ROOT, check=True)


def timed(name: str, profile: str) -> dict:
    """In a child: wall and CPU seconds of one notebook and its kernel, and the machine's load."""
    os.environ["PYTHONPATH"] = str(ROOT)
    load, began = os.getloadavg()[0], time.perf_counter()
    with tempfile.TemporaryDirectory() as store:
        homework(name, store) if name in HOMEWORK else chapter(name, profile, store)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "wall_s": time.perf_counter() - began,
        "cpu_s": spent.ru_utime + spent.ru_stime,
        "load": load,
    }


def main(names: list[str]) -> None:
    path = RESULTS / "course.csv"
    kept = list(csv.DictReader(path.open(encoding="utf-8"))) if path.exists() else []
    rows = {(row["notebook"], row["profile"]): row for row in kept}
    wanted = [(name, profile) for name in CHAPTERS for profile in ("smoke", "quick")]
    wanted += [(name, "instructor") for name in HOMEWORK]
    for name, profile in wanted:
        if names and name not in names:
            continue
        found = child(__file__, "timed", name, profile)
        rows[name, profile] = {
            "notebook": name,
            "profile": profile,
            "seconds": f"{found['wall_s']:.0f}",
            "CPU seconds": f"{found['cpu_s']:.0f}",
            "load of the machine": f"{found['load']:.1f}",
        }
        write("course", [rows[key] for key in wanted if key in rows])


if __name__ == "__main__":
    if sys.argv[1:2] == ["timed"]:
        print(json.dumps(timed(*sys.argv[2:])))
    else:
        main(sys.argv[1:])

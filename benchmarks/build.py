"""What the quick book costs: CPU seconds of each notebook, each record trained once.

    python benchmarks/build.py                     a quarter of an hour; wants a quiet machine
    python benchmarks/build.py --earlier FOLDER    a second checkout too, notebook by notebook
    python benchmarks/build.py --expected          seconds: visits times measured seconds a visit

Notebooks run one after another in a store of their own, so a record counts where it is first read:
in 02 and 04. Seconds are those of the notebook's process and its kernel, imports and figures
included. Written to book/results/benchmarks/: build.csv, or build_expected.csv.
"""

import argparse
import csv
import json
import os
import resource
import sys
import tempfile
from pathlib import Path

from measure import ROOT, child, write

NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
SCALES_AND_OPTIMISERS = 4  # that 01_setup crosses, each with its trials


def executed(root: str, notebook: str, store: str) -> dict:
    """In a child: run one notebook of a checkout by papermill; CPU seconds of all its processes."""
    sys.path.insert(0, root)
    os.environ["PYTHONPATH"] = root  # of the kernel
    from foqus_lib import runner
    from foqus_lib.studies import catalog

    given = {"profile": "quick", "results": store}
    sources = [Path(root) / "notebooks" / f"{notebook}.ipynb"]
    jobs = runner.prepare(sources, Path(store) / "executed", given, catalog.checked)
    failed = runner.run(jobs, Path(root), 1, None, say=lambda text: print(text, file=sys.stderr))
    assert not failed, f"{notebook} did not run to its end"
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"cpu_s": spent.ru_utime + spent.ru_stime}


def expected(root: str) -> dict[str, float]:
    """In a child: seconds of each notebook's trainings, by `book/results/models/seconds.csv`.

    ResNet20 of 10_layer_pruning, which is not in that file, is taken for a CNN1D.
    """
    sys.path.insert(0, root)
    from foqus_lib.experiment.study import Job
    from foqus_lib.studies import catalog
    from foqus_lib.studies.coreset.run import evidence_jobs

    with open(ROOT / "book/results/models/seconds.csv", encoding="utf-8") as file:
        a_visit = {
            row["Network"]: float(row["CPU s per 1,000 signals"]) / 1000
            for row in csv.DictReader(file)
        }

    def seconds(job: Job) -> float:
        network = next((part for part in job.kind if part in a_visit), "CNN1D")
        return job.cost * a_visit[network]

    found, made = {}, set()
    with tempfile.TemporaryDirectory() as store:
        for notebook in NOTEBOOKS:
            chapter = catalog.opened(notebook, {"profile": "quick", "results": store})
            trials = [trial for trial in chapter.trials if trial.name not in made]
            made |= {trial.name for trial in trials}
            jobs = [job for stage in chapter.study.jobs(chapter.bench, trials) for job in stage]
            if notebook in ("02_method", "06_datasets"):
                jobs = evidence_jobs(chapter.bench, [(chapter.options.models[0], 0)])
            names = [str(job.makes) for job in jobs]
            new = [job for job, name in zip(jobs, names, strict=True) if name not in made]
            made |= set(names) - {"()"}
            times = SCALES_AND_OPTIMISERS if notebook == "01_setup" else 1
            found[notebook] = times * sum(map(seconds, new))
    return found


def main(roots: dict[str, str], counted: bool) -> None:
    found = {name: {} for name in roots}
    if counted:
        for name, root in roots.items():
            found[name] = child(__file__, "expected", root)
    else:
        with tempfile.TemporaryDirectory() as folder:
            for notebook in NOTEBOOKS:
                for name, root in roots.items():
                    store = str(Path(folder) / name)
                    result = child(__file__, "executed", root, notebook, store)
                    found[name][notebook] = result["cpu_s"]
                    print(f"{notebook:24} {name:8} {result['cpu_s']:7.1f} CPU s", flush=True)
    rows = []
    for notebook in (*NOTEBOOKS, "all"):
        rows.append({"notebook": notebook})
        for name, of in found.items():
            seconds = sum(of.values()) if notebook == "all" else of[notebook]
            rows[-1][f"{name}, CPU s"] = f"{seconds:.0f}"
    write("build_expected" if counted else "build", rows)


if __name__ == "__main__":
    calls = {"executed": executed, "expected": expected}
    if len(sys.argv) > 1 and sys.argv[1] in calls:
        print(json.dumps(calls[sys.argv[1]](*sys.argv[2:])))
    else:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        parser.add_argument("--earlier", metavar="FOLDER", help="a checkout of an earlier commit")
        parser.add_argument("--expected", action="store_true")
        asked = parser.parse_args()
        checkouts = {"earlier": str(Path(asked.earlier).resolve())} if asked.earlier else {}
        main(checkouts | {"now": str(ROOT)}, asked.expected)

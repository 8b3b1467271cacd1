"""What the quick book costs: CPU seconds of each notebook, each record trained once.

    python benchmarks/build.py                     a quarter of an hour; wants a quiet machine
    python benchmarks/build.py --earlier FOLDER    a second checkout too, notebook by notebook

Notebooks run one after another in a store of their own, so a record counts where it is first read:
in 02 and 04. Seconds are those of the notebook's process and its kernel, imports and figures
included. Written to book/results/benchmarks/build.csv, the sums and the machine to build.json.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
from pathlib import Path

from measure import ROOT, child, write, write_numbers


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


def notebooks(root: str) -> list[str]:
    """Those of a checkout, in the order of their names."""
    return sorted(path.stem for path in (Path(root) / "notebooks").glob("*.ipynb"))


def main(roots: dict[str, str]) -> None:
    found = {name: {} for name in roots}
    with tempfile.TemporaryDirectory() as folder:
        for notebook in notebooks(str(ROOT)):
            for name, root in roots.items():
                if notebook not in notebooks(root):
                    continue
                store = str(Path(folder) / name)
                found[name][notebook] = child(__file__, root, notebook, store)["cpu_s"]
                print(f"{notebook:24} {name:8} {found[name][notebook]:7.1f} CPU s", flush=True)
    rows = []
    for notebook in notebooks(str(ROOT)):
        row = {"notebook": notebook}
        row |= {f"{name}, CPU s": _whole(of.get(notebook)) for name, of in found.items()}
        rows.append(row)
    rows.append(
        {"notebook": "all"} | {f"{n}, CPU s": _whole(sum(of.values())) for n, of in found.items()}
    )
    write("build", rows)
    write_numbers("build", {"all": {name: sum(of.values()) for name, of in found.items()}})


def _whole(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.0f}"


if __name__ == "__main__":
    if len(sys.argv) == 4 and not sys.argv[1].startswith("-"):
        print(json.dumps(executed(*sys.argv[1:])))
    else:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        parser.add_argument("--earlier", metavar="FOLDER", help="a checkout of an earlier commit")
        asked = parser.parse_args()
        checkouts = {"earlier": str(Path(asked.earlier).resolve())} if asked.earlier else {}
        main(checkouts | {"now": str(ROOT)})

"""Papermill with what it lacks: checked parameters, processes, all-or-nothing output.

There is no cache here. Training runs are kept by the results store, so running a notebook again
costs what its own cells cost.
"""

import json
import os
import platform
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import connection, get_context, parent_process
from pathlib import Path

from foqus_lib import checkout
from foqus_lib.outputs import PROGRESS, UNFINISHED
from foqus_lib.processes import CHILD, SHARED, sharers

FAILED = "failed"  # in the facts of a page whose notebook did not run to its end: why
HEARTBEAT = 30  # seconds between two lines that say what is still running
SCRIPT = re.compile(r"<script|<[^>]*(javascript:|\son\w+\s*=)", re.IGNORECASE)


@dataclass(frozen=True)
class Job:
    """One notebook to run, with parameters that were checked."""

    source: Path
    target: Path
    given: dict
    facts: dict  # for the page, besides those found here

    @property
    def name(self) -> str:
        return self.source.stem

    @property
    def partial(self) -> Path:
        """Where papermill writes; becomes `target` only when all is well."""
        return self.target.with_suffix(".partial.ipynb")

    @property
    def note(self) -> Path:
        """Where a run that ended without a traceback in a cell says why."""
        return self.target.with_suffix(".partial.txt")


def prepare(
    sources: Sequence[Path],
    folder: Path,
    given: Mapping,
    checked: Callable[[str, Mapping], dict],
) -> list[Job]:
    """Jobs with `given` checked before any of them runs.

    checked: the name of a notebook and what was given -> the same in its types, or ValueError.
    """
    jobs = []
    for source in sources:
        try:
            values = checked(source.stem, given)
        except ValueError as error:
            raise ValueError(f"{source.name}: {error}") from None
        jobs.append(Job(source, folder / source.name, values, {}))
    return jobs


def run(jobs: Sequence[Job], root: Path, workers: int, timeout: int | None, say=print) -> int:
    """Execute `jobs`, `workers` at a time, each in a process of its own; how many failed.

    The kernels start in `root`. `timeout` is the seconds one cell may take; None: for ever.
    """
    waiting, running, failed = list(jobs), {}, 0
    told = {SHARED: str(sharers() * max(1, min(workers, len(jobs))))}  # they share a GPU
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                job = waiting.pop(0)
                running[_start(job, root, timeout, told)] = job, time.monotonic()
                say(f"running {job.name}")
            ended = connection.wait([p.sentinel for p in running], timeout=HEARTBEAT)
            for process in [p for p in running if p.sentinel in ended]:
                job, began = running.pop(process)
                process.join()  # the sentinel comes a moment before the exit code
                seconds = time.monotonic() - began
                try:
                    gap = _publish(job, process.exitcode, root, seconds)
                    failed += bool(gap)
                    how = f"GAPS    {job.name}  {seconds:.1f} s: {gap}; the page shows them"
                    say(how if gap else f"ok      {job.name}  {seconds:.1f} s")
                except (ValueError, OSError) as error:
                    failed += 1
                    say(f"FAILED  {job.name}  {seconds:.1f} s: {error}")
                    _stand_in(job, f"{error}".partition("\n")[0])
            if not ended:
                times = (f"{job.name} {time.monotonic() - t:.0f} s" for job, t in running.values())
                say(f"        still running: {', '.join(times)}")
    finally:  # Ctrl-C: a kernel ends by itself within a second of its process
        for process in running:
            process.terminate()
        for process in running:
            process.join(10)
    return failed


def _start(job: Job, root: Path, timeout: int | None, told: Mapping[str, str]):
    job.target.parent.mkdir(parents=True, exist_ok=True)
    for left in (job.partial, job.note):
        left.unlink(missing_ok=True)
    process = get_context("spawn").Process(target=_execute, args=(job, root, timeout, told))
    process.start()
    return process


def _execute(job: Job, root: Path, timeout: int | None, told: Mapping[str, str]) -> None:
    """In the process of its own: papermill, start to end. Leaves the partial notebook.

    told: of the environment, besides what every process that computes is told.
    """
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ |= CHILD | told
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # not a stale kernel of the user's
    import papermill

    try:
        papermill.execute_notebook(
            str(job.source),
            str(job.partial),
            parameters=job.given,
            kernel_name="python3",
            cwd=str(root),
            progress_bar=False,
            execution_timeout=timeout,
        )
    except papermill.PapermillExecutionError:
        raise SystemExit(1) from None  # the error stands in the partial notebook
    except Exception as error:  # a dead kernel, a full disk, a timeout
        job.note.write_text(f"{type(error).__name__}: {error}".strip(), encoding="utf-8")
        raise SystemExit(2) from None


def _end_with_parent() -> None:
    """Nobody would collect what an orphan makes: end too, whatever ended the parent."""
    connection.wait([parent_process().sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


def _publish(job: Job, exitcode: int, root: Path, seconds: float) -> str:
    """Check what papermill left, strip it, rename it; ValueError says why not.

    Gives what the page says is unfinished: trials that failed cost their rows, not the page.
    """
    if job.note.exists():
        words = job.note.read_text(encoding="utf-8").partition("\n")[0]
        words = words or "it ended with an error that could not be written: a full disk, perhaps"
        job.note.unlink()
        raise ValueError(f"{words}\n        as far as it came: {job.partial}")
    if not job.partial.exists():
        raise ValueError(f"its process ended with exit code {exitcode}")
    notebook = json.loads(job.partial.read_text(encoding="utf-8"))
    if words := fault(notebook) or (exitcode and f"its process ended with exit code {exitcode}"):
        raise ValueError(f"{words}\n        as far as it came: {job.partial}")
    _strip(notebook)
    notebook["metadata"]["foqus"] = job.facts | {
        "parameters": job.given,
        "seconds": round(seconds, 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "torch": _installed("torch"),
        "commit": commit(root),
        "time": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }
    text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True)
    job.partial.write_text(text + "\n", encoding="utf-8")
    os.replace(job.partial, job.target)
    return unfinished(notebook)


def _stand_in(job: Job, words: str) -> None:
    """The page of a notebook that failed: its cells, why it failed, and nobody's older outputs."""
    job.target.unlink(missing_ok=True)
    notebook = emptied(json.loads(job.source.read_text(encoding="utf-8")))
    notebook["metadata"]["foqus"] = {FAILED: words}
    with suppress(OSError):  # a full disk: then the page says that it was not executed
        job.target.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")


def ran(page: Path) -> bool:
    """Whether an executed notebook lies there: no stand-in of one that failed or never ran."""
    try:
        about = json.loads(page.read_text(encoding="utf-8"))["metadata"].get("foqus")
    except (OSError, ValueError, KeyError):
        return False
    return bool(about) and FAILED not in about


def unfinished(notebook: Mapping) -> str:
    """The notes of its grids that lack trials."""
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    notes = [output["data"][UNFINISHED]["note"] for output in outputs
             if UNFINISHED in output.get("data", {})]  # fmt: skip
    return "; ".join(notes)


def fault(notebook: Mapping) -> str | None:
    """Why an executed notebook must not become a page; None if it may.

    A build with -W publishes a stored error; papermill calls the cells of a killed kernel
    completed, but for the execution count; Jupyter Book copies HTML outputs as they are.
    """
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, 1):
        line = "".join(cell["source"]).strip().partition("\n")[0]
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                return f"code cell {number} ({line}): {output['ename']}: {output['evalue']}"
            html = "".join(output.get("data", {}).get("text/html", ""))
            if SCRIPT.search(html) or "application/javascript" in output.get("data", {}):
                return f"code cell {number} ({line}): its HTML output holds a script"
    for number, cell in enumerate(code, 1):
        if cell["execution_count"] is None and "".join(cell["source"]).strip():
            return f"code cell {number} was not executed: the kernel died before"
    return None


def emptied(notebook: Mapping) -> dict:
    """A notebook as it is committed: no outputs, no counts, no metadata but two."""
    cells = []
    for cell in notebook["cells"]:
        cell = dict(cell)
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
        kept = {"tags", "mystnb", "foqus"}
        cell["metadata"] = {key: cell["metadata"][key] for key in cell["metadata"] if key in kept}
        cells.append(cell)
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return dict(notebook) | {"cells": cells, "metadata": metadata}


def _strip(notebook: dict) -> None:
    """Remove what differs between two equal runs: times, paths, ids drawn at random, progress."""
    notebook["metadata"].pop("papermill", None)
    for cell in notebook["cells"]:
        for key in ("papermill", "execution"):
            cell["metadata"].pop(key, None)
        if "injected-parameters" in cell["metadata"].get("tags", []):
            cell["id"] = "injected-parameters"
        if "outputs" in cell:  # `report.live.live_line`: what one waited for is no result
            cell["outputs"] = [one for one in cell["outputs"] if not _is_progress(one)]


def _is_progress(output: Mapping) -> bool:
    return PROGRESS.items() <= output.get("metadata", {}).items()


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def commit(root: Path) -> str:
    """The commit of a page, in short; "unknown" without git. A page is made of notebooks too."""
    sha, plus, dirty = checkout.commit("notebooks", root=root).partition("+")
    return f"{sha[:7]}{plus}{dirty}" or "unknown"

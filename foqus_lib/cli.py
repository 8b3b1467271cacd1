"""The commands: `python3 book.py COMMAND`, or `foqus COMMAND` inside the environment."""

import sys

try:
    import argparse
    import io
    import json
    import os
    import select
    import shutil
    import subprocess
    from dataclasses import replace
    from pathlib import Path

    from foqus_lib import commands, doctor, pack, runner
    from foqus_lib.errors import unknown
    from foqus_lib.experiment import settings
    from foqus_lib.report import markup
except KeyboardInterrupt:  # this is the entry point: nobody below could answer it
    sys.exit(130)

ROOT = settings.ROOT
EXECUTED = ROOT / "book" / "executed"
PAGES = ROOT / "_build" / "html"
# `python -m jupyter_book.cli.main` exits 0 and does nothing; the script breaks when .venv moves
JUPYTER_BOOK = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
STRICT = ["-W", "-n", "--keep-going"]
# Begun in this order, as benchmarks/build.py measures: a long one that begins last runs alone.
LONGEST = ("04_cross_architecture", "03_main_tables", "05_ablation", "07_all_snr")


def notebooks(only: list[str] | None = None) -> list[Path]:
    """The notebooks of notebooks/ in name order, or those named, in name order."""
    found = {path.stem: path for path in sorted(settings.NOTEBOOKS.glob("*.ipynb"))}
    names = [name.removesuffix(".ipynb") for name in only or found]
    for name in names:
        if name not in found:
            raise unknown("notebook", name, found)
    return [found[name] for name in sorted(set(names))]


def build(args: argparse.Namespace) -> int:
    """Run the notebooks and build the book."""
    from foqus_lib.studies import catalog  # torch: two seconds, so only when asked

    for pair in args.parameter:
        if "=" not in pair:
            raise ValueError(f"expected NAME=VALUE, got {pair!r}; name notebooks after --only")
    given = {"profile": args.profile} | dict(pair.split("=", 1) for pair in args.parameter)
    jobs, chapters = [], []
    for job in runner.prepare(notebooks(args.only), EXECUTED, given, catalog.checked):
        chapters.append(catalog.opened(job.name, job.given))  # refuses what the types let pass
        how = chapters[-1].common
        facts = {"profile": how.profile, "device": _device(how.device)}
        jobs.append(replace(job, facts=facts))
    if args.workers > 1:
        catalog.make_shared(chapters, args.workers, print)
    jobs.sort(key=lambda job: LONGEST.index(job.name) if job.name in LONGEST else len(LONGEST))
    timeout = args.timeout or (1800 if given["profile"] in ("smoke", "quick") else None)
    failed = runner.run(jobs, ROOT, args.workers, timeout)
    return html() or int(failed > 0)  # a page says what failed or has gaps; so does the exit code


def html() -> int:
    """_build/html of pages and executed notebooks, zipped; a warning or raw markup is an error."""
    missing = [path.stem for path in notebooks() if not runner.ran(EXECUTED / path.name)]
    if missing:
        print(f"failed or not executed, shown without outputs: {', '.join(missing)}", flush=True)
    strict = [] if missing else STRICT  # figures that are not there cannot be referred to
    done = subprocess.call([*JUPYTER_BOOK, "build", str(ROOT), "--all", *strict, "-q"])
    raw = markup.left_raw(PAGES) if done == 0 else []
    for line in raw:
        print(f"raw markup in a page, mend its source: {line}", file=sys.stderr)
    if done == 0 and not raw:
        print(f"the book: {PAGES / 'index.html'}\nas one file: {pack.pack(PAGES)}", flush=True)
    return done or int(bool(raw))


def _device(name: str) -> str:
    """What "auto" finds, in words for a page."""
    if name != "auto":
        return name
    import torch  # two seconds, so only when asked

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def test(args: argparse.Namespace) -> int:
    """Run the tests on all cores; arguments go to pytest instead, e.g. `test -m slow`."""
    how = args.rest or ["-n", str(min(os.cpu_count() or 1, 8)), "--dist", "loadfile"]
    one = {"OMP_NUM_THREADS": "1"}  # thread a process: they wait for each other otherwise
    return subprocess.call([sys.executable, "-m", "pytest", *how], cwd=ROOT, env=one | os.environ)


def params(args: argparse.Namespace) -> int:
    """Say what a notebook can be given, and what a profile sets."""
    from foqus_lib.studies import catalog

    [path] = notebooks([args.notebook])
    chapter = catalog.opened(path.stem, {"profile": args.profile})
    values = vars(chapter.common) | vars(chapter.options)
    for name, field in catalog.parameters(path.stem).items():
        value = values[name]
        value = list(value) if isinstance(value, tuple) else "all" if value is None else value
        print(f"{name:19} {value!s:32} {field.help}")
    return 0


def zipped(args: argparse.Namespace) -> int:
    """Zip the built book anew, for rooms without a network; build does it too."""
    print(pack.pack(PAGES))
    return 0


def clean(args: argparse.Namespace) -> int:
    """Remove the built book and empty the outputs of notebooks/; results are kept."""
    for folder in (ROOT / "_build", EXECUTED):
        shutil.rmtree(folder, ignore_errors=True)
    for path in notebooks():
        notebook = json.loads(path.read_text(encoding="utf-8"))
        text = json.dumps(runner.emptied(notebook), indent=1, ensure_ascii=False, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="foqus", description=__doc__)
    known = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name, call):
        one = known.add_parser(name, help=call.__doc__, description=call.__doc__)
        one.set_defaults(call=call)
        return one

    one = command("build", build)
    one.add_argument(
        "parameter", nargs="*", metavar="NAME=VALUE", help="for every notebook run, e.g. seeds=5"
    )
    one.add_argument(
        "--profile", choices=settings.PROFILES, default="quick", help="(default: quick)"
    )
    one.add_argument("--only", action="append", metavar="NOTEBOOK", help="may be repeated")
    one.add_argument(
        "--workers",
        type=_at_least_one,
        default=min(2, os.cpu_count() or 1),
        help="notebooks at a time, one core each (default: %(default)s)",
    )
    one.add_argument(
        "--timeout",
        type=_at_least_one,
        help="seconds a cell may take (default: 1800; in the long profiles: none)",
    )
    command("test", test)
    one = command("params", params)
    one.add_argument("notebook")
    one.add_argument(
        "--profile", choices=settings.PROFILES, default="quick", help="(default: quick)"
    )
    commands.add_to(command)
    command("zip", zipped)
    command("clean", clean)
    command("doctor", doctor.doctor)
    return top


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {text!r}")
    return int(text)


def _parsed(argv: list[str] | None) -> argparse.Namespace:
    top = parser()
    args, args.rest = top.parse_known_args(argv)
    if hasattr(args, "parameter") and not any(word.startswith("-") for word in args.rest):
        # argparse ends a list of words at the first option; ours may go on after it
        args.parameter, args.rest = args.parameter + args.rest, []
    if args.rest and args.call is not test:
        top.error(f"unrecognized arguments: {' '.join(args.rest)}")
    return args


def main(argv: list[str] | None = None) -> int:
    try:
        _print_any_name()
        args = _parsed(argv)
        status = args.call(args)
        sys.stdout.flush()
        return status
    except ValueError as error:  # input that somebody typed; anything else is ours: a traceback
        print(f"foqus: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _unread():
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what Python flushes when it ends
            return 141  # what a shell says of a tool that SIGPIPE ended
        where = f"{error.filename}: " if error.filename else ""  # ours name the path in the text
        print(f"foqus: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\nfoqus: stopped; finished results are kept, the same command goes on", file=sys.stderr
        )
        return 130


def _print_any_name() -> None:
    """A path that the terminal's encoding does not have is printed with escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _unread() -> bool:
    """Whether nobody reads any more what we print, as after `| head`."""
    if not hasattr(select, "poll"):  # Windows, where such a write fails in another way
        return False
    gone = select.poll()
    for printed in (1, 2):
        gone.register(printed, 0)
    return bool(gone.poll(0))


if __name__ == "__main__":
    sys.exit(main())

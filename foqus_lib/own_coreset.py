"""`foqus select`: a coreset of your own signals, its page, and on request whether it helps."""

import argparse
import os
import shlex
from pathlib import Path

from foqus_lib.experiment.settings import LEAST, MOST_SEEDS, NO_CUT, ROOT, at_least, at_most
from foqus_lib.say import say

STORE = ROOT / ".foqus/store"
# Said also of what the method, or no --evaluate, leaves unused: it was meant to do something.
FEWEST = {"workers": 1, "early_epochs": 1, "early_runs": 0}
# More is a slip of the finger.
MOST = {"evaluate": MOST_SEEDS, "epochs": 10_000, "early_epochs": 10_000, "early_runs": 1_000}


def select(args: argparse.Namespace) -> int:
    """Choose a coreset of your own signals: indices, scores, report and manifest in one folder."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from foqus_lib.datasets.own import export
    from foqus_lib.studies.coreset import own, own_folder  # torch: two seconds, so only when asked

    _check(args)
    request, results, out = _request(args), Path(args.results), Path(args.out)
    evaluation = _evaluation(args, request)
    export.check(*map(Path, args.export), out=out)
    own_folder.check_new(out)
    tell = print if args.plan else say
    if evaluation:
        tell(_opened(evaluation, args).expected())  # and lets its signals go
    if args.plan:
        tell(own.expected(request, results, args.device, exported=bool(args.export)))
        return 0
    choice = own.choose(request, results, args.device, say, exported=bool(args.export))
    evaluated = _evaluated(evaluation, args) if evaluation else None
    from foqus_lib.report.own_page import own_page  # Matplotlib: a second
    from foqus_lib.report.own_verdict import verdict

    page = own_page(choice.table, choice.manifest, spelled(args), evaluated, choice.unkept)
    _publish(args, request, choice, page)
    if not evaluated:
        return 0
    print(verdict(evaluated))
    if evaluated.unfinished:
        say(f"foqus: {evaluated.unfinished}. With another --out the same command tries again")
    return 1 if evaluated.unfinished else 0


def _publish(args: argparse.Namespace, request, choice, page: str) -> None:
    """The exports, then the folder: whatever stops it before the end leaves neither."""
    from foqus_lib.datasets.own import export
    from foqus_lib.experiment.plan import counted
    from foqus_lib.studies.coreset import own, own_folder

    out, exported = Path(args.out), {}

    def export_all(made: Path) -> None:
        for path in map(Path, args.export):
            there = path.resolve()
            inside = there.is_relative_to(out.resolve())
            target = made / there.relative_to(out.resolve()) if inside else there
            given = export.write(target, own.kept(request, choice.rows))
            exported[target] = path.with_name(given.name)

    try:
        own_folder.write(out, choice.rows, choice.table, page, choice.manifest, export_all)
    except BaseException:
        for target in exported:
            export.remove(target)
        raise
    files = ", ".join(own_folder.FILES)
    print(f"{counted(len(choice.rows), 'signal')} kept: {out}/ holds {files}")
    for path in exported.values():
        print(f"exported, as in the file: {path}")


def _check(args: argparse.Namespace) -> None:
    """What the types of the arguments let pass."""
    if not args.data.strip():
        raise ValueError("--data: expected a file or folder, got ''. Name your own")
    if not args.results.strip():
        raise ValueError("--results: expected a folder, got ''. Leave it out for the usual one")
    if not args.out.strip():
        raise ValueError("--out: expected a new folder, got ''. Name one")
    if not all(path.strip() for path in args.export):
        raise ValueError("--export: expected x.npz, x.h5 or a folder, got ''. Name one")
    for name, least in FEWEST.items():
        at_least(f"--{name.replace('_', '-')}", getattr(args, name), least)
    for name, most in MOST.items():
        at_most(f"--{name.replace('_', '-')}", getattr(args, name) or 0, most)
    _refuse_a_parent_of_the_store(args)
    if args.evaluate is None and args.rates:
        raise ValueError("--rates: are those of --evaluate. Name that too, or --rate alone")
    if args.evaluate is not None and args.evaluate < 1:
        raise ValueError(
            f"--evaluate: expected 1 seed or more, got {args.evaluate}. {LEAST} or more give a "
            "verdict; leave --evaluate out to measure nothing"
        )


def _refuse_a_parent_of_the_store(args: argparse.Namespace) -> None:
    """ValueError if the folder of results lies in what the run is to make as a whole."""
    store = Path(args.results).resolve()
    for option, path in (("--out", args.out), *(("--export", path) for path in args.export)):
        if Path(path).resolve() in (store, *store.parents):
            raise ValueError(
                f"{option}: expected a place outside --results, got {path}, which holds or is "
                f"{args.results}. Name a place beside it"
            )


def _request(args: argparse.Namespace):
    """The choice that is asked for."""
    from foqus_lib.selection.catalog import looks_early
    from foqus_lib.studies.coreset.own import Request
    from foqus_lib.training.collect import Collection
    from foqus_lib.training.recipe import Recipe

    recipe = Recipe(epochs=args.epochs, batch=args.batch)
    collection = Collection(recipe, early_runs=0)  # no runs, no length: one key for one training
    if looks_early(args.method):
        collection = Collection(recipe, args.early_runs, args.early_epochs)
    return Request(
        data=args.data,
        model=args.model,
        method=args.method,
        rate=args.rate,
        seed=args.seed,
        snr_min=args.snr_min,
        normalise=args.normalise,
        collection=collection,
        scores=args.scores,
    )


def _evaluation(args: argparse.Namespace, request):
    """The evaluation that is asked for, or None."""
    if args.evaluate is None:
        return None
    from foqus_lib.studies.coreset.own_evaluation import Evaluation

    return Evaluation(request, args.evaluate, tuple(args.rates), args.split, args.workers)


def _opened(evaluation, args: argparse.Namespace):
    from foqus_lib.studies.coreset import own_evaluation

    return own_evaluation.opened(evaluation, Path(args.results), args.device)


def _evaluated(evaluation, args: argparse.Namespace):
    """Run what the store lacks of it; what its rows say."""
    from foqus_lib.experiment.key import basis_points
    from foqus_lib.report.own_verdict import Evaluated
    from foqus_lib.studies.coreset.grid import CORESET

    say("the evaluation:")
    found, rows = _opened(evaluation, args).run(say)
    return Evaluated(rows, CORESET, args.method, basis_points(args.rate), found.note)


def spelled(args: argparse.Namespace) -> str:
    """The command with every setting that decides something, whatever the defaults will be."""
    from foqus_lib.selection.catalog import looks_early

    words = ["foqus", "select", "--data", args.data, "--model", args.model]
    words += ["--method", args.method, "--rate", f"{args.rate:g}", "--seed", f"{args.seed}"]
    words += ["--epochs", f"{args.epochs}", "--batch", f"{args.batch}"]
    words += ["--snr-min", f"{args.snr_min}", "--normalise", args.normalise, "--out", args.out]
    if looks_early(args.method):
        words += ["--early-runs", f"{args.early_runs}", "--early-epochs", f"{args.early_epochs}"]
    words += ["--scores"] * args.scores
    if args.evaluate is not None:
        words += ["--evaluate", f"{args.evaluate}", "--split", args.split]
        words += ["--rates", *(f"{rate:g}" for rate in args.rates)] if args.rates else []
    lines = (f"\\\n  {word}" if word.startswith("--") else shlex.quote(word) for word in words)
    return " ".join(lines)


def add_to(command) -> None:
    """Declare it; `command(name, function)` gives a parser."""
    one = command("select", select)
    one.add_argument("--data", required=True, help="your own data: .npz, .foqus.yaml, .h5 ...")
    one.add_argument("--model", default="CNN1D", help="the network that looks (default: CNN1D)")
    one.add_argument(
        "--method",
        default="FoQuS",
        help="a row of Table I, or a newer one such as CCS (default: FoQuS)",
    )
    one.add_argument("--rate", type=float, required=True, help="share to keep: 0.05 is 5 %%")
    one.add_argument("--out", required=True, help="folder to make")
    one.add_argument(
        "--plan", action="store_true", help="say about how long it takes and in what memory; stop"
    )
    one.add_argument(
        "--evaluate",
        type=int,
        nargs="?",
        const=LEAST,
        metavar="SEEDS",
        help="measure as well whether it helps: train on such coresets and on Uniform's, test on "
        f"signals held out (default: {LEAST} seeds, the fewest that give a verdict)",
    )
    one.add_argument(
        "--rates",
        type=float,
        nargs="+",
        default=[],
        metavar="RATE",
        help="of the evaluation, besides --rate (default: half of it and double)",
    )
    one.add_argument(
        "--split",
        default="random",
        help="what the evaluation holds out: random (default), positional, or blocks of frames "
        "that overlap",
    )
    one.add_argument(
        "--workers", type=int, default=1, help="processes of the evaluation (default: 1)"
    )
    one.add_argument(
        "--export",
        action="append",
        default=[],
        metavar="PATH",
        help="the kept signals as well: x.npz, x.h5, or a folder (SigMF); may be repeated",
    )
    one.add_argument("--seed", type=int, default=0, help="(default: 0)")
    one.add_argument("--epochs", type=int, default=50, help="T, recorded epochs (default: 50)")
    one.add_argument("--batch", type=int, default=128, help="(default: 128)")
    one.add_argument(
        "--snr-min", type=float, default=NO_CUT, help="dB; drop what is below (default: nothing)"
    )
    one.add_argument("--normalise", default="rms", help="rms (default) or native")
    one.add_argument(
        "--scores", action="store_true", help="train also for Uniform, which looks at no network"
    )
    one.add_argument("--early-runs", type=int, default=10, help="of GraNd and EL2N (default: 10)")
    one.add_argument("--early-epochs", type=int, default=5, help="of GraNd and EL2N (default: 5)")
    one.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 (default: auto)")
    one.add_argument(
        "--results", default=str(STORE), help="where evidence and results are kept for reuse"
    )

"""The page of a coreset of one's own: what was kept of what, whether it helps, how to make it."""

from collections.abc import Mapping

import pandas as pd

from foqus_lib.experiment.settings import NO_CUT
from foqus_lib.report.html_parts import code, heading, page, paragraph, percent, table
from foqus_lib.report.own_gain import gain_parts
from foqus_lib.report.own_kept import kept_of_what, score_part
from foqus_lib.report.own_verdict import Evaluated, verdict

NOT_MEASURED = (
    "Whether this choice helps was not measured. The same command with --evaluate and another "
    "--out measures it: it trains on such choices and on choices by chance, and compares."
)


def own_page(
    kept: pd.DataFrame,
    manifest: Mapping,
    command: str,
    evaluated: Evaluated | None = None,
    unkept: str = "",
) -> str:
    """A whole HTML document.

    kept: a line a signal, with class, snr_db, kept (0 or 1), and the scores if there are.
    command: what was typed, every setting named. evaluated: None if it was not asked for.
    unkept: which classes are left empty, in a sentence.
    """
    data, method, rate = manifest["data"], manifest["method"], f"{100 * manifest['rate']:g} %"
    parts = [
        paragraph(verdict(evaluated) if evaluated else NOT_MEASURED, "verdict"),
        paragraph(
            f"{method} keeps {kept.kept.sum():,} of {len(kept):,} signals of {data['file']} "
            f"({percent(kept.kept.mean())})."
        ),
        *([paragraph(unkept, "verdict")] if unkept else []),
        *(_measured(evaluated, manifest) if evaluated else ()),
        heading("What was kept"),
        *kept_of_what(kept),
        *_scores(kept, method),
        heading("Settings"),
        _settings(manifest),
        heading("Make it again"),
        paragraph("The same file, settings and versions give the same rows on a like machine."),
        code(command),
        _origin(manifest),
    ]
    return page(f"Coreset of {data['file']}: {method} at {rate}", parts)


def _measured(of: Evaluated, manifest: Mapping) -> list[str]:
    model, floor = manifest["model"], of.study.floor
    return [
        heading("Does it help?"),
        *gain_parts(of),
        paragraph(
            f"How: a part of the file was held out. For each seed {model} looked at the rest, "
            f"{of.method} and {floor} chose from the rest at each rate, and a new {model} was "
            f"trained on each choice, and one on all of the rest ({of.study.ceiling}). All were "
            "tested on the part held out, which nothing had looked at."
        ),
        paragraph(
            f"The coreset in this folder was chosen from all {manifest['data']['signals']:,} "
            "signals, with the network of its own seed: it is made as those that were measured, "
            "and is none of them."
        ),
    ]


def _scores(kept: pd.DataFrame, method: str) -> list[str]:
    part = score_part(kept, method)
    return [heading("Scores"), part] if part else []


def _settings(manifest: Mapping) -> str:
    data = manifest["data"]
    looked, everything = manifest["recipe"] != "-", data["snr_min"] <= NO_CUT
    lines = [
        ["Method", f"{manifest['method']}, version {manifest['method_version']}"],
        ["Rate", f"{manifest['rate']:g}"],
        ["Network that looked", manifest["model"] if looked else "none"],
        ["Its training", manifest["recipe"] if looked else "none"],
        ["Seed", str(manifest["seed"])],
        ["Signals below this SNR left out", "none" if everything else f"{data['snr_min']:g} dB"],
        ["Scale", data["normalise"]],
    ]
    return table("What was asked for.", ["Setting", "Value"], lines)


def _origin(manifest: Mapping) -> str:
    facts, data = manifest["provenance"], manifest["data"]
    lines = [
        ["File", data["file"]],
        ["What was read of it", data["about"]],
        ["Fingerprint of the signals (SHA-256)", data["fingerprint"]],
        ["foqus", facts["foqus"] + (f", commit {facts['git']}" if facts["git"] else "")],
        ["Python, torch, numpy", f"{facts['python']}, {facts['torch']}, {facts['numpy']}"],
        ["Computed on", f"{facts['device']}, {facts['platform']}"],
        ["Seconds of training", f"{facts['seconds']:.1f}"],
    ]
    return table("Where it comes from; manifest.json has it for programs.", ["What", "Is"], lines)

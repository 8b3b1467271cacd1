"""Committed rows -> the tables and numbers that the book's pages print. Nobody types a number.

    book/results/reported/             the paper's tables -> what a check of them shows
    book/results/<layer>/<stem>.csv    rows of a study, for instance main.csv (Tables I-II) and
                                       ablation.csv (Table V); the caller says which study a stem is
    book/results/benchmarks/*.csv      what benchmarks/ measured: see `benches`
    book/claims.yml                    what the paper claims, and which rows test it: see `claims`

Every derived file goes to a folder `derived` beside its source; a test derives all again.
"""

import math
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from foqus_lib.experiment.rows import load_rows
from foqus_lib.experiment.study import Study
from foqus_lib.report import audit, benches, claims, compare, paper, real, standing, steps
from foqus_lib.report.beside_paper import against_paper, excluded, paper_differences
from foqus_lib.report.blocks import block_names, block_title, budget_texts
from foqus_lib.report.coreset_tables import ablation_table, table_v
from foqus_lib.report.differences import comparison_text, difference_to_floor
from foqus_lib.report.drawn import layer_figures
from foqus_lib.report.means import budget_table
from foqus_lib.report.printed import Table, write_csv, write_json, write_plain
from foqus_lib.selection.catalog import RULES, TERMS, ablation_name

RESULTS = paper.REPORTED.parent
MAIN, ABLATION = "main", "ablation"  # the stems that have tables of their own
BOUNDARY = "boundary"  # its page quotes the size of the groups too


def derive(
    studies: Mapping[str, Study], results: Path = RESULTS, target: Path | None = None
) -> list[Path]:
    """Write every derived file below `target` (default: where they belong); says which.

    studies: {"main": CORESET, "mixing/rows": MIXING, ...}: whose rows a committed CSV of that name
    holds, in any layer or in the one that is named. Nothing is replaced before all are made, and
    what nothing derives any more is gone.
    """
    target = target or results
    with tempfile.TemporaryDirectory() as folder:
        _write(dict(studies), results, made := Path(folder))
        for stale in target.glob("*/derived"):
            shutil.rmtree(stale)
        shutil.copytree(made, target, dirs_exist_ok=True)
    return sorted(path for path in target.glob("*/derived/*") if path.is_file())


def _write(studies: dict[str, Study], results: Path, target: Path) -> None:
    """Every derived file of `results`, below `target`."""
    if board := studies.pop(standing.STEM, None):  # it has places in place of verdicts
        standing.derive(board, results, target)
    audit.derive(target / "reported" / "derived")
    real.derive(target / "reference" / "derived")
    layers = {folder.name: _read(folder, studies) for folder in _layers(results, studies)}
    for name, parts in layers.items():
        _layer(parts, _of_layer(name, studies), target / name / "derived")
    benches.derive(results / "benchmarks", target / "benchmarks" / "derived")
    claims.derive(layers, studies, target / "claims" / "derived")


def _layers(results: Path, studies: Mapping[str, Study]) -> list[Path]:
    """The folders that hold rows of one of the studies."""
    patterns = [stem if "/" in stem else f"*/{stem}" for stem in studies]
    return sorted({path.parent for stem in patterns for path in results.glob(f"{stem}.csv")})


def _of_layer(name: str, studies: Mapping[str, Study]) -> dict[str, Study]:
    """{stem: study} of the files of a layer."""
    return {
        stem.removeprefix(f"{name}/"): study
        for stem, study in studies.items()
        if "/" not in stem or stem.startswith(f"{name}/")
    }


def _read(folder: Path, studies: Mapping[str, Study]) -> dict[str, pd.DataFrame]:
    """{"main": rows, ...} of one layer; its page cannot do without the main rows of a study."""
    studies = _of_layer(folder.name, studies)
    stems = [stem for stem in studies if (folder / f"{stem}.csv").exists()]
    if MAIN in studies and MAIN not in stems:
        for stem in stems:
            if studies[stem].name == studies[MAIN].name:
                raise ValueError(
                    f"{folder}: has {stem}.csv but no {MAIN}.csv, which the pages quote. "
                    f"Export the main rows there: foqus sweep ... --export {folder.name}/{MAIN}.csv"
                )
    return {stem: load_rows(folder / f"{stem}.csv", studies[stem]) for stem in stems}


# ---- one layer of measured rows ------------------------------------------------------------------


def _layer(parts: Mapping[str, pd.DataFrame], studies: Mapping[str, Study], folder: Path) -> None:
    """Tables of one layer, pairing, and the numbers its pages quote."""
    summary, pairs = {}, []
    for stem, rows in parts.items():
        study = studies[stem]
        rows = study.tabled(rows) if study.tabled else rows  # others have a table on their page
        part = _part(stem, rows, study, folder)
        summary |= part if stem == MAIN else {stem: part}
        if MAIN not in parts or study is studies[MAIN]:  # the page's table has one kind of column
            pairs.append(_pairing(rows, study, f"{stem}.csv"))
    together = pd.concat(pairs)
    write_plain(together, folder / "pairing.csv")
    summary["pairing"] = _pays(together)
    write_json(folder / "summary.json", summary)


def _pairing(rows: pd.DataFrame, study: Study, name: str) -> pd.DataFrame:
    """`compare.pairing` as a page shows it: what `compare.PAIRED` gains."""
    found = compare.pairing(rows, study)
    if found.empty:
        return found
    return pd.DataFrame({
        "Rows": name,
        block_title(study): block_names(found, study),
        study.axis.title: budget_texts(found, study),
        "Methods": found.methods,
        "Seeds": found.seeds,
        "Trials": found.trials,
        "Correlation over seeds": found.correlation_seeds,
        "Lowest": found.lowest,
        "Highest": found.highest,
        "As high, shuffled": found.shuffled,
        "Correlation over trials": found.correlation_repeats,
        "Sd of a difference, paired": found.paired_sd,
        "Sd of a difference, unpaired": found.unpaired_sd,
        "Ratio": found.ratio,
        "Break-even": found.break_even,
        "Break-even, strictest": found.strictest,
    })  # fmt: skip


def _pays(pairs: pd.DataFrame) -> dict:
    """In how many lines of the table pairs give the narrower interval, and what they cost at most.

    strictest: at the first step of Holm's adjustment; wider: by so many per cent of an interval.
    clear: where shuffled seeds of the floor seldom correlate as much.
    """
    if pairs.empty:
        return {"of": 0, "below": 0, "strictest": 0, "wider": None, "clear": 0}
    known = pairs[pairs.Ratio.notna() & pairs["Break-even"].notna()]
    strictest = known.Ratio / known["Break-even, strictest"]
    return {
        "of": len(known),
        "below": int((known.Ratio < known["Break-even"]).sum()),
        "strictest": int((strictest < 1).sum()),
        "wider": _json_value(100 * max(float(strictest.max()) - 1, 0.0)),
        "clear": int((known["As high, shuffled"] < compare.LEVEL).sum()),
    }


def _part(stem: str, rows: pd.DataFrame, study: Study, folder: Path) -> dict:
    """Two tables of one file of rows; what its page quotes of them."""
    differences = difference_to_floor(rows, study)
    dataset, *others = rows.dataset.unique()
    if others:
        raise ValueError(
            f"{stem}.csv: dataset: expected one, got {dataset}, {', '.join(others)}. A file each"
        )
    if stem == ABLATION:
        table = ablation_table(rows, study, paper.ablation())
    else:
        theirs = paper.beside(dataset) if "selection_model" in study.block else None
        table = budget_table(rows, study, theirs)
    write_csv(table, folder / f"{stem}.csv")
    write_csv(differences, folder / f"{'' if stem == MAIN else stem + '_'}differences.csv")
    found = _quoted(rows, table, differences, study)
    if stem == ABLATION:
        layer_figures(stem, rows, study, folder)
        return found | {
            "by_rule": _by_rule(differences.numbers),
            "parts": _parts(differences.numbers),
        }
    found["accuracy"] = _by_budget(table.numbers, ["mean", "sd", "n", "repeats"], study)
    if stem == BOUNDARY:
        found["groups"] = _ends_of(rows, "share")
    found |= steps.quoted(rows, study)
    theirs = None
    if stem == MAIN and paper.set_of(dataset):
        theirs = paper_differences(differences.numbers, study, paper.set_of(dataset))
        write_plain(against_paper(theirs, study), folder / "against_paper.csv")
        found["excluded"] = excluded(theirs, study)
    layer_figures(stem, rows, study, folder, theirs)
    return found


def _quoted(rows: pd.DataFrame, table: Table, differences: Table, study: Study) -> dict:
    numbers = differences.numbers
    numbers = numbers.assign(text=[
        comparison_text(row, study.metrics[0]) for row in numbers.itertuples()
    ])  # fmt: skip
    columns = ["difference", "low", "high", "n", "p_holm", "detectable", "verdict", "text"]
    return {
        "_about": _about(rows, study),
        "note": {"main": table.note, "differences": differences.note},
        # of the trials alone: the trainings that they share are in no row
        "runs": {"cells": len(rows), "hours": rows.seconds.sum() / 3600},
        "budgets": ", ".join(dict.fromkeys(numbers.sort_values("budget").column)),
        "difference": _by_budget(numbers, columns, study),
        "verdicts": _verdicts(numbers),
        "counts": _counts(numbers),
    }


def _by_budget(numbers: pd.DataFrame, columns: list[str], study: Study) -> dict:
    """{method: {"1 %": {column: value}}}, for {res}; the average over budgets is left out.

    With several blocks a method is headed by its block: "CNN1D → CNN2D, FoQuS".
    """
    numbers = numbers[numbers.budget.notna()]
    blocks, names = block_names(numbers, study), numbers.method
    if blocks.nunique() > 1:
        names = blocks + ", " + names
    return {
        name: {
            row.column: {column: _json_value(getattr(row, column)) for column in columns}
            for row in group.itertuples()
        }
        for name, group in numbers.groupby(names, sort=False)
    }


def _verdicts(numbers: pd.DataFrame) -> dict:
    """{"1 %": {"better": 2, "worse": 1, "no difference shown": 8}}: how many methods."""
    kinds = ("better", "worse", compare.UNSHOWN)
    return {
        column: {kind: int((group.verdict == kind).sum()) for kind in kinds}
        for column, group in numbers.groupby("column", sort=False)
    }


def _counts(numbers: pd.DataFrame) -> str:
    """ "1 %: 0 better, 2 worse, 8 not told apart; 5 %: ..." of all budgets that are there."""
    told = [
        f"{column}: {kinds['better']} better, {kinds['worse']} worse, "
        f"{kinds[compare.UNSHOWN]} not told apart"
        for column, kinds in _verdicts(numbers.sort_values("budget", kind="stable")).items()
    ]
    return "; ".join(told)


def _by_rule(numbers: pd.DataFrame) -> dict:
    """{"tiers": "1 %: 0 of 11 worse, 0 better; 5 %: ...", "top-k": ...}: the methods of Table V."""
    numbers = numbers.sort_values("budget", kind="stable")
    found = {}
    for rule in RULES:
        names = {name for _, _, its_rule, name in table_v() if its_rule == rule}
        own = numbers[numbers.method.isin(names)]
        found[rule] = "; ".join(
            f"{column}: {sum(group.verdict == 'worse')} of {len(group)} worse, "
            f"{sum(group.verdict == 'better')} better"
            for column, group in own.groupby("column", sort=False)
        )
    return found


def _ends_of(rows: pd.DataFrame, metric: str) -> dict:
    """{method: {"least": ..., "most": ...}} of a share over its trials, in per cent."""
    ends = 100 * rows.groupby("method")[metric].agg(["min", "max"])
    return {name: {"least": low, "most": high} for name, low, high in ends.itertuples()}


def _parts(numbers: pd.DataFrame) -> str:
    """ "4 of 6 at 1 %; ..." shown below: the terms and their pairs as printed, without tiers."""
    names = {ablation_name(terms, "as printed", "top-k") for terms in TERMS[:-1]}
    numbers = numbers[numbers.method.isin(names)].sort_values("budget", kind="stable")
    return "; ".join(
        f"{sum(group.verdict == 'worse')} of {len(group)} at {column}"
        for column, group in numbers.groupby("column", sort=False)
    )


def _about(rows: pd.DataFrame, study: Study) -> dict:
    """Where the numbers come from, shown beside each of them."""
    facts = {name: sorted(set(rows[name]) - {""}) for name in ("about", "device", "torch", "git")}
    recipes = rows.evaluation_recipe if "evaluation_recipe" in rows else pd.Series(dtype=str)
    return {name: "; ".join(values) for name, values in facts.items()} | {
        "recipe": "; ".join(sorted(set(recipes)))
    }


def _json_value(value: object) -> object:
    """JSON has no NaN and no numpy: null prints as "not run yet"."""
    if isinstance(value, str):
        return value
    if value is None or math.isnan(value):
        return None
    return int(value) if value == int(value) else float(value)

"""Result rows of a study, grouped as a table shows them: a block is (data, block settings)."""

import pandas as pd

from foqus_lib.experiment.key import NONE
from foqus_lib.experiment.study import Study
from foqus_lib.report import paper

MODELS = "selection_model", "evaluation_model"  # the block of Table III
TRIAL = ["dataset", "fingerprint", "method", "budget", "seed", "repeat"]
FACTS = ["device", "git", "torch"]  # may differ within a table, but then the table says so
SHOWN = 4  # names in a list that may be long


def block_of(study: Study) -> list[str]:
    """The columns that tell one block from another."""
    return ["dataset", *study.block]


def in_blocks(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows; one with the block setting "-" is repeated in every block it fits.

    Refuses what one table must not mix: another study, two versions, two fingerprints of one data
    set, a trial given twice.
    """
    _check(rows, study)
    rows, keys = mean_of_draws(rows, study), block_of(study)
    shared = rows[list(study.block)].eq(NONE).any(axis=1)
    blocks = rows.loc[~shared, keys].drop_duplicates()
    parts = [rows[~shared]]
    for key, group in rows[shared].groupby(keys, sort=False):
        own = dict(zip(keys, key, strict=True))
        given = [name for name in keys if own[name] != NONE]
        fits = blocks[(blocks[given] == [own[name] for name in given]).all(axis=1)]
        parts += [group.assign(**home) for home in fits.to_dict("records") or [own]]
    return pd.concat(parts, ignore_index=True)


def compared_of(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows that are set against the floor and each other: of any method but a ceiling."""
    return rows[~rows.method.isin([study.ceiling, *study.uncompared])]


def mean_of_draws(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows with the draws of `study.drawn` as one row a seed: their mean, as repeat 0.

    Other methods have but one, and none of theirs is missing.
    """
    drawn = rows.method.isin(study.drawn)
    if not drawn.any():
        return rows
    keys = [*block_of(study), "method", "budget", "seed"]
    how = {
        name: "mean" if rows[name].dtype == float else "first"
        for name in rows.columns
        if name not in keys
    }
    groups = rows[drawn].sort_values("repeat", kind="stable").groupby(keys, sort=False)
    means = groups.agg(how).assign(repeat=0).reset_index()[list(rows.columns)]
    return pd.concat([means, rows[~drawn]], ignore_index=True)


def _check(rows: pd.DataFrame, study: Study) -> None:
    if rows.empty:
        raise ValueError("no result rows: run the sweep first, or widen the filter")
    needed = ["study", "version", *TRIAL, *study.settings, study.metrics[0].name]
    if missing := [name for name in needed if name not in rows.columns]:
        raise ValueError(
            f"rows of {study.name}: missing columns {', '.join(missing)}; "
            "expected the rows of this study as a sweep or load_rows gives them"
        )
    for name, wanted in (("study", study.name), ("version", study.version)):
        if set(rows[name]) != {wanted}:
            raise ValueError(
                f"rows: expected {name} {wanted}, got {_listed(rows[name])}. "
                "One table shows one study at its present version: filter the rows, or compute "
                "the old ones again"
            )
    fixed = [name for name in study.settings if name not in study.block and not _recipe(name)]
    for keys, field in (
        (["dataset"], "fingerprint"),
        *(([*block_of(study), "method"], name) for name in fixed),
    ):
        kinds = rows.groupby(keys)[field].unique()
        for key, found in kinds[kinds.map(len) > 1].items():
            key = key if isinstance(key, tuple) else (key,)
            raise ValueError(
                f"rows mix {len(found)} values of {field} for {' / '.join(map(str, key))}: "
                f"{list(found)}. One table shows one: filter the rows first"
            )
    _one_version_of_each(rows)
    trial = [*block_of(study), "method", "budget", "seed", "repeat"]
    if (again := rows.duplicated(trial)).any():
        raise ValueError(f"rows give a trial twice: {rows.loc[again, trial].iloc[0].to_dict()}")


def _one_version_of_each(rows: pd.DataFrame) -> None:
    """What two methods share, such as the training loop, must be the same code in both."""
    versions: dict[str, dict[str, str]] = {}
    for text, method in zip(rows.get("versions", []), rows.method, strict=False):
        for part, version in (token.split("=") for token in text.split() if "=" in token):
            versions.setdefault(part, {}).setdefault(version, method)
    for part, found in versions.items():
        if len(found) > 1:
            rows_of = ", ".join(f"{part}={version} ({method})" for version, method in found.items())
            raise ValueError(
                f"rows mix versions of {part}: {rows_of}. One table shows one: compute the rows of "
                "the older one again, or leave them out"
            )


def _recipe(setting: str) -> bool:
    """Recipes may differ within a table, which then says so; other settings may not."""
    return setting.endswith("recipe")


def _listed(values: pd.Series) -> str:
    return ", ".join(map(str, sorted(set(values))))


def budgets_of(rows: pd.DataFrame) -> list[int]:
    """The budgets there are, in order, as plain whole numbers."""
    return sorted(map(int, rows.budget.unique()))


def budget_texts(rows: pd.DataFrame, study: Study) -> list[str]:
    """What heads a column, row by row: 500 -> "5 %"."""
    return [study.axis.text(int(budget)) for budget in rows.budget]


def in_order(names: list[str], study: Study) -> list[str]:
    """The floor, the paper's methods in the paper's order, others as they come, the ceiling."""
    ends = [study.floor, study.ceiling]
    found = [name for name in dict.fromkeys(names) if name not in ends]
    known = [name for name in paper.methods() if name in found]
    others = [name for name in found if name not in known]
    placed = [study.floor] * (study.floor in names)
    for name in known:  # "FoQuS (min-max)" stands below "FoQuS"
        placed += [name, *(other for other in others if other.startswith(f"{name} ("))]
    placed += [name for name in others if name not in placed]
    return placed + [study.ceiling] * (study.ceiling in names)


def heads(methods: pd.Series, study: Study) -> pd.Series:
    """The methods, floor and ceiling marked as such; or the ceiling as `reference` has it."""
    ceiling = study.reference or f"{study.ceiling} (ceiling)"
    names = {study.floor: f"{study.floor} (floor)", study.ceiling: ceiling}
    return methods.replace(names)


def block_names(frame: pd.DataFrame, study: Study) -> pd.Series:
    """ "CNN1D → CNN2D", "ResNet20, whole"; empty text for a study without block settings."""
    names = pd.Series("", index=frame.index)
    for place, setting in enumerate(study.block):
        names = names + (_between(study) if place else "") + frame[setting].astype("str")
    return names


def block_title(study: Study) -> str:
    """What heads a column of block names: "Selection model → evaluation model"."""
    return _between(study).join(study.block).replace("_", " ").capitalize()


def _between(study: Study) -> str:
    """An arrow means that what the first network selects trains the second."""
    return " → " if study.block == MODELS else ", "


# ---- what stands below a table -------------------------------------------------------------------


MEAN = "Mean ± sample standard deviation"


def note_on(blocked: pd.DataFrame, study: Study, unfinished: str = "", printed: str = MEAN) -> str:
    """The data, what is printed, n, recipes, facts that differ in the table, what is missing.

    `unfinished` is `Scan.note` of the grid: it knows trials no row hints at, and why they failed.
    """
    about = "; ".join(sorted({text for text in blocked.get("about", []) if text}))
    parts = [
        about if about.endswith(".") or not about else f"{about}.",
        f"{printed} {_seeds(blocked, study)}",
    ]
    recipes = [name for name in study.settings if _recipe(name)]
    parts += [_fact(blocked, name, study) for name in recipes]
    parts += [
        _fact(blocked, name, study)
        for name in FACTS
        if name in blocked and blocked[name].nunique() > 1
    ]
    fewer, none = _lacking(blocked, study)
    parts += [f"Fewer trials than others in its column: {_some(fewer)}."] if fewer else []
    parts += [f"No trials: {_some(none)}."] if none else []
    if unfinished:
        parts.append(f"The grid is not finished: {unfinished.rstrip('.')}.")
    return " ".join(part for part in parts if part)


def _seeds(blocked: pd.DataFrame, study: Study) -> str:
    """How many selection seeds and repeats, at each budget where they differ."""
    compared = blocked[blocked.method != study.ceiling]
    counts = {
        study.axis.text(int(budget)): _counts(group, study)
        for budget, group in compared.groupby("budget")
    }
    if len(ceiling := blocked[blocked.method == study.ceiling]):
        counts[study.ceiling] = _counts(ceiling, study)
    alike = {count: [w for w in counts if counts[w] == count] for count in counts.values()}
    if len(alike) == 1:
        words = next(iter(alike))
    else:
        words = "; ".join(f"{', '.join(where)}: {count}" for count, where in alike.items())
    return f"over selection seeds, each the mean of its repeats ({words})."


def _counts(rows: pd.DataFrame, study: Study) -> str:
    """ "n = 10 seeds x 8 repeats", with ranges where a method lacks some."""
    repeats = rows.groupby([*block_of(study), "method", "budget", "seed"], sort=False).size()
    seeds = repeats.groupby(level=[*block_of(study), "method", "budget"], sort=False).size()
    return f"n = {_range(seeds, 'seed')} x {_range(repeats, 'repeat')}"


def _range(counts: pd.Series, word: str) -> str:
    low, high = counts.min(), counts.max()
    number = f"{low}" if low == high else f"{low} to {high}"
    return f"{number} {word}" + ("s" if high > 1 else "")


def _fact(blocked: pd.DataFrame, name: str, study: Study) -> str:
    """ "Torch differs: 2.13.0 (40 rows), 2.12.0 (2 rows: FoQuS)"; one value stands alone."""
    found = blocked[blocked[name] != NONE]
    title = name.replace("_", " ").capitalize()
    kinds = found[name].value_counts()
    if len(kinds) == 0:
        return ""
    if len(kinds) == 1:
        return f"{title}: {kinds.index[0]}."
    methods = {
        value: in_order(list(found.method[found[name] == value]), study) for value in kinds.index
    }
    told = [_told(kinds.index[0], int(kinds.iloc[0]), [], name)]
    told += [_told(v, int(n), methods[v], name) for v, n in kinds.iloc[1:SHOWN].items()]
    if others := len(kinds) - len(told):
        told.append(f"and {others} more")
    return f"{title} differs: {', '.join(told)}."


def _told(value: str, rows: int, methods: list[str], name: str) -> str:
    """One value of a fact, how many rows have it, and the rows' methods."""
    text = f"{value[:9]}{value[40:]}" if name == "git" else value  # 40 digits and "+dirty"
    some = ", ".join(methods[:SHOWN]) + (", ..." if len(methods) > SHOWN else "")
    return f"{text or 'not known'} ({rows} rows{': ' + some if some else ''})"


def _lacking(blocked: pd.DataFrame, study: Study) -> tuple[list[str], list[str]]:
    """Cells with some of the trials that their column has, and rows without any at some budgets."""
    fewer, none = [], []
    blocks = list(blocked[blocked.method != study.ceiling].groupby(block_of(study), sort=False))
    for _, group in blocks:
        where = f"{block_names(group, study).iloc[0]} " if len(blocks) > 1 else ""
        trials = group[["method", "budget", "seed", "repeat"]].itertuples(index=False, name=None)
        have: dict[tuple, set] = {}
        for method, budget, *which in trials:
            have.setdefault((method, budget), set()).add(tuple(which))
        for method in in_order(list(group.method), study):
            empty = []
            for budget in budgets_of(group):
                got = have.get((method, budget), set())
                wanted = set().union(*(of for (_, at), of in have.items() if at == budget))
                if not got:
                    empty.append(study.axis.text(budget))
                elif lost := sorted(wanted - got):
                    first = "no seed {} repeat {}".format(*lost[0]) + ", ..." * (len(lost) > 1)
                    cell = f"{where}{method} at {study.axis.text(budget)}"
                    fewer.append(f"{cell} ({len(got)} of {len(wanted)}: {first})")
            none += [f"{where}{method} at {', '.join(empty)}"] if empty else []
    return fewer, none


def _some(names: list[str]) -> str:
    """The first few, and how many more there are."""
    more = [f"and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return "; ".join(names[:SHOWN] + more)


def titled(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The table with its row heads named as they are printed."""
    titles = {"dataset": "Data", "models": block_title(study), "row": "Method"}
    return table.rename_axis([titles[name] for name in table.index.names])

"""What the specification expects of DTC, what it is to be set beside, and what the rows have."""

from collections.abc import Iterator

import pandas as pd

from foqus_lib.experiment.bar import Measured
from foqus_lib.studies.clustering import options as names

LARGEST = 0.6  # share of signals that one cluster may hold
# (its number there, metric, the row that DTC A is compared with, the least difference)
LEAST = (
    ("6.7.2", "acc", names.FLOOR, 0.30),
    ("6.7.2", "acc", names.SPECTRUM, 0.15),
    ("6.7.2", "acc", names.OF_AUTOENCODER, 0.15),
    ("6.7.2", "nmi", names.PRETRAINED, 0.03),
    ("6.7.2", "acc", names.PRETRAINED, -0.03),
    ("6.7.3", "acc", names.DAC, 0.25),
)
# Beside them, of our own: DAC with the head that DTC A has, so that transfer alone is between them,
# and the rows that know what DTC knows. (ours, the other, metric, the least difference)
BESIDE = (
    (names.DTC_A, names.DAC_HEAD, "acc", 0.25),  # as the specification asks over DAC
    (names.DTC_A, names.DAC_HEAD, "acc", 0.0),
    (names.DTC_A, names.DAC_HEAD, "nmi", 0.0),
    *(
        (ours, other, metric, 0.0)
        for ours in (names.DTC_A, names.DTC_B)
        for other in (names.PRETRAINED, names.AS_IS)
        for metric in ("acc", "nmi")
    ),
)


def bars(rows: pd.DataFrame) -> list[Measured]:
    """What `report.bars.judged` judges: seeds that have both rows, setting by setting, k by k.

    rows: of the table of clusters.
    """
    return [line for *_, where, here in _parts(rows) for line in _of_setting(where, here)]


def beside(rows: pd.DataFrame) -> list[Measured]:
    """The same of BESIDE, a family of its own: what DTC has over rows of its start or its labels.

    A setting without one of the two rows has no such line.
    """
    return [
        Measured("ours", _says(where, metric, ours, other, least), each, least)
        for *_, where, here in _parts(rows)
        for ours, other, metric, least in BESIDE
        if (each := tuple(differences(here, metric, other, ours)))
    ]


def _says(where: str, metric: str, ours: str, other: str, least: float) -> str:
    return f"{where}{metric.upper()} of {ours} less {other}, {100 * least:+.0f} or more"


def _parts(rows: pd.DataFrame) -> Iterator[tuple[str, int, str, pd.DataFrame]]:
    """Setting, k, both in words, and their rows; only k of which DTC A has rows, if it has any."""
    for setting, of_setting in rows.groupby("setting", sort=True):
        ks = sorted(of_setting.budget[of_setting.method == names.DTC_A].unique())
        for k in ks or sorted(of_setting.budget.unique())[:1]:
            which = f"setting {setting}, k = {k}: " if len(ks) > 1 else f"setting {setting}: "
            yield setting, int(k), which, of_setting[of_setting.budget == k]


def _of_setting(where: str, rows: pd.DataFrame) -> Iterator[Measured]:
    for number, metric, other, least in LEAST:
        says = _says(where, metric, names.DTC_A, other, least)
        yield Measured(number, says, tuple(differences(rows, metric, other)), least)
    ours = rows[rows.method == names.DTC_A]
    says = f"{where}largest cluster of any seed, {100 * LARGEST:.0f} % or less"
    yield Measured("6.7.4", says, tuple(ours.largest), most=LARGEST, unit="%", always=True)
    says = f"{where}no empty cluster in any seed"
    yield Measured("6.7.4", says, tuple(ours["empty"]), most=0, unit="", always=True)


def differences(rows: pd.DataFrame, metric: str, other: str, ours: str = names.DTC_A) -> pd.Series:
    """DTC A, or `ours`, less another row, seed by seed; empty if one of them has no row."""
    mine, theirs = (
        rows[rows.method == method].groupby("seed")[metric].mean() for method in (ours, other)
    )
    return (mine - theirs).dropna()


def told(judged: pd.DataFrame) -> str:
    """A table of `report.bars.judged` in lines of text: how many are met, then all others."""
    if judged.empty:
        return "nothing to judge"
    met = judged.verdict == "met"
    head = f"{met.sum()} of {len(judged)} are met"
    return f"{head}; else\n{listed(judged[~met])}" if not met.all() else head


def listed(judged: pd.DataFrame) -> str:
    """Every line of such a table with its number and its verdict."""
    return "\n".join(
        f"  {line.says}: {line.measured}, {line.verdict}" for line in judged.itertuples()
    )


def above_reference(rows: pd.DataFrame) -> str:
    """Which rows' means are above Supervised's, setting by setting: it is no ceiling there."""
    lines = []
    for (setting, metric), means in _means(rows):
        if names.CEILING not in means:
            continue
        mark = means[names.CEILING]
        higher = means[means > mark].sort_values(ascending=False, kind="stable")
        listed = "; ".join(f"{name} {value:.3f}" for name, value in higher.items())
        lines.append(
            f"setting {setting}, {metric.upper()}: {names.REFERENCE}, has {mark:.3f}; "
            + (f"higher are {listed}" if listed else "no row has more")
        )
    return "\n".join(lines)


def _means(rows: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.Series]]:
    """The mean over seeds of each row, of as many clusters as there are classes."""
    for setting, here in rows.groupby("setting", sort=True):
        of_classes = here[here.method == names.CEILING].budget
        here = here[here.budget.isin(of_classes)]
        for metric in ("acc", "nmi"):
            yield (setting, metric), here.groupby("method", sort=False)[metric].mean()


def merged(rows: pd.DataFrame) -> pd.DataFrame:
    """The seeds in which two classes have merged: ACC falls while NMI rises over pre-training.

    setting, k, seed, acc, nmi: the differences. They are reported, not dropped.
    """
    found = []
    for setting, k, _, here in _parts(rows):
        acc, nmi = (differences(here, m, names.PRETRAINED) for m in ("acc", "nmi"))
        at = acc.index[(acc < 0) & (nmi.reindex(acc.index) > 0)]
        found += [(setting, k, int(seed), acc[seed], nmi[seed]) for seed in at]
    return pd.DataFrame(found, columns=["setting", "k", "seed", "acc", "nmi"])


def emptied(rows: pd.DataFrame) -> str:
    """The clustering networks that left clusters without a signal, and the mend; "" if none did."""
    bad = rows[(rows["empty"] > 0) & ~rows.method.isin([names.AS_IS, names.CEILING])]
    lines = [
        f"{one.method}, setting {one.setting}, seed {one.seed}: {one.empty:.0f} of {one.budget} "
        "clusters are empty"
        for one in bad.itertuples()
    ]
    mend = "Raise balance, which rewards clusters of one size, or ask for fewer clusters"
    return "\n".join([*lines, mend] if lines else [])


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean ± sd over seeds of every metric, a line a row and k.

    Also how many clusters stayed empty: k that a network does not use is no k at all.
    """
    shown = [
        "acc", "nmi", "ari", "acc_test", "nmi_test", "ari_test", "recognition", "largest", "empty"
    ]  # fmt: skip
    named = rows.rename(columns={"budget": "k"})
    named = named.assign(method=named.method.replace(names.CEILING, names.REFERENCE))
    groups = named.groupby(["setting", "method", "k"], sort=False)[shown]
    mean, sd = groups.mean(), groups.std()
    text = mean.copy().astype(object)
    for column in shown:
        text[column] = [
            f"{m:.3f}" + ("" if s != s else f" ± {s:.3f}")
            for m, s in zip(mean[column], sd[column], strict=True)
        ]
    return text

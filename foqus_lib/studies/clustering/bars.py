"""What the specification expects of DTC, what it is to be set beside, and what the rows have."""

from collections.abc import Iterator

import pandas as pd

from foqus_lib.experiment.study import Bar
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


def bars(rows: pd.DataFrame) -> list[Bar]:
    """Of the rows of the table of clusters, setting by setting, k by k."""
    return [bar for at, in_words, _ in _parts(rows) for bar in _of_setting(at, in_words)]


def beside(rows: pd.DataFrame) -> list[Bar]:
    """The same of BESIDE, a family of its own: what DTC has over rows of its start or its labels.

    A setting without one of the two rows has no such line.
    """
    return [
        _less("ours", at, in_words, ours, other, metric, least)
        for at, in_words, here in _parts(rows)
        for ours, other, metric, least in BESIDE
        if {ours, other} <= set(here.method)
    ]


def _less(
    number: str, at: dict, in_words: str, ours: str, other: str, metric: str, least: float
) -> Bar:
    says = f"{in_words}{metric.upper()} of {ours} less {other}, {100 * least:+.0f} or more"
    return Bar(number, says, (ours,), other, metric, least, where=at)


def _parts(rows: pd.DataFrame) -> Iterator[tuple[dict, str, pd.DataFrame]]:
    """Setting and k, in words, and their rows; only k of which DTC A has rows, if it has any."""
    for setting, of_setting in rows.groupby("setting", sort=True):
        ks = sorted(of_setting.budget[of_setting.method == names.DTC_A].unique())
        for k in ks or sorted(of_setting.budget.unique())[:1]:
            which = f"setting {setting}, k = {k}: " if len(ks) > 1 else f"setting {setting}: "
            yield {"setting": setting, "budget": int(k)}, which, of_setting[of_setting.budget == k]


def _of_setting(at: dict, in_words: str) -> Iterator[Bar]:
    ours = (names.DTC_A,)
    for number, metric, other, least in LEAST:
        yield _less(number, at, in_words, names.DTC_A, other, metric, least)
    says = f"{in_words}largest cluster of any seed, {100 * LARGEST:.0f} % or less"
    yield Bar("6.7.4", says, ours, None, "largest", most=LARGEST, where=at, always=True)
    says = f"{in_words}no empty cluster in any seed"
    yield Bar("6.7.4", says, ours, None, "empty", most=0, where=at, unit="", always=True)


def told(judged: pd.DataFrame) -> str:
    """A table of `report.bars.judge` in lines of text: how many are met, then all others."""
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
    for at, _, here in _parts(rows):
        ours, before = (
            here[here.method == method].groupby("seed")[["acc", "nmi"]].mean()
            for method in (names.DTC_A, names.PRETRAINED)
        )
        less = ours - before
        found += [
            (*at.values(), int(one.Index), one.acc, one.nmi)
            for one in less[(less.acc < 0) & (less.nmi > 0)].itertuples()
        ]
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

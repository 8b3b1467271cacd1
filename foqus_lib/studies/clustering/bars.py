"""What the specification expects of DTC, and what the rows have of it."""

from collections.abc import Iterator

import pandas as pd

from foqus_lib.experiment.bar import Measured
from foqus_lib.studies.clustering import options as names

LARGEST = 0.6  # share of signals that one cluster may hold
# (metric, the row that DTC A is compared with, the least difference)
LEAST = (
    ("acc", names.FLOOR, 0.30),
    ("acc", names.SPECTRUM, 0.15),
    ("acc", names.OF_AUTOENCODER, 0.15),
    ("nmi", names.PRETRAINED, 0.03),
    ("acc", names.PRETRAINED, -0.03),
    ("acc", names.DAC, 0.25),
)


def bars(rows: pd.DataFrame) -> list[Measured]:
    """What `report.bars.judged` judges: seeds that have both rows, setting by setting, k by k.

    rows: of the table of clusters.
    """
    return [line for *_, where, here in _parts(rows) for line in _of_setting(where, here)]


def _parts(rows: pd.DataFrame) -> Iterator[tuple[str, int, str, pd.DataFrame]]:
    """Setting, k, both in words, and their rows; only k of which DTC A has rows, if it has any."""
    for setting, of_setting in rows.groupby("setting", sort=True):
        ks = sorted(of_setting.budget[of_setting.method == names.DTC_A].unique())
        for k in ks or sorted(of_setting.budget.unique())[:1]:
            which = f"setting {setting}, k = {k}: " if len(ks) > 1 else f"setting {setting}: "
            yield setting, int(k), which, of_setting[of_setting.budget == k]


def _of_setting(where: str, rows: pd.DataFrame) -> Iterator[Measured]:
    for metric, other, least in LEAST:
        says = f"{where}{metric.upper()} of {names.DTC_A} less {other}, {100 * least:+.0f} or more"
        yield Measured("6.7.2", says, tuple(differences(rows, metric, other)), least)
    ours = rows[rows.method == names.DTC_A]
    says = f"{where}largest cluster of any seed, {100 * LARGEST:.0f} % or less"
    yield Measured("6.7.3", says, tuple(ours.largest), most=LARGEST, unit="%", always=True)
    says = f"{where}no empty cluster in any seed"
    yield Measured("6.7.3", says, tuple(ours["empty"]), most=0, unit="", always=True)


def differences(rows: pd.DataFrame, metric: str, other: str) -> pd.Series:
    """DTC A less another row, seed by seed; empty if one of them has no row."""
    ours, theirs = (
        rows[rows.method == method].groupby("seed")[metric].mean()
        for method in (names.DTC_A, other)
    )
    return (ours - theirs).dropna()


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
    groups = named.groupby(["setting", "method", "k"], sort=False)[shown]
    mean, sd = groups.mean(), groups.std()
    text = mean.copy().astype(object)
    for column in shown:
        text[column] = [
            f"{m:.3f}" + ("" if s != s else f" ± {s:.3f}")
            for m, s in zip(mean[column], sd[column], strict=True)
        ]
    return text

"""What the specification expects of DTC, printed as met or not from the rows that there are."""

from collections.abc import Iterator

import pandas as pd

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
COLUMNS = ["setting", "bar", "wanted", "found", "n", "verdict"]
NOT_MEASURED = "not measured"


def bars(rows: pd.DataFrame) -> pd.DataFrame:
    """One line a bar and setting; `found` is the mean over seeds that have both rows.

    rows: of the table of clusters, one k a setting. A bar whose rows are missing is not measured.
    """
    found = [
        line
        for setting, of_setting in rows.groupby("setting", sort=True)
        for line in _of_setting(str(setting), of_setting)
    ]
    return pd.DataFrame(found, columns=COLUMNS)


def _of_setting(setting: str, rows: pd.DataFrame) -> Iterator[tuple]:
    for metric, other, least in LEAST:
        each = differences(rows, metric, other)
        bar = f"{metric.upper()} of {names.DTC_A} less {other}"
        wanted = f"{100 * least:+.0f} points or more"
        if each.empty:
            yield setting, bar, wanted, "", 0, NOT_MEASURED
            continue
        met = bool(each.mean() >= least)
        yield setting, bar, wanted, f"{100 * each.mean():+.1f}", len(each), _verdict(met)
    ours = rows[rows.method == names.DTC_A]
    for bar, wanted, column, most in (
        ("largest cluster, any seed", f"{100 * LARGEST:.0f} % or less", "largest", LARGEST),
        ("empty clusters, any seed", "0", "empty", 0),
    ):
        if ours.empty:
            yield setting, bar, wanted, "", 0, NOT_MEASURED
            continue
        worst = ours[column].max()
        text = f"{100 * worst:.0f} %" if column == "largest" else f"{worst:.0f}"
        yield setting, bar, wanted, text, len(ours), _verdict(bool(worst <= most))


def _verdict(met: bool) -> str:
    return "met" if met else "not met"


def differences(rows: pd.DataFrame, metric: str, other: str) -> pd.Series:
    """DTC A less another row, seed by seed; empty if one of them has no row."""
    ours, theirs = (
        rows[rows.method == method].groupby("seed")[metric].mean()
        for method in (names.DTC_A, other)
    )
    return (ours - theirs).dropna()


def merged(rows: pd.DataFrame) -> pd.DataFrame:
    """The seeds in which two classes have merged: ACC falls while NMI rises over pre-training.

    setting, seed, acc, nmi: the differences. They are reported, not dropped.
    """
    found = []
    for setting, of_setting in rows.groupby("setting", sort=True):
        acc, nmi = (differences(of_setting, m, names.PRETRAINED) for m in ("acc", "nmi"))
        at = acc.index[(acc < 0) & (nmi.reindex(acc.index) > 0)]
        found += [(setting, int(seed), acc[seed], nmi[seed]) for seed in at]
    return pd.DataFrame(found, columns=["setting", "seed", "acc", "nmi"])


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean ± sd over seeds of ACC, NMI, ARI on training and test signals, a line a row."""
    shown = ["acc", "nmi", "ari", "acc_test", "nmi_test", "ari_test", "recognition", "largest"]
    groups = rows.groupby(["setting", "method"], sort=False)[shown]
    mean, sd = groups.mean(), groups.std()
    text = mean.copy().astype(object)
    for column in shown:
        text[column] = [
            f"{m:.3f}" + ("" if s != s else f" ± {s:.3f}")
            for m, s in zip(mean[column], sd[column], strict=True)
        ]
    return text

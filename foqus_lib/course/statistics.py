"""Exercises on what a table says: an interval over seeds, many verdicts at once, decibels."""

import numpy as np
import pandas as pd
from scipy import stats

from foqus_lib.course.exercise import Exercise, Mistake
from foqus_lib.report import compare


def _by_seed(values: np.ndarray) -> pd.Series:
    """One number a seed, as the library's tables hold it."""
    index = pd.MultiIndex.from_product([range(len(values)), [0]], names=["seed", "repeat"])
    return pd.Series(np.asarray(values, dtype=float), index=index)


def _interval(middle, error, factor):
    return middle - factor * error, middle + factor * error


def paired_interval(ours, theirs) -> tuple[float, float]:
    """The library's: mean of the seeds' differences, plus and minus t times its error."""
    middle, _, _, error, freedom = compare.paired(_by_seed(ours), _by_seed(theirs))
    return _interval(middle, error, stats.t.ppf(1 - compare.LEVEL / 2, freedom))


def _welch(ours, theirs):
    middle, _, _, error, freedom = compare.welch(_by_seed(ours), _by_seed(theirs))
    return _interval(middle, error, stats.t.ppf(0.975, freedom))


def _pooled(ours, theirs):
    test = stats.ttest_ind(ours, theirs)
    return tuple(test.confidence_interval(0.95))


def _added(factor):
    """Variances of both rows, added: what holds of independent ones."""

    def interval(ours, theirs):
        n = len(ours)
        error = np.sqrt((np.var(ours, ddof=1) + np.var(theirs, ddof=1)) / n)
        return _interval(np.mean(ours) - np.mean(theirs), error, factor(n))

    return interval


STRANGERS = (
    "the seeds of both rows are treated as strangers: subtract seed by seed first. "
    "What a seed has in common then goes away."
)


def _with(factor=lambda n: stats.t.ppf(0.975, n - 1), ddof=1, root=np.sqrt, sign=1):
    def interval(ours, theirs):
        each = sign * (np.asarray(ours) - theirs)
        n = len(each)
        return _interval(each.mean(), each.std(ddof=ddof) / root(n), factor(n))

    return interval


def _centre_and_half(low, high):
    return (low + high) / 2, (high - low) / 2


def _two_rows(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(5, 9))
    seed = rng.normal(0.5, 0.05, n)
    return seed + rng.normal(0.02, 0.01, n), seed + rng.normal(0, 0.01, n)


interval = Exercise(
    asks="ours (n,), theirs (n,), accuracies of the same n >= 5 seeds -> low, high: 95 % interval "
    "of the mean difference",
    right=paired_interval,
    # differences 1, 2, 3, 4, 5: mean 3, sd sqrt(2.5), error sqrt(0.5), t with 4 degrees 2.776
    hand=(np.array([11.0, 22, 33, 44, 55]), np.array([10.0, 20, 30, 40, 50])),
    worked={"the result": [3 - 2.7764451 * 0.5**0.5, 3 + 2.7764451 * 0.5**0.5]},
    random=_two_rows,
    mistakes=(
        Mistake(_welch, STRANGERS),
        Mistake(_pooled, STRANGERS),
        Mistake(_added(lambda n: stats.t.ppf(0.975, n - 1)), STRANGERS),
        Mistake(_added(lambda n: 1.96), STRANGERS),
        Mistake(
            _with(factor=lambda n: stats.norm.ppf(0.975)),
            "1.96 is for a known spread. It is estimated from n seeds: take Student's t, n - 1.",
        ),
        Mistake(
            _with(factor=lambda n: 1.96), "1.96 is for a known spread: take Student's t, n - 1."
        ),
        Mistake(
            _with(root=lambda n: 1.0),
            "that is where a single seed lies. The mean of n is surer: divide by the root of n.",
        ),
        Mistake(
            _with(ddof=0),
            "numpy's std divides by n; the spread of a sample divides by n - 1 (ddof=1).",
        ),
        Mistake(
            _with(factor=lambda n: stats.t.ppf(0.95, n - 1)),
            "95 % on one side: half of 5 % belongs to each end, so the quantile is 0.975.",
        ),
        Mistake(_with(sign=-1), "theirs less ours: a gain must come out above 0."),
        Mistake(
            _with(factor=lambda n: 1.96, ddof=0),
            "two things: 1.96 is for a known spread (take Student's t, n - 1), and numpy's std "
            "divides by n unless ddof=1.",
        ),
        Mistake(
            _with(factor=lambda n: stats.t.ppf(0.975, n)),
            "n differences have n - 1 degrees of freedom, for their mean was estimated as well.",
        ),
        Mistake(
            lambda ours, theirs: _centre_and_half(*paired_interval(ours, theirs)),
            "that is the middle and half the width; asked for are both ends.",
        ),
        Mistake(
            lambda ours, theirs: paired_interval(ours, theirs)[::-1],
            "the ends have changed places: low first.",
        ),
    ),
)


def _steps(p, factor, then=np.maximum.accumulate, clip=True):
    p = np.asarray(p)
    order, adjusted = np.argsort(p), np.empty(len(p))
    adjusted[order] = then(factor(len(p), np.arange(len(p))) * p[order])
    return np.minimum(adjusted, 1) if clip else adjusted


BONFERRONI = "all are multiplied by m: that is Bonferroni. Holm's second smallest takes m - 1."


def _step_down(m, i):
    return m - i


holm = Exercise(
    asks="p (m,) -> (m,) Holm's adjusted p, in the order given",
    right=compare.holm,
    hand=(np.array([0.01, 0.04, 0.03]),),
    worked={"the result": [0.03, 0.06, 0.06]},  # 3 x 0.01, then 2 x 0.03, then no less than that
    random=lambda rng: (rng.random(int(rng.integers(3, 12))) ** 2,),
    mistakes=(
        Mistake(
            lambda p: np.minimum(len(p) * np.asarray(p), 1),
            BONFERRONI,
        ),
        Mistake(lambda p: len(p) * np.asarray(p), BONFERRONI),
        Mistake(
            lambda p: _steps(p, _step_down, lambda x: x),
            "a larger p has become smaller than one before it: keep the largest so far.",
        ),
        Mistake(lambda p: _steps(p, _step_down, clip=False), "a probability above 1: cut there."),
        Mistake(
            lambda p: _steps(p, _step_down, lambda x: x, clip=False),
            "two things: a larger p must not become smaller than one before it (keep the largest "
            "so far), and none goes above 1.",
        ),
        Mistake(
            lambda p: _steps(p, lambda m, i: m - i - 1),
            "the smallest takes m, not m - 1: arrays begin at 0.",
        ),
        Mistake(
            lambda p: _steps(p, _step_down, lambda x: np.minimum.accumulate(x[::-1])[::-1]),
            "that is Hochberg's, from the largest p down. Holm goes up from the smallest and "
            "keeps the largest so far.",
        ),
        Mistake(
            lambda p: np.minimum((len(p) - np.argsort(p)) * np.asarray(p), 1),
            "argsort is not a rank: it says which p stands first, not where a p stands.",
        ),
        Mistake(
            lambda p: np.minimum((len(p) - np.arange(len(p))) * np.asarray(p), 1),
            "the factors m, m - 1, ... go to the p in order of size: sort them first.",
        ),
        Mistake(
            lambda p: _steps(
                p, lambda m, i: m / (i + 1), lambda x: np.minimum.accumulate(x[::-1])[::-1]
            ),
            "that is Benjamini and Hochberg's: it bounds the share of wrong verdicts, not the "
            "chance of one.",
        ),
        Mistake(
            lambda p: np.sort(compare.holm(np.asarray(p))),
            "the answers are in the order of size; put them back where their p stood.",
        ),
    ),
)


noise_power = Exercise(
    asks="power of the signal, snr in dB -> power of the noise",
    right=lambda power, snr: power / 10 ** (snr / 10),
    hand=(2.0, 10.0),
    worked={"the result": 0.2},
    random=lambda rng: (float(rng.exponential(1) + 0.1), float(rng.integers(-10, 10) * 2 + 1)),
    mistakes=(
        Mistake(
            lambda power, snr: power * 10 ** (snr / 10),
            "the sign: a higher SNR means less noise.",
        ),
        Mistake(
            lambda power, snr: power / 10 ** (snr / 20),
            "20 is for amplitudes; a ratio of powers has 10.",
        ),
        Mistake(lambda power, snr: power / 10**snr, "a decibel is a tenth of a bel: divide by 10."),
        Mistake(
            lambda power, snr: power / np.exp(snr / 10),
            "the decibel is of the common logarithm, base 10.",
        ),
        Mistake(lambda power, snr: power - snr, "dB are subtracted from dB, not from a power."),
        Mistake(lambda power, snr: power / snr, "the SNR is a ratio only after dB are undone."),
        Mistake(
            lambda power, snr: 10 * np.log10(power) - snr,
            "that is the noise in dB; its power is asked for: undo the logarithm.",
        ),
        Mistake(
            lambda power, snr: np.sqrt(power / 10 ** (snr / 10)),
            "that is an amplitude, the root of the power.",
        ),
        Mistake(
            lambda power, snr: 1 / 10 ** (snr / 10),
            "the power of the signal is not used: that is the noise beside a signal of power 1.",
        ),
    ),
)

EXERCISES = {"interval": interval, "holm": holm, "noise_power": noise_power}

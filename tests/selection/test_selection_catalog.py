"""Each name stands for what it says: scores and quotas written out again, from the equations."""

import numpy as np
import pytest

from foqus_lib.selection import foqus, scores
from foqus_lib.selection.catalog import (
    CATALOG,
    READINGS,
    SELECTORS,
    TERMS,
    ablation_name,
)
from foqus_lib.selection.methods import class_balanced
from foqus_lib.selection.tiers import tiers

SCORED = {
    "Cal": scores.cal,
    "Forgetting": scores.forgetting,
    "GraNd": scores.grand,
    "Least Confidence": scores.least_confidence,
    "Entropy": scores.entropy,
    "Margin": scores.margin,
}


@pytest.fixture
def two_classes(make):
    """30 signals each, so that k = 20 means 10 of each and, in tiers of ten, 4, 4 and 2."""
    return make(np.arange(60) % 2)


def equation_8(evidence, reading: str, terms: str) -> np.ndarray:
    c, loss = evidence.correct, evidence.loss
    parts = {
        "F": foqus.forgetting_score(c) / (len(c) - 1),
        "E": foqus.persistent_error_score(c) / (len(c) - 1),
        "Q": foqus.quality_score(c, loss),
    }
    if reading == "min-max":
        parts = {t: (x - x.min()) / (x.max() - x.min()) for t, x in parts.items()}
    return sum(parts[term] for term in terms.split("+"))


def holds_the_highest(score, kept, label) -> bool:
    out = np.setdiff1d(np.arange(len(label)), kept)
    return all(
        score[kept[label[kept] == y]].min() >= score[out[label[out] == y]].max() - 1e-12
        for y in np.unique(label)
    )


def per_tier(score, kept, label) -> list[int]:
    """How many were kept of each class's top, middle and bottom ten; asserts classes agree."""
    counts = []
    for y in np.unique(label):
        rows = np.flatnonzero(label == y)
        tiers = np.array_split(rows[np.argsort(-score[rows])], 3)
        counts.append([len(np.intersect1d(tier, kept)) for tier in tiers])
    assert all(count == counts[0] for count in counts)
    return counts[0]


@pytest.mark.parametrize("name", SCORED)
def test_scored_baselines_keep_their_highest(name, two_classes):
    kept = SELECTORS[name](two_classes, 20, np.random.default_rng(0))
    assert holds_the_highest(SCORED[name](two_classes), kept, two_classes.label)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("terms", TERMS)
def test_ablation_top_k_keeps_the_highest(reading, terms, two_classes):
    select = class_balanced(CATALOG[ablation_name(terms, reading, "top-k")])
    kept = select(two_classes, 20, np.random.default_rng(0))
    assert holds_the_highest(equation_8(two_classes, reading, terms), kept, two_classes.label)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("terms", [terms for terms in TERMS if "Q" in terms])  # without Q they tie
def test_ablation_tiers_hold_their_shares(reading, terms, two_classes):
    select = class_balanced(CATALOG[ablation_name(terms, reading, "tiers")])
    kept = select(two_classes, 20, np.random.default_rng(0))
    score = equation_8(two_classes, reading, terms)
    assert per_tier(score, kept, two_classes.label) == [4, 4, 2]


@pytest.mark.parametrize(
    ("name", "reading", "shares"),
    [
        ("FoQuS", "as printed", [4, 4, 2]),
        ("FoQuS (min-max)", "min-max", [4, 4, 2]),
        ("FoQuS | equal shares", "as printed", [4, 3, 3]),
        ("FoQuS | shares turned round", "as printed", [2, 4, 4]),
    ],
)
def test_foqus_rows_and_controls_hold_their_shares(name, reading, shares, two_classes):
    kept = class_balanced(CATALOG[name])(two_classes, 20, np.random.default_rng(0))
    score = equation_8(two_classes, reading, "F+E+Q")
    assert per_tier(score, kept, two_classes.label) == shares


def test_the_mean_loss_control_has_the_easy_on_top(two_classes):
    select = class_balanced(CATALOG["Mean loss | tiers"])
    kept = select(two_classes, 20, np.random.default_rng(0))
    easy = -two_classes.loss.mean(axis=0)
    assert per_tier(easy, kept, two_classes.label) == [4, 4, 2]


def test_one_method_has_one_name():
    """FoQuS is the full row of its ablation, and a single metric is one method in both readings."""
    assert ablation_name("F+E+Q", "as printed", "tiers") == "FoQuS"
    assert ablation_name("F+E+Q", "min-max", "tiers") == "FoQuS (min-max)"
    for rule in ("tiers", "top-k"):
        assert ablation_name("E", "as printed", rule) == ablation_name("E", "min-max", rule)


@pytest.mark.parametrize("terms", ["F", "E", "Q"])
def test_a_single_metric_is_ordered_alike_in_both_readings(terms, two_classes):
    first, second = (equation_8(two_classes, reading, terms) for reading in READINGS)
    assert np.argsort(first, kind="stable").tolist() == np.argsort(second, kind="stable").tolist()


def test_a_shuffled_score_with_tiers_is_uniform_itself(two_classes):
    """With random scores the shares do not matter: every signal of a class is as likely."""
    rows = np.flatnonzero(two_classes.label == 0)
    counts = np.zeros(len(two_classes.label))
    for seed in range(400):
        rng = np.random.default_rng(seed)
        noise = rng.permutation(len(counts)).astype(float)
        counts[class_balanced(tiers(lambda evidence, s=noise: s))(two_classes, 20, rng)] += 1
    share = counts[rows] / 400
    expected = 10 / len(rows)
    assert np.abs(share - expected).max() < 5 * np.sqrt(expected * (1 - expected) / 400)

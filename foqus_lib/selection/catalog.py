"""The rows of Table I in the paper's order, and the ablation of Table V.

A new selector is one function in `scores` or `geometry`, one line here and one test of which way
is up; tests/selection/test_selectors_contract.py finds it by itself.
"""

from collections.abc import Callable

from numpy import ndarray

from foqus_lib.errors import unknown
from foqus_lib.evidence import Evidence
from foqus_lib.selection import foqus, geometry, scores
from foqus_lib.selection.methods import (
    Method,
    Partition,
    Score,
    Selector,
    class_balanced,
    classes,
    classes_and_snrs,
    top_k,
)
from foqus_lib.selection.tiers import EQUAL_SHARES, tiers

Reading = Callable[[ndarray, ndarray], ndarray]  # c, loss (T, N) -> F, E, Q as Eq. 8 adds them


def combined(reading: Reading, terms: str) -> Score:
    """Eq. 8 with some of its terms: combined(foqus.as_printed, "F+Q")."""
    rows = ["FEQ".index(term) for term in terms.split("+")]

    def score(evidence: Evidence) -> ndarray:
        return reading(evidence.correct, evidence.loss)[rows].sum(axis=0)

    return score


METHODS: dict[str, Method] = {
    "Uniform": geometry.uniform,
    "Cal": top_k(scores.cal),
    "CD": geometry.contextual_diversity,
    "Forgetting": top_k(scores.forgetting),
    "GraNd": top_k(scores.grand),
    "Herding": geometry.mean_herding,
    "k-Center Greedy": geometry.k_center_greedy,
    "Least Confidence": top_k(scores.least_confidence),
    "Entropy": top_k(scores.entropy),
    "Margin": top_k(scores.margin),
    "FoQuS": tiers(combined(foqus.as_printed, "F+E+Q")),
    "FoQuS (min-max)": tiers(combined(foqus.min_max, "F+E+Q")),
}

TERMS = ("F", "E", "Q", "F+E", "F+Q", "E+Q", "F+E+Q")  # Table V's usual order [A11]
READINGS: dict[str, Reading] = {"as printed": foqus.as_printed, "min-max": foqus.min_max}
RULES: dict[str, Callable[[Score], Method]] = {"tiers": tiers, "top-k": top_k}

ABLATION_METHODS: dict[str, Method] = {
    f"{terms} | {reading} | {rule}": RULES[rule](combined(READINGS[reading], terms))
    for reading in READINGS
    for rule in RULES
    for terms in TERMS
} | {
    "Mean loss | tiers": tiers(scores.mean_loss),
    "FoQuS | equal shares": tiers(combined(foqus.as_printed, "F+E+Q"), shares=EQUAL_SHARES),
}

CONTROLS: dict[str, Method] = {"Cal (in class)": top_k(scores.cal_in_class)}  # of no table

SELECTORS: dict[str, Selector] = {name: class_balanced(m) for name, m in METHODS.items()}
ABLATION: dict[str, Selector] = {name: class_balanced(m) for name, m in ABLATION_METHODS.items()}

SNR_BALANCED = " | SNR-balanced"  # after the name of any method


def method_named(name: str) -> Method:
    """The method of any of these names; ValueError with the nearest name if there is none."""
    known = METHODS | ABLATION_METHODS | CONTROLS
    plain = name.removesuffix(SNR_BALANCED)
    if plain not in known:
        raise unknown("method", plain, known)
    return known[plain]


def partition_named(name: str) -> Partition:
    """Over what the method of this name is balanced: classes, or classes and SNRs."""
    return classes_and_snrs if name.endswith(SNR_BALANCED) else classes

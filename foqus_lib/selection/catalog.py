"""The rows of Table I in the paper's order, the ablation of Table V, and what is newer.

A new selector is one function in `scores`, `geometry` or `newer`, one line here and one test of
which way is up; tests/selection/test_selectors_contract.py finds it by itself.
"""

from collections.abc import Callable

from numpy import ndarray

from foqus_lib.errors import unknown
from foqus_lib.selection import foqus, geometry, message_passing, newer, scores
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
from foqus_lib.selection.tiers import EQUAL_SHARES, SHARES_TURNED_ROUND, tiers

Reading = Callable[..., ndarray]  # c, loss (T, N), terms -> Eq. 8 of these terms (N,)


def combined(reading: Reading, terms: str = "F+E+Q") -> Score:
    """Eq. 8 with some of its terms: combined(foqus.foqus_score, "F+Q")."""
    return lambda evidence: reading(evidence.correct, evidence.loss, terms.split("+"))


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
    "FoQuS": tiers(combined(foqus.foqus_score)),
    "FoQuS (min-max)": tiers(combined(foqus.foqus_score_min_max)),
}

TERMS = ("F", "E", "Q", "F+E", "F+Q", "E+Q", "F+E+Q")  # Table V's usual order [A11]
READINGS: dict[str, Reading] = {
    "as printed": foqus.foqus_score,
    "min-max": foqus.foqus_score_min_max,
}
RULES: dict[str, Callable[[Score], Method]] = {"tiers": tiers, "top-k": top_k}


def ablation_name(terms: str, reading: str, rule: str) -> str:
    """The method that stands in this place of Table V: one method has one name, and one number.

    A single metric is ordered alike under both readings; all three with tiers are FoQuS.
    """
    if terms == "F+E+Q" and rule == "tiers":
        return {"as printed": "FoQuS", "min-max": "FoQuS (min-max)"}[reading]
    return f"{terms} | {reading} | {rule}" if "+" in terms else f"{terms} | {rule}"


ABLATION_METHODS: dict[str, Method] = {
    name: METHODS.get(name) or RULES[rule](combined(READINGS[reading], terms))
    for reading in READINGS
    for rule in RULES
    for terms in TERMS
    if (name := ablation_name(terms, reading, rule))
}

CONTROLS: dict[str, Method] = {
    "Mean loss | tiers": tiers(scores.mean_loss),  # what Eq. 8 as printed nearly is
    "FoQuS | equal shares": tiers(combined(foqus.foqus_score), shares=EQUAL_SHARES),
    "FoQuS | shares turned round": tiers(combined(foqus.foqus_score), shares=SHARES_TURNED_ROUND),
    "Cal (in class)": top_k(scores.cal_in_class),  # as common libraries have it
}

NEWER: dict[str, Method] = {  # in no table of the paper; ask for them by name
    "EL2N": top_k(newer.el2n),
    "AUM": top_k(newer.aum),
    "Cartography": top_k(newer.cartography),
    "Dyn-Unc": top_k(newer.dyn_unc),
    "DUAL": top_k(newer.dual),
    "TDDS": top_k(newer.tdds),
    "CCS": newer.ccs(newer.confidence),
    "Moderate": top_k(newer.moderate),
    "D2": message_passing.d2(newer.confidence),
}

CATALOG: dict[str, Method] = ABLATION_METHODS | METHODS | CONTROLS | NEWER

OF_EARLY_TRAININGS = ("GraNd", "EL2N")  # what looks at them; for all others there need be none

# Raised by whoever changes what a method picks from the same evidence and rng: results that are
# stored under the old version then count as missing. tests/selection/test_versions.py insists.
VERSIONS: dict[str, int] = dict.fromkeys(CATALOG, 1)

SELECTORS: dict[str, Selector] = {name: class_balanced(m) for name, m in METHODS.items()}

SNR_BALANCED = " | SNR-balanced"  # after the name of any method


def method_named(name: str) -> Method:
    """The method of any of these names; ValueError with the nearest name if there is none."""
    plain = name.removesuffix(SNR_BALANCED)
    if plain not in CATALOG:
        raise unknown("method", plain, CATALOG)
    return CATALOG[plain]


def version_of(name: str) -> int:
    """The version of the method of this name."""
    method_named(name)
    return VERSIONS[name.removesuffix(SNR_BALANCED)]


def looks_early(name: str) -> bool:
    """Whether the method of this name needs early trainings in its evidence."""
    return name.removesuffix(SNR_BALANCED) in OF_EARLY_TRAININGS


def partition_named(name: str) -> Partition:
    """Over what the method of this name is balanced: classes, or classes and SNRs."""
    return classes_and_snrs if name.endswith(SNR_BALANCED) else classes

"""Claims: every rule reaches every verdict, knows its direction, and never speaks without rows."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from foqus_lib.experiment.study import Metric
from foqus_lib.report import claims, committed, paper
from foqus_lib.report.claim_rules import Finding, Scope
from foqus_lib.report.claims import Claim, Printed, finding
from foqus_lib.selection import boundary
from foqus_lib.selection.catalog import CATALOG, SNR_BALANCED
from tests.report.made_up import STUDY, rows

NOISE = np.random.default_rng(0).normal(scale=0.003, size=(4, 3, 6))
STUDIES = {"main": STUDY}
METHODS = ["Uniform", "A", "B", "FoQuS", "All data"]


def layer(values, *, noise=1.0, seeds=range(6)):
    """Rows whose mean is values[method][budget]; the noise differs by method and budget."""
    methods, budgets = list(values), [100, 500, 1000]

    def accuracy(method, budget, seed, repeat):
        at = 0 if method == "All data" else budgets.index(budget)
        mean = values[method] if np.isscalar(values[method]) else values[method][at]
        return mean + noise * NOISE[methods.index(method) % 4, at, seed]

    wide = rows(accuracy, methods=methods, budgets=budgets, seeds=seeds)
    return {"here": {"main": wide}}


def said(rule, values, *, methods=("FoQuS",), against=("Uniform",), budgets=(100, 500), margin=0.0,
         study=STUDY, **change):  # fmt: skip
    tested = Scope("here", "main", methods, budgets, against, margin)
    claim = Claim("x", "a claim", "Table I", rule, tested)
    return finding(claim, layer(values, **change), {"main": study})


def level(foqus, others=0.5):
    return {"Uniform": others, "A": others, "B": others, "FoQuS": foqus, "All data": 0.9}


ABOVE, BELOW, LIKE, MIXED = [0.6] * 3, [0.4] * 3, [0.5] * 3, [0.6, 0.5, 0.6]


@pytest.mark.parametrize(
    ("foqus", "verdict"),
    [(ABOVE, "holds"), (BELOW, "does not hold"), (LIKE, "not shown"), (MIXED, "not shown"),
     ([0.6, 0.4, 0.6], "does not hold")],
)  # fmt: skip
def test_above_floor(foqus, verdict):
    found = said("above_floor", level(foqus))
    assert found.verdict == verdict
    assert found.data == "RML2016.10a-like, CNN1D → CNN1D, 1 %, 5 %"
    assert found.ours.count("n = 6; would show") == 2


def test_above_floor_where_less_is_better():
    lower = replace(STUDY, metrics=(Metric("accuracy", "loss", higher_is_better=False),))
    assert said("above_floor", level(ABOVE), study=lower).verdict == "does not hold"
    assert said("above_floor", level(BELOW), study=lower).verdict == "holds"


LOWER = replace(STUDY, metrics=(Metric("accuracy", "loss", higher_is_better=False),))


def test_every_rule_knows_where_less_is_better():
    def of(rule, foqus, others=0.5, **how):
        return said(rule, level(foqus, others), study=LOWER, budgets=(100, 500, 1000), **how)

    best = of("above_all", BELOW, against=("Uniform", "All data"))
    assert best.verdict == "holds" and best.ours.count("over Uniform") == 3
    worse = {"against": ("All data",), "margin": 0.05}
    assert of("no_worse_than", [0.92] * 3, **worse).verdict == "holds"
    assert of("no_worse_than", BELOW, **worse).verdict == "holds"
    assert of("no_worse_than", [0.99] * 3, **worse).verdict == "does not hold"
    falling = of("rising", [0.7, 0.6, 0.58], against=())
    assert falling.verdict == "holds" and "least: FoQuS, 5 % to 10 %: -" in falling.ours
    assert of("rising", [0.5, 0.6, 0.7], against=()).verdict == "does not hold"


def in_two_blocks(rule, first, second, **change):
    """The second block is evaluated by CNN2D."""
    one, two = (layer(level(foqus))["here"]["main"] for foqus in (first, second))
    wide = pd.concat([one, two.assign(evaluation_model="CNN2D")])
    tested = Scope("here", "main", ("FoQuS",), (100, 500), ("Uniform",))
    claim = Claim("x", "a claim", "Table I", rule, replace(tested, **change))
    return finding(claim, {"here": {"main": wide}}, STUDIES)


def test_each_block_is_compared_with_its_own_floor_and_named():
    found = in_two_blocks("above_floor", ABOVE, [0.4, 0.6, 0.6])
    assert found.verdict == "does not hold"
    assert list(found.comparisons.verdict) == ["better", "better", "worse", "better"]
    assert "; CNN1D → CNN2D, 1 %: -" in found.ours
    assert in_two_blocks("above_floor", ABOVE, ABOVE).verdict == "holds"


def test_above_all_counts_the_budgets_of_every_block():
    assert in_two_blocks("above_all", ABOVE, [0.6, 0.5, 0.5]).verdict == "holds"  # three of four
    assert in_two_blocks("above_all", ABOVE, LIKE).verdict == "not shown"


def test_above_all_needs_most_budgets_and_every_other():
    against, budgets = ("Uniform", "A", "B"), (100, 500, 1000)

    def verdict(values):
        return said("above_all", values, against=against, budgets=budgets).verdict

    assert verdict(level(ABOVE)) == "holds"
    assert verdict(level([0.6, 0.5, 0.6])) == "holds"  # two of three
    assert verdict(level([0.6, 0.5, 0.5])) == "not shown"
    assert verdict(level(LIKE)) == "not shown"
    assert verdict(level(ABOVE) | {"B": 0.6}) == "not shown"
    assert verdict(level(ABOVE) | {"B": 0.7}) == "does not hold"
    assert verdict(level(ABOVE) | {"B": [0.7, 0.5, 0.5]}) == "holds"  # above all at two of three
    two_at_one = {"A": [0.7, 0.5, 0.5], "B": [0.7, 0.5, 0.5]}  # a budget is lost once
    assert verdict(level(LIKE) | two_at_one) == "not shown"
    at_half = said("above_all", level(LIKE) | two_at_one, against=against)  # one of two budgets
    assert at_half.verdict == "does not hold"
    found = said("above_all", level(ABOVE) | {"B": 0.58}, against=("*",), budgets=(100,))
    assert "over B, shown above 3 of 3" in found.ours  # neither itself nor the ceiling
    assert found.ours.startswith("1 %: +1.8 [")


@pytest.mark.parametrize("rule", ["above_floor", "above_all", "no_worse_than", "rising"])
def test_rows_that_share_no_seed_show_nothing(rule):
    data = layer(level(ABOVE))["here"]["main"]
    part = data.budget == 500 if rule == "rising" else data.method == "FoQuS"
    apart = data.assign(seed=data.seed.where(~part, data.seed + 6))
    tested = Scope("here", "main", ("FoQuS",), (100, 500), ("Uniform",), 0.05)
    claim = Claim("x", "a claim", "here", rule, tested)
    assert finding(claim, {"here": {"main": apart}}, {"main": STUDY}).verdict == "not shown"


def test_no_worse_than_looks_at_the_interval():
    def verdict(foqus, margin):
        return said("no_worse_than", level(foqus), against=("All data",), margin=margin).verdict

    assert verdict([0.88] * 3, 0.05) == "holds"
    assert verdict(ABOVE, 0.05) == "does not hold"
    assert verdict([0.88, 0.6, 0.9], 0.05) == "does not hold"
    assert verdict([0.88, 0.8501, 0.9], 0.05) == "not shown"
    assert verdict([0.95] * 3, 0.05) == "holds"


def test_an_interval_beyond_the_margin_fails_alone_but_not_among_many():
    """The margin lies just above the end of the 95 % interval, below that of Bonferroni's."""
    against = {"methods": ("FoQuS",), "against": ("All data",)}
    numbers = finding(
        Claim("x", "a claim", "here", "no_worse_than",
              Scope("here", "main", ("FoQuS",), (500,), ("All data",), 0.05)),
        layer(level([0.9, 0.6, 0.9])), {"main": STUDY},
    ).comparisons  # fmt: skip
    margin = -float(numbers.high.iloc[0]) - 1e-6
    alone = said("no_worse_than", level([0.9, 0.6, 0.9]), budgets=(500,), margin=margin, **against)
    many = said("no_worse_than", level([0.9, 0.6, 0.9]), budgets=(100, 500, 1000), margin=margin,
                **against)  # fmt: skip
    assert (alone.verdict, many.verdict) == ("does not hold", "not shown")
    data = layer(level([0.9, 0.6, 0.9]))["here"]["main"]
    few = data[(data.budget != 100) | (data.seed < 2)]  # no interval at 1 %: no test either
    tested = Scope("here", "main", ("FoQuS",), (100, 500), ("All data",), margin)
    claim = Claim("x", "a claim", "here", "no_worse_than", tested)
    found = finding(claim, {"here": {"main": few}}, {"main": STUDY})
    assert found.verdict == "does not hold"


def test_largest_at_first():
    def of(foqus, budgets=(100, 500, 1000)):
        return said("largest_at_first", level(foqus), budgets=budgets)

    def verdict(*given):
        return of(*given).verdict

    assert verdict([0.7, 0.6, 0.6]) == "holds"
    assert verdict([0.5, 0.6, 0.5]) == "does not hold"
    assert verdict(ABOVE) == "not shown"
    assert verdict([0.7, 0.6, 0.7]) == "not shown"
    assert verdict(ABOVE, (100,)) == "not tested" == verdict(ABOVE, (2000, 100))
    assert verdict([0.7, 0.6, 0.6], (2000, 100, 500)) == "not tested"  # its first is not there
    assert of(ABOVE, (100,)).ours == "no committed rows at two budgets"


def test_rising():
    def found(foqus):
        values = {"Uniform": [0.4, 0.5, 0.6], "FoQuS": foqus}
        return said("rising", values, methods=("*",), against=(), budgets=(100, 500, 1000))

    assert found([0.5, 0.6, 0.7]).verdict == "holds"
    assert found([0.5, 0.6, 0.5]).verdict == "does not hold"
    still = found([0.5, 0.6, 0.6])
    assert still.verdict == "not shown"
    assert still.ours.startswith(
        "shown to rise in 3 of 4 steps, to fall in 0; least: FoQuS, 5 % to"
    )
    one = said("rising", {"Uniform": 0.4}, methods=("Uniform",), against=(), budgets=(100,))
    assert one.verdict == "not tested"


def test_rising_on_average():
    """One method may fall where the mean over the methods rises; each of them would not do."""

    def found(foqus, rule="rising_on_average"):
        values = {"Uniform": [0.4, 0.6, 0.8], "FoQuS": foqus}
        return said(rule, values, methods=("*",), against=(), budgets=(100, 500, 1000))

    falls_once = [0.6, 0.55, 0.6]
    assert found(falls_once, "rising").verdict == "does not hold"
    rises = found(falls_once)
    assert rises.verdict == "holds" and rises.ours.startswith("1 % to 5 %: +7.")
    assert list(rises.comparisons.n) == [6, 6]  # seeds, not methods
    assert found([0.5, 0.2, 0.2]).verdict == "does not hold"
    assert found([0.5, 0.3, 0.3]).verdict == "not shown"
    one = said("rising_on_average", {"Uniform": 0.4}, methods=("Uniform",), budgets=(100,))
    assert (one.verdict, one.ours) == ("not tested", "no committed rows at two budgets")


def test_the_mean_over_methods_needs_each_of_them_at_a_seed():
    data = layer({"Uniform": [0.4, 0.5, 0.6], "FoQuS": [0.5, 0.6, 0.7]})["here"]["main"]
    lacking = data[(data.method != "FoQuS") | (data.budget != 500) | (data.seed < 5)]
    tested = Scope("here", "main", ("*",), (100, 500, 1000))
    claim = Claim("x", "a claim", "here", "rising_on_average", tested)
    assert list(finding(claim, {"here": {"main": lacking}}, STUDIES).comparisons.n) == [5, 5]


def test_above_several_floors_each_is_named():
    found = said("above_floor", level([0.6, 0.6, 0.6]) | {"B": 0.59}, against=("A", "B"))
    assert found.verdict == "holds" and found.ours.count("over A") == 2
    assert found.ours.endswith("over B")
    assert "over" not in said("above_floor", level(ABOVE), against=("A",)).ours


def test_a_margin_is_no_test_of_zero():
    """60 less 90: shown below zero as well, of which the claim says nothing."""
    found = said("no_worse_than", level([0.6, 0.88, 0.9]), against=("All data",), margin=0.05)
    assert found.comparisons[["p", "p_holm", "detectable"]].isna().all(axis=None)
    assert list(found.comparisons.verdict) == ["worse", "better"]
    assert found.ours.count("(n = 6)") == 2 and "would show" not in found.ours
    assert claims._as_one_family([found]) == {"comparisons": 0, "holds": 0}
    numbers = claims._numbers(Claim("x", "a", "b", "no_worse_than"), found)
    assert numbers["n"] == 6 and numbers["detectable"] == {"from": None, "to": None}


TIERS, TOP_K = ("F | tiers", "FoQuS"), ("F | top-k", "all | top-k")


def ways(tiers, top_k):
    """Two pairs, and one way without a partner."""
    return {"Uniform": 0.5, "F | tiers": tiers, "F | top-k": top_k, "FoQuS": tiers + 0.01,
            "all | top-k": top_k, "Q | tiers": 0.1}  # fmt: skip


@pytest.mark.parametrize(
    ("tiers", "top_k", "verdict", "count"),
    [(0.6, 0.5, "holds", "2 of 2"), (0.5, 0.6, "does not hold", "0 of 2"),
     (0.495, 0.5, "not shown", "1 of 2")],
)  # fmt: skip
def test_difference_between(tiers, top_k, verdict, count):
    found = said("difference_between", ways(tiers, top_k), methods=TIERS,
                 against=TOP_K, budgets=(100,))  # fmt: skip
    assert found.verdict == verdict and found.ours.endswith(f"above 0 in {count} pairs")
    assert list(found.comparisons.n) == [6]  # seeds, not pairs


@pytest.mark.parametrize("missing", ["all | top-k", "FoQuS"])
def test_a_pair_that_lacks_rows_is_named_counts_nowhere_and_nothing_holds(missing):
    """At one of two budgets, and at both: the mean of the other pairs is not the claim's."""
    data = layer(ways(0.6, 0.5))["here"]["main"]
    tested = Scope("here", "main", TIERS, (100, 500), TOP_K)
    claim = Claim("x", "a claim", "Table V", "difference_between", tested)
    whole = finding(claim, {"here": {"main": data}}, STUDIES)
    assert whole.verdict == "holds" and whole.ours.endswith("above 0 in 4 of 4 pairs")
    there = data[(data.method != missing) | (data.budget != 500)]
    found = finding(claim, {"here": {"main": there}}, STUDIES)
    assert found.verdict == "not shown" and list(found.comparisons["at"]) == ["1 %", "5 %"]
    assert found.ours.endswith(f"above 0 in 3 of 3 pairs; not run: {missing} at 5 %")
    other = replace(tested, methods=(*TIERS, "Q | tiers"), against=(*TOP_K, "Q | top-k"))
    found = finding(replace(claim, tested=other), {"here": {"main": data}}, STUDIES)
    assert found.verdict == "not shown"
    assert found.ours.endswith("above 0 in 4 of 4 pairs; not run: Q | top-k")


def test_a_seed_that_one_pair_lacks_is_left_out():
    """The mean of the other pair alone would be a mean of something else."""
    data = layer(ways(0.6, 0.5))["here"]["main"]
    tested = Scope("here", "main", TIERS, (100,), TOP_K)
    claim = Claim("x", "a claim", "Table V", "difference_between", tested)
    lacking = data[(data.method != "FoQuS") | (data.seed < 5)]
    assert list(finding(claim, {"here": {"main": lacking}}, STUDIES).comparisons.n) == [5]


def test_the_smallest_lead_may_be_a_loss():
    found = said("above_all", level(ABOVE) | {"B": 0.9}, against=("*",), budgets=(100,))
    assert found.ours.startswith("1 %: -30.") or found.ours.startswith("1 %: -29.")
    assert "over B, shown above 2 of 3" in found.ours


def test_a_seed_is_the_mean_of_the_repeats_that_each_row_has():
    """All data has one repeat, Q | top-k lacks one: FoQuS keeps its 0.5 and 0.7 of each seed."""
    values = {"FoQuS": (0.5, 0.7), "Q | tiers": (0.5, 0.7), "Q | top-k": (0.4, 0.6)}
    wide = rows(
        lambda m, b, s, r: values.get(m, (0.8, 0.8))[r] + 0.01 * s * (m == "FoQuS"),
        methods=[*values, "All data"], budgets=[100],
    )  # fmt: skip
    wide = wide[~(wide.method.isin(["All data", "Q | top-k"]) & (wide.repeat == 1))]
    for rule, method, against, difference in (
        ("no_worse_than", "FoQuS", "All data", 0.6 + 0.02 - 0.8),
        ("difference_between", "Q | tiers", "Q | top-k", 0.6 - 0.4),
    ):
        tested = Scope("here", "main", (method,), (100,), (against,), 0.05)
        found = finding(
            Claim("x", "a", "b", rule, tested), {"here": {"main": wide}}, {"main": STUDY}
        )
        assert found.comparisons.difference.iloc[0] == pytest.approx(difference)


def test_few_seeds_show_nothing():
    found = said("above_floor", level(ABOVE), seeds=(0, 1))
    assert found.verdict == "not shown" and "(n = 2: no interval)" in found.ours
    assert (
        said("no_worse_than", level(BELOW), against=("All data",), seeds=(0, 1)).verdict
        == "not shown"
    )
    above = said("above_all", level(ABOVE), against=("*",), seeds=(0, 1))
    assert above.verdict == "not shown"


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"layer": "elsewhere"}, "no committed rows"), ({"rows": "other"}, "no committed rows"),
     ({"methods": ("FoQuX",)}, "no committed rows of FoQuX"),
     ({"against": ("C", "D*")}, "no committed rows of C, D*"),
     ({"budgets": (2000, 3000)}, "no committed rows at 20 %, 30 %")],
)  # fmt: skip
def test_without_rows_nothing_is_tested(change, reason):
    tested = replace(Scope("here", "main", ("FoQuS",), (100,), ("Uniform",)), **change)
    claim = Claim("x", "a claim", "Table I", "above_floor", tested)
    found = finding(claim, layer(level(ABOVE)), STUDIES)
    assert (found.verdict, found.ours, found.data) == ("not tested", reason, "")


def test_a_claim_that_no_row_could_test():
    found = finding(Claim("x", "a claim", "abstract", "not_tested", reason="no time"), {}, {})
    assert (found.verdict, found.ours) == ("not tested", "no time")


@pytest.mark.parametrize(
    ("rule", "against"),
    [("above_floor", ("Uniform",)), ("above_all", ("Uniform", "A")), ("no_worse_than", ("A",)),
     ("rising", ())],
)  # fmt: skip
def test_a_comparison_without_rows_is_named_and_nothing_holds(rule, against):
    """A is above all that is there, but the other has no row at 5 %."""
    values = {"Uniform": [0.4, 0.5, 0.6], "A": [0.3, 0.4, 0.5], "FoQuS": [0.6, 0.7, 0.8]}
    methods = ("FoQuS",) if against else ("FoQuS", "A")
    other = "A" if "A" in (*methods, *against) else "Uniform"
    tested = Scope("here", "main", methods, (100, 500, 1000), against)
    claim, wide = Claim("x", "a", "b", rule, tested), layer(values)["here"]["main"]
    assert finding(claim, {"here": {"main": wide}}, STUDIES).verdict == "holds"
    lacking = wide[~((wide.method == other) & (wide.budget == 500))]
    found = finding(claim, {"here": {"main": lacking}}, STUDIES)
    assert found.verdict == "not shown" and found.ours.endswith(f"not run: {other} at 5 %")


def test_the_floor_without_trials_is_no_comparison():
    data = layer(level(ABOVE))["here"]["main"]
    apart = data[~((data.method == "Uniform") & (data.budget == 100))]
    claim = Claim(
        "x", "a", "b", "above_floor", Scope("here", "main", ("FoQuS",), (100,), ("Uniform",))
    )
    assert finding(claim, {"here": {"main": apart}}, STUDIES).verdict == "not tested"


# ---- the paper's values --------------------------------------------------------------------------

FIRST = {"table": "I", "dataset": "RML2016.10a", "evaluation_model": "CNN1D"}


def printed(*parts, budgets=(100, 500)):
    tested = Scope("here", "main", ("FoQuS",), budgets, ("Uniform",))
    return claims.paper_text(Claim("x", "a", "b", "above_floor", tested, paper=parts))


def test_the_papers_values_are_selected_from_its_cells():
    """By hand from Table I: FoQuS .5410 .7066, Uniform .2907 .4587, best other .4420, .7056."""
    own = FIRST | {"method": "FoQuS"}
    assert printed(Printed("FoQuS", own)) == "FoQuS: 0.541 at 1 %, 0.707 at 5 %"
    uniform = Printed("less Uniform", own, FIRST | {"method": "Uniform"})
    assert printed(uniform) == "less Uniform: +25.0 at 1 %, +24.8 at 5 %"
    assert printed(Printed("lead", own, FIRST)) == "lead: +9.9 at 1 %, +0.1 at 5 %"
    five = Printed("Table V", {"table": "V", "method": "F+E+Q"}, {"table": "V"})
    assert (
        printed(five, uniform, budgets=(100,)) == "Table V: +0.2 at 1 %; less Uniform: +25.0 at 1 %"
    )
    with pytest.raises(ValueError, match="x: the paper prints no cell {'table': 'VI'}"):
        printed(Printed("x", {"table": "VI"}))


def test_beside_our_comparison_of_leads_stands_the_papers_comparison_of_leads():
    """By hand from Table I: +25.03 at 1 %, +24.79 at 5 %, so +0.24; not the leads themselves."""
    less = Printed("less", FIRST | {"method": "FoQuS"}, FIRST | {"method": "Uniform"})
    tested = Scope("here", "main", ("FoQuS",), (100, 500), ("Uniform",))
    one = Claim("x", "a", "b", "largest_at_first", tested, paper=(less,))
    assert claims._printed_differences(one) == pytest.approx([0.2503 - 0.2479])
    leads = claims._printed_differences(replace(one, rule="above_floor"))
    assert leads == pytest.approx([0.2503, 0.2479])


# ---- claims.yml ----------------------------------------------------------------------------------

GOOD = {
    "id": "one", "claim": "FoQuS is above Uniform", "shown": "Table I", "rule": "above_floor",
    "tested": {"layer": "a", "rows": "main", "methods": ["FoQuS"], "against": ["Uniform"],
               "budgets": [100]},
}  # fmt: skip


def written(tmp_path, *entries):
    path = tmp_path / "claims.yml"
    path.write_text(yaml.safe_dump(list(entries)), encoding="utf-8")
    return path


def without(name):
    return {key: value for key, value in GOOD.items() if key != name}


def with_tested(**change):
    return GOOD | {"tested": GOOD["tested"] | change}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("text", "claim 1: expected a mapping, got 'text'"),
        (without("shown"), "claim 1: missing shown"),
        (GOOD | {"claims": "x"}, "unknown field 'claims'; did you mean 'claim'"),
        (GOOD | {"claim": 3}, "claim: expected text, got 3"),
        (
            GOOD | {"rule": "above_flor"},
            r"\(one\): unknown rule 'above_flor'; did you mean 'above_f",
        ),
        (without("tested"), "expected tested for every rule but not_tested"),
        (GOOD | {"rule": "not_tested"}, "expected tested for every rule but not_tested"),
        (without("tested") | {"rule": "not_tested"}, "expected a reason"),
        (GOOD | {"whose": "our"}, "unknown whose 'our'; did you mean 'ours'"),
        (GOOD | {"reason": "x"}, "expected a reason for not_tested, and for no other"),
        (with_tested(budgets=["1 %"]), "budgets: expected a list of whole numbers, got"),
        (with_tested(budgets=[]), "budgets: expected a list of whole numbers"),
        (with_tested(methods="FoQuS"), "methods: expected a list of names, got 'FoQuS'"),
        (with_tested(margin="5"), "margin: expected a number, got '5'"),
        (
            with_tested()
            | {"rule": "difference_between", "tested": GOOD["tested"] | {"against": ["a", "b"]}},
            "against the one at its place; got 1 methods against 2",
        ),
        (with_tested(methods=[1]), "methods: expected a list of names"),
        (GOOD | {"paper": {"label": "x"}}, "paper: expected a list"),
        (GOOD | {"paper": [{"label": "x"}]}, "paper: missing cell"),
        (GOOD | {"paper": [{"label": "x", "cell": {"rate": 1}}]}, "unknown column 'rate'"),
        (GOOD | {"paper": [{"label": "x", "cell": 3}]}, "cell: expected a mapping, got 3"),
    ],
)
def test_what_is_wrong_with_a_claim_is_said(entry, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        claims.read_claims(written(tmp_path, entry))


def test_claims_are_read(tmp_path):
    [one] = claims.read_claims(written(tmp_path, GOOD))
    assert one.tested.methods == ("FoQuS",) and one.tested.budgets == (100,) and one.paper == ()
    with pytest.raises(ValueError, match="id one is given twice"):
        claims.read_claims(written(tmp_path, GOOD, GOOD))
    (tmp_path / "claims.yml").write_text("a: 1", encoding="utf-8")
    with pytest.raises(ValueError, match="expected a list of claims, got dict"):
        claims.read_claims(tmp_path / "claims.yml")


def test_the_books_claims_without_any_rows(tmp_path):
    """As on the day before the rows are there: the page builds and says so."""
    table = claims.derive({}, STUDIES, tmp_path)
    assert set(table.Verdict) == {"not tested"} and len(table) > 10
    assert (table["The paper"] != "").all() and table["The paper"].str.contains("at 1 %").any()
    numbers = json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))
    assert numbers["counts"] == {
        "holds": 0, "does not hold": 0, "not shown": 0, "not tested": len(table), "all": len(table),
    }  # fmt: skip
    assert numbers["claims"]["above-uniform"]["verdict"] == "not tested"
    assert numbers["claims"]["above-uniform"]["ours"] == "no committed rows"
    again = pd.read_csv(tmp_path / "claims.csv")
    assert list(again.columns) == ["Claim", "Whose", "Verdict", "Ours", "The paper", "Data"]
    assert numbers["whose"]["paper"]["all"] + numbers["whose"]["ours"]["all"] == len(table)
    assert numbers["one_family"] == {"comparisons": 0, "holds": 0}


def test_every_method_of_the_books_claims_is_in_the_catalog():
    """A name that no longer exists would leave its claim untested without a word."""
    known = {*CATALOG, "Uniform", "All data", "*", boundary.FORGOTTEN, boundary.NEVER,
             "Uniform" + SNR_BALANCED}  # fmt: skip
    for claim in claims.read_claims():
        for names in (claim.tested.methods, claim.tested.against) if claim.tested else ():
            assert set(names) <= known, claim.id


def test_all_others_are_the_ten_that_the_paper_prints():
    """Committed rows hold our own controls too, of which the paper claims nothing."""
    printed = set(paper.methods()) - {"FoQuS"}
    found = {claim.id: set(claim.tested.against) for claim in claims.read_claims()
             if claim.rule == "above_all" and claim.tested.rows != "ablation"}  # fmt: skip
    assert len(found) == 5 and all(names == printed for names in found.values())


def test_no_committed_budget_is_left_out_of_a_claim_that_its_rows_test():
    """Rows at another rate would else be committed and change no verdict."""
    tested = 0
    for claim in claims.read_claims():
        scope = claim.tested or Scope("", "", (), ())
        path = committed.RESULTS / scope.layer / f"{scope.rows}.csv"
        if not path.exists():
            continue
        rows = pd.read_csv(path, usecols=["method", "budget"])
        there = rows.budget[rows.method.isin(scope.methods) & (rows.method != "All data")]
        tested += len(there)
        assert set(there) <= set(scope.budgets), claim.id
    assert tested


def test_every_printed_cell_of_the_books_claims_is_one_value_a_budget():
    for claim in claims.read_claims():
        for one in claim.paper:
            cell = claims._cells(paper.cells(), one.cell, claim)
            assert not cell.duplicated("budget").any(), (claim.id, one.label)


def test_the_books_claims_with_rows(tmp_path):
    data = layer({"Uniform": LIKE, "FoQuS": ABOVE, "CD": BELOW, "All data": 0.9})["here"]
    table = claims.derive({"rml2016_04c_8cls": data}, STUDIES, tmp_path).set_index("Claim")
    numbers = json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))["claims"]
    uniform = numbers["above-uniform"]  # better at each of three rates, of the claim's five
    assert uniform["verdict"] == "not shown" and uniform["n"] == 6
    assert uniform["ours"].endswith("not run: 20 %, 30 %")
    assert numbers["keeps-accuracy"]["verdict"] == "does not hold"
    assert 0 < numbers["above-uniform"]["detectable"]["to"] < 0.03
    assert numbers["three-metrics"]["verdict"] == "not tested"
    assert (table.Verdict == "does not hold").sum() >= 1


def test_as_one_family_a_claim_of_one_comparison_holds_no_more(tmp_path):
    """p = 0.03 alone is shown; beside nine comparisons of another claim it is not."""
    alone, many = pd.DataFrame({"p": [0.03]}), pd.DataFrame({"p": [1e-9, *[0.5] * 8]})
    found = [Finding("holds", comparisons=alone), Finding("not shown", comparisons=many)]
    assert claims._as_one_family(found[:1]) == {"comparisons": 1, "holds": 1}
    assert claims._as_one_family(found) == {"comparisons": 10, "holds": 0}
    sure = Finding("holds", comparisons=many[:1])
    assert claims._as_one_family([*found, sure]) == {"comparisons": 11, "holds": 1}


def test_a_claim_that_is_no_accuracy_is_in_the_table_and_not_in_the_figure(tmp_path):
    """A distance in logits has no place on an axis of points."""
    data = layer({"Uniform": LIKE, "FoQuS": ABOVE})["here"]
    far = replace(STUDY, metrics=(Metric("accuracy", "distance", higher_is_better=False),))
    tested = {"layer": "here", "rows": "main", "methods": ["Uniform"], "against": ["FoQuS"],
              "budgets": [100]}  # fmt: skip
    entry = {"id": "near", "claim": "It lies nearer", "shown": "here", "rule": "above_floor"}
    text = yaml.safe_dump([entry | {"tested": tested}])
    (tmp_path / "claims.yml").write_text(text, encoding="utf-8")
    for study, drawn in ((STUDY, True), (far, False)):
        table = claims.derive({"here": data}, {"main": study}, tmp_path, tmp_path / "claims.yml")
        assert list(table.Verdict) == ["does not hold" if drawn else "holds"]
        assert ("It lies nearer" in (tmp_path / "claims.html").read_text("utf-8")) == drawn


def test_a_part_of_the_methods_is_not_the_claim():
    """Above CD alone is not above all ten."""
    values = {"FoQuS": ABOVE, "CD": LIKE}
    found = said("above_all", values, against=("CD", "Cal"))
    assert found.verdict == "not shown" and found.ours.endswith("not run: Cal")
    assert said("above_all", values, against=("CD",)).verdict == "holds"


def test_a_part_of_the_budgets_is_not_the_claim():
    """Shown at two rates and not looked at at 20 %: not shown. The contrary at one is enough."""
    budgets = (100, 500, 2000)
    found = said("above_floor", level(ABOVE), budgets=budgets)
    assert found.verdict == "not shown" and "not run: 20 %" in found.ours
    assert said("above_floor", level(BELOW), budgets=budgets).verdict == "does not hold"
    five, against = (100, 500, 1000, 2000, 3000), ("A",)
    for a, verdict in (([0.7, 0.7, 0.5], "not shown"), ([0.7] * 3, "does not hold")):
        values = level(LIKE) | {"A": a}  # lost at two or three budgets of the claim's five
        assert said("above_all", values, against=against, budgets=five).verdict == verdict

"""Two sentences that follow from rows: worked by hand, then what they may never say."""

from dataclasses import replace

import numpy as np
import pytest

from foqus_lib.report.conclusion import conclude, conclusion
from foqus_lib.report.differences import difference_to_floor
from tests.report.made_up import CNN1D, STUDY, rows


def level(of_method, spread=0.01):
    """Accuracy: a method's level, and noise of its own in each seed and repeat."""

    def accuracy(method, budget, seed, repeat):
        noise = np.random.default_rng([budget, seed, repeat, len(method)]).normal(scale=spread)
        return of_method.get(method, 0.5) + noise

    return accuracy


def test_what_is_shown_is_named_with_its_size_and_the_rest_is_counted():
    told = conclusion(rows(level({"FoQuS": 0.7, "Herding": 0.3}, 0.0)), STUDY)
    assert told == (
        "n = 5: of 4 differences to the floor (Uniform), adjusted together (Holm), 2 are shown "
        "better (FoQuS at 1 %, +20.0 points; FoQuS at 5 %, +20.0 points) and 2 are shown worse "
        "(Herding at 1 %, -20.0 points; Herding at 5 %, -20.0 points). In 80 of 100 cases, "
        "or more, the median test would have shown a difference of 0.0 points; smaller ones "
        "may be there."
    )
    told = conclusion(rows(level({"FoQuS": 0.7}), budgets=(100,)), STUDY)
    assert "1 is shown better (FoQuS, +" in told and "; of 1 nothing is shown." in told


def test_a_budget_is_named_where_the_others_show_nothing_and_four_names_are_all():
    def accuracy(method, budget, seed, repeat):
        return 0.5 + 0.2 * (method != "Uniform" and budget == 500) + 0.01 * (seed * repeat)

    methods = ("Uniform", "A", "B", "C", "D")
    told = conclusion(rows(accuracy, methods=methods), STUDY)
    assert "4 are shown better (A at 5 %, +20.0 points; B at" in told and "; D at 5 %, " in told
    assert "more)" not in told


def test_the_median_test_is_the_median_one():
    def accuracy(method, budget, seed, repeat):
        return 0.5 + {"A": 0.001, "B": 0.002, "C": 0.09}.get(method, 0) * (seed - 2)

    data = rows(accuracy, methods=("Uniform", "A", "B", "C"), budgets=(100,), repeats=(0,))
    low, middle, high = 100 * difference_to_floor(data, STUDY).numbers.detectable.sort_values()
    assert f"{middle:.1f} points (from {low:.1f} to {high:.1f});" in conclusion(data, STUDY)
    assert f"{middle:.1f}" != f"{(low + middle + high) / 3:.1f}"


def test_nothing_shown_is_said_so_with_what_could_have_been():
    told = conclusion(rows(level({})), STUDY)
    assert "(Uniform), adjusted together (Holm), not one is shown, for better or worse." in told
    assert "better (" not in told and "(from " in told


def test_below_five_seeds_nothing_is_concluded():
    far = rows(level({"FoQuS": 0.9}, 0.0), seeds=range(4))
    assert conclusion(far, STUDY) == "n = 4: below 5 seeds nothing is concluded. More seeds first."
    fewer = far[(far.method != "FoQuS") | (far.seed < 2)]
    assert conclusion(fewer, STUDY).startswith("n = 4: below")


def test_below_the_seeds_that_a_study_asks_for_nothing_is_concluded():
    far, asks = rows(level({"FoQuS": 0.9}, 0.0)), replace(STUDY, verdict_from=10)
    assert conclusion(far, asks) == "n = 5: below 10 seeds nothing is concluded. More seeds first."
    ten = rows(level({"FoQuS": 0.9}, 0.0), seeds=range(10))
    fewer = ten[(ten.method != "Herding") | (ten.seed < 5)]
    assert conclusion(fewer, asks).endswith("Of 2 more there are fewer than 10 seeds: no verdict.")


def test_a_floor_alone_is_compared_with_nothing():
    alone = rows(level({}), methods=("Uniform",))
    assert conclusion(alone, STUDY) == "Only Uniform has rows: nothing is compared."


def test_a_range_of_seeds_is_told_and_the_largest_loss_comes_first():
    data = rows(level({"FoQuS": 0.45, "Herding": 0.3}), budgets=(100,), seeds=range(7))
    told = conclusion(data[(data.method != "FoQuS") | (data.seed < 6)], STUDY)
    assert told.startswith("n = 6 to 7: of 2 differences")
    assert "2 are shown worse (Herding, -" in told and "; FoQuS, -" in told


def test_what_has_too_few_seeds_beside_others_is_counted():
    data = rows(level({"FoQuS": 0.7}))
    few = data[~((data.method == "Herding") & (data.seed > 1))]
    told = conclusion(few, STUDY)
    assert told.startswith("n = 5: of 2 differences")
    assert told.endswith("Of 2 more there are fewer than 5 seeds: no verdict.")


def test_methods_without_a_verdict_are_named_and_not_counted():
    study = replace(STUDY, unjudged=("Herding",))
    data = rows(level({"FoQuS": 0.7, "Herding": 0.9}, 0.0), budgets=(100,))
    told = conclusion(data, study)
    assert told.startswith("n = 5: of 1 difference") and "Herding, +" not in told
    assert told.endswith(
        "No verdict on Herding: a seed hardly moves them, and what another draw of the data would "
        "do is in no interval."
    )
    alone = conclusion(data[data.method != "FoQuS"], study)
    assert alone.startswith("No verdict on Herding: ") and "seeds nothing is concluded" not in alone


def test_a_loss_is_better_where_it_is_lower_and_has_its_own_unit():
    of_loss = replace(STUDY.metrics[0], label="nats a token", points=False, higher_is_better=False)
    study = replace(STUDY, metrics=(of_loss, *STUDY.metrics[1:]))
    told = conclusion(rows(level({"FoQuS": 3.5}, 0.0), budgets=(100,)), study)
    assert "1 is shown worse (FoQuS, +3 nats a token)" in told


def test_a_study_without_blocks_and_a_single_difference():
    study = replace(STUDY, block=())
    one = rows(level({"FoQuS": 0.7}, 0.0), methods=("FoQuS", "Uniform"), budgets=(100,))
    assert "of 1 difference to the floor (Uniform) 1 is shown better (FoQuS, +20.0 points)." in (
        conclusion(one, study)
    )


def test_blocks_are_named_and_a_long_list_is_cut():
    pairs = (*CNN1D, ("CNN1D", "CNN2D"))
    methods = ("Uniform", "FoQuS", "Herding", "Cal")
    far = level({"FoQuS": 0.9, "Herding": 0.8, "Cal": 0.7}, 0.0)
    told = conclusion(rows(far, pairs=pairs, methods=methods, budgets=(100,)), STUDY)
    assert "6 are shown better (CNN1D → CNN1D: FoQuS, +40.0 points; CNN1D → CNN2D: FoQuS" in told
    assert told.count("Cal") == 0 and "; and 2 more)" in told


def test_a_count_over_several_blocks_says_that_each_was_adjusted_by_itself():
    """p = 0.03 of the one comparison in a block counts there; over both blocks it would not."""
    near = 0.006, 0.016, 0.026, 0.036, 0.056

    def accuracy(method, budget, seed, repeat):
        return 0.5 + (method == "FoQuS") * near[seed]

    pairs = (*CNN1D, ("CNN1D", "CNN2D"))
    some = {"pairs": pairs, "budgets": (100,)}
    alone = rows(accuracy, methods=("Uniform", "FoQuS"), **some)
    [low] = set(difference_to_floor(alone, STUDY).numbers.p_holm.round(12))
    assert 0.025 < low < 0.05
    told = conclusion(alone, STUDY)
    assert "(Uniform), one in each of 2 blocks and so not adjusted, 2 are shown better" in told
    told = conclusion(rows(accuracy, methods=("Uniform", "FoQuS", "Cal"), **some), STUDY)
    assert "(Uniform), adjusted (Holm) within each of 2 blocks and not over all of them," in told


@pytest.fixture
def simulated():
    return rows(level({})).assign(about="RML2016.10a-like (simulated, seed 0), 11 classes")


def test_each_set_of_committed_rows_has_a_paragraph_and_simulated_data_are_called_so(simulated):
    real = rows(level({}), dataset="rml2016 <04c>", seeds=range(3)).assign(about="8 classes")
    found = conclude(STUDY, {"rows": simulated, "real": real}).data
    first, second = found.removesuffix("</p>").split("</p>")
    assert first.startswith("<p>Committed rows rows.csv, RML2016.10a-like (simulated): n = 5: of 4")
    assert second.startswith("<p>Committed rows real.csv, rml2016 &lt;04c&gt;: n = 3: below 5")


def test_recordings_with_a_simulated_source_are_not_called_simulated():
    about = "mine (file with SHA-256 ae7b), 8 classes. Source A-like (simulated, 4 dB); target mine"
    found = conclude(STUDY, {"real": rows(level({}), dataset="mine").assign(about=about)}).data
    assert "real.csv, mine: n = 5" in found


def test_the_pages_own_rows_come_after_the_committed_ones(simulated):
    both = conclude(STUDY, {"rows": simulated}, simulated).data
    assert both.index("Committed rows") < both.index("This page")
    told = conclude(STUDY, {}, simulated, pick=lambda of: of[of.method != "FoQuS"]).data
    assert told.startswith("<p>This page&#x27;s own rows, RML2016.10a-like (simulated): n = 5")
    assert "of 2 differences" in told
    told = conclude(STUDY, {"rows": simulated}, pick=lambda of: of[of.method != "FoQuS"]).data
    assert "of 2 differences" in told
    lacking = simulated[simulated.method != "Uniform"]
    told = conclude(STUDY, {}, lacking, "10 of 20 trials").data
    assert "n = 0: below 5 seeds nothing is concluded" in told
    assert conclude(STUDY, {}, simulated[:0]).data == ""

"""One contract over every row of the catalog: a new selector is tested by being listed."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foqus_lib.evidence import SAMPLE_AXIS
from foqus_lib.selection.catalog import (
    ABLATION_METHODS,
    CATALOG,
    CONTROLS,
    METHODS,
    NEWER,
    SELECTORS,
    method_named,
    partition_named,
)
from foqus_lib.selection.methods import (
    class_balanced,
    classes,
    classes_and_snrs,
    coresets,
    one_pool,
    snr_balanced,
    top_k,
)

ALL = {name: class_balanced(method) for name, method in CATALOG.items()}
# Counts and ranks tie; and here rng draws places in the pool: a start, or the coreset itself.
PLACES = ("Uniform", "CD", "k-Center Greedy", "Forgetting", "Moderate")
WITHOUT_TIES = [name for name in ALL if not name.startswith((*PLACES, "F |", "E |", "F+E |"))]

every = pytest.mark.parametrize("name", ALL)
main = pytest.mark.parametrize("name", METHODS)
newer_too = pytest.mark.parametrize("name", [*METHODS, *NEWER])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_rows_of_table_i_in_the_papers_order():
    assert list(SELECTORS) == [
        "Uniform", "Cal", "CD", "Forgetting", "GraNd", "Herding", "k-Center Greedy",
        "Least Confidence", "Entropy", "Margin", "FoQuS", "FoQuS (min-max)",
    ]  # fmt: skip


def test_the_ablation_has_all_terms_readings_and_rules():
    assert len(ABLATION_METHODS) == 3 * 2 + 4 * 2 * 2  # a single metric stands once a rule
    assert "F+E | as printed | tiers" in ABLATION_METHODS and "Q | top-k" in ABLATION_METHODS
    assert ABLATION_METHODS["FoQuS"] is METHODS["FoQuS"]


@every
@pytest.mark.parametrize("k", [0, 1, 3, 4, 7, 24, 59, 60])
def test_keeps_exactly_k_distinct_rows(name, k, evidence):
    kept = ALL[name](evidence, k, rng())
    assert kept.dtype == np.int64 and kept.shape == (k,)
    assert len(np.unique(kept)) == k
    assert k == 0 or (kept.min() >= 0 and kept.max() < len(evidence))


@every
@pytest.mark.parametrize(
    ("k", "quotas"),
    [(8, [2, 2, 2, 2]), (10, [3, 3, 2, 2]), (40, [12, 12, 12, 4]), (58, [19, 19, 16, 4])],
)
def test_classes_share_equally_and_a_small_one_passes_its_rest_on(name, k, quotas, evidence):
    assert np.bincount(evidence.label[ALL[name](evidence, k, rng())]).tolist() == quotas


@every
def test_same_name_same_coreset(name, evidence):
    first, second = (ALL[name](evidence, 12, rng(5)) for _ in range(2))
    assert first.tolist() == second.tolist()


@every
def test_coresets_are_nested_over_budgets_each_class_a_prefix(name, evidence):
    sizes = [1, 5, 6, 7, 13, 24, 41, 60]
    one_by_one = [ALL[name](evidence, k, rng(2)) for k in sizes]
    at_once = coresets(CATALOG[name], evidence, sizes[::-1], rng(2))[::-1]
    for separate, together in zip(one_by_one, at_once, strict=True):
        assert separate.tolist() == together.tolist()
    for small, large in zip(one_by_one, one_by_one[1:], strict=False):
        for y in range(4):
            less, more = (kept[evidence.label[kept] == y].tolist() for kept in (small, large))
            assert more[: len(less)] == less


@every
@pytest.mark.parametrize("k", [-1, 61])
def test_an_impossible_budget_names_both_numbers(name, k, evidence):
    with pytest.raises(ValueError, match=f"cannot keep {k} of 60"):
        ALL[name](evidence, k, rng())


@main
def test_an_impossible_budget_of_one_pool_too(name, evidence):
    with pytest.raises(ValueError, match="cannot keep 61 of 60"):
        one_pool(METHODS[name])(evidence, 61, rng())
    kept = one_pool(METHODS[name])(evidence, 17, rng())
    assert len(np.unique(kept)) == len(kept) == 17


@every
def test_leaves_the_evidence_and_the_global_generator_alone(name, evidence):
    for field in fields(evidence):
        if isinstance(array := getattr(evidence, field.name), np.ndarray):
            array.setflags(write=False)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    ALL[name](evidence, 12, rng())
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


@pytest.mark.parametrize("name", WITHOUT_TIES)
def test_reordered_signals_give_the_same_coreset(name, evidence):
    order = rng(9).permutation(60)
    before = ALL[name](evidence, 21, rng(1))
    after = ALL[name](reordered(evidence, order), 21, rng(1))
    assert set(order[after].tolist()) == set(before.tolist())


def reordered(evidence, order):
    return replace(
        evidence,
        **{
            name: np.take(getattr(evidence, name), order, axis=axis)
            for name, axis in SAMPLE_AXIS.items()
        },
    )


READS = {
    "Cal": ("embedding", "logits"),
    "CD": ("logits",),
    "GraNd": ("logits_early",),
    "Herding": ("embedding",),
    "k-Center Greedy": ("embedding",),
    "Least Confidence": ("logits",),
    "Entropy": ("logits",),
    "Margin": ("logits",),
    "FoQuS": ("loss",),
    "FoQuS (min-max)": ("loss",),
    "EL2N": ("logits_early",),
    "AUM": ("margin",),
    "Cartography": ("loss",),
    "Dyn-Unc": ("loss",),
    "DUAL": ("loss",),
    "TDDS": ("drift",),
    "CCS": ("loss",),
    "Moderate": ("embedding",),
    "D2": ("loss", "embedding"),
}


@pytest.mark.parametrize(("name", "field"), [(n, field) for n, f in READS.items() for field in f])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite_is_refused_by_name(name, field, value, evidence):
    """Evidence refuses it when made; should an array change later, the method still does."""
    getattr(evidence, field)[..., 1] = value
    with pytest.raises(ValueError, match=rf"{field.removesuffix('_early')}: expected finite"):
        ALL[name](evidence, 12, rng())
    with pytest.raises(ValueError, match=f"evidence.{field}: expected finite"):
        replace(evidence)


def test_a_score_that_is_not_finite_is_refused_by_name(evidence):
    def broken(evidence):
        return np.where(evidence.label == 1, np.nan, 0)

    with pytest.raises(ValueError, match="score broken: expected finite numbers, got 20"):
        one_pool(top_k(broken))(evidence, 3, rng())


@settings(max_examples=30, deadline=None)
@given(
    label=hnp.arrays(np.int64, st.integers(1, 30), elements=st.integers(0, 4)),
    levels=st.integers(1, 3),
    data=st.data(),
)
@newer_too
def test_duplicates_and_odd_classes_change_nothing(name, label, levels, data, make):
    """Rows repeat, classes have one signal or none: still k distinct rows, nested, none twice."""
    n, draw = len(label), rng(levels)
    row = draw.integers(levels, size=n)  # each signal is one of a few
    e = make(
        label,
        correct=(draw.random((4, levels)) < 0.5)[:, row],
        loss=draw.random((4, levels))[:, row],
        logits=draw.normal(size=(levels, 5))[row],
        embedding=draw.normal(size=(levels, 2))[row],
        logits_early=draw.normal(size=(1, levels, 5))[:, row],
        embedding_norm_early=np.ones((1, n)),
    )
    k = data.draw(st.integers(0, n))
    kept, more = ALL[name](e, k, rng(3)), ALL[name](e, n, rng(3))
    assert len(np.unique(kept)) == len(kept) == k
    assert sorted(more) == list(range(n))
    counts, full = np.bincount(label[kept], minlength=5), np.bincount(label, minlength=5)
    short = counts < full
    if short.any():  # whoever could give more gives as many as anyone, within one
        assert counts[short].min() >= counts.max() - 1


def test_top_k_keeps_the_highest_and_draws_among_equals(evidence):
    kept = one_pool(top_k(lambda e: np.arange(60.0)))(evidence, 3, rng())
    assert kept.tolist() == [59, 58, 57]
    flat = one_pool(top_k(lambda e: np.zeros(60)))
    counts = np.bincount(np.concatenate([flat(evidence, 6, rng(s)) for s in range(500)]))
    assert counts.min() > 25 and counts.max() < 80  # 50 expected, sd 6.7


def test_scores_are_global_and_only_the_cut_is_per_class(evidence):
    seen = []

    def score(e):
        seen.append(len(e))
        return e.logits[:, 0]

    coresets(top_k(score), evidence, [4, 12], rng())
    assert seen == [60]


def test_an_unknown_method_offers_the_nearest():
    assert method_named("FoQuS") is METHODS["FoQuS"]
    with pytest.raises(ValueError, match="did you mean 'k-Center Greedy'"):
        method_named("k-centre greedy")


def test_controls_are_named_and_stand_in_no_table():
    assert method_named("Cal (in class)") is CONTROLS["Cal (in class)"]
    assert not CONTROLS.keys() & (METHODS.keys() | ABLATION_METHODS.keys())


def test_newer_methods_are_named_and_stand_in_no_table():
    named = ["EL2N", "AUM", "Cartography", "Dyn-Unc", "DUAL", "TDDS", "CCS", "Moderate", "D2"]
    assert list(NEWER) == named
    assert method_named("CCS") is NEWER["CCS"]
    assert not NEWER.keys() & (METHODS.keys() | ABLATION_METHODS.keys() | CONTROLS.keys())


def test_any_method_may_be_balanced_over_snrs():
    assert method_named("FoQuS | SNR-balanced") is METHODS["FoQuS"]
    assert partition_named("FoQuS | SNR-balanced") is classes_and_snrs
    assert partition_named("F+E | as printed | tiers") is classes
    with pytest.raises(ValueError, match="unknown method 'Fokus'.*did you mean 'FoQuS'"):
        method_named("Fokus | SNR-balanced")


def cells(evidence, kept) -> list[list[int]]:
    """How many were kept of each class (rows) and SNR (columns)."""
    return [
        [int(((evidence.label[kept] == y) & (evidence.snr[kept] == s)).sum()) for s in (-2, 0, 2)]
        for y in np.unique(evidence.label)
    ]


@newer_too
def test_snr_balanced_fills_every_cell_alike(name, make):
    """2 classes, 3 SNRs, 7 signals a cell: 18 is 3 each; of 20 each class has one more to give."""
    e = make(np.arange(42) % 2, snr=np.array([-2, 0, 2])[np.arange(42) // 14])
    select = snr_balanced(CATALOG[name])
    assert cells(e, select(e, 18, rng())) == [[3, 3, 3], [3, 3, 3]]
    assert cells(e, select(e, 20, rng())) == [[4, 3, 3], [4, 3, 3]]
    assert cells(e, select(e, 42, rng())) == [[7, 7, 7], [7, 7, 7]]


def test_a_small_snr_passes_its_rest_on_inside_its_class(make):
    """Class 0 has 2, 8 and 8 signals, class 1 only the highest SNR: classes still share equally."""
    label = np.repeat([0, 0, 0, 1], [2, 8, 8, 10])
    e = make(label, snr=np.repeat([-2, 0, 2, 2], [2, 8, 8, 10]))
    kept = snr_balanced(METHODS["Herding"])(e, 20, rng())
    assert cells(e, kept) == [[2, 4, 4], [0, 0, 10]]
    assert len(np.unique(kept)) == 20


@newer_too
def test_snr_balanced_coresets_are_nested_too(name, make):
    e = make(np.arange(40) % 3, snr=np.arange(40) % 4)
    sizes = [2, 7, 13, 30, 40]
    at_once = coresets(CATALOG[name], e, sizes, rng(2), classes_and_snrs)
    for k, together in zip(sizes, at_once, strict=True):
        assert snr_balanced(CATALOG[name])(e, k, rng(2)).tolist() == together.tolist()
    for less, more in zip(at_once, at_once[1:], strict=False):
        assert set(less) <= set(more)
    with pytest.raises(ValueError, match="cannot keep 41 of 40"):
        snr_balanced(CATALOG[name])(e, 41, rng())


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["Cal", "Cal (in class)", "CD", "Herding", "k-Center Greedy"])
def test_a_gpu_picks_what_the_cpu_picks(name, make):
    torch = pytest.importorskip("torch")
    label = np.repeat([0, 1, 2, 3], [900, 700, 700, 5])
    e = make(label, embedding=rng(1).normal(size=(len(label), 32)))
    with torch.device("cuda"):
        there = ALL[name](e, 600, rng())
    assert there.tolist() == ALL[name](e, 600, rng()).tolist()


def test_kernels_run_on_the_default_device(evidence):
    """The meta device computes nothing: whoever reaches it asked torch for the default device."""
    torch = pytest.importorskip("torch")
    for name in ("Cal", "CD", "Herding", "k-Center Greedy"):
        with torch.device("meta"), pytest.raises((NotImplementedError, RuntimeError), match="meta"):
            SELECTORS[name](evidence, 12, rng())

"""The clustering study on tones and on tiny simulated sets: what is refused, shared, published."""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from foqus_lib.companions import clustering
from foqus_lib.datasets.catalog import Task
from foqus_lib.datasets.simulated import like_rml2016
from foqus_lib.experiment import artifacts, settings, store, sweep
from foqus_lib.experiment.rows import load_rows
from foqus_lib.experiment.store import frame, frame_by
from foqus_lib.report.bars import judge
from foqus_lib.report.differences import difference_to_floor
from foqus_lib.report.means import budget_table
from foqus_lib.selection.catalog import VERSIONS as SELECTORS
from foqus_lib.signals import Signals
from foqus_lib.studies import catalog
from foqus_lib.studies.clustering import bars, coresets, encoders, grid, keeping, pictures, transfer
from foqus_lib.studies.clustering import options as names
from foqus_lib.studies.clustering.bench import AUTOENCODER, SOURCE, bench
from foqus_lib.studies.clustering.coresets import chosen, named_by_clusters
from foqus_lib.studies.clustering.encoders import make_encoder
from foqus_lib.studies.clustering.options import METHODS, Options
from foqus_lib.studies.clustering.run import STUDY, jobs, of_table
from foqus_lib.studies.clustering.transfer import disjoint, transfer_of
from tests.studies import tiny

OPTIONS = Options(
    settings=("b",), pretrain_epochs=2, epochs=1, batch=32, pair_batch=64, rate=0.25,
    selection_epochs=2, coreset_epochs=1,
    coreset_batch=8,
)  # fmt: skip


@pytest.fixture(scope="module")
def four(tones) -> Task:
    """Tones of four classes, the source's two first; 64 signals to train on and 32 to test on."""
    label = np.arange(96) // 24
    signals = Signals(tones.iq, label, tones.snr, ("one", "two", "three", "four"))
    rows = np.arange(96)
    train, test = rows[rows % 3 > 0], rows[rows % 3 == 0]
    return Task("tones", True, signals[train], signals[test], train, "4" * 64, "Tones.")


def common(**change):
    return tiny.common(split="random", **change)


@pytest.fixture(scope="module")
def made(four, tmp_path_factory):
    return replace(bench(common(), OPTIONS, four), root=tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def rows(made, four):
    wanted = grid.trials(common(), OPTIONS, four)
    found = sweep.sweep(STUDY, made, wanted)
    assert not found.note
    return frame(made.root, STUDY, wanted)


# ---- what is refused before anything is trained --------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"settings": ("c",)}, "unknown setting 'c'"),
        ({"settings": ()}, r"settings: expected at least one, got \[\]"),
        ({"coresets_of": ("x",)}, "unknown setting 'x'"),
        ({"methods": ("DTC-A",)}, "unknown method 'DTC-A'; did you mean 'DTC A'"),
        ({"model": "CNN1"}, "unknown model 'CNN1'; did you mean 'CNN1D'"),
        ({"clusters": (1,)}, "clusters: expected 2 or more, or 0 for as many as classes, got 1"),
        ({"pair_batch": 1}, "pair_batch: expected 2 or more, got 1"),
        ({"lr": 0.0}, "lr: expected more than 0, got 0"),
        ({"selection_epochs": 1}, "selection_epochs: expected 2 or more, got 1"),
        ({"rate": 2.0}, "rate: expected 0 < "),
    ],
)
def test_options_are_refused_with_a_reason(given, words):
    with pytest.raises(ValueError, match=words):
        Options(**given)


def test_the_notebook_refuses_them_before_it_makes_data():
    with pytest.raises(ValueError, match="12_clustering in profile smoke: unknown setting 'z'"):
        catalog.opened("12_clustering", {"profile": "smoke", "settings": ["z"]})


def test_more_clusters_than_signals_are_refused(four):
    many = replace(OPTIONS, clusters=(1000,))
    with pytest.raises(ValueError, match="expected 2 to 32, the number of signals, got k = 1000"):
        bench(common(), many, four)


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        (("x",), (), "setting b: the data have no class 'x'; they have A, B, C"),
        (("A", "B"), ("B", "C"), "B is in source_classes and target_classes"),
        (("A",), (), "expected 2 classes or more in source and target, got .*take settings="),
    ],
)
def test_classes_that_do_not_part_are_refused(source, target, words):
    with pytest.raises(ValueError, match=words):
        disjoint(("A", "B", "C"), source, target)


def test_one_class_is_refused_and_strange_names_are_parted():
    with pytest.raises(ValueError, match="expected 2 classes or more"):
        disjoint(("A",), (), ())
    assert disjoint(("A", "B", "C", "D", "E"), (), ()) == (("A", "C", "E"), ("B", "D"))
    radio = ("8PSK", "AM-DSB", "AM-SSB", "PAM4", "QAM16", "QAM64", "QPSK", "WBFM")  # of 04C here
    source, target = disjoint(radio, (), ())
    assert source == ("8PSK", "QAM16", "AM-SSB", "WBFM")
    assert target == ("QPSK", "QAM64", "PAM4", "AM-DSB")
    assert disjoint(radio, (), ("QPSK", "PAM4"))[0] == tuple(
        name for name in radio if name not in ("QPSK", "PAM4")
    )


def test_a_simulated_source_needs_known_names_and_a_known_length(four):
    with pytest.raises(ValueError, match=r"setting a: expected signals of 128 .* or 512 .* has 64"):
        transfer_of(four, OPTIONS, "a", 0)
    strange = replace(four, train=_of_length(four.train, 128), test=_of_length(four.test, 128))
    with pytest.raises(ValueError, match="expected 2 classes or more that RML2016.10a-like has"):
        transfer_of(strange, OPTIONS, "a", 0)


def _of_length(signals, length, classes=None):
    iq = np.tile(signals.iq, (1, 1, length // signals.length))
    return Signals(iq, signals.label, signals.snr, classes or signals.classes)


# ---- from whom to whom ---------------------------------------------------------------------------


def test_setting_b_parts_classes_and_scales_to_unit_power(made):
    found = made.transfer("b")
    assert found.source.classes == ("one", "three") and found.train.classes == ("two", "four")
    assert len(found.source) == len(found.train) == 32 and len(found.test) == 16
    for part in (found.source, found.train, found.test):
        assert np.bincount(part.label).tolist() == [len(part) // 2] * 2
        assert (part.iq.astype(float) ** 2).sum(axis=1).mean() == pytest.approx(1, rel=1e-5)


OF_A = replace(OPTIONS, settings=("a",), coresets_of=("a",), source_frames=2, source_snrs=(6, 8))


def known(four):
    """The same signals, long enough and so named that setting a has a source for them."""
    classes = ("QPSK", "mine", "BPSK", "WBFM")
    parts = {name: _of_length(getattr(four, name), 128, classes) for name in ("train", "test")}
    return replace(four, **parts)


def test_setting_a_shares_names_and_no_stream(four):
    task, how = known(four), OF_A
    found = transfer_of(task, how, "a", 0)
    assert found.source.classes == ("QPSK", "BPSK", "WBFM") and len(found.source) == 3 * 2 * 2
    assert found.train.classes == task.train.classes and set(found.source.snr) == {6, 8}
    assert "simulated" in found.about
    other = transfer_of(task, how, "a", 1)
    assert not np.array_equal(other.source.iq, found.source.iq)


# ---- trials --------------------------------------------------------------------------------------


def test_trials_by_hand(four):
    """11 methods in setting b, which has no classifier of its own, and three coresets, a seed."""
    found = grid.trials(common(seeds=2), OPTIONS, four)
    assert len(found) == len(set(found)) == 2 * (len(METHODS) - 1 + 3)
    assert names.AS_IS not in {one.method for one in found}
    by = {one.method: one for one in found}
    assert by[names.FLOOR].budget == 2 and by[names.UNIFORM].budget == 2500
    assert by[names.FLOOR]["source"] == by[names.DAC]["source"] == "-"
    assert by[names.DTC_A]["source"] == by[names.WITH_CLUSTERS]["source"] == "one three"
    assert by[names.FLOOR]["clustering_recipe"] == "-" != by[names.DEC]["clustering_recipe"]
    several = grid.trials(common(), replace(OPTIONS, clusters=(0, 3)), four)
    assert {one.budget for one in several if one.method == names.FLOOR} == {2, 3}
    assert {one.budget for one in several if one.method == names.CEILING} == {2}


def test_another_source_asks_again_for_the_rows_that_learn_from_it(four, monkeypatch):
    """Same name, SNRs, frames, seed and classes; only the simulator's channel is another."""
    before = grid.trials(common(), OF_A, known(four))
    assert before == grid.trials(common(), OF_A, known(four))  # made twice, the same signals

    def other(snrs, frames, seed):
        return like_rml2016.generate(snrs, frames, seed, like_rml2016.Quirks(uniform_phase=True))

    simulators = tuple(replace(one, generate=other) for one in transfer.SIMULATORS)
    monkeypatch.setattr(transfer, "SIMULATORS", simulators)
    after = set(grid.trials(common(), OF_A, known(four)))
    changed = {one.method for one in before if one not in after}
    of_source = {names.PRETRAINED, names.AS_IS, names.DTC_A, names.DTC_B, names.WITH_CLUSTERS}
    assert changed == of_source


def test_a_raised_version_asks_for_everything_again(four, monkeypatch):
    before = set(grid.trials(common(), OPTIONS, four))
    monkeypatch.setattr(clustering, "VERSION", 99)
    assert not before & set(grid.trials(common(), OPTIONS, four))


def test_a_raised_version_of_the_selector_asks_for_the_two_rows_that_it_picks(four, monkeypatch):
    before = grid.trials(common(), OPTIONS, four)
    monkeypatch.setitem(SELECTORS, "FoQuS", 99)
    after = set(grid.trials(common(), OPTIONS, four))
    assert {one.method for one in before if one not in after} == set(names.SELECTIONS[1:])
    assert {one["versions"].split()[-1] for one in before if one not in after} == {"FoQuS=1"}


def test_a_job_that_selects_has_room_for_the_record(made, four, tmp_path):
    long = replace(made, root=tmp_path, options=replace(OPTIONS, selection_epochs=20_000))
    _, second, third = jobs(long, grid.trials(common(), long.options, four))
    more = 13 * 20_000 * len(long.transfer("b").train)
    assert all(job.memory > max(one.memory for one in second) + more for job in third)


def test_jobs_come_in_stages_and_shared_encoders_once(made, four, tmp_path):
    fresh = replace(made, root=tmp_path)
    first, second, third = jobs(fresh, grid.trials(common(), OPTIONS, four))
    assert [job.arguments for job in first] == [("autoencoder", "b", 0), ("source", "b", 0)]
    assert len(second) == len(METHODS) - 1 and len(third) == 3
    assert all(job.cost > 0 and job.trials for job in (*second, *third))
    twice = grid.trials(common(), replace(OPTIONS, repeats=2), four)
    again = jobs(fresh, twice)[2]  # repeats share what was selected
    assert len(again) == 3 and all(len(job.trials) == 2 for job in again)


# ---- rows ----------------------------------------------------------------------------------------


def test_every_row_is_there_and_within_bounds(rows):
    clustered = of_table(rows, "clusters", "b")
    assert len(clustered) == len(METHODS) - 1
    shown = [metric.name for metric in STUDY.metrics]
    assert clustered[shown].notna().all(axis=None)
    assert (clustered[["acc", "acc_test", "largest"]] >= 0.5).all(axis=None)  # of two classes
    drawn = of_table(rows, "coresets")
    assert set(drawn.method) == set(names.SELECTIONS) and drawn.recognition.between(0, 1).all()


def test_curves_and_recalls_are_in_the_rows(made, four):
    wanted = grid.trials(common(), OPTIONS, four)
    pairs = frame_by(made.root, STUDY, wanted, "positive", "epoch")
    assert set(pairs.method) == {names.DAC, names.DAC_HEAD, names.DTC_A}
    acc = frame_by(made.root, STUDY, wanted, "acc", "epoch")
    assert set(acc.method) == set(pairs.method) | {names.DEC, names.DTC_B}
    recall = frame_by(made.root, STUDY, wanted, "recall", "class")
    assert len(recall) == 2 * (len(METHODS) - 1)


def test_the_same_trial_alone_and_in_a_sweep(made, rows, four, tmp_path):
    alone = replace(made, root=tmp_path)
    make_encoder(alone, SOURCE, "b", 0)
    [trial] = [t for t in grid.trials(common(), OPTIONS, four) if t.method == names.DTC_A]
    [*_, job] = [j for j in jobs(alone, [trial])[1]]
    job.call(alone, *job.arguments)
    one, two = (store.read(root, trial)["metrics"] for root in (made.root, tmp_path))
    assert one == two


def test_no_row_but_supervised_looks_at_the_target_s_labels(made, rows, monkeypatch):
    """With the target's labels turned round, the same clusters come out."""
    wanted = {m: keeping.clusters_of(made, m, "b", 2, 0) for m in (names.SPECTRUM, names.DAC_HEAD)}
    target = made.transfer("b")
    turned = replace(target, train=replace(target.train, label=1 - target.train.label))
    asked = sys.modules["foqus_lib.studies.clustering.bench"]  # a function of that name hides it
    monkeypatch.setattr(asked, "_transfer", lambda *given: turned)
    for method, found in wanted.items():
        again = keeping.METHODS[method](keeping.Case(made, "b", 2, 0))
        assert (again.train == found["train"]).all() and (again.test == found["test"]).all()


class Seen(Exception):
    pass


@pytest.mark.parametrize("make", [
    lambda made: make_encoder(made, AUTOENCODER, "b", 0),
    lambda made: keeping.clusters_of(made, names.DAC, "b", 2, 0),
], ids=["encoder", "clusters"])  # fmt: skip
def test_products_are_of_the_precision_that_was_asked_for(make, made, tmp_path, monkeypatch):
    """Left alone, a GPU multiplies convolutions in TF32: the loops here are not those of `fit`."""

    def look(*given):
        assert torch.backends.cudnn.conv.fp32_precision == "ieee"
        raise Seen

    monkeypatch.setattr(encoders, "_of_autoencoder", look)
    monkeypatch.setitem(keeping.METHODS, names.DAC, look)
    assert torch.backends.cudnn.conv.fp32_precision == "tf32"
    with pytest.raises(Seen):
        make(replace(made, root=tmp_path))


def test_an_encoder_that_diverged_says_so_in_every_row_that_needs_it(made, four, tmp_path):
    broken = replace(made, root=tmp_path)
    store.fail(tmp_path, broken.encoder_key(SOURCE, "b", 0), ValueError("loss: made up"))
    with pytest.raises(ValueError, match="no encoder .source, setting b, seed 0., .*loss: made up"):
        keeping.clusters_of(broken, names.PRETRAINED, "b", 2, 0)


def test_a_job_of_an_encoder_names_what_it_makes(made, four, tmp_path):
    """So that a sweep notes a killed worker under the key that the rows ask for the reason."""
    fresh = replace(made, root=tmp_path)
    first, *_ = jobs(fresh, grid.trials(common(), OPTIONS, four))
    assert first and all(job.makes == (fresh.encoder_key(*job.arguments),) for job in first)


# ---- coresets ------------------------------------------------------------------------------------


def test_coresets_have_one_size_and_clusters_never_see_labels(made, rows, four):
    wanted = [t for t in grid.trials(common(), OPTIONS, four) if t.method in names.SELECTIONS]
    for trial in wanted:
        picked = chosen(made, trial)
        assert len(picked) == len(set(picked.tolist())) == 8
    told = named_by_clusters(made, wanted[-1])
    kept = keeping.clusters_of(made, names.DTC_A, "b", 2, 0)["train"]
    assert (told.label == kept).all() and told.classes == ("cluster 0", "cluster 1")


def test_a_cluster_that_empties_does_not_stop_the_selection(made, rows, four, monkeypatch):
    [trial] = [t for t in grid.trials(common(), OPTIONS, four) if t.method == names.WITH_CLUSTERS]
    n = len(made.transfer("b").train)
    monkeypatch.setattr(
        "foqus_lib.studies.clustering.coresets.clusters_of",
        lambda *given: {"train": np.zeros(n, np.int64)},
    )
    assert len(set(chosen(made, trial).tolist())) == 8


def test_a_repeat_that_diverges_hides_no_other(made, four, tmp_path, monkeypatch):
    fresh, real = replace(made, root=tmp_path), coresets.trained

    def diverging(bench, signals, rows, name, *more):
        if name == bench.name("evaluate", "b", 0, 0):
            raise ValueError("loss: not finite from epoch 1")
        return real(bench, signals, rows, name, *more)

    monkeypatch.setattr(coresets, "trained", diverging)
    thrice = grid.trials(common(), replace(OPTIONS, repeats=3), four)
    wanted = [one for one in thrice if one.method == names.UNIFORM and one["table"] == "coresets"]
    found = sweep.sweep(STUDY, fresh, wanted)
    assert [one.repeat for one in found.complete] == [1, 2]
    [why] = found.failed.values()
    assert "not finite" in why


# ---- bars and pictures ---------------------------------------------------------------------------


def lines(**acc):
    """Rows of one setting: method -> ACC of each seed; NMI alike, one cluster of 0.3."""
    return pd.DataFrame(
        [
            {"setting": "b", "budget": 5, "method": method, "seed": seed, "acc": value,
             "nmi": value, "largest": 0.3, "empty": 0.0}
            for method, values in acc.items()
            for seed, value in enumerate(values)
        ]
    )  # fmt: skip


def test_bars_by_hand():
    ours, floor = (0.9, 0.8, 0.9, 0.8, 0.9), (0.5, 0.39, 0.51, 0.41, 0.5)
    given = lines(**{names.DTC_A: ours, names.FLOOR: floor, names.PRETRAINED: (0.9,)})
    given.loc[given.index[1], ["largest", "empty"]] = 0.7, 1
    found = judge(bars.bars(given), {"rows": given}).set_index("says")
    at = found.loc[f"setting b: ACC of {names.DTC_A} less {names.FLOOR}, +30 or more"]
    assert (at.measured[:12], at.n, at.verdict) == ("+39.8 points", "5", "met")
    at = found.loc[f"setting b: NMI of {names.DTC_A} less {names.PRETRAINED}, +3 or more"]
    assert (at.measured, at.n, at.verdict) == ("+0.0 points", "1", "no verdict")
    at = found.loc[f"setting b: ACC of {names.DTC_A} less {names.DAC}, +25 or more"]
    assert at.verdict == "not measured"
    at = found.loc["setting b: largest cluster of any seed, 60 % or less"]
    assert (at.measured, at.verdict) == ("70.0 %", "not met")
    assert found.loc["setting b: no empty cluster in any seed"].measured == "1.000"
    assert list(found.bar) == ["6.7.2"] * 5 + ["6.7.3"] + ["6.7.4"] * 2


def test_dtc_is_set_beside_rows_of_its_start_and_of_its_labels():
    of_dtc, of_head = (0.9, 0.8, 0.9, 0.8, 0.9), (0.8, 0.71, 0.8, 0.69, 0.8)
    given = lines(**{
        names.DTC_A: of_dtc, names.DAC_HEAD: of_head, names.DAC: (0.2,) * 5,
        names.DTC_B: (0.7, 0.7), names.AS_IS: (0.8, 0.9),
    })  # fmt: skip
    found = judge(bars.beside(given), {"rows": given}).set_index("says")
    alone = found.loc[f"setting b: ACC of {names.DTC_A} less {names.DAC_HEAD}, +25 or more"]
    assert (alone.measured[:12], alone.verdict) == ("+10.0 points", "not met")
    alone = found.loc[f"setting b: NMI of {names.DTC_A} less {names.DAC_HEAD}, +0 or more"]
    assert alone.verdict == "met"
    less = found.loc[f"setting b: ACC of {names.DTC_B} less {names.AS_IS}, +0 or more"]
    assert (less.measured, less.n, less.verdict) == ("-15.0 points", "2", "no verdict")
    assert len(found) == 3 + 2 + 2  # no row of Pre-train + k-means
    assert bars.beside(given[given.method == names.DAC]) == []


def test_a_judged_table_in_words():
    table = pd.DataFrame({
        "says": ["one", "two", "three"], "measured": ["+1", "+2", "+3"],
        "verdict": ["met", "not met", "not shown (the mean misses it)"],
    })  # fmt: skip
    assert bars.told(table).splitlines() == [
        "1 of 3 are met; else", "  two: +2, not met", "  three: +3, not shown (the mean misses it)"
    ]  # fmt: skip
    assert bars.told(table[:1]) == "1 of 1 are met" and bars.told(table[:0]) == "nothing to judge"
    assert bars.listed(table).startswith("  one: +1, met\n")


def test_rows_above_the_reference_are_named():
    given = lines(**{names.CEILING: (0.5, 0.6), names.DTC_A: (0.6, 0.7), names.DAC: (0.2, 0.9)})
    given.loc[given.method != names.CEILING, "nmi"] = 0.1
    given = pd.concat([given, given.assign(budget=7, acc=0.99)[given.method == names.DTC_A]])
    acc, nmi = bars.above_reference(given).splitlines()
    assert acc == "setting b, ACC: Supervised, same recipe, has 0.550; higher are DTC A 0.650"
    assert nmi == "setting b, NMI: Supervised, same recipe, has 0.550; no row has more"
    assert bars.above_reference(given[given.method != names.CEILING]) == ""


@pytest.mark.parametrize("stem", ["rows", "real"])
def test_starts_of_k_means_get_no_verdict_and_the_reference_is_no_ceiling(stem):
    path = settings.ROOT / "book" / "results" / "clustering" / f"{stem}.csv"
    kept = of_table(load_rows(path, STUDY), "clusters")
    numbers = difference_to_floor(kept, STUDY).numbers
    of_starts = numbers.method.isin(names.STARTS)
    assert of_starts.any() and set(numbers.verdict[of_starts]) == {"n = 5: no verdict"}
    assert numbers.p.notna().equals(~of_starts)
    heads = budget_table(kept, STUDY).text.index.get_level_values("Method")
    assert names.REFERENCE in heads and not heads.str.contains("ceiling").any()


def test_merged_seeds_are_listed():
    given = lines(**{names.DTC_A: (0.7, 0.9), names.PRETRAINED: (0.8, 0.8)})
    given.loc[given.method == names.PRETRAINED, "nmi"] = 0.6
    [line] = bars.merged(given).itertuples()
    assert (line.seed, round(line.acc, 3), round(line.nmi, 3)) == (0, -0.1, 0.1)
    assert bars.merged(given[given.seed == 1]).empty


def test_numbers_of_clusters_are_not_averaged():
    five = lines(**{names.DTC_A: (0.9, 0.9), names.PRETRAINED: (0.8, 0.8)})
    columns = dict.fromkeys(("ari", "acc_test", "nmi_test", "ari_test", "recognition"), 0.5)
    both = pd.concat([five, five.assign(budget=3, acc=0.1)]).assign(**columns)
    table = bars.summary(both).acc
    assert table["b", names.DTC_A, 5] == "0.900 ± 0.000"
    assert table["b", names.DTC_A, 3] == "0.100 ± 0.000"
    says = [line.says for line in bars.bars(both) if names.PRETRAINED in line.says]
    assert len(says) == 4 and says[0].startswith("setting b, k = 3: ")


def test_the_summary_says_how_many_clusters_stayed_empty():
    given = lines(**{names.DAC: (0.2, 0.3), names.DTC_A: (0.9, 0.9)})
    columns = dict.fromkeys(("ari", "acc_test", "nmi_test", "ari_test", "recognition"), 0.5)
    table = bars.summary(given.assign(**columns, empty=[3.0, 4.0, 0.0, 0.0]))
    assert list(table["empty"]) == ["3.500 ± 0.707", "0.000 ± 0.000"]


def test_empty_clusters_are_named_with_the_mend():
    given = lines(**{names.DAC: (0.2, 0.3), names.CEILING: (0.9,)})
    assert bars.emptied(given) == ""
    given["empty"] = [3.0, 0.0, 1.0]
    first, mend = bars.emptied(given).splitlines()
    assert first == "DAC, setting b, seed 0: 3 of 5 clusters are empty"
    assert mend.startswith("Raise balance")


def test_pictures_of_the_stored_clusters(made, rows):
    table, columns = pictures.matched_confusion(made, names.DTC_A, "b", 0)
    assert table.sum() == 32 and set(columns) <= {"two", "four", "no class"}
    stages, label = pictures.three_stages(made, "b", 0, most=16)
    assert len(stages) == 3 and len(label) == 16
    assert all(points.shape == (16, 2) for points in stages.values())


def test_what_has_no_clusters_is_not_drawn(made, rows, tmp_path):
    both = rows[rows["table"] == "clusters"]
    assert pictures.lacking(made, both, pictures.STAGES, "b", 0) == ""
    without = both[both.method != names.DTC_A]  # its clusters are stored, it is no row of the page
    told = pictures.lacking(made, without, pictures.STAGES, "b", 0)
    assert told.startswith("Nothing is drawn: setting b, seed 0 has no clusters of DTC A in the")
    assert "methods" in told
    elsewhere = replace(made, root=tmp_path)  # as of rows that were taken in from a file
    told = pictures.lacking(elsewhere, both, pictures.STAGES, "b", 0)
    assert "no clusters of Pre-train + k-means; DTC A in" in told
    assert pictures.lacking(made, both[:0], [names.DTC_A], "b", 0)


def test_clusters_are_kept_once(made, rows, monkeypatch):
    monkeypatch.setattr(artifacts, "save_arrays", None)  # nothing may be made again
    for method in (names.PRETRAINED, names.DTC_A):
        assert "features" in keeping.clusters_of(made, method, "b", 2, 0)

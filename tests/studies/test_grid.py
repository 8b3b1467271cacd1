"""The grids of the paper's tables on every data set and every network that it names."""

import json
import shutil
from dataclasses import replace

import pytest

from foqus_lib import cli
from foqus_lib.datasets.catalog import DATASETS
from foqus_lib.experiment import store
from foqus_lib.experiment.key import canonical
from foqus_lib.models import MODELS
from foqus_lib.selection.catalog import ABLATION_METHODS
from foqus_lib.selection.catalog import VERSIONS as METHOD_VERSIONS
from foqus_lib.studies import catalog
from foqus_lib.studies.coreset import grid
from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.training import collect, fit
from tests.studies import tiny


def smoke(notebook, tmp_path, **given):
    small = {"profile": "smoke", "results": str(tmp_path), "epochs": 1, "batch": 16}
    known = catalog.parameters(notebook)  # not every chapter has all of these
    small = {name: value for name, value in small.items() if name in known}
    if small.get("epochs") and "tuple" in str(known["epochs"].kind):
        small["epochs"] = [1]  # one for each rate
    return catalog.opened(notebook, small | given)


def complete(chapter):
    found = chapter.run(lambda text: None)
    rows = chapter.rows()
    assert not found.missing and len(rows) == len(chapter.trials)
    assert rows.accuracy.between(0, 1).all()
    return rows


LONG = "RML2018.01a-like"  # 1,024 samples, 24 classes


@pytest.mark.parametrize(
    "dataset", [pytest.param(s, marks=[pytest.mark.slow] * (s == LONG)) for s in DATASETS]
)
def test_main_tables_on_every_set(dataset, tmp_path):
    """Tables I and II: the three sets, by name."""
    top = 18 if "2016" in dataset else 30
    chapter = smoke(
        "03_main_tables", tmp_path, dataset=dataset, frames=5, snr_min=top,
        methods=["Uniform", "k-Center Greedy", "FoQuS"], rates=[0.5],
    )  # fmt: skip
    rows = complete(chapter)
    assert set(rows.dataset) == {dataset} and rows.about.str.contains("simulated").all()


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_every_network_selects_and_is_trained(model, tmp_path):
    """Tables III and IV: A selects for B, both ways."""
    chapter = smoke(
        "04_cross_architecture", tmp_path, pairs=[f"CNN1D -> {model}", f"{model} -> CNN1D"],
        later_pairs=[], frames=3, snr_min=18, methods=["Uniform", "Herding", "FoQuS"],
        rates=[0.5],
    )  # fmt: skip
    assert model in set(complete(chapter).evaluation_model)


def test_table_iv_gets_the_floor_it_lacks(tmp_path):
    given = {"profile": "paper", "results": str(tmp_path), "frames": 3, "device": "cpu"}
    trials = catalog.opened("04_cross_architecture", given).trials
    of_iqformer = {t.method for t in trials if t["evaluation_model"] == "IQFormer"}
    assert of_iqformer == {"Uniform", "FoQuS", "All data"}
    pairs = {(t["selection_model"], t["evaluation_model"]) for t in trials if t.method == "FoQuS"}
    assert len(pairs) == 8 and ("CNN2D", "SigNet") in pairs and ("CNN1D", "LSTM") in pairs
    recipes = {t["evaluation_recipe"] for t in trials if t["evaluation_model"] == "IQFormer"}
    assert all(recipe.startswith("AdamW") for recipe in recipes)


def test_ceilings_are_those_that_are_asked_for(tmp_path):
    for ceilings in (["CNN1D", "CNN2D"], ["LSTM", "IQFormer"], []):
        chapter = smoke("04_cross_architecture", tmp_path, frames=3, ceilings=ceilings)
        found = {t["evaluation_model"] for t in chapter.trials if t.method == "All data"}
        assert found == set(ceilings)


def test_all_snr_has_both_ways_of_balancing(tmp_path):
    chapter = smoke("07_all_snr", tmp_path, frames=5, snr_min=14, rates=[0.5])
    complete(chapter)
    by_snr = chapter.rows_by("accuracy", "snr")
    assert set(by_snr.snr) == {14, 16, 18}
    assert {"FoQuS", "FoQuS | SNR-balanced"} <= set(by_snr.method)


def test_methods_without_a_network_share_their_trials(task):
    trials = tiny.pairs(task, "CNN1D -> LSTM", "CNN2D -> LSTM", methods=("Uniform", "FoQuS"))
    uniform = [t for t in trials if t.method == "Uniform"]
    assert len(trials) == len(set(trials)) == 2 + 2 * 2 and len(uniform) == 2
    assert {(t["selection_model"], t["selection_recipe"]) for t in uniform} == {("-", "-")}
    assert all("collect" not in t["versions"] for t in uniform)
    [balanced] = tiny.trials(task, methods=("Uniform | SNR-balanced",), rates=(0.5,))
    assert balanced["selection_model"] == "-"


def test_the_grid_is_ordered_and_has_no_trial_twice(task):
    trials = grid.main_tables(
        tiny.common(seeds=2),
        replace(tiny.OPTIONS, models=("CNN1D", "CNN2D"), methods=("Uniform", "FoQuS"),
                rates=(0.01, 0.05), repeats=(2, 1), ceilings=("CNN1D",)),
        task,
    )  # fmt: skip
    assert len(trials) == len(set(trials)) == 2 * 2 * 2 * 3 + 2
    brief = [(t.method, t.budget, t.seed, t.repeat) for t in trials]
    assert brief[:7] == [
        ("Uniform", 100, 0, 0), ("Uniform", 100, 0, 1), ("Uniform", 100, 1, 0),
        ("Uniform", 100, 1, 1), ("Uniform", 500, 0, 0), ("Uniform", 500, 1, 0),
        ("FoQuS", 100, 0, 0),
    ]  # fmt: skip
    assert brief[-2:] == [("All data", 10_000, 0, 0), ("All data", 10_000, 1, 0)]
    assert all(t["evaluation_model"] == "CNN1D" for t in trials[-2:])


def test_repeats_are_stated_for_each_rate_or_for_all(task):
    each = replace(tiny.OPTIONS, rates=(0.01, 0.05), repeats=(8, 3))
    assert each.budgets == [(100, 8), (500, 3)]
    assert replace(each, repeats=(2,)).budgets == [(100, 2), (500, 2)]


def test_every_setting_of_a_trial_is_the_study_s(task):
    for trial in tiny.trials(task, ceilings=("CNN1D",)):
        assert tuple(name for name, _ in trial.settings) == grid.CORESET.settings
        assert (trial.study, trial.version) == ("coreset", grid.CORESET.version)


RAISED = {
    "method": (METHOD_VERSIONS, "FoQuS"),
    "network": (grid.NETWORKS, "CNN1D"),
}


@pytest.mark.parametrize("what", ["method", "network", "fit", "collect"])
def test_a_raised_version_makes_stored_trials_count_as_missing(what, task, tmp_path, monkeypatch):
    """No change of code returns yesterday's number as today's; who does not use it keeps its."""
    from tests.experiment.made_up import FACTS

    stored = tiny.trials(task, methods=("Uniform", "FoQuS", "Margin"))
    for one in stored:
        store.publish(tmp_path, one, {"accuracy": 0.5, "kept": 9}, FACTS)
    if what in RAISED:
        monkeypatch.setitem(*RAISED[what], 99)
    else:
        monkeypatch.setattr({"fit": fit, "collect": collect}[what], "VERSION", 99)
    found = store.scan(tmp_path, tiny.trials(task, methods=("Uniform", "FoQuS", "Margin")))
    lost = {
        "method": {"FoQuS"},
        "network": {"Uniform", "FoQuS", "Margin"},
        "fit": {"Uniform", "FoQuS", "Margin"},
        "collect": {"FoQuS", "Margin"},
    }[what]
    assert {t.method for t in found.missing} == lost
    assert {t.method for t in found.complete} == {"Uniform", "FoQuS", "Margin"} - lost


def parted(notebook, folder, **given):
    """A chapter of which parts can be cut: of a tenth of the smallest set there is none."""
    if "frames" not in catalog.chapter_of(notebook).fixed:  # which says itself how many
        given |= {"frames": 10}
    return smoke(notebook, folder, **given)


def trials_of(whole, parts):
    """Of each part, on the signals of the whole, which are made once."""
    same = replace(whole.chapter, task=lambda common, options: whole.task)
    pieces = [f"{number}/{parts}" for number in range(1, parts + 1)]
    return [replace(whole, chapter=same, part=piece).trials for piece in pieces]


@pytest.fixture(scope="module", params=catalog.grids())
def whole(request, tmp_path_factory):
    return parted(request.param, tmp_path_factory.mktemp("whole"), seeds=3)


@pytest.mark.parametrize("parts", [2, 3])
def test_parts_are_disjoint_and_together_the_whole(whole, parts):
    together = [trial for piece in trials_of(whole, parts) for trial in piece]
    assert len(together) == len(whole.trials) and set(together) == set(whole.trials)


@pytest.mark.parametrize("seeds", [1, 3, 4])
@pytest.mark.parametrize("notebook", ["03_main_tables", "04_cross_architecture"])
def test_no_two_parts_need_the_same_record(notebook, seeds, tmp_path):
    """A record is the dearest there is: two machines must not make the same one."""
    methods = {"methods": ["FoQuS"], "later_methods": ["FoQuS"]}  # each trial needs a record
    first, second = (
        {(t["selection_model"], t.seed) for t in piece if t["selection_model"] != "-"}
        for piece in trials_of(parted(notebook, tmp_path, seeds=seeds, **methods), 2)
    )
    assert first | second and first.isdisjoint(second)


REPEATED = {  # what two parts of a chapter make both
    "08_distillation": {"synthetic set"},  # of the sweep on val
    "10_scoring_proxy": {"pruning base", "pruning record"},  # a seed is compared with another
    "11_llm_pruning": {"llm base"},
}


def test_no_two_parts_make_the_same_but_in_three_chapters(whole):
    first, second = (
        {
            canonical(key)
            for stage in whole.study.jobs(whole.bench, piece)
            for job in stage
            for key in job.makes
        }
        for piece in trials_of(whole, 2)
    )
    both = {json.loads(key)["what"].partition(" collect=")[0] for key in first & second}
    assert both == REPEATED.get(whole.notebook, set())


def test_signals_that_are_too_short_are_refused_before_any_training(task, tmp_path):
    short = replace(task, train=replace(task.train, iq=task.train.iq[..., :16].copy()))
    with pytest.raises(ValueError, match=r"needs signals of \d+ samples or more, these have 16"):
        grid.bench(tiny.common(results=str(tmp_path)), tiny.OPTIONS, short)


def test_a_sweep_goes_on_from_committed_rows(tmp_path, capsys):
    words = ["sweep", "03_main_tables", "--profile", "smoke", "methods=[Uniform]", "ceilings=[]"]
    words += ["rates=[0.1]", "models=[CNN1D]", "seeds=2", "epochs=1", "workers=1"]
    csv, new = tmp_path / "rows.csv", f"results={tmp_path / 'new'}"
    assert cli.main([*words, f"results={tmp_path / 'old'}", "--export", str(csv)]) == 0
    assert cli.main([*words, new, "--have", str(csv), "--plan"]) == 0
    said = capsys.readouterr()
    assert "2 of 2 rows were new to" in said.err and "all 2 trials are stored" in said.out
    assert cli.main([*words, new, "--have", str(tmp_path / "none.csv")]) == 1


def test_a_full_disk_is_told_before_the_training_also_where_rows_are_written(tmp_path, capsys):
    store, csv = tmp_path / "store", tmp_path / "out" / "rows.csv"
    csv.parent.mkdir()
    words = ["sweep", "03_main_tables", "--profile", "smoke", "methods=[Uniform]", "seeds=2"]
    words += ["frames=5", "rates=[0.1]", f"results={store}", "--export", str(csv)]
    real, little = shutil.disk_usage, shutil._ntuple_diskusage(10**9, 10**9 - 4096, 4096)
    with pytest.MonkeyPatch.context() as patched:
        there = csv.parent
        patched.setattr(shutil, "disk_usage", lambda path: little if path == there else real(path))
        assert cli.main(words) == 2
    assert (
        f"{there}: expected 0.008 MB of free space for what will be written, got 0.004 MB"
        in capsys.readouterr().err
    )
    assert not list(store.rglob("*.json"))


PAPERS = (
    "Uniform", "Cal", "CD", "Forgetting", "GraNd", "Herding", "k-Center Greedy",
    "Least Confidence", "Entropy", "Margin", "FoQuS",
)  # fmt: skip
CONTROLS = (
    "Mean loss | tiers", "FoQuS | equal shares", "FoQuS | shares turned round",
    "Uniform | SNR-balanced",
)  # fmt: skip
PROTOCOL = {  # the committed rows: methods, and the repeats at each rate (basis points)
    "03_main_tables": (
        {*PAPERS, "FoQuS (min-max)", *CONTROLS},
        {100: 8, 500: 3, 1000: 2, 2000: 1, 3000: 1},
    ),
    "05_ablation": ({*ABLATION_METHODS, *CONTROLS, "Uniform"}, {100: 8, 500: 3}),
}


@pytest.mark.parametrize("notebook", PROTOCOL)
def test_a_night_runs_the_papers_protocol(notebook):
    """All methods, both readings and four controls at each rate, ten seeds, T = 50, 50 epochs."""
    methods, repeats = PROTOCOL[notebook]
    chapter = catalog.opened(notebook, {"profile": "overnight", "frames": 60})
    found = {(t.method, t.budget, t.seed, t.repeat) for t in chapter.trials if t.method != ALL_DATA}
    assert found == {
        (method, budget, seed, repeat)
        for method in methods
        for budget, several in repeats.items()
        for seed in range(10)
        for repeat in range(several)
    }
    ceiling = [(t.seed, t.repeat) for t in chapter.trials if t.method == ALL_DATA]
    assert ceiling == [(seed, 0) for seed in range(10)]
    for trial in chapter.trials:
        assert "batch=128 epochs=50" in trial["evaluation_recipe"]
        assert "batch=128 epochs=50" in trial["selection_recipe"] or trial["selection_model"] == "-"


ONE_ROW = {
    "03_main_tables": "CCS",
    "04_cross_architecture": "Margin",
    "07_all_snr": "Entropy",
    "08_distillation": "MDM",
    "09_mixing": "RM",
    "10_layer_pruning": "Layer pruning",
    "12_clustering": "DTC A",
    "13_visibility_graph": "AVGNet",
    "14_frontier": "MDM",
}


@pytest.mark.parametrize(("notebook", "method"), ONE_ROW.items())
def test_a_page_asked_for_one_row_gets_the_floor_beside_it(notebook, method):
    """Its tables are differences to that row; a sweep makes what it was asked for, and no more."""
    given = {"profile": "smoke", "methods": [method]}
    kernel = {"In": ["", f"profile = 'smoke'\nmethods = [{method!r}]"]}
    of_page = catalog.opened(notebook, kernel | given)
    assert of_page.options.methods == (of_page.study.floor, method)
    assert catalog.opened(notebook, given).options.methods == (method,)
    both = given | {"methods": [method, of_page.study.floor]}
    assert catalog.opened(notebook, kernel | both).options.methods == (method, of_page.study.floor)


def test_a_proxy_is_asked_for_by_the_rows_of_another_study():
    kernel = {"In": ["", "profile = 'smoke'\nmethods = ['Layer pruning']"], "profile": "smoke"}
    found = catalog.opened("10_scoring_proxy", kernel | {"methods": ["Layer pruning"]})
    assert found.options.methods == ("Layer pruning",)

"""The grids of the paper's tables on every data set and every network that it names."""

from dataclasses import replace

import pytest

from foqus_lib.datasets.catalog import DATASETS
from foqus_lib.experiment import profiles, studies
from foqus_lib.models import MODELS


def smoke(notebook, tmp_path, **change):
    made = profiles.settings(notebook, {"profile": "smoke"})
    return replace(made, results=str(tmp_path), epochs=1, batch=16, **change)


def complete(study):
    found = study.run(lambda text: None)
    rows = study.rows()
    assert not found.missing and len(rows) == len(study.cells)
    assert rows.accuracy.between(0, 1).all()
    return rows


@pytest.mark.parametrize("dataset", DATASETS)
def test_main_tables_on_every_set(dataset, tmp_path):
    """Tables I and II: the three sets, by name."""
    top = 18 if "2016" in dataset else 30
    settings = smoke(
        "03_main_tables", tmp_path, dataset=dataset, frames=5, snr_min=top,
        methods=("Uniform", "k-Center Greedy", "FoQuS"), rates=(0.5,),
    )  # fmt: skip
    rows = complete(studies.main_tables(settings))
    assert set(rows.dataset) == {dataset} and rows.about.str.contains("simulated").all()


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_every_network_selects_and_is_trained(model, tmp_path):
    """Tables III and IV: A selects for B, both ways."""
    pairs = (f"CNN1D -> {model}", f"{model} -> CNN1D")
    settings = smoke(
        "04_cross_architecture", tmp_path, pairs=pairs, later_pairs=(), frames=3, snr_min=18,
        methods=("Uniform", "Herding", "FoQuS"), rates=(0.5,),
    )  # fmt: skip
    rows = complete(studies.cross_architecture(settings))
    assert model in set(rows.evaluation_model)


def test_table_iv_gets_the_floor_it_lacks(tmp_path):
    settings = profiles.settings("04_cross_architecture", {"profile": "paper"})
    settings = replace(settings, results=str(tmp_path), frames=3, device="cpu")
    cells = studies.cross_architecture(settings).cells
    of_iqformer = {c.method for c in cells if c.evaluation_model == "IQFormer"}
    assert of_iqformer == {"Uniform", "FoQuS", "All data"}
    pairs = {(c.selection_model, c.evaluation_model) for c in cells if c.method == "FoQuS"}
    assert len(pairs) == 8 and ("CNN2D", "SigNet") in pairs and ("CNN1D", "LSTM") in pairs
    recipes = {c.evaluation_recipe for c in cells if c.evaluation_model == "IQFormer"}
    assert all(recipe.startswith("AdamW") for recipe in recipes)


def test_free_ceilings_are_those_that_select(tmp_path):
    settings = smoke("04_cross_architecture", tmp_path, frames=3)
    cells = studies.cross_architecture(settings).cells
    assert {c.evaluation_model for c in cells if c.method == "All data"} == {"CNN1D", "CNN2D"}
    cells = studies.cross_architecture(replace(settings, ceilings="all")).cells
    assert {"LSTM", "IQFormer"} <= {c.evaluation_model for c in cells if c.method == "All data"}


def test_all_snr_has_both_ways_of_balancing(tmp_path):
    settings = smoke("07_all_snr", tmp_path, frames=5, snr_min=14, rates=(0.5,))
    study = studies.all_snr(settings)
    complete(study)
    by_snr = study.rows_by_snr()
    assert set(by_snr.snr) == {14, 16, 18}
    assert {"FoQuS", "FoQuS | SNR-balanced"} <= set(by_snr.method)

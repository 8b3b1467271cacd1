import numpy as np
import pytest

from foqus_lib.training.recipe import DEEPCORE_SGD, Recipe, of_model


def test_step_schedule_by_hand():
    recipe = Recipe(lr=1.0, step=2, gamma=0.5)
    assert [recipe.lr_at(epoch, 0, 3) for epoch in range(5)] == [1, 1, 0.5, 0.5, 0.25]


def test_cosine_falls_from_lr_to_its_floor():
    rates = [DEEPCORE_SGD.lr_at(epoch, step, 4) for epoch in range(50) for step in range(4)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(0.1) and 1e-4 < rates[-1] < 2e-4


def test_equal_recipes_have_equal_text_and_different_ones_do_not():
    assert str(Recipe(lr=0.001)) == str(Recipe(lr=1e-3)) == str(Recipe(lr=np.float64(0.001)))
    assert str(Recipe(lr=1, gamma=1)) == str(Recipe(lr=1.0, gamma=1.0))
    changed = [Recipe(epochs=49), Recipe(batch=64), Recipe(lr=2e-3), Recipe(step=9),
               Recipe(gamma=0.9), Recipe(precision="bf16"), Recipe(optimiser="AdamW"),
               Recipe(test_every=5), DEEPCORE_SGD]  # fmt: skip
    assert len({str(recipe) for recipe in [Recipe(), *changed]}) == len(changed) + 1


def test_authors_optimisers_give_way_to_one_that_was_asked_for():
    assert of_model("CNN1D", Recipe()) == Recipe()
    assert of_model("IQFormer", Recipe(epochs=3)) == Recipe(epochs=3, optimiser="AdamW")
    assert of_model("IQFormer", DEEPCORE_SGD) == DEEPCORE_SGD


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"optimiser": "adam"}, "unknown optimiser 'adam'; did you mean 'Adam'"),
        ({"precision": "fp16"}, "unknown precision 'fp16'; did you mean"),
        ({"epochs": 0}, r"recipe\.epochs: expected more than 0, got 0"),
        ({"test_every": -1}, r"recipe\.test_every: expected 0 or more, got -1"),
        ({"lr": float("inf")}, r"recipe\.lr: expected a finite number, got inf"),
        ({"lr": float("nan")}, r"recipe\.lr: expected more than 0, got nan"),
    ],
)
def test_bad_recipes(bad, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**bad)

import pandas as pd

from foqus_lib.report import steps
from tests.report.made_up import STUDY


def test_steps_by_hand():
    """129 signals in batches of 64 are three steps a pass, the last of one signal."""
    recipe = "Adam lr=0.001 step=10 gamma=0.8 batch=64 epochs=5 bf16"
    rows = pd.DataFrame({"budget": [100, 500, 10_000], "kept": [64, 129, 6400]})
    found = steps.quoted(rows.assign(evaluation_recipe=recipe), STUDY)["steps"]
    assert found["sentence"] == "5 at 1 %, 15 at 5 % and 500 at 100 %"
    assert found["5 %"] == "15"


def test_no_recipe_no_steps():
    rows = pd.DataFrame({"budget": [100], "kept": [64]})
    assert steps.quoted(rows, STUDY) == {}
    assert steps.quoted(rows.assign(evaluation_recipe="its own"), STUDY) == {}
